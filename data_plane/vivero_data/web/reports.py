"""What pages show of a report: a chart for the browser's module, and the same figures as a table; pure."""

from datetime import date
from decimal import Decimal
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
        tuple(figure(value) or "none" for value in given),
        rest,
    )


def table_of(definition: Definition, data: ReportData) -> Table:
    """Two groupings with one measure become rows and columns; all else is a row a group."""
    if len(data.axes) == 2 and len(definition.measures) == 1:  # noqa: PLR2004  rows and columns
        return _pivot(definition, data)
    heads = [grouping_label(one) for one in definition.group_by]
    rows = [
        (
            *(key_label(definition, index, Key(key, rest)) for index, (key, rest) in enumerate(zip(row.keys, row.rest, strict=True))),
            *(figure(value) for value in row.values),
        )
        for row in data.rows
    ]  # fmt: skip
    total = ("Total", *[""] * (len(heads) - 1), *(figure(value) for value in data.total)) if heads else ()
    return Table((*heads, *measure_labels(data)), len(heads), tuple(rows), total)


def _pivot(definition: Definition, data: ReportData) -> Table:
    first, second = data.axes
    measure = definition.measures[0]
    found, added = _by_keys(data), measure.function in _ADDED
    rows = []
    for key in first:
        values = [found[key, other][0] if (key, other) in found else None for other in second]
        whole = [figure(exact_sum(value for value in values if value is not None))] if added else []
        rows.append((key_label(definition, 0, key), *map(figure, values), *whole))
    heads = (
        field_label(definition.group_by[0].field),
        *(key_label(definition, 1, key) for key in second),
        *(["Total"] if added else []),
    )
    columns = [
        figure(exact_sum(values[0] for keys, values in found.items() if keys[1] == other)) if added else ""
        for other in second
    ]
    total = ("Total", *columns, figure(data.total[0])) if added else ()
    return Table(heads, 1, tuple(rows), total)


def _by_keys(data: ReportData) -> dict[tuple[Key, ...], tuple[Any, ...]]:
    return {
        tuple(Key(key, rest) for key, rest in zip(row.keys, row.rest, strict=True)): row.values for row in data.rows
    }


def figure(value: Decimal | None) -> str:
    """A figure as people read it; empty if there is none."""
    return cell(value)
