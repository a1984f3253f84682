"""Value-added tax, and what an invoice comes to: pure functions over whole cents.

What is taxed where is decided by the two countries and the buyer's VAT id alone. The id's form is looked at, not whether
it is in the register of its country: staff do that when they make the quote.
"""

import re
from collections.abc import Iterable
from typing import Final

from vivero_control.domain.contracts.schemas import QuoteLine, Totals, Vat

_EU: Final = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "GR": r"\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{10}\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
}
"""Forms of VAT ids by country of the EU, without the prefix, as the Commission publishes them for VIES."""
_PREFIXES: Final = {"GR": "EL"}
_WHOLE: Final = 10_000  # hundredths of a per cent


def in_eu(country: str) -> bool:
    return country in _EU


def tidy_tax_id(typed: str) -> str:
    """In capitals, without what people put between the digits."""
    return re.sub(r"[\s.\-/]", "", typed).upper()


def tax_id_problem(tax_id: str, country: str) -> str | None:
    """Why a tidied VAT id cannot be one of this country; of a country outside the EU any is taken."""
    if not tax_id or not in_eu(country):
        return None
    prefix = _PREFIXES.get(country, country)
    if re.fullmatch(prefix + _EU[country], tax_id):
        return None
    return f"A VAT id of this country begins with {prefix}, and this does not have the form of one."


def treatment(seller: str, buyer: str, tax_id: str) -> Vat:
    """How a service is taxed that is sold from one country into another."""
    if buyer == seller:
        return Vat.STANDARD
    if not in_eu(buyer):
        return Vat.OUTSIDE
    return Vat.REVERSE_CHARGE if tax_id else Vat.STANDARD


def totals(lines: Iterable[QuoteLine], vat: Vat, domestic_rate: int) -> Totals:
    """One tax on the sum of the lines, rounded once, half a cent up; `domestic_rate` in hundredths of a per cent."""
    net = sum(line.cents for line in lines)
    rate = domestic_rate if vat is Vat.STANDARD else 0
    tax = (net * rate + _WHOLE // 2) // _WHOLE
    return Totals(net_cents=net, vat=vat, rate=rate, vat_cents=tax, total_cents=net + tax)
