"""How a workspace writes numbers, dates and times: which notation, and how text in it becomes a date or a time; pure.

Numbers are in `numbers.py`. Nothing is guessed: what has two meanings in a notation, or none, is refused with what to
write instead. The API does not use this: there values are ISO 8601 and plain numbers.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec


class Numbers(StrEnum):
    """A notation of numbers, by the example of 1234.5."""

    POINT = "1,234.50"
    COMMA = "1.234,50"
    SPACE = "1 234,50"
    APOSTROPHE = "1'234.50"


class Dates(StrEnum):
    """A notation of dates, by the example of 29 November 2026."""

    ISO = "2026-11-29"
    DOTS = "29.11.2026"
    MONTH_FIRST = "11/29/2026"
    DAY_FIRST = "29/11/2026"


class Notation(msgspec.Struct, frozen=True):
    """How values are typed and shown; None: in any notation, where what is typed has one meaning alone.

    Attributes:
        zone: the IANA name of the time zone in which times are typed and shown.
    """

    numbers: Numbers | None = None
    dates: Dates | None = None
    zone: Annotated[str, msgspec.Meta(description="IANA name of the time zone.")] = "UTC"


UNSET: Final = Notation()
"""Of a workspace that has chosen nothing."""


class NotationError(ValueError):
    """Text that cannot be read, or could be read in two ways; the message says what to write."""


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO: Final = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_DOTS: Final = re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})")
_SLASHES: Final = re.compile(r"(?P<one>\d{1,2})/(?P<two>\d{1,2})/(?P<year>\d{4})")
_NAMED: Final = re.compile(r"(?P<day>\d{1,2}) (?P<name>[A-Za-z]{3})[a-z]* (?P<year>\d{4})")  # as pages show it
_YEAR_MONTHS: Final = 12
_TIMED: Final = re.compile(
    r"(?P<date>.+?)(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?\s?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?"
)
_LONGEST: Final = 80  # characters of a date with a time: the search in longer ones would take long
_HALF_DAY: Final = 12  # hours
_PATTERNS: Final[Mapping[Dates, str]] = {
    Dates.ISO: "{0.year:04}-{0.month:02}-{0.day:02}",
    Dates.DOTS: "{0.day:02}.{0.month:02}.{0.year:04}",
    Dates.MONTH_FIRST: "{0.month:02}/{0.day:02}/{0.year:04}",
    Dates.DAY_FIRST: "{0.day:02}/{0.month:02}/{0.year:04}",
}


def typed_date(text: str, dates: Dates | None = None) -> date:
    """A date as people write it; ISO 8601 and what the pages show are read in every notation.

    Raises:
        NotationError: it is no date of this notation, or could be two.
    """
    year, month, day = _parts(text.strip(), dates)
    try:
        return date(year, month, day)
    except ValueError:
        raise NotationError(_no_date(dates)) from None


def _parts(text: str, dates: Dates | None) -> tuple[int, int, int]:
    found = _ISO.fullmatch(text) or (_DOTS.fullmatch(text) if dates in {None, Dates.DOTS} else None)
    if found:
        return int(found["year"]), int(found["month"]), int(found["day"])
    if (found := _NAMED.fullmatch(text)) and found["name"].lower() in _MONTHS:
        return int(found["year"]), _MONTHS.index(found["name"].lower()) + 1, int(found["day"])
    if (found := _SLASHES.fullmatch(text)) and dates in {None, Dates.MONTH_FIRST, Dates.DAY_FIRST}:
        one, two = int(found["one"]), int(found["two"])
        if dates is None and one != two and max(one, two) <= _YEAR_MONTHS:
            year = found["year"]
            raise NotationError(f"may mean two dates: write {year}-{one:02}-{two:02} or {year}-{two:02}-{one:02}")
        day_first = dates is Dates.DAY_FIRST or (dates is None and one > _YEAR_MONTHS)
        return (int(found["year"]), two, one) if day_first else (int(found["year"]), one, two)
    raise NotationError(_no_date(dates))


def _no_date(dates: Dates | None) -> str:
    return f"must be a date such as {(dates or Dates.ISO).value}"


def written_date(day: date, dates: Dates) -> str:
    """A date in a notation; `typed_date` reads it back."""
    return _PATTERNS[dates].format(day)


def typed_moment(text: str, notation: Notation = UNSET) -> datetime:
    """A date and time as people write it, in UTC; without an offset it is of the notation's time zone, without a time midnight.

    Raises:
        NotationError: it is none, could be two, or is skipped or repeated where clocks change.
    """
    text = text.strip()
    found = _TIMED.fullmatch(text) if len(text) <= _LONGEST else None
    day = typed_date(found["date"] if found else text, notation.dates)
    try:
        hour = _hour(int(found["hour"]), found["half"]) if found else 0
        parts = (int(found["minute"]), int(found["second"] or 0), _microseconds(found["fraction"])) if found else ()
        local = datetime.combine(day, time(hour, *parts))
        if found and found["offset"]:
            return datetime.fromisoformat(f"{local.isoformat()}{found['offset'].upper()}").astimezone(UTC)
        return _in_utc(local, notation.zone)
    except NotationError:
        raise
    except (ValueError, OverflowError):
        raise NotationError(f"must be a date and time such as {(notation.dates or Dates.ISO).value} 14:30") from None


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= _HALF_DAY:
        raise ValueError
    return hour % _HALF_DAY + (_HALF_DAY if half.lower() == "p" else 0)


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0"))


def _in_utc(local: datetime, name: str) -> datetime:
    zone = zone_of(name)
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local:
        raise NotationError(f"is skipped in {name}, where clocks go forward then")
    sure = first.isoformat(timespec="minutes")
    raise NotationError(f"comes twice in {name}, where clocks go back then: write it with its offset, such as {sure}")


@lru_cache(maxsize=8)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        ValueError, OSError: there is none.
    """
    return ZoneInfo(name)


def in_zone(moment: datetime, name: str) -> datetime:
    """A moment, of UTC where it says no zone, as the clocks of a zone show it, without the zone."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone_of(name)).replace(tzinfo=None, fold=0)
    except OverflowError:  # the first and the last day of the calendar
        return aware.astimezone(UTC).replace(tzinfo=None)
