"""Streams the records of a collection, page by page, to whoever may read them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from vivero_web import clock

from vivero_data.db.database import Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.exports.texts import CsvWriter, JsonWriter, Line
from vivero_data.domain.records.access import access_of
from vivero_data.domain.records.lists import LARGE, conditions
from vivero_data.domain.records.query import parse_sort
from vivero_data.domain.records.schemas import Record, RecordQuery
from vivero_data.domain.records.walk import pages
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.users.schemas import Actor, Permission, require_permission


class ExportFormat(StrEnum):
    """What a stream of records is written as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


class Writer(Protocol):
    """Writes one format."""

    media_type: str

    def begin(self, names: Sequence[str]) -> bytes: ...
    def page(self, lines: Sequence[Line]) -> bytes: ...
    def end(self) -> bytes: ...
    def close(self) -> None:
        """Let go of what an export that did not end holds."""
        ...


def writer_of(kind: ExportFormat) -> Writer:
    """A new writer."""
    if kind is ExportFormat.XLSX:
        from vivero_data.domain.exports.xlsx import XlsxWriter  # noqa: PLC0415  rare, and zipfile takes memory

        return XlsxWriter()
    return CsvWriter() if kind is ExportFormat.CSV else JsonWriter()


class ExportStream(msgspec.Struct, frozen=True):
    """A file that is written while it is read."""

    name: str
    media_type: str
    pieces: AsyncIterator[bytes]


def file_name(collection: str, moment: datetime, kind: ExportFormat) -> str:
    """`Contacts 2026-11-29 1015.csv`."""
    return f"{collection} {moment:%Y-%m-%d %H%M}.{kind}"


class ExportService:
    """Exports of a collection, for everybody who may read it."""

    def __init__(self, database: Database, *, logs: bool) -> None:
        self._database = database
        self._logs = logs
        """Whether the workspace may be written to: then an export is in its audit log."""

    async def stream(
        self, actor: Actor, collection: str, query: RecordQuery, kind: ExportFormat, columns: Sequence[str] = ()
    ) -> ExportStream:
        """All records that match, with the fields `columns`, all of them when empty.

        In the order of the query; those of a large collection by their number, because each page would sort it anew.
        """
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            access = await access_of(connection, actor, collection)
        access.require(Right.EXPORT)
        definition, clauses = access.collection, conditions(access, query)
        sort = parse_sort(definition, query.sort if access.records < LARGE else "")
        found = pages(self._database, access, clauses, sort)
        first: list[Record] = await anext(found, [])  # what is wrong is said before the answer begins
        if self._logs:
            async with self._database.transaction() as tx:
                await record(tx, actor, "export.start", definition.name, after={"format": str(kind)})
        writer = writer_of(kind)
        pieces = _written(writer, definition, columns, first, found)
        return ExportStream(file_name(definition.name, clock.now(), kind), writer.media_type, pieces)


async def _written(
    writer: Writer,
    collection: Collection,
    columns: Sequence[str],
    first: list[Record],
    following: AsyncIterator[list[Record]],
) -> AsyncIterator[bytes]:
    known = [field.name for field in collection.fields]
    fields = [name for name in columns if name in known] or known
    try:
        yield writer.begin(["id", *fields, "created_at", "updated_at"])
        page = first
        while page:
            yield await asyncio.to_thread(writer.page, [line_of(one, fields) for one in page])
            page = await anext(following, [])
        yield writer.end()
    finally:  # also where the reader went away
        writer.close()


def line_of(record: Record, fields: Sequence[str]) -> list[Any]:
    """A record's values."""
    return [record.id, *(record.values[name] for name in fields), record.created_at, record.updated_at]
