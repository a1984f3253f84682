"""What pages show of a report: a chart for the browser's module, and the same figures as a table; pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, localcontext
from typing import Any, Final

import msgspec

from vivero_data.domain.reports.compiler import exact_sum
from vivero_data.domain.reports.labels import (
    EMPTY,
    field_label,
    grouping_label,
    measure_labels,
    period_label,
    rest_label,
    without_gaps,
)
from vivero_data.domain.reports.schemas import Definition, Function, Key, Kind, Measure, ReportData
from vivero_data.lib.json import encode
from vivero_data.web.format import cell

_MOST_PERIODS: Final = 400  # of a chart; more would be dots
_DIGITS: Final = 90  # more than any figure has
_ADDED: Final = frozenset({Function.COUNT, Function.SUM})
CHARTS: Final = frozenset({Kind.BAR, Kind.STACKED_BAR, Kind.LINE, Kind.AREA, Kind.PIE})


class Series(msgspec.Struct, frozen=True):
    """One colour of a chart; `texts` are the values as people read them."""

    name: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]
    rest: bool = False


class Chart(msgspec.Struct, frozen=True):
    """What `ui/src/js/charts.js` draws."""

    kind: Kind
    stacked: bool
    dated: bool
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    rest: int | None = None

    @property
    def json(self) -> str:
        return encode(self)


class Table(msgspec.Struct, frozen=True):
    """A report's figures as words; of each row the first `lead` cells name the group."""

    heads: tuple[str, ...]
    lead: int
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...]


class Shown(msgspec.Struct, frozen=True):
    """A computed report, or in `problem` why it is none; worded while a page is rendered, in the page's notation."""

    definition: Definition
    data: ReportData | None = None
    problem: str = ""

    @property
    def chart(self) -> Chart | None:
        return chart_of(self.definition, self.data) if self.data else None

    @property
    def draws(self) -> bool:
        """Whether there is a chart."""
        return self.data is not None and self.definition.kind in CHARTS and bool(self.data.rows)

    @property
    def table(self) -> Table | None:
        return table_of(self.definition, self.data) if self.data else None


def key_label(definition: Definition, index: int, key: Key) -> str:
    """A group, as people call it."""
    by = definition.group_by[index].by
    if key.rest:
        return rest_label(definition, index)
    if key.value is None:
        return EMPTY
    return period_label(date.fromisoformat(key.value), by) if by else cell(key.value)


def chart_of(definition: Definition, data: ReportData) -> Chart | None:
    """None for a report without a chart, or without a group."""
    if definition.kind not in CHARTS or not data.rows:
        return None
    by = definition.group_by[0].by
    axis = without_gaps(data.axes[0], by, _MOST_PERIODS) if by else data.axes[0]
    return Chart(
        kind=definition.kind,
        stacked=definition.kind is Kind.STACKED_BAR or (definition.kind is Kind.AREA and len(data.axes) > 1),
        dated=by is not None,
        categories=tuple(key_label(definition, 0, key) for key in axis),
        series=_series(definition, data, axis),
        rest=next((index for index, key in enumerate(axis) if key.rest), None),
    )


def _series(definition: Definition, data: ReportData, axis: tuple[Key, ...]) -> tuple[Series, ...]:
    found = _by_keys(data)
    if len(data.axes) == 1:
        return tuple(
            _one(name, measure, [found.get((key,), ())[index : index + 1] for key in axis])
            for index, (name, measure) in enumerate(zip(measure_labels(data), definition.measures, strict=True))
        )
    first = definition.measures[0]
    return tuple(
        _one(
            key_label(definition, 1, second),
            first,
            [found.get((key, second), ())[:1] for key in axis],
            rest=second.rest,
        )
        for second in data.axes[1]
    )


def _one(name: str, measure: Measure, values: list[tuple[Any, ...]], *, rest: bool = False) -> Series:
    """A series; of a group without a record a sum or a count is nothing, and there is no other figure."""
    nothing = Decimal(0) if measure.function in _ADDED else None
    given = [value[0] if value else nothing for value in values]
    return Series(
        name,
        tuple(None if value is None else float(value) for value in given),
        tuple(text or "none" for text in figures(given, measure)),
        rest,
    )


def table_of(definition: Definition, data: ReportData) -> Table:
    """Two groupings with one measure become rows and columns; all else is a row a group."""
    if len(data.axes) == 2 and len(definition.measures) == 1:  # noqa: PLR2004  rows and columns
        return _pivot(definition, data)
    heads = [grouping_label(one) for one in definition.group_by]
    keys = [
        [key_label(definition, index, Key(key, rest)) for index, (key, rest) in enumerate(pairs)]
        for pairs in (zip(row.keys, row.rest, strict=True) for row in data.rows)
    ]
    columns = [
        figures([*(row.values[index] for row in data.rows), data.total[index]], measure)
        for index, measure in enumerate(definition.measures)
    ]
    rows = [(*names, *(column[index] for column in columns)) for index, names in enumerate(keys)]
    total = ("Total", *[""] * (len(heads) - 1), *(column[-1] for column in columns)) if heads else ()
    return Table((*heads, *measure_labels(data)), len(heads), tuple(rows), total)


def _pivot(definition: Definition, data: ReportData) -> Table:
    first, second = data.axes
    measure = definition.measures[0]
    found, added = _by_keys(data), measure.function in _ADDED
    lines: list[list[Any]] = [
        [found[key, other][0] if (key, other) in found else None for other in second] for key in first
    ]
    if added:
        below = [exact_sum(line[index] or 0 for line in lines) for index in range(len(second))]
        lines = [[*line, exact_sum(value or 0 for value in line)] for line in (*lines, below)]
    width = len(second) + added
    texts = figures([value for line in lines for value in line], measure)
    words: list[tuple[str, ...]] = [tuple(texts[start : start + width]) for start in range(0, len(texts), width)]
    heads = (
        field_label(definition.group_by[0].field),
        *(key_label(definition, 1, key) for key in second),
        *(["Total"] if added else []),
    )
    rows = tuple((key_label(definition, 0, key), *words[index]) for index, key in enumerate(first))
    return Table(heads, 1, rows, ("Total", *words[-1]) if added else ())


def _by_keys(data: ReportData) -> dict[tuple[Key, ...], tuple[Any, ...]]:
    return {
        tuple(Key(key, rest) for key, rest in zip(row.keys, row.rest, strict=True)): row.values for row in data.rows
    }


def figures(values: Sequence[Decimal | None], measure: Measure) -> list[str]:
    """Figures as people read them below each other: with as many decimals as the longest; empty where there is none.

    An average may have any number of decimals, of which people need few. The API and the files have all of them.
    """
    if measure.function is Function.AVERAGE:
        values = [value if value is None else _few_decimals(Decimal(value)) for value in values]
    decimals = max((_decimals(Decimal(value)) for value in values if value is not None), default=0)
    return [cell(value) if value is None else cell(_padded(Decimal(value), decimals)) for value in values]


def _few_decimals(value: Decimal) -> Decimal:
    """Two decimals; of a fraction of one, three digits."""
    with localcontext(prec=_DIGITS):
        return round(value, max(2, 2 - value.adjusted() if value else 0)).normalize()


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _padded(value: Decimal, decimals: int) -> Decimal:
    with localcontext(prec=_DIGITS):
        return value.quantize(Decimal(1).scaleb(-decimals))
