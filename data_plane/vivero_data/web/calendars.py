"""A calendar: the records of a month or a week by their dates, in the workspace's time zone.

What it reads is the list that is shown with one more condition, on the dates alone: an index on the field finds it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.records.filters import AllOf, AnyOf, Condition, Tree
from vivero_data.domain.records.query import column_of
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list
from vivero_data.lib.notation import Dates, Notation, in_zone, zone_of
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.inputs import input_name
from vivero_data.web.list_state import ListState

MAX_ENTRIES: Final = 1_000  # records of what is shown
SHOWN: Final = 3  # of a day in a month; the others are opened
NO_FIELD: Final = "A calendar needs a field with a date or a time. Choose one in “Show as”."
_WEEK: Final = 7  # days
_DAY: Final = timedelta(days=1)
_FIRST_YEAR: Final = 1001  # a month before is a calendar's own first
_LAST_YEAR: Final = 9998


class Span(StrEnum):
    """How much a calendar shows."""

    MONTH = "month"
    WEEK = "week"


class Window(msgspec.Struct, frozen=True):
    """The days that are shown; those outside of its month are dimmed."""

    span: Span
    anchor: date
    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + _DAY * place for place in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> date:
        """The anchor of the page before."""
        return self.first - _DAY if self.span is Span.WEEK else self.anchor.replace(day=1) - _DAY

    @property
    def after(self) -> date:
        """The anchor of the page behind."""
        return self.last + _DAY if self.span is Span.WEEK else _month_end(self.anchor) + _DAY

    def has(self, day: date) -> bool:
        return self.span is Span.WEEK or day.month == self.anchor.month


class Shown(msgspec.Struct, frozen=True):
    """A calendar's fields: by which records are shown, and until which they last."""

    start: Field
    end: Field | None

    @property
    def movable(self) -> bool:
        """Whether people can put a record on another day: the workspace does not write its start."""
        return not self.start.kind.computed


class Day(msgspec.Struct, frozen=True):
    """A day with its entries."""

    day: date
    inside: bool
    today: bool
    new: str
    entries: Sequence[Record] = ()


class Sheet(msgspec.Struct, frozen=True):
    """A calendar's page.

    Attributes:
        full: whether there are more records than it reads, so that its last days may lack some.
    """

    window: Window
    fields: Shown
    days: Sequence[Day]
    full: bool
    previous: str
    following: str
    today: str
    spans: Sequence[tuple[Span, str]]


