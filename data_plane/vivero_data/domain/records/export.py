"""The job that exports a collection's records as CSV into a file of the workspace.

The bucket needs a file's size beforehand, so the text is spooled to disk first, compressed: a pod's /tmp then has room
for some hundreds of thousands of records.
"""

import asyncio
import gzip
import tempfile
from datetime import datetime
from typing import IO, Any, Final

from vivero_web import clock
from vivero_web.errors import InvalidInputError
from vivero_web.spreadsheets import BYTE_ORDER_MARK
from vivero_web.text import tidy

from vivero_data.db.database import Connection
from vivero_data.domain.exports.texts import csv_lines
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.records.access import Access, access_of
from vivero_data.domain.records.lists import conditions
from vivero_data.domain.records.query import Clause, parse_sort
from vivero_data.domain.records.schemas import Record, RecordQuery
from vivero_data.domain.records.walk import pages
from vivero_data.domain.records.where import parse_filters
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

SPOOL_BYTES: Final = 48 * 1024**2  # compressed, beside two uploads of 100 MiB in a /tmp of 256 MiB
_FAST: Final = 1  # zlib level
MEDIA_TYPE: Final = "text/csv"


class Export(Task, frozen=True):
    """Exports the records of a collection that match all conditions, as in `RecordQuery`, ordered by id."""

    collection: str
    filters: tuple[str, ...] = ()
    where: str = ""

    async def check(self, connection: Connection, actor: Actor) -> str:
        access = await access_of(connection, actor, self.collection)
        access.require(Right.EXPORT)
        parse_filters(access.collection, self.filters, self.where)
        return access.whole.name

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.READ)
        async with context.database.read() as connection:
            access = await access_of(connection, context.actor, self.collection)
        access.require(Right.EXPORT)
        clauses = conditions(access, RecordQuery(filters=self.filters, where=self.where))
        with tempfile.TemporaryFile() as spool:
            written, size = await _spool(context, access, clauses, spool)

            async def stored(tx: Connection, file: StoredFile) -> None:
                await context.finish(tx, {"file_id": file.id, "records": written})

            spool.seek(0)
            with gzip.GzipFile(fileobj=spool, mode="rb") as text:
                await context.files.store(
                    context.actor, file_name(access.whole.name, clock.now()), MEDIA_TYPE, size, text.read, stored
                )


def file_name(collection: str, moment: datetime) -> str:
    """`Contacts 2026-11-29 1015.csv`."""
    return f"{tidy(collection)} {moment:%Y-%m-%d %H%M}.csv"


def cells(record: Record) -> list[Any]:
    """A line, as `csv_lines` writes it; every value as in the API, so that it can be imported exactly."""
    return [record.id, *record.values.values(), record.created_at, record.updated_at]


async def _spool(context: TaskContext, access: Access, clauses: list[Clause], spool: IO[bytes]) -> tuple[int, int]:
    """Write the CSV; returns the number of records, and of bytes before compression."""
    collection, total = access.collection, None if clauses or access.rows else access.records
    with gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=_FAST) as packed:
        size = written = 0
        heads = ["id", *(field.name for field in collection.fields), "created_at", "updated_at"]
        lines, mark = [heads], BYTE_ORDER_MARK
        async for page in pages(context.database, access, clauses, parse_sort(collection, "")):
            lines += [cells(record) for record in page]
            size += await asyncio.to_thread(packed.write, mark.encode() + csv_lines(lines))
            written, lines, mark = written + len(page), [], ""
            if spool.tell() > SPOOL_BYTES:
                raise InvalidInputError.of("filter", "must leave fewer records: this export is too large for one file")
            context.progress(written, total)
        if lines:
            size += packed.write(mark.encode() + csv_lines(lines))
    return written, size
