"""Quotes and contracts for tests."""

from datetime import date
from typing import Any

from vivero_control.domain.contracts.schemas import AgreedLimits, QuoteLine, QuoteTerms


def line(unit_cents: int = 2_400_000, quantity: int = 1, text: str = "Vivero Enterprise, one year") -> QuoteLine:
    return QuoteLine(text=text, quantity=quantity, unit_cents=unit_cents)


def terms(**changes: Any) -> QuoteTerms:  # noqa: ANN401  any field
    """Two years of Enterprise for a French company, from December 2026 on."""
    return QuoteTerms(
        **{
            "company": "Société Exemple",
            "address": "1 Example Street\n75001 Paris",
            "country": "FR",
            "tax_id": "FR12345678901",
            "email": "buyer@example.com",
            "plan": "enterprise",
            "limits": AgreedLimits(users=250),
            "lines": (line(),),
            "term_months": 24,
            "period_months": 12,
            "starts_on": date(2026, 12, 1),
            "valid_until": date(2026, 12, 31),
            **changes,
        }
    )
