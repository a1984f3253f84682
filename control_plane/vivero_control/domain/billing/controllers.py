"""Billing over the API: where the payment provider sends its messages, and what staff see of a tenant."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError

from vivero_control.domain.billing.errors import (
    BillingOffError,
    ChangeNotPossibleError,
    NothingBoughtError,
    PauseChangedError,
    ProviderRefusedError,
    ProviderUnavailableError,
    SignatureError,
)
from vivero_control.domain.billing.pauses import PlanPauses
from vivero_control.domain.billing.schemas import DifferenceList, PauseOrder, TakePauseBack
from vivero_control.domain.billing.service import BillingService, BillingView
from vivero_control.domain.staff.guards import StaffRequest, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenants.controllers import Name
from vivero_control.domain.tenants.errors import TenantUnreadableError
from vivero_control.domain.tenants.service import TenantService

SIGNATURE: Final = "payment-provider"
"""The security scheme of the provider's messages."""
EVENT_BYTES: Final = 256 * 1024
"""Of one message; an event is an object of the provider, with all that is in it."""


_PAUSE_REFUSALS: Final = (
    BillingOffError,
    NothingBoughtError,
    ChangeNotPossibleError,
    ProviderRefusedError,
    ProviderUnavailableError,
    TenantUnreadableError,
)


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
    """What a tenant pays, and a pause of it, for staff."""

    path = "/tenants/{name:str}/billing"
    opt = writes(Scope.MANAGE_TENANTS)
    tags = ("Billing",)

    @get(summary="Subscription and invoices of a tenant")
    async def get_tenant_billing(
        self, tenants: NamedDependency[TenantService], billing: NamedDependency[BillingService], name: Name
    ) -> BillingView:
        return await billing.of_tenant((await tenants.get(name)).uid)

    @post("/pause", status_code=200, summary="Pause the plan of a tenant")
    @raises(*_PAUSE_REFUSALS, PauseChangedError, InvalidInputError)
    async def pause_plan(  # noqa: PLR0913, PLR0917  what the route names
        self,
        request: StaffRequest,
        tenants: NamedDependency[TenantService],
        billing: NamedDependency[BillingService],
        plan_pauses: NamedDependency[PlanPauses],
        name: Name,
        data: JSONBody[PauseOrder],
    ) -> BillingView:
        """Nothing is charged then, and the workspace is closed with its data kept; the owner is told by mail."""
        tenant = await tenants.fresh(name)
        by = request.user.email
        await plan_pauses.pause(tenant, data.months, starts_at=data.starts_at, by=by, reason=data.reason)
        return await billing.of_tenant(tenant.metadata.uid)

    @post("/take-pause-back", status_code=200, summary="Take a pause back that has not begun")
    @raises(*_PAUSE_REFUSALS)
    async def take_pause_back(  # noqa: PLR0913, PLR0917  what the route names
        self,
        request: StaffRequest,
        tenants: NamedDependency[TenantService],
        billing: NamedDependency[BillingService],
        plan_pauses: NamedDependency[PlanPauses],
        name: Name,
        data: JSONBody[TakePauseBack],
    ) -> BillingView:
        """One that has begun is ended by the owner alone: its end is charged."""
        tenant = await tenants.fresh(name)
        await plan_pauses.take_back(tenant, by=request.user.email, reason=data.reason)
        return await billing.of_tenant(tenant.metadata.uid)
