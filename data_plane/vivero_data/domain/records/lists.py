"""Lists of records: one page, and how many there are; a list that would take long is refused with what would help."""

from typing import Final

from vivero_web.errors import FieldError, WebError

from vivero_data.db.database import Connection
from vivero_data.db.errors import StatementTimeoutError
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records import repository
from vivero_data.domain.records.advice import Advice, advise, surely_fast
from vivero_data.domain.records.query import Clause, after, cursor_after, parse_sort
from vivero_data.domain.records.schemas import Record, RecordCount, RecordQuery
from vivero_data.domain.records.where import compiled, parse_filters, searched
from vivero_data.lib import cursors
from vivero_data.lib.pages import Page

LARGE: Final = 20_000  # records from which a list is given a bound; with fewer, a scan takes less
MOMENT: Final = 0.08  # seconds for the statement: with the rest of a request some 100 ms
COUNTED: Final = 1_000
_BACKGROUND: Final = 8.0  # seconds of a list or count that may be slow; below the bound of every statement


class SlowListError(WebError):
    """The list takes long, and the query does not say that it may; `advice` is what would help."""

    status = 422
    slug = "slow-list"
    title = "This list takes long"

    def __init__(self, advice: Advice) -> None:
        super().__init__(advice.sentence, errors=[FieldError(advice.place, advice.sentence)])
        self.advice = advice


async def page(connection: Connection, collection: Collection, query: RecordQuery) -> Page[Record]:
    """One page of records.

    Raises:
        SlowListError: it takes longer than a moment, or than `query.allow_slow` lets it.
    """
    sort = parse_sort(collection, query.sort)
    clauses = conditions(collection, query)
    total = None if clauses else collection.records
    if query.cursor:
        clauses.append(after(sort, cursors.decode(query.cursor, query.sort)))
    bounded = collection.records >= LARGE and not surely_fast(sort, clauses)
    seconds = (_BACKGROUND if query.allow_slow else MOMENT) if bounded else None
    try:
        found = await repository.select_page(connection, collection, clauses, sort, query.limit, seconds)
    except StatementTimeoutError as error:
        raise SlowListError(await advise(connection, collection, query)) from error
    items = [item for item, _ in found[: query.limit]]
    if len(found) <= query.limit:
        return Page(items, None, total)
    last, values = found[query.limit - 1]
    return Page(items, cursors.encode(cursor_after(sort, last.id, values)), total)


async def count(connection: Connection, collection: Collection, query: RecordQuery, *, exact: bool) -> RecordCount:
    """How many records match."""
    clauses = conditions(collection, query)
    if not clauses:
        return RecordCount(collection.records, exact=True)
    most = None if exact else COUNTED + 1
    seconds = None if collection.records < LARGE else _BACKGROUND if exact else MOMENT
    try:
        found = await repository.count(connection, collection, clauses, most, seconds)
    except StatementTimeoutError:
        return RecordCount(None, exact=False)
    return RecordCount(found, exact=True) if exact or found <= COUNTED else RecordCount(COUNTED, exact=False)


def conditions(collection: Collection, query: RecordQuery) -> list[Clause]:
    """What must hold.

    Raises:
        InvalidInputError: naming the part of the query that is not valid.
    """
    view = query.narrowing
    clauses = parse_filters(collection, query.filters, query.where)
    if view and view.where is not None:
        clauses.append(compiled(collection, view.where, "view.where"))
    searches = [
        searched(collection, query.search),
        *([searched(collection, view.search, "view.search")] if view else []),
    ]
    return [*(one.asked_by(query.me) for one in clauses), *(one for one in searches if one)]
