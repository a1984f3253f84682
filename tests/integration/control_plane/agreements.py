"""Quotes that are offered, mailed and accepted on the real services."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from integration.control_plane.support import TestClock, link_in
from unit.control_plane.contract_builders import terms
from vivero_control import composition
from vivero_control.domain.contracts.policies import TERMS_VERSION
from vivero_control.domain.contracts.quotes import QuoteService
from vivero_control.domain.contracts.schemas import Acceptance, QuoteTerms
from vivero_control.settings import CompanySettings, InvoicingSettings
from vivero_control.worker import Worker

Mails = Callable[[str], list[dict[str, Any]]]
YES = Acceptance(name="Grace Hopper", order_number="PO-4711", agrees=True, terms=TERMS_VERSION)
COMPANY = CompanySettings(
    name="Vivero GmbH",
    address="1 Example Street\n12345 Exampletown",
    email="hello@vivero.example",
    vat_id="DE123456789",
    invoicing=InvoicingSettings.model_validate({"country": "DE", "vat_rate": 19, "iban": "DE89370400440532013000"}),
)
SELLER = f"seller-{secrets.token_hex(4)}@vivero.example"


def offer(clock: TestClock, **changes: object) -> QuoteTerms:
    """From today on, to an address of its own."""
    today = clock().date()
    return terms(
        **{
            "email": f"buyer-{secrets.token_hex(6)}@example.com",
            "starts_on": today,
            "valid_until": today + timedelta(days=30),
            **changes,
        }
    )


async def sent(
    quotes: QuoteService, selling: composition.Infrastructure, mails: Mails, of: QuoteTerms
) -> tuple[int, str]:
    """Number, and the secret of the link in the newest mail."""
    made = await quotes.make(of, SELLER)
    await quotes.send(made.id, SELLER)
    return made.id, await newest_link(selling, mails, of.email)


async def newest_link(selling: composition.Infrastructure, mails: Mails, to: str) -> str:
    known = {link_in(mail) for mail in mails(to)}
    await Worker(selling).drain()
    (fresh,) = {link_in(mail) for mail in mails(to)} - known
    return fresh.rpartition("#")[2]
