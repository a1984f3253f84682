"""Kubernetes quantities: `500m`, `1.5Gi`. The API server rewrites them to a canonical form, so compare values."""

import re
from decimal import Decimal
from typing import Final

_UNITS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}
_FORM: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|Ki|Mi|Gi|Ti)?")


def parse(text: str) -> Decimal:
    """The value in base units (cores, bytes); ValueError when it is no quantity."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"not a quantity: {text!r}")
    return Decimal(match[1]) * _UNITS[match[2] or ""]


def render(value: Decimal) -> str:
    """The form the API server itself prints: whole mebibytes, whole units, else thousandths."""
    if value and value % _UNITS["Mi"] == 0:
        return f"{int(value / _UNITS['Mi'])}Mi"
    return str(int(value)) if value == value.to_integral_value() else f"{int(value * 1000)}m"


def same(one: str, other: str) -> bool:
    """Whether two texts are the same quantity, however written."""
    try:
        return parse(one) == parse(other)
    except ValueError:
        return one == other
