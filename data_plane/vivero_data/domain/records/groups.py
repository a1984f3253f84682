"""Groups of a list: the records with an equal value in the field that the list is sorted by first."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from vivero_data.db.database import Connection
from vivero_data.db.errors import StatementTimeoutError
from vivero_data.domain.collections.schemas import parse, present
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.records import references, repository
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.advice import advise
from vivero_data.domain.records.lists import SlowListError, conditions, patience, total_columns, total_sql, total_values
from vivero_data.domain.records.query import Clause, Key, beyond, cursor_value, parse_sort
from vivero_data.domain.records.schemas import Group, Record, RecordQuery, Total
from vivero_data.lib import cursors
from vivero_data.lib.pages import Page, page_of

_NOTHING: Final = Clause("FALSE")


class Heading(msgspec.Struct, frozen=True):
    """A group above its records on a page.

    Attributes:
        ids: its records on the page; none where it is folded.
        count: None where counting takes long; there are no totals then.
    """

    value: Any
    ids: tuple[int, ...] = ()
    count: int | None = None
    totals: Mapping[str, Any] = {}


async def page(connection: Connection, access: Access, query: RecordQuery, sums: Mapping[str, Total]) -> Page[Group]:
    """One page of the groups of a list, in its order.

    Raises:
        InvalidInputError: a part of the query, or a total, is not valid.
        SlowListError: it takes longer than a moment, or than `query.allow_slow` lets it.
    """
    key, columns = _key(access, query), total_columns(access.collection, sums)
    sort, clauses = f"groups of {query.sort}", conditions(access, query)
    if query.cursor:
        value = cursor_value(key.column.field, cursors.decode(query.cursor, sort).value)
        clauses.append(beyond(key, value) or _NOTHING)
    try:
        rows = await repository.groups(
            connection, access, key, total_sql(columns), clauses, patience(access, query), limit=query.limit + 1
        )
    except StatementTimeoutError as error:
        raise SlowListError(await advise(connection, access.collection, query)) from error
    found = page_of(rows, query.limit, lambda row: cursors.encode(cursors.Cursor(sort, 0, cursors.as_text(row[0]))))
    values = await _values(connection, access, key, [row[0] for row in found.items])
    items = [
        Group(value, row[1], total_values(columns, row[3:])) for value, row in zip(values, found.items, strict=True)
    ]
    return Page(items, found.next_cursor)


async def headings(  # noqa: PLR0913, PLR0917  what is read, and what is shown of it
    connection: Connection,
    access: Access,
    query: RecordQuery,
    sums: Mapping[str, Total],
    records: Sequence[Record],
    folded: Sequence[Any],
) -> list[Heading]:
    """The groups of these records of a list and the folded ones, in its order.

    Without figures, and the folded ones first, where counting takes longer than a moment.
    """
    key, columns = _key(access, query), total_columns(access.collection, sums)
    ids = tuple(record.id for record in records)
    closed = [parse(key.column.field, value) for value in folded if value is not None]
    clauses = conditions(access, query)
    among = repository.with_values_of(access, key.column, ids, closed)
    try:
        rows = await repository.groups(
            connection, access, key, total_sql(columns), [*clauses, among], patience(access, query), ids
        )
    except StatementTimeoutError:
        rows = await repository.groups(connection, access, key, [], [*clauses, _these(ids)], None, ids)
        first = [(value, None, None) for value in ([None] if None in folded else []) + closed]
        rows = [*first, *((value, None, numbers) for value, _, numbers in rows)]
    shown = [row for row in rows if row[2] or row[0] is not None or None in folded]
    values = await _values(connection, access, key, [row[0] for row in shown])
    return [
        Heading(
            value,
            tuple(map(int, row[2].split(","))) if row[2] else (),
            row[1],
            {} if row[1] is None else total_values(columns, row[3:]),
        )
        for value, row in zip(values, shown, strict=True)
    ]


def _key(access: Access, query: RecordQuery) -> Key:
    return parse_sort(access.collection, query.sort).keys[0]


def _these(ids: Sequence[int]) -> Clause:
    return Clause("id IN %s", (tuple(ids),)) if ids else _NOTHING


async def _values(connection: Connection, access: Access, key: Key, stored: Sequence[Any]) -> list[Any]:
    """The values as services have them, links with what they lead to."""
    field = key.column.field
    names = await references.titles(connection, access.actor, field, set(stored) - {None}) if field.kind.refers else {}
    return [
        None if one is None else Linked(one, names.get(one)) if field.kind.refers else present(field, one)
        for one in stored
    ]
