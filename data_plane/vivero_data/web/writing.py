"""The notation in which a page writes values: set while it is rendered, so that every table and form uses the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from vivero_ui.filters import datetime_ as unset_moment

from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.money import SIGNS
from vivero_data.lib.notation import UNSET, Notation, Numbers, in_zone, written_date
from vivero_data.lib.numbers import written
from vivero_data.web.inputs import shown

_NOTATION: Final[ContextVar[Notation]] = ContextVar("notation", default=UNSET)


@contextmanager
def writing(notation: Notation) -> Iterator[None]:
    """What is rendered meanwhile is written in this notation."""
    token = _NOTATION.set(notation)
    try:
        yield
    finally:
        _NOTATION.reset(token)


def number(value: Decimal | int) -> str:
    """A number in groups."""
    return written(value, _NOTATION.get().numbers, grouped=True)


def money(value: Decimal, field: Field) -> str:
    """An amount with its currency, which stands where the notation has it: €1,234.50, 1.234,50 €, CHF 1,234.50."""
    numbers, code = _NOTATION.get().numbers, field.options.currency
    sign, text = SIGNS.get(code, code), number(value.copy_abs())
    minus = "-" if value < 0 else ""
    if numbers in {Numbers.COMMA, Numbers.SPACE}:
        return f"{minus}{text}\u00a0{sign}"
    return f"{minus}{sign}{text}" if code in SIGNS else f"{minus}{sign}\u00a0{text}"


def raw(value: object) -> str:
    """A value as its input shows it."""
    return shown(value, _NOTATION.get())


def zoned(label: str) -> str:
    """The label of an input that takes a time: with the time zone that it is in."""
    return f"{label} ({_NOTATION.get().zone.replace('_', ' ')})"


def day(value: date | str) -> str:
    """A date, without a zone: it is the same day everywhere. `7 Nov 2026` until the workspace chooses a notation."""
    exact, dates = value if isinstance(value, date) else date.fromisoformat(value), _NOTATION.get().dates
    return f"{exact.day} {exact:%b %Y}" if dates is None else written_date(exact, dates)


def moment(value: datetime | str) -> str:
    """A date and time in the workspace's time zone; without one in UTC, which is said."""
    exact, notation = value if isinstance(value, datetime) else datetime.fromisoformat(value), _NOTATION.get()
    if notation == UNSET or (notation.zone == UNSET.zone and notation.dates is None):
        return unset_moment(exact)
    local = in_zone(exact, notation.zone)
    seconds = ":%S" if local.second else ""
    return f"{day(local.date())}, {local:%H:%M{seconds}}" + (" UTC" if notation.zone == UTC.tzname(None) else "")
