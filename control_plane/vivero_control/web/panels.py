"""What the page Operations shows of a panel: a chart for the browser's module, and the same figures as a table; pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from vivero_ui.filters import bytes_, duration, number

from vivero_control.domain.monitoring.panels import Shape, Unit
from vivero_control.domain.monitoring.schemas import Drawn, Line, Span

_ROWS: Final = 12
"""Of the course in the table, beside the newest moment."""
_KINDS: Final = {Shape.LINES: "line", Shape.STACK: "area", Shape.RANKING: "bar"}
NONE: Final = "none"


class _Series(Struct, frozen=True):
    name: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]


class _LimitLine(Struct, frozen=True):
    value: float
    text: str


class _Chart(Struct, frozen=True):
    """What `ui/src/js/charts.js` draws."""

    kind: str
    stacked: bool
    lying: bool
    categories: tuple[str, ...]
    series: tuple[_Series, ...]
    unit: Unit
    limit: _LimitLine | None
    dated: bool = True
    live: bool = True


class Table(Struct, frozen=True):
    """Figures as words; the first cell of a row names it."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Figure(Struct, frozen=True):
    """One number of a tile."""

    name: str
    text: str
    breaks: bool
    """Whether it is where it should not be."""


class ShownPanel(Struct, frozen=True):
    """A panel, ready for its template."""

    drawn: Drawn
    span: Span

    @property
    def is_tile(self) -> bool:
        return self.drawn.panel.shape is Shape.NUMBER

    @property
    def is_course(self) -> bool:
        """Whether its axis is the time, as that of others of the page."""
        return self.drawn.panel.shape is not Shape.RANKING

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The newest values."""
        return tuple(Figure(one.name, self._text(_last(one)), self._breaks(_last(one))) for one in self.drawn.lines)

    @property
    def warning(self) -> str:
        """What is wrong if the newest value of a series is where it should not be."""
        limit = self.drawn.panel.limit
        return limit.words if limit and any(one.breaks for one in self.figures) else ""

    @property
    def chart(self) -> str:
        """As JSON."""
        panel, lines = self.drawn.panel, self.drawn.lines
        if self.is_course:
            categories = tuple(moment(one, self.span) for one in self.drawn.times)
            series = tuple(_Series(one.name, one.values, tuple(map(self._text, one.values))) for one in lines)
        else:
            categories = tuple(one.name for one in lines)
            values = tuple(_last(one) for one in lines)
            series = (_Series(panel.title, values, tuple(map(self._text, values))),)
        limit = _LimitLine(panel.limit.value, panel.limit.words) if panel.limit and self.is_course else None
        chart = _Chart(
            kind=_KINDS[panel.shape],
            stacked=panel.shape is Shape.STACK,
            lying=panel.shape is Shape.RANKING,
            categories=categories,
            series=series,
            unit=panel.unit,
            limit=limit,
        )
        return msgspec.json.encode(chart).decode()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The newest value of each series; of lines how they ran as well."""
        if not self.is_course:
            return (Table(("", "Now"), tuple((one.name, one.text) for one in self.figures)),)
        return (self._summary, self._course)

    @property
    def _summary(self) -> Table:
        rows = tuple((one.name, *map(self._text, summary(one))) for one in self.drawn.lines)
        return Table(("", "Now", "Lowest", "Mean", "Highest"), rows)

    @property
    def _course(self) -> Table:
        times, lines = self.drawn.times, self.drawn.lines
        every = max(1, (len(times) - 1) // _ROWS)
        rows = tuple(
            (moment(times[at], self.span), *(self._text(one.values[at]) for one in lines))
            for at in range(len(times) - 1, -1, -every)
        )
        return Table(("UTC", *(one.name for one in lines)), rows)

    def _text(self, value: float | None) -> str:
        return NONE if value is None else WRITTEN[self.drawn.panel.unit](value)

    def _breaks(self, value: float | None) -> bool:
        limit = self.drawn.panel.limit
        return limit is not None and value is not None and limit.broken_by(value)


def _last(line: Line) -> float | None:
    return line.values[-1]


def summary(line: Line) -> tuple[float | None, float, float, float]:
    """Newest, smallest, mean, largest; a series that is drawn has a value at least once."""
    known = [one for one in line.values if one is not None]
    return _last(line), min(known), sum(known) / len(known), max(known)


def moment(at: datetime, span: Span) -> str:
    """With the day where an hour and a minute may come twice."""
    return f"{at:%H:%M}" if span in {Span.HOUR, Span.SIX_HOURS} else f"{at.day} {at:%b, %H:%M}"


def count(value: float) -> str:
    """Whole where it is; an increase that Prometheus has extrapolated is not."""
    if value == round(value):
        return number(int(value))
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2g}"  # noqa: PLR2004  two digits tell enough


def seconds(value: float) -> str:
    """`0.0042` → `4.2 ms`; from a second on as elsewhere."""
    if abs(value) >= 60:  # noqa: PLR2004  of a minute
        return duration(int(value))
    return f"{value:.2g} s" if abs(value) >= 1 or value == 0 else f"{value * 1000:.2g} ms"


def share(value: float) -> str:
    """As exact as a promise of 99.9 % needs."""
    return f"{value * 100:.2f}".rstrip("0").rstrip(".") + "\N{NO-BREAK SPACE}%"


WRITTEN: Final[dict[Unit, Callable[[float], str]]] = {
    Unit.COUNT: count,
    Unit.RATE: lambda value: f"{count(value)}/s",
    Unit.SECONDS: seconds,
    Unit.BYTES: lambda value: bytes_(int(value)),
    Unit.BYTE_RATE: lambda value: f"{bytes_(int(value))}/s",
    Unit.SHARE: share,
    Unit.CORES: lambda value: f"{value:.2g}",
}
