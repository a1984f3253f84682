"""Lists of records: one page, and how many there are; a list that would take long is refused with what would help."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from vivero_web.errors import FieldError, InvalidInputError, WebError

from vivero_data.db.database import Connection
from vivero_data.db.errors import StatementTimeoutError
from vivero_data.domain.collections.schemas import Collection, Field, present
from vivero_data.domain.field_types.number import plain
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.advice import Advice, advise, surely_fast
from vivero_data.domain.records.query import Clause, Column, after, column_of, cursor_after, parse_sort
from vivero_data.domain.records.schemas import Record, RecordCount, RecordQuery, Total
from vivero_data.domain.records.where import compiled, parse_filters, searched
from vivero_data.lib import cursors
from vivero_data.lib.pages import Page

LARGE: Final = 20_000  # records from which a list is given a bound; with fewer, a scan takes less
MOMENT: Final = 0.07  # seconds for the statement: with the rest of a request some 100 ms
COUNTED: Final = 1_000
TotalColumns = dict[str, tuple[Column, Total]]
_BACKGROUND: Final = 8.0  # seconds of a list or count that may be slow; below the bound of every statement


class SlowListError(WebError):
    """The list takes long, and the query does not say that it may; `advice` is what would help."""

    status = 422
    slug = "slow-list"
    title = "This list takes long"

    def __init__(self, advice: Advice) -> None:
        super().__init__(advice.sentence, errors=[FieldError(advice.place, advice.sentence)])
        self.advice = advice


async def page(connection: Connection, access: Access, query: RecordQuery) -> Page[Record]:
    """One page of records.

    Raises:
        SlowListError: it takes longer than a moment, or than `query.allow_slow` lets it.
    """
    sort = parse_sort(access.collection, query.sort)
    clauses = conditions(access, query)
    total = None if clauses or access.rows else access.records
    if query.cursor:
        clauses.append(after(sort, cursors.decode(query.cursor, query.sort)))
    bounded = access.records >= LARGE and not surely_fast(sort, [*access.rows, *clauses])
    seconds = (_BACKGROUND if query.allow_slow else MOMENT) if bounded else None
    try:
        found = await repository.select_page(connection, access, clauses, sort, query.limit, seconds)
    except StatementTimeoutError as error:
        raise SlowListError(await advise(connection, access.collection, query)) from error
    items = [item for item, _ in found[: query.limit]]
    if len(found) <= query.limit:
        return Page(items, None, total)
    last, values = found[query.limit - 1]
    return Page(items, cursors.encode(cursor_after(sort, last.id, values)), total)


async def count(connection: Connection, access: Access, query: RecordQuery, *, exact: bool) -> RecordCount:
    """How many records match."""
    clauses = conditions(access, query)
    if not clauses and not access.rows:
        return RecordCount(access.records, exact=True)
    most = None if exact else COUNTED + 1
    seconds = None if access.records < LARGE else _BACKGROUND if exact else MOMENT
    try:
        found = await repository.count(connection, access, clauses, most, seconds)
    except StatementTimeoutError:
        return RecordCount(None, exact=False)
    return RecordCount(found, exact=True) if exact or found <= COUNTED else RecordCount(COUNTED, exact=False)


async def totals(
    connection: Connection, access: Access, query: RecordQuery, wanted: Mapping[str, Total]
) -> dict[str, Any]:
    """What stands below columns, by field: over all records that match.

    Raises:
        InvalidInputError: a field cannot have its total.
        SlowListError: it takes longer than a moment, or than `query.allow_slow` lets it.
    """
    columns = total_columns(access.collection, wanted)
    if not columns:
        return {}
    seconds = patience(access, query)
    try:
        row = await repository.totals(connection, access, total_sql(columns), conditions(access, query), seconds)
    except StatementTimeoutError as error:
        raise SlowListError(await advise(connection, access.collection, query)) from error
    return total_values(columns, row)


def patience(access: Access, query: RecordQuery) -> float | None:
    """Seconds for figures over a list; None where the collection is small."""
    if access.records < LARGE:
        return None
    return _BACKGROUND if query.allow_slow else MOMENT


def total_column(collection: Collection, name: str, total: Total) -> Column:
    """The column that a total is of.

    Raises:
        InvalidInputError: there is no such field, or it has no such total.
    """
    column = column_of(collection, name)
    if column is None:
        raise InvalidInputError.of("sums", f"has no field of {collection.name} at {name[:64]!r}")
    if total not in totals_of(column.field):
        raise InvalidInputError.of("sums", f"cannot be {total.value} for {column.field.name}")
    return column


def totals_of(field: Field) -> tuple[Total, ...]:
    """What can stand below the field's column; nothing where it is computed when it is read."""
    kind = field.kind
    if kind.virtual:
        return ()
    if kind.summable:
        return tuple(Total)
    counted = (Total.COUNT, Total.EMPTY)
    if kind.refers:
        return (*counted, Total.UNIQUE)
    return (*counted, Total.MIN, Total.MAX, Total.UNIQUE) if kind.sortable else counted


def total_columns(collection: Collection, wanted: Mapping[str, Total]) -> TotalColumns:
    """What is added up, by the names that it was asked by.

    Raises:
        InvalidInputError: a field cannot have its total.
    """
    return {name: (total_column(collection, name, total), total) for name, total in wanted.items()}


def total_sql(columns: TotalColumns) -> list[str]:
    """An expression for each."""
    return [_aggregate(column, total) for column, total in columns.values()]


def total_values(columns: TotalColumns, row: Sequence[Any]) -> dict[str, Any]:
    """What the expressions gave, as JSON has it."""
    return {name: _presented(*columns[name], value) for name, value in zip(columns, row, strict=True)}


def _aggregate(column: Column, total: Total) -> str:
    if total is Total.UNIQUE:
        return f"COUNT(DISTINCT {column.sql})"
    return f"COUNT(*) - COUNT({column.sql})" if total is Total.EMPTY else f"{total.value.upper()}({column.sql})"


def _presented(column: Column, total: Total, value: Any) -> Any:  # noqa: ANN401  a column's value
    if value is None or total in {Total.COUNT, Total.EMPTY, Total.UNIQUE}:
        return value
    if total in {Total.SUM, Total.AVG}:
        return plain(Decimal(value))
    return present(column.field, value)


def conditions(access: Access, query: RecordQuery) -> list[Clause]:
    """What must hold of the records that the actor may read.

    Raises:
        InvalidInputError: naming the part of the query that is not valid.
    """
    collection, view = access.collection, query.narrowing
    clauses = parse_filters(collection, query.filters, query.where)
    if view and view.where is not None:
        clauses.append(compiled(collection, view.where, "view.where"))
    searches = [
        searched(collection, query.search),
        *([searched(collection, view.search, "view.search")] if view else []),
    ]
    return [*(one.asked_by(access.actor.user_id) for one in clauses), *(one for one in searches if one)]
