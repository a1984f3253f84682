"""Several lists in one, page by page: a place in all of them. Pure.

Each source is ordered by moment and id, the newest first; where moments are equal, sources come in the order of their
rank. So a place is a moment, a rank and an id, and what is behind it is a range of each source by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from vivero_web.errors import InvalidInputError
from vivero_web.text import whole_number

from vivero_control.domain.timeline.schemas import Kind, TimelineItem, TimelinePage
from vivero_control.lib import cursors

CURSOR_MAX: Final = 320


class Source(IntEnum):
    """Where entries come from, by rank."""

    AUDIT = 0
    OUTBOX = 1
    INVOICES = 2
    BACKUPS = 3
    CONDITIONS = 4
    JOURNEY = 5


KINDS: Final = {
    Source.AUDIT: frozenset({Kind.ACT}),
    Source.OUTBOX: frozenset({Kind.MAIL, Kind.JOB, Kind.WEBHOOK}),
    Source.INVOICES: frozenset({Kind.INVOICE}),
    Source.BACKUPS: frozenset({Kind.BACKUP}),
    Source.CONDITIONS: frozenset({Kind.STATE}),
    Source.JOURNEY: frozenset({Kind.PROGRESS}),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An item with its place."""

    source: Source
    ident: str
    item: TimelineItem

    @property
    def place(self) -> "Place":
        return Place(self.item.at, self.source, self.ident)


@dataclass(frozen=True, slots=True)
class Place:
    """The entry that a page ended with."""

    at: datetime
    source: Source
    ident: str

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Raises InvalidInputError if no page gave it."""
        seconds, _, rest = cursor.partition(".")
        rank, _, ident = rest.partition(".")
        moment, source = cursors.read(seconds), whole_number(rank)
        if moment is None or source not in set(Source) or not ident or not _fits(Source(source), ident):
            raise InvalidInputError.of("cursor", "must be the next_cursor of a page")
        return cls(moment, Source(source), ident)

    def __str__(self) -> str:
        return f"{cursors.written(self.at)}.{int(self.source)}.{self.ident}"


def _fits(source: Source, ident: str) -> bool:
    """Rows of the audit log and of the outbox are numbered."""
    return source not in {Source.AUDIT, Source.OUTBOX} or whole_number(ident) is not None


def newest(entries: Iterable[Entry], place: Place | None) -> list[Entry]:
    """Entries of one source that is in memory, behind a place, in the order of the timeline."""
    found = [one for one in entries if place is None or _is_behind(one, place)]
    return sorted(found, key=lambda one: (one.item.at, one.ident), reverse=True)


def _is_behind(one: Entry, place: Place) -> bool:
    if one.item.at != place.at:
        return one.item.at < place.at
    return one.source > place.source or (one.source == place.source and one.ident < place.ident)


def merged(sources: Iterable[Sequence[Entry]], limit: int) -> TimelinePage:
    """The page of sources that each have their newest `limit` + 1 entries, in order."""
    every = [one for source in sources for one in source]
    every.sort(key=lambda one: (-one.item.at.timestamp(), one.source))  # stable: the order within a source stays
    behind = str(every[limit - 1].place) if len(every) > limit else None
    return TimelinePage(items=tuple(one.item for one in every[:limit]), next_cursor=behind)
