"""All records that match, a page at a time, with what is read through links: for exports, which hold no more than that."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from vivero_data.db.database import Database
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.query import Clause, Sort, after, cursor_after
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.records.through import read_through

_PAGE: Final = 500  # records in memory at once


async def pages(
    database: Database, access: Access, clauses: Sequence[Clause], sort: Sort
) -> AsyncIterator[list[Record]]:
    """No page is empty; links are still numbers."""
    place: list[Clause] = []
    while True:
        async with database.read() as connection:
            found = await repository.select_page(connection, access, [*clauses, *place], sort, _PAGE)
            page = await read_through(connection, access, [one for one, _ in found[:_PAGE]])
        if page:
            yield page
        if len(found) <= _PAGE:
            return
        last, values = found[_PAGE - 1]
        place = [after(sort, cursor_after(sort, last.id, values))]
