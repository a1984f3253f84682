"""From Prometheus' answers to what a panel shows; pure."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from msgspec import Struct

from vivero_control.domain.monitoring.panels import Panel, Query, Shape, named
from vivero_control.domain.monitoring.prometheus import Alert, Sample, Series
from vivero_control.domain.monitoring.schemas import Drawn, FiringAlert, Line, Span

T = TypeVar("T", Series, Sample)

MOST_LINES: Final = 12
"""In one panel: more cannot be told apart."""
MOST_STEPS: Final = 120
"""From the first point of a series to the last."""
SHORTEST_STEP: Final = 60
"""Seconds: times on the axis are hours and minutes."""
LONGEST_SCRAPE: Final = 30
"""Seconds between two looks of Prometheus at the program that it looks at least often."""
_SCRAPES_IN_A_RATE: Final = 4
_SECONDS: Final = {Span.HOUR: 3600, Span.SIX_HOURS: 6 * 3600, Span.DAY: 86_400, Span.WEEK: 7 * 86_400}


class Grid(Struct, frozen=True):
    """Moments in seconds, one every `step`; the newest is a multiple of it, so that two looks draw the same points."""

    begin: int
    end: int
    step: int

    @classmethod
    def of(cls, span: Span, now: datetime) -> "Grid":
        step = max(SHORTEST_STEP, _SECONDS[span] // MOST_STEPS)
        end = int(now.timestamp()) // step * step
        return cls(end - _SECONDS[span], end, step)

    @property
    def rate_seconds(self) -> int:
        """Over which a rate is taken: four looks of Prometheus at least, and no gap between two points."""
        return max(self.step, _SCRAPES_IN_A_RATE * LONGEST_SCRAPE)

    @property
    def times(self) -> tuple[datetime, ...]:
        return tuple(datetime.fromtimestamp(at, UTC) for at in range(self.begin, self.end + 1, self.step))

    def placed(self, series: Series) -> tuple[float | None, ...]:
        """A value for each moment."""
        known = {round(at): text for at, text in series.values}
        return tuple(figure(known.get(at)) for at in range(self.begin, self.end + 1, self.step))


def figure(text: str | None) -> float | None:
    """None for what is no figure: a share of nothing, a quantile without a request."""
    value = float(text) if text is not None else math.nan
    return value if math.isfinite(value) else None


def over_time(panel: Panel, answers: Iterable[tuple[Query, Sequence[Series]]], grid: Grid) -> Drawn:
    """A panel of lines."""
    found = [Line(named(query, one.metric), grid.placed(one)) for query, series in answers for one in _ordered(series)]
    return _drawn(panel, found, grid.times)


def newest(panel: Panel, answers: Iterable[tuple[Query, Sequence[Sample]]], at: datetime) -> Drawn:
    """A panel of the newest values."""
    found = [
        Line(named(query, one.metric), (figure(one.value[1]),))
        for query, samples in answers
        for one in _ordered(samples)
    ]
    if panel.shape is Shape.RANKING:
        found = sorted(found, key=lambda line: -(line.values[0] or 0))
    return _drawn(panel, found, (at,))


def firing(alerts: Iterable[Alert]) -> tuple[FiringAlert, ...]:
    """Those that fire, the critical ones first, then the oldest."""
    found = [_alert(one) for one in alerts if one.state == "firing"]
    return tuple(
        sorted(found, key=lambda one: (one.severity != "critical", one.since or datetime.max.replace(tzinfo=UTC)))
    )


def _drawn(panel: Panel, found: list[Line], times: tuple[datetime, ...]) -> Drawn:
    kept = [line for line in found if any(value is not None for value in line.values)]
    return Drawn(panel=panel, times=times, lines=tuple(kept[:MOST_LINES]), left_out=max(0, len(kept) - MOST_LINES))


def _ordered(series: Sequence[T]) -> list[T]:
    """Prometheus' own order changes from look to look."""
    return sorted(series, key=lambda one: sorted(one.metric.items()))


def _alert(one: Alert) -> FiringAlert:
    return FiringAlert(
        name=one.labels.get("alertname", ""),
        severity=one.labels.get("severity", ""),
        summary=one.annotations.get("summary", ""),
        description=one.annotations.get("description", ""),
        runbook=one.annotations.get("runbook", ""),
        since=_moment(one.activeAt),
    )


def _moment(text: str) -> datetime | None:
    """Prometheus writes nanoseconds, of which Python reads six digits."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
