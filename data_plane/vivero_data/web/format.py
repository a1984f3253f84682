"""Jinja filters: figures, sizes and times in words; pure, the clock passed in."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

_SIZE_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_SIZE_STEP: Final = 1000  # decimal units, as plans are sold
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_RELATIVE_DAYS: Final = 7  # older than a week reads better as a date
_WHOLE_FROM: Final = 10  # 9.4 MB, but 94 MB
_NEARLY_FULL: Final = 80  # per cent of a limit from which a meter warns
_FULL: Final = 100


def figure(value: float | Decimal) -> str:
    """A number with thousands separators: 12,345 or 1,234.5."""
    return f"{value:,}"


def filesize(size: int) -> str:
    """Bytes in the largest decimal unit that keeps at least 1: 999 B, 1.2 MB."""
    amount = float(size)
    unit = 0
    # Compare what will be shown: 999,950 B rounds to 1 MB, not to 1000 KB.
    while round(amount) >= _SIZE_STEP and unit < len(_SIZE_UNITS) - 1:
        amount /= _SIZE_STEP
        unit += 1
    if unit == 0 or round(amount, 1) >= _WHOLE_FROM:
        return f"{amount:.0f} {_SIZE_UNITS[unit]}"
    return f"{amount:.1f} {_SIZE_UNITS[unit]}".replace(".0 ", " ")


def aware(moment: datetime) -> datetime:
    """The same moment with its zone; the database's are UTC without saying so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def exact(moment: datetime) -> str:
    """A moment to the second, for a hover: 22 Nov 2026, 15:41:39 UTC."""
    return f"{day(moment)}, {aware(moment):%H:%M:%S} UTC"


def day(moment: datetime) -> str:
    """A date without a leading zero: 2 Nov 2026."""
    utc = aware(moment)
    return f"{utc.day} {utc:%b} {utc.year}"


def relative(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest whole unit; a date when older than a week or in the future."""
    seconds = int((aware(now) - aware(moment)).total_seconds())
    if -_MINUTE < seconds < _MINUTE:
        return "just now"
    if seconds < 0 or seconds >= _RELATIVE_DAYS * _DAY:
        return day(moment)
    for size, word in ((_DAY, "day"), (_HOUR, "hour")):
        if seconds >= size:
            return f"{plural(seconds // size, word)} ago"
    return f"{seconds // _MINUTE} min ago"


def days_left(end: datetime, now: datetime) -> int:
    """Whole or begun days until `end`; never negative."""
    seconds = (aware(end) - aware(now)).total_seconds()
    return max(0, -int(-seconds // _DAY))


def percent(used: int, limit: int) -> int:
    """Used part of a limit, 0..100; a limit of nothing is full."""
    if limit <= 0:
        return _FULL
    return min(_FULL, max(0, used * _FULL // limit))


def level(used: int, limit: int | None) -> str:
    """How a meter looks: `ok`, `warning` from 80 %, `error` when full."""
    if limit is None:
        return "ok"
    share = percent(used, limit)
    if share >= _FULL:
        return "error"
    return "warning" if share >= _NEARLY_FULL else "ok"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 record, 12,000 records."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def cell(value: object) -> str:
    """One value of a record as a table shows it; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float | Decimal):
        return figure(value)
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    return str(value)
