"""A time in a zone, as SQL: servers need not have tables of time zones, Python has them; pure.

The expression is a search tree over the zone's changes of its offset, so that a row costs a handful of comparisons.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from vivero_data.lib.notation import zone_of

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2050
_STEP: Final = timedelta(days=7)  # no zone changes twice within it and back


def local_time(column: str, name: str) -> str:
    """The local time of a UTC column; before and after the years above with the offset of their ends."""
    first, changes = _changes(name)
    return _tree(column, first, changes)


def _tree(column: str, before: int, changes: Sequence[tuple[str, int]]) -> str:
    if not changes:
        # At the calendar's end there may be no later time.
        return f"COALESCE({column} + INTERVAL {before} SECOND, {column})" if before else column
    middle = len(changes) // 2
    moment, after = changes[middle]
    earlier, later = _tree(column, before, changes[:middle]), _tree(column, after, changes[middle + 1 :])
    return f"IF({column} < '{moment}', {earlier}, {later})"


@lru_cache(maxsize=8)
def _changes(name: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    """The offset in seconds at first, and each moment in UTC from which on another holds."""
    zone = zone_of(name)

    def offset(moment: datetime) -> int:
        found = moment.astimezone(zone).utcoffset()
        return int(found.total_seconds()) if found else 0

    moment, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    first = now = offset(moment)
    found = []
    while moment < end:
        following = moment + _STEP
        if offset(following) != now:
            moment = _boundary(offset, moment, following)
            now = offset(moment)
            found.append((f"{moment:%Y-%m-%d %H:%M:%S}", now))
        moment = following
    return first, tuple(found)


def _boundary(offset: Callable[[datetime], int], before: datetime, after: datetime) -> datetime:
    """The second at which the offset changes."""
    old = offset(before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        before, after = (middle, after) if offset(middle) == old else (before, middle)
    return after
