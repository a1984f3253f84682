"""Kubernetes quantities: `500m`, `1.5Gi`. The API server rewrites them to a canonical form, so compare values."""

import re
from decimal import Decimal
from typing import Final

_UNITS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000 ** (power + 1)) for power, unit in enumerate("kMGTPE")},
    **{f"{unit}i": Decimal(1024 ** (power + 1)) for power, unit in enumerate("KMGTPE")},
}
"""As the API server prints them: two terabytes come back as `2T`, whatever was written."""
_FORM: Final = re.compile(rf"([0-9]+(?:\.[0-9]+)?)({'|'.join(filter(None, _UNITS))})?")


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
