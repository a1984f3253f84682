"""Which scheduled backups are kept: the last of so many days, weeks and months, and what the log's window needs. Pure."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from vivero_core.model.tenant_backup import Keep


@dataclass(frozen=True)
class Made:
    """A complete backup."""

    name: str
    taken_at: datetime


def expired(backups: Iterable[Made], keep: Keep, window_begins: datetime | None) -> list[Made]:
    """Those that are not kept, oldest first.

    `window_begins`: the earliest second that is to stay within reach of the log, where there is one. The log is replayed onto
    a backup. So the newest one that is older is kept for the window that is, and the oldest one within it for the window
    that will be: else the days between would have nothing to begin from, or the log would have to be kept for ever.
    """
    newest_first = sorted(backups, key=lambda one: (one.taken_at, one.name), reverse=True)
    kept = set(newest_first[:1])
    for period, count in ((_day, keep.daily), (_week, keep.weekly), (_month, keep.monthly)):
        kept |= set(_last_of_each(newest_first, period)[:count])
    if window_begins is not None:
        kept |= set([one for one in newest_first if one.taken_at <= window_begins][:1])
        kept |= set([one for one in newest_first if one.taken_at > window_begins][-1:])
    return [one for one in reversed(newest_first) if one not in kept]


def _last_of_each(newest_first: list[Made], period: Callable[[datetime], Hashable]) -> list[Made]:
    """The last backup of each period that has one, newest period first."""
    found: dict[Hashable, Made] = {}
    for one in newest_first:
        found.setdefault(period(one.taken_at.astimezone(UTC)), one)
    return list(found.values())


def _day(at: datetime) -> Hashable:
    return at.date()


def _week(at: datetime) -> Hashable:
    return at.isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    return at.year, at.month
