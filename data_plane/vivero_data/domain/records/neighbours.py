"""The record before and the one behind another, in the list that a person came from."""

import msgspec

from vivero_data.db.database import Connection
from vivero_data.db.errors import StatementTimeoutError
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.lists import LARGE, MOMENT, conditions
from vivero_data.domain.records.query import Clause, Sort, after, cursor_after, parse_sort
from vivero_data.domain.records.schemas import Record, RecordQuery


class Neighbours(msgspec.Struct, frozen=True):
    """None where there is none, or where finding it would take long."""

    previous: Record | None = None
    next: Record | None = None


async def find(connection: Connection, access: Access, record_id: int, query: RecordQuery) -> Neighbours:
    """The neighbours of a record, also of one that the list does not show any more.

    Raises:
        InvalidInputError: the query is not valid.
    """
    sort = parse_sort(access.collection, query.sort)
    clauses = conditions(access, query)
    found = await repository.select_page(connection, access, [Clause("id = %s", (record_id,))], sort, 1)
    if not found:
        return Neighbours()
    values = found[0][1]

    async def beyond(order: Sort) -> Record | None:
        place = after(order, cursor_after(order, record_id, values))
        seconds = MOMENT if access.records >= LARGE else None
        try:
            rows = await repository.select_page(connection, access, [*clauses, place], order, 1, seconds)
        except StatementTimeoutError:
            return None
        return rows[0][0] if rows else None

    return Neighbours(await beyond(backwards(sort)), await beyond(sort))


def backwards(sort: Sort) -> Sort:
    """The same order from its end; pure."""
    return Sort(sort.text, tuple(msgspec.structs.replace(key, descending=not key.descending) for key in sort.keys))
