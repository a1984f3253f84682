"""A tenant's timeline of made-up entries, of every kind and state."""

from datetime import timedelta

from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.timeline.policies import Entry, Place, Source, merged, newest
from vivero_control.domain.timeline.schemas import Kind, TimelineItem, TimelinePage
from vivero_control.domain.timeline.service import TimelineService

STATES = ("done", "queued", "sent", "failed", "open", "complete", "Provisioned", "seen")


def items(count: int, *words: str) -> tuple[TimelineItem, ...]:
    """Two at each moment, the newest now; `words` take turns."""
    made = []
    for number in range(count):
        state = STATES[number % len(STATES)]
        said = words[number % len(words)] if words else "They asked for it."
        item = TimelineItem(
            at=NOW - timedelta(hours=number // 2),
            kind=tuple(Kind)[number % len(Kind)],
            what=f"Entry {number}",
            state=state,
            detail=said if number % 2 else "",
            actor=said if words and number % 3 else "ada@vivero.example" if number % 3 else "",
            next_attempt_at=NOW + timedelta(minutes=5) if state == "queued" else None,
        )
        made.append(item)
    return tuple(made)


class FakeTimeline(TimelineService):
    """Pages of what it is given, as the real one makes them."""

    def __init__(self, found: tuple[TimelineItem, ...] = items(120)) -> None:
        self.found = found
        self.asked: list[Kind | None] = []

    async def page(self, name: str, kind: Kind | None, cursor: str, limit: int) -> TimelinePage:
        del name
        self.asked.append(kind)
        place = Place.read(cursor) if cursor else None
        entries = [
            Entry(Source.CONDITIONS, f"{number:06}", one)
            for number, one in enumerate(self.found)
            if kind in {None, one.kind}
        ]
        return merged([newest(entries, place)[: limit + 1]], limit)
