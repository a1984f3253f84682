"""Billing over the API: where the payment provider sends its messages, and what staff see of a tenant."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from vivero_web.declared import raises

from vivero_control.domain.billing.errors import SignatureError
from vivero_control.domain.billing.schemas import DifferenceList
from vivero_control.domain.billing.service import BillingService, BillingView
from vivero_control.domain.tenants.controllers import Name
from vivero_control.domain.tenants.service import TenantService

SIGNATURE: Final = "payment-provider"
"""The security scheme of the provider's messages."""
EVENT_BYTES: Final = 256 * 1024
"""Of one message; an event is an object of the provider, with all that is in it."""


class PaymentEventController(Controller):
    """For the provider alone."""

    path = "/billing/events"
    tags = ("Billing",)

    @post(
        status_code=204,
        request_max_body_size=EVENT_BYTES,
        summary="A webhook of the payment provider",
        security=[{SIGNATURE: []}],
        description="Signed with `Stripe-Signature` over the body as it is sent. It only makes us look at the customer.",
    )
    @raises(SignatureError)
    async def receive_payment_event(
        self, request: Request[Any, Any, Any], billing: NamedDependency[BillingService]
    ) -> None:
        await billing.receive(request.headers.get("stripe-signature", ""), request.body)


class DifferenceController(Controller):
    """What the hourly comparison with the provider has found, for staff."""

    path = "/billing/differences"
    tags = ("Billing",)

    @get(
        summary="Differences to the payment provider",
        description="What the hourly comparison has found, the newest hundred. Only what is for people is still so.",
    )
    async def list_billing_differences(self, billing: NamedDependency[BillingService]) -> DifferenceList:
        return await billing.differences()


class TenantBillingController(Controller):
    """What a tenant pays, for staff."""

    path = "/tenants/{name:str}/billing"
    tags = ("Billing",)

    @get(summary="Subscription and invoices of a tenant")
    async def get_tenant_billing(
        self, tenants: NamedDependency[TenantService], billing: NamedDependency[BillingService], name: Name
    ) -> BillingView:
        return await billing.of_tenant((await tenants.get(name)).uid)
