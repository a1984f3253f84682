"""What we ask of a payment provider. All that it is told carries a key, so that a repeat changes nothing."""

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from vivero_control.domain.billing.schemas import Account, Interval

CANCEL_REASONS: Final = {
    "too_expensive": "It costs too much",
    "missing_features": "Something that we need is missing",
    "switched_service": "We use something else",
    "unused": "We do not use it enough",
    "customer_service": "The help was not good enough",
    "too_complex": "It is too complicated",
    "low_quality": "It does not work well enough",
    "other": "Another reason",
}
"""In the provider's words and in ours."""


TAX_ID_KINDS: Final = {
    "eu_vat": "VAT id of the European Union",
    "gb_vat": "VAT number of the United Kingdom",
    "ch_vat": "VAT number of Switzerland",
    "no_vat": "VAT number of Norway",
    "us_ein": "EIN of the United States",
    "ca_bn": "BN of Canada",
    "au_abn": "ABN of Australia",
    "in_gst": "GST number of India",
    "jp_cn": "Corporate number of Japan",
    "br_cnpj": "CNPJ of Brazil",
    "mx_rfc": "RFC of Mexico",
}
"""In the provider's words and in ours; it knows more, which are added on its payment page."""
TAX_ID_INVALID: Final = "tax_id_invalid"


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


class CostLine(Struct, frozen=True):
    """One line of an invoice that would be made."""

    words: str
    cents: int


class Cost(Struct, frozen=True):
    """What the provider would charge at once."""

    total_cents: int
    lines: tuple[CostLine, ...] = ()


class TaxId(Struct, frozen=True):
    """A company's number for tax, as it stands on invoices; `kind` is one of the provider's, such as `eu_vat`."""

    id: str
    kind: str
    value: str
    state: str
    """What came of the provider's look into the register; empty where there is none."""


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

    async def preview_change(self, customer: str, subscription: str, offer: Offer, at: datetime) -> Cost:
        """What `change_now` would charge, reckoned from this second; negative where more is credited."""

    async def change_now(self, key: UUID, subscription: str, offer: Offer, at: datetime) -> None:
        """Put a subscription on another price at once; without the payment nothing changes (ProviderRefusedError)."""

    async def change_with_period(self, subscription: str, offer: Offer) -> None:
        """The same from the next period on; what is paid stays."""

    async def keep_plan(self, subscription: str) -> None:
        """What `change_with_period` has planned does not happen."""

    async def end_with_period(self, subscription: str, *, ends: bool, reason: str = "", comment: str = "") -> None:
        """Whether it ends with its period; `reason` is one of CANCEL_REASONS or empty."""

    async def pause(self, subscription: str, start: datetime, end: datetime) -> None:
        """Nothing is charged for the periods that begin from `start`, the end of the present one, on and before `end`."""

    async def preview_restart(self, customer: str, subscription: str) -> Cost:
        """What `restart_now` would charge."""

    async def restart_now(self, key: UUID, subscription: str) -> None:
        """End a pause that has begun: a whole period begins and is charged now, else nothing changes (ProviderRefusedError)."""

    async def take_pause_back(self, subscription: str) -> None:
        """A pause that has not begun does not happen."""

    async def tax_ids(self, customer: str) -> tuple[TaxId, ...]:
        """Those that invoices have from now on."""

    async def add_tax_id(self, customer: str, kind: str, value: str) -> None:
        """One more. Raises ProviderRefusedError with code TAX_ID_INVALID for one that has not the form of its kind."""

    async def remove_tax_id(self, customer: str, name: str) -> None:
        """Later invoices do not have it."""

    async def account(self, customer: str) -> Account:
        """Every subscription and invoice of a customer, as they are now."""

    async def ping(self) -> None:
        """It answers us."""

    def check_header(self, header: str, now: datetime) -> None:
        """Whether a message may be of now, before its body is read. Raises SignatureError."""

    def event(self, header: str, body: bytes, now: datetime) -> Event:
        """A message that the provider has signed, by its body as it was received.

        Raises:
            SignatureError: it has not, or not just now.
            MalformedError: it says nothing that we understand.
        """
