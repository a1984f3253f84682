"""When a schedule is due; pure."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from vivero_data.domain.report_mails.schemas import Every
from vivero_data.lib.notation import zone_of

_LONGEST: Final = 63  # days until any schedule is due


class Rule(msgspec.Struct, frozen=True):
    """How often, at which hour of the workspace's time zone, and whether at all."""

    every: Every
    hour: int
    weekday: int
    day: int
    active: bool


def next_time(rule: Rule, after: datetime, zone: str) -> datetime:
    """The first moment behind `after` at which it is due; an hour that a day lacks is the one that follows it."""
    place = zone_of(zone)
    first = after.astimezone(place).date()
    days = (first + timedelta(days=offset) for offset in range(_LONGEST))
    moments = (datetime.combine(day, time(rule.hour), place).astimezone(UTC) for day in days if falls_on(rule, day))
    return next(moment for moment in moments if moment > after)


def falls_on(rule: Rule, day: date) -> bool:
    """Whether it is sent on this day."""
    if rule.every is Every.WEEK:
        return day.weekday() == rule.weekday
    if rule.every is Every.MONTH:
        return day.day == min(rule.day, monthrange(day.year, day.month)[1])
    return True
