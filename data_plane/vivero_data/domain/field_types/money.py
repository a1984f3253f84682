"""An amount of money in the field's currency, exact."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from vivero_data.domain.field_types.kind import AmbiguousInput, Definition, FieldKind, InvalidValueError, Value
from vivero_data.domain.field_types.number import DECIMALS, DIGITS, checked_number, plain, read_number
from vivero_data.domain.field_types.options import CURRENCY_PATTERN
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.lib.numbers import plain_number

SIGNS: Final[Mapping[str, str]] = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
"""Of currencies whose sign is no other's on the pages; all others are shown by their code."""
_DECIMALS: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_USUAL_DECIMALS: Final = 2
_MARKED: Final = re.compile(
    r"(?P<minus>[-\u2212]?)(?P<before>[A-Za-z]{3}|[$€£¥₹])?\s*(?P<amount>.*?)\s*(?P<after>[A-Za-z]{3}|[$€£¥₹])?",
    re.DOTALL,
)

_LONGEST: Final = 80  # characters of an amount with its currency


class Money(FieldKind):
    """Up to 16 digits before the decimal mark. A currency that is typed along has to be the field's."""

    label = "Money"
    sql = f"DECIMAL({DIGITS},{DECIMALS})"
    figures = True
    summable = True
    takes = frozenset({"currency", "decimals"})

    def problems(self, definition: Definition) -> dict[str, str]:
        if re.fullmatch(CURRENCY_PATTERN, definition.options.currency):
            return {}
        return {"currency": "must be the three capitals of a currency, such as EUR"}

    def example(self, definition: Definition) -> Value:
        return 10

    def parse(self, value: Value, definition: Definition) -> Decimal:
        number = _amount(value, definition) if isinstance(value, str) else value
        return checked_number(number, decimals_of(definition))

    def present(self, stored: Value, definition: Definition) -> Decimal:
        exact = plain(stored)  # has more decimals than the field, if that had more once
        return exact.quantize(min(exact, Decimal(1).scaleb(-decimals_of(definition)), key=_exponent))

    def read(self, text: str, notation: Notation = UNSET) -> Decimal | str | AmbiguousInput:
        found = _MARKED.fullmatch(text.strip()) if len(text) <= _LONGEST else None
        currency = found and (found["before"] or found["after"])
        if found is None or not currency:
            return read_number(text, notation)
        amount = read_number(found["minus"] + found["amount"], notation)
        return amount if isinstance(amount, AmbiguousInput) else f"{currency.upper()} {amount:f}"


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def decimals_of(definition: Definition) -> int:
    """How many decimals an amount of the field has."""
    said = definition.options.decimals
    return _DECIMALS.get(definition.options.currency, _USUAL_DECIMALS) if said is None else said


def _amount(text: str, definition: Definition) -> Decimal | None:
    """The number of `12.50`, or of `EUR 12.50` and `€ 12.50` when that is the field's currency."""
    currency = definition.options.currency
    sign, _, rest = text.strip().partition(" ")
    if rest and not sign[:1].isdigit() and sign not in {currency, SIGNS.get(currency)}:
        raise InvalidValueError(f"must be in {currency}")
    return plain_number(rest.strip() if rest else sign)
