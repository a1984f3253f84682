"""What we ask of a payment provider. All that it is told carries a key, so that a repeat changes nothing."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from vivero_control.domain.billing.schemas import Account, Interval


class Offer(Struct, frozen=True, kw_only=True):
    """What is to be bought.

    Attributes:
        tenant_uid: of the workspace that it is for.
        title: the plan's name, as the invoice is to say it.
        amount_cents: for one interval.
    """

    tenant_uid: str
    plan: str
    title: str
    interval: Interval
    amount_cents: int
    currency: str


class Checkout(Struct, frozen=True, kw_only=True):
    """A page of the provider on which one offer is paid, until it expires."""

    id: str
    url: str
    expires_at: datetime


class Event(Struct, frozen=True):
    """What a message is about; its `customer` is None when it is about none."""

    id: str
    customer: str | None


class PaymentProvider(Protocol):
    """Each call is bounded in time.

    Raises:
        ProviderUnavailableError: no answer; whether it was done is not known, so it is to be repeated with the same key.
        ProviderRefusedError: never in this form.
    """

    async def create_customer(self, key: UUID, *, email: str, name: str, tenant_uid: str) -> str:
        """The provider's name for a new customer."""

    async def start_checkout(self, key: UUID, *, customer: str, offer: Offer, return_url: str) -> Checkout:
        """A page to pay an offer on. It leads back with `paid=true` in the address when it was paid, else with `false`."""

    async def expire_checkout(self, checkout_id: str) -> None:
        """Nothing can be paid on it from now on; one that was paid or has expired stays as it is."""

    async def portal(self, customer: str, *, return_url: str) -> str:
        """A page, good for minutes, where the customer changes the payment method or cancels."""

    async def account(self, customer: str) -> Account:
        """Every subscription and invoice of a customer, as they are now."""

    def check_header(self, header: str, now: datetime) -> None:
        """Whether a message may be of now, before its body is read. Raises SignatureError."""

    def event(self, header: str, body: bytes, now: datetime) -> Event:
        """A message that the provider has signed, by its body as it was received.

        Raises:
            SignatureError: it has not, or not just now.
            MalformedError: it says nothing that we understand.
        """