def window_of(text: str, span: str, today: date, notation: Notation) -> Window:
    """The days of an address.

    Raises:
        InvalidInputError: naming the part that cannot be read.
    """
    try:
        kind = Span(span or Span.MONTH)
    except ValueError as error:
        raise InvalidInputError.of("span", "must be month or week") from error
    anchor = day_said(text) if text else today
    if not _FIRST_YEAR <= anchor.year <= _LAST_YEAR:
        raise InvalidInputError.of("day", f"must be between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    sunday = notation.dates is Dates.MONTH_FIRST
    first, last = (anchor, anchor) if kind is Span.WEEK else (anchor.replace(day=1), _month_end(anchor))
    begin = first - _DAY * _into_week(first, sunday=sunday)
    end = last + _DAY * (_WEEK - 1 - _into_week(last, sunday=sunday))
    return Window(kind, anchor, begin, end)


def day_said(text: str) -> date:
    """The day of an address or a form.

    Raises:
        InvalidInputError: it is no date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError.of("day", "must be a date such as 2026-12-31") from error


def _month_end(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY


def _into_week(day: date, *, sunday: bool) -> int:
    return (day.weekday() + sunday) % _WEEK


def fields_of(collection: Collection, state: ListState) -> Shown | None:
    """The fields that a calendar shows records by; None where the view has none that can be."""
    start, end = (_dated(collection, name) for name in (state.spec.start, state.spec.end))
    if start is None:
        return None
    return Shown(start, end if end and end.holds is start.holds else None)


def _dated(collection: Collection, name: str | None) -> Field | None:
    column = column_of(collection, name) if name else None
    return column.field if column and column.field.kind.dated else None


def between(fields: Shown, window: Window, zone: str) -> Tree:
    """The condition of records that are on one of the days."""
    begin, end = (_value(fields.start, day, zone) for day in (window.first, window.last + _DAY))
    starts = AllOf((Condition(fields.start.name, "gte", begin), Condition(fields.start.name, "lt", end)))
    if fields.end is None:
        return starts
    lasts = AllOf((Condition(fields.start.name, "lt", begin), Condition(fields.end.name, "gte", begin)))
    return AnyOf((starts, lasts))


def _value(field: Field, day: date, zone: str) -> str:
    """The beginning of a day, as the API has it."""
    if not field.kind.zoned:
        return day.isoformat()
    return f"{datetime.combine(day, time(), zone_of(zone)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def entries(
    actor: Actor, records: RecordService, state: ListState, condition: Tree, start: Field
) -> tuple[list[Record], bool]:
    """The records of a window by their dates, and whether there are more than are read.

    Raises:
        SlowListError: it takes long, and the address does not allow that.
    """
    query = msgspec.structs.replace(
        state.query,
        where=encode(state.where_also(condition)),
        sort=join_list([start.name]),
        limit=MAX_LIMIT,
        cursor=None,
    )
    found: list[Record] = []
    while len(found) < MAX_ENTRIES:
        page = await records.list(actor, state.collection.name, query)
        found += page.items
        if page.next_cursor is None:
            return found, False
        query = msgspec.structs.replace(query, cursor=page.next_cursor)
    return found, True


def sheet(  # noqa: PLR0913, PLR0917  all that a page is made of
    state: ListState, window: Window, fields: Shown, found: Sequence[Record], today: date, zone: str, *, full: bool
) -> Sheet:
    """The page of a calendar; pure."""
    by_day: dict[date, list[Record]] = {day: [] for day in window.days}
    for record in found:
        for day in days_on(record, fields, window, zone):
            by_day[day].append(record)
    return Sheet(
        window,
        fields,
        [
            Day(
                day,
                window.has(day),
                day == today,
                str(state.new_record.put(input_name(fields.start), _typed(fields.start, day))),
                one,
            )
            for day, one in by_day.items()
        ],
        full,
        previous=str(state.base.put("day", window.before.isoformat())),
        following=str(state.base.put("day", window.after.isoformat())),
        today=str(state.base.drop("day")),
        spans=[(one, str(state.base.put("span", "" if one is Span.MONTH else one.value))) for one in Span],
    )


def _typed(field: Field, day: date) -> str:
    """What a new record's form shows."""
    return f"{day.isoformat()}T09:00" if field.kind.zoned else day.isoformat()


def days_on(record: Record, fields: Shown, window: Window, zone: str) -> Iterator[date]:
    """The days of a window that a record is on: from its start to its end, its start alone where that is later."""
    start = local_day(record.values.get(fields.start.name), zone)
    if start is None:
        return
    end = local_day(record.values.get(fields.end.name), zone) if fields.end else None
    day, last = max(start, window.first), min(max(end or start, start), window.last)
    while day <= last:
        yield day
        day += _DAY


def local_day(value: Any, zone: str) -> date | None:  # noqa: ANN401  a field's value
    """The day of a date, or of a time in the zone."""
    if isinstance(value, datetime):
        return in_zone(value, zone).date()
    return value if isinstance(value, date) else None


def moved(record: Record, fields: Shown, day: date, zone: str) -> dict[str, str]:
    """New values that put a record on another day, at its time of the day, for as long as it lasted.

    Raises:
        InvalidInputError: it has no date, or one that is calculated, or would leave the calendar.
    """
    if not fields.movable:
        raise InvalidInputError.of(
            fields.start.name, "is calculated by the workspace; change what it is calculated from"
        )
    start = local_day(record.values.get(fields.start.name), zone)
    if start is None:
        raise InvalidInputError.of(fields.start.name, "has no date that could be moved")
    by = day - start
    every = [fields.start, *([fields.end] if fields.end and not fields.end.kind.computed else [])]
    try:
        return {
            one.name: _later(record.values[one.name], by, zone)
            for one in every
            if record.values.get(one.name) is not None
        }
    except OverflowError as error:
        raise InvalidInputError.of("day", "is outside of the calendar") from error


def _later(value: date, by: timedelta, zone: str) -> str:
    if not isinstance(value, datetime):
        return (value + by).isoformat()
    local = (in_zone(value, zone) + by).replace(tzinfo=zone_of(zone))
    return local.astimezone(UTC).isoformat()
