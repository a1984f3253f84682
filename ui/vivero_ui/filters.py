"""How figures, money, sizes and times are written on every page."""

import datetime as dt
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP: Final = 1024
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def number(value: float | None) -> str:
    """`10000` → `10,000`; `None` → `Unlimited`, because a limit that is absent is unlimited."""
    return "Unlimited" if value is None else f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 record, 12,000 records."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def euro(cents: int) -> str:
    """`200000` → `€2,000`; cents appear only when there are some."""
    sign, whole, rest = ("-" if cents < 0 else ""), *divmod(abs(cents), 100)
    return f"{sign}€{whole:,}" + (f".{rest:02}" if rest else "")


def bytes_(value: int | None) -> str:
    """`1572864` → `1.5 MiB`, in powers of 1,024 as plans are sold; `None` → `Unlimited`."""
    if value is None:
        return "Unlimited"
    amount, unit = float(value), _UNITS[0]
    for unit in _UNITS:
        if abs(round(amount, 1)) < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{amount:.1f}".removesuffix(".0") + f" {unit}"


def datetime_(value: datetime) -> str:
    """Exact, in UTC: `7 Nov 2026, 14:03 UTC`. A naive time is taken as UTC."""
    moment = as_utc(value)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def second(value: datetime) -> str:
    """As exact as a restore is, in UTC: `7 Nov 2026, 14:03:09 UTC`."""
    moment = as_utc(value)
    return f"{moment.day} {moment:%b %Y, %H:%M:%S} UTC"


def local(value: datetime) -> str:
    """For `<input type=datetime-local>`, in UTC: `2026-11-07T14:03:09`."""
    return as_utc(value).replace(tzinfo=None).isoformat(timespec="seconds")


def date(value: datetime) -> str:
    """The day in UTC: `7 Nov 2026`."""
    return day(as_utc(value))


def day(value: dt.date) -> str:
    """A day: `7 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


def iso(value: datetime) -> str:
    """For `<time datetime>`: RFC 3339 in UTC with milliseconds."""
    return as_utc(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """`0.42` → `0.42 s`, `3` → `3 s`, `75` → `1 min 15 s`, `7260` → `2 h 1 min`; two units at most."""
    if seconds < _MINUTE:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.2f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return _two(whole // _MINUTE, "min", whole % _MINUTE, "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first} {first_unit}" + (f" {second} {second_unit}" if second else "")


def as_utc(value: datetime) -> datetime:
    """A naive time is taken as UTC; at the calendar's ends, where UTC has no such day, it is its last or first moment."""
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if value.year > 1 else datetime.min.replace(tzinfo=UTC)


def with_query(url: str, changes: Mapping[str, object]) -> str:
    """The address with query parameters set, or removed where the new value is `None` or empty."""
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in changes]
    new = [(key, str(value)) for key, value in changes.items() if value not in (None, "")]
    return urlunsplit(("", "", parts.path, urlencode(kept + new), ""))


def filters() -> dict[str, object]:
    """All of them by the names templates use."""
    return {
        "number": number,
        "plural": plural,
        "euro": euro,
        "bytes": bytes_,
        "datetime": datetime_,
        "second": second,
        "local": local,
        "date": date,
        "day": day,
        "iso": iso,
        "duration": duration,
        "with_query": with_query,
    }
