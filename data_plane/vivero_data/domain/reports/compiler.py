"""Compiles a report to one SQL statement, and its rows to exact figures; pure.

One pass over the table makes the groups. Window functions rank them, and groups
beyond the limit are folded into one, so that the parts of every answer add up
to the whole. Names in the statement come from numbers; all else is a parameter.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any, Final

import msgspec

from vivero_data.db.database import Row
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.schemas import Collection, present
from vivero_data.domain.field_types.number import DECIMALS
from vivero_data.domain.records.query import Clause, Column, column_of
from vivero_data.domain.reports.schemas import (
    Definition,
    Function,
    Grouping,
    Key,
    Kind,
    Measure,
    Order,
    Period,
    ReportData,
    ReportRow,
)
from vivero_data.domain.reports.zones import local_time
from vivero_data.lib.notation import UNSET

MAX_COLUMNS: Final = 24  # of the second grouping in a table
MAX_SERIES: Final = 8  # in a chart: more colours cannot be told apart
STATEMENT_SECONDS: Final = 8
UTC: Final = UNSET.zone
_DIGITS: Final = 90  # of arithmetic; a sum of the database's has 65 at most

# The first day of a period.
_PERIODS: Final = {
    Period.DAY: "DATE({0})",
    Period.WEEK: "DATE({0}) - INTERVAL WEEKDAY({0}) DAY",
    Period.MONTH: "DATE({0}) - INTERVAL DAYOFMONTH({0}) - 1 DAY",
    Period.QUARTER: "MAKEDATE(YEAR({0}), 1) + INTERVAL QUARTER({0}) - 1 QUARTER",
    Period.YEAR: "MAKEDATE(YEAR({0}), 1)",
}
# What the database computes of a group for a measure: how parts of several groups become one, and the part.
_PARTS: Final = {
    Function.COUNT: (("SUM", "COUNT({0})"),),
    Function.SUM: (("SUM", "COALESCE(SUM({0}), 0)"),),
    Function.AVERAGE: (("SUM", "SUM({0})"), ("SUM", "COUNT({0})")),
    Function.MIN: (("MIN", "MIN({0})"),),
    Function.MAX: (("MAX", "MAX({0})"),),
}


class Statement(msgspec.Struct, frozen=True):
    """A compiled report."""

    sql: str
    params: tuple[Any, ...]
    columns: tuple[Column, ...]
    limits: tuple[int, ...]
    folds: tuple[str, ...]
    units: tuple[str, ...]


def compile_report(
    collection: Collection, definition: Definition, scope: Sequence[Clause], zone: str = UTC
) -> Statement:
    """The statement of a checked definition over the records that satisfy all of `scope`; times are those of `zone`.

    Its rows: the key and rank of each grouping, the number of records, and the parts of the measures.
    """
    columns = tuple(_column(collection, one.field) for one in definition.group_by)
    parts = [("SUM", "COUNT(*)"), *(part for one in definition.measures for part in _parts(collection, one))]
    folds = tuple(fold for fold, _ in parts)
    units = tuple(_unit(collection, one) for one in definition.measures)
    limits = (definition.limit, most_columns(definition.kind))[: len(columns)]
    where = " AND ".join(one.sql for one in scope) or "TRUE"
    params = tuple(param for one in scope for param in one.params)
    keys = [f"k{index}" for index in range(len(columns))]
    heads = [_key(column, one, zone) for column, one in zip(columns, definition.group_by, strict=True)]
    grouped = _select(
        [*(f"{head} AS {key}" for head, key in zip(heads, keys, strict=True)),
         *(f"{sql} AS p{index}" for index, (_, sql) in enumerate(parts))],
        table_name(collection.id),
        f" WHERE {where}" + (f" GROUP BY {', '.join(keys)}" if keys else ""),
    )  # fmt: skip
    if not keys:
        return Statement(_bounded(grouped), params, columns, limits, folds, units)
    ranks, chosen = _ranks(definition, columns)
    valued = _select(["g.*", *(f"{_over(definition, parts, key)} AS v{key[1:]}" for key in keys)], f"({grouped}) g")
    ranked = _select(["v.*", *ranks], f"({valued}) v")
    folded = [f"LEAST(n{index}, {limit + 1})" for index, limit in enumerate(limits)]
    final = _select(
        [*(f"MIN({key}), {rank}" for key, rank in zip(keys, folded, strict=True)),
         *(f"{fold}(p{index})" for index, (fold, _) in enumerate(parts))],
        f"({ranked}) r",
        f" GROUP BY {', '.join(folded)} ORDER BY {', '.join(folded)}",
    )  # fmt: skip
    return Statement(_bounded(final), (*chosen, *params), columns, limits, folds, units)


def most_columns(kind: Kind) -> int:
    """How many groups of a second grouping are shown."""
    return MAX_COLUMNS if kind in {Kind.TABLE, Kind.PIVOT} else MAX_SERIES


def _select(what: Sequence[str], source: str, rest: str = "") -> str:
    return f"SELECT {', '.join(what)} FROM {source}{rest}"  # noqa: S608  names from numbers


def _bounded(sql: str) -> str:
    return f"SET STATEMENT max_statement_time={STATEMENT_SECONDS} FOR {sql}"


def _column(collection: Collection, name: str) -> Column:
    column = column_of(collection, name)
    if column is None:
        raise LookupError(name)  # the definition was checked
    return column


def _key(column: Column, grouping: Grouping, zone: str) -> str:
    """What a record is grouped by. COALESCE keeps the optimizer from walking an index, which takes twice as long."""
    if grouping.by is None:
        return f"COALESCE({column.sql})"
    return _PERIODS[grouping.by].format(local_time(column.sql, zone) if column.field.kind.zoned else column.sql)


def _parts(collection: Collection, measure: Measure) -> list[tuple[str, str]]:
    sql = _column(collection, measure.field).sql if measure.field is not None else "*"
    return [(fold, part.format(sql)) for fold, part in _PARTS[measure.function]]


def _unit(collection: Collection, measure: Measure) -> str:
    if measure.field is None or measure.function is Function.COUNT:
        return ""
    return _column(collection, measure.field).field.options.currency or ""


def _over(definition: Definition, parts: Sequence[tuple[str, str]], key: str) -> str:
    """The first measure of all groups with the same key; NULL where an average has nothing to divide by."""
    first = parts[1 : 1 + len(_PARTS[definition.measures[0].function])]
    return " / ".join(f"{fold}(p{index}) OVER (PARTITION BY {key})" for index, (fold, _) in enumerate(first, start=1))


def _ranks(definition: Definition, columns: Sequence[Column]) -> tuple[list[str], list[Any]]:
    """The rank of each key, and the parameters in it; groups without a value come last, of equal ones the first by key."""
    ranks, params = [], []
    for index, (column, order) in enumerate(zip(columns, _orders(definition, columns), strict=True)):
        by_value, way = order in {Order.VALUE, Order.VALUE_DESCENDING}, " DESC" if order.startswith("-") else ""
        terms, chosen = _terms(column, f"k{index}", "" if by_value else way)
        first = [f"v{index} IS NULL", f"v{index}{way}"] if by_value else []
        ranks.append(f"DENSE_RANK() OVER (ORDER BY {', '.join([*first, *terms])}) AS n{index}")
        params += chosen
    return ranks, params


def _terms(column: Column, key: str, way: str) -> tuple[list[str], list[Any]]:
    """A key's own order, that of its field's choices if it has any, and the parameters in it."""
    choices = column.field.choices
    if not choices:
        return [f"{key} IS NULL", f"{key}{way}"], []
    place = f"FIELD({key}, {', '.join(['%s'] * len(choices))})"
    return [f"{key} IS NULL", f"{place} = 0", f"{place}{way}", key], [*choices, *choices]


def _orders(definition: Definition, columns: Sequence[Column]) -> list[Order]:
    """By what each key is ranked: the newest periods stay, and of a second grouping the largest texts."""
    found = []
    for index, (column, grouping) in enumerate(zip(columns, definition.group_by, strict=True)):
        wanted = definition.order if index == 0 else Order.GROUP
        if wanted is Order.GROUP and grouping.by:
            found.append(Order.GROUP_DESCENDING)
        elif index and not column.field.choices and not column.field.kind.two_valued:
            found.append(Order.VALUE_DESCENDING)
        else:
            found.append(wanted)
    return found


def assemble(definition: Definition, statement: Statement, rows: Sequence[Row], as_of: datetime) -> ReportData:
    """The answer to a compiled report; an average is rounded to as many decimals as a number can have."""
    width = 2 * len(statement.columns)
    made = [(_row(definition, statement, row[:width], row[width:]), row[1:width:2]) for row in rows]
    turned = [one.by is not None and _in_order(definition, index) for index, one in enumerate(definition.group_by)]
    made.sort(
        key=lambda one: [_place(*place) for place in zip(turned, one[1], one[0].keys, statement.limits, strict=True)]
    )
    whole = [_folded(fold, [row[width + index] for row in rows]) for index, fold in enumerate(statement.folds)]
    return ReportData(
        group_by=definition.group_by,
        measures=definition.measures,
        units=statement.units,
        axes=tuple(_axis(index, turned[index], made, limit) for index, limit in enumerate(statement.limits)),
        rows=tuple(row for row, _ in made),
        total=_values(definition, whole[1:]),
        records=int(whole[0] or 0),
        as_of=as_of,
    )


def _axis(index: int, turned: bool, rows: Sequence[tuple[ReportRow, Row]], limit: int) -> tuple[Key, ...]:  # noqa: FBT001  a grouping's own
    """The keys of a grouping in order."""
    found = {ranks[index]: Key(row.keys[index], row.rest[index]) for row, ranks in rows}
    return tuple(found[rank] for rank in sorted(found, key=lambda rank: _place(turned, rank, found[rank].value, limit)))


def _in_order(definition: Definition, index: int) -> bool:
    return index > 0 or definition.order is Order.GROUP


def _place(turned: bool, rank: int, key: object, limit: int) -> tuple[int, int]:  # noqa: FBT001  a row's own
    """Where a group stands; periods were ranked from the newest, and are told from the oldest."""
    if not turned:
        return (0, rank)
    if rank > limit:
        return (-1, 0)
    return (1, 0) if key is None else (0, -rank)


def _row(definition: Definition, statement: Statement, keys: Row, figures: Row) -> ReportRow:
    rest = tuple(rank > limit for rank, limit in zip(keys[1::2], statement.limits, strict=True))
    shown = zip(statement.columns, keys[::2], rest, strict=True)
    return ReportRow(
        keys=tuple(None if folded else _shown(column, key) for column, key, folded in shown),
        rest=rest,
        values=_values(definition, figures[1:]),
    )


def _shown(column: Column, key: Any) -> Any:  # noqa: ANN401  a column's value
    if isinstance(key, date):
        return key.isoformat()
    return present(column.field, key)


def _values(definition: Definition, parts: Sequence[Any]) -> tuple[Decimal | None, ...]:
    found, start = [], 0
    for measure in definition.measures:
        end = start + len(_PARTS[measure.function])
        found.append(_figure(measure, parts[start:end]))
        start = end
    return tuple(found)


def _figure(measure: Measure, parts: Sequence[Any]) -> Decimal | None:
    first = parts[0]
    if measure.function is Function.AVERAGE:
        if not parts[1]:
            return None
        with localcontext(prec=_DIGITS):
            return _plain((Decimal(first) / Decimal(parts[1])).quantize(Decimal(1).scaleb(-DECIMALS)))
    if first is None:
        return Decimal(0) if measure.function in {Function.COUNT, Function.SUM} else None
    return _plain(Decimal(first))


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros and exponent; with all digits, however many."""
    with localcontext(prec=_DIGITS):
        whole = number.to_integral_value()
        return whole if whole == number else number.normalize()


def _folded(fold: str, parts: Sequence[Any]) -> Any:  # noqa: ANN401  a number of the database
    given = [part for part in parts if part is not None]
    if not given:
        return None
    if fold == "SUM":
        return exact_sum(given)
    return min(given) if fold == "MIN" else max(given)


def exact_sum(numbers: Iterable[Any]) -> Decimal:
    """With all digits of a sum of the database's."""
    with localcontext(prec=_DIGITS):
        return sum(numbers, Decimal(0))
