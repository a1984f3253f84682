"""What is in an export of the workspace, a page at a time; no secrets, and nothing from the trash.

Records are in it twice: as CSV for people and their spreadsheets, and as JSON, which an import takes back exactly.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import NotFoundError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit import repository as audit
from vivero_data.domain.audit.schemas import AuditQuery
from vivero_data.domain.collections.definition import as_new
from vivero_data.domain.collections.schemas import Collection, NewCollection
from vivero_data.domain.comments import repository as comments
from vivero_data.domain.dashboards import repository as dashboards
from vivero_data.domain.dashboards import service as dashboard_service
from vivero_data.domain.exports.service import ExportFormat, line_of, writer_of
from vivero_data.domain.exports.texts import JsonArray
from vivero_data.domain.files import repository as files
from vivero_data.domain.files.names import safe_name
from vivero_data.domain.files.schemas import FileDamagedError, StoredFile
from vivero_data.domain.files.service import FileService
from vivero_data.domain.notation.service import settings_of
from vivero_data.domain.records import held
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.query import parse_sort
from vivero_data.domain.records.walk import pages
from vivero_data.domain.reports import repository as reports
from vivero_data.domain.reports import service as report_service
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor
from vivero_data.domain.views import repository as views
from vivero_data.domain.views import service as view_service
from vivero_data.domain.webhooks import repository as webhooks
from vivero_data.domain.workspace_exports.archive import Archive, Listed
from vivero_data.lib.json import encode_bytes

_PAGE: Final = 500
Progress = Callable[[int], None]


def definition(collection: Collection) -> NewCollection:
    """A collection as `POST /api/v1/collections` takes it."""
    return NewCollection(collection.name, [as_new(field) for field in collection.fields], collection.description)


def folder_of(collection: Collection) -> str:
    """Where a collection is in the archive: two names may differ only in what a file system cannot tell apart."""
    return f"collections/{collection.id} {safe_name(collection.name)}"


async def write_collection(archive: Archive, database: Database, access: Access, told: Progress) -> int:
    """A collection's definition, views, comments and attachments, and its records in both formats: how many records.

    `told` of each page of records.
    """
    collection = access.whole
    folder = folder_of(collection)
    async with database.read() as connection:
        saved = [view_service.opened(collection, one) for one in await views.select_all(connection, collection.id)]
    await write_item(archive, f"{folder}/definition.json", definition(collection))
    await write_list(archive, f"{folder}/views.json", _once(saved))
    await write_list(archive, f"{folder}/comments.json", _comments(database, collection.id))
    await write_list(archive, f"{folder}/attachments.json", _attachments(database, collection.id))
    await _write_records(archive, database, access, ExportFormat.CSV, told)
    return await _write_records(archive, database, access, ExportFormat.JSON, told)


async def _write_records(
    archive: Archive, database: Database, access: Access, kind: ExportFormat, told: Progress
) -> int:
    collection = access.collection
    writer, fields, count = writer_of(kind), [field.name for field in collection.fields], 0
    archive.begin(f"{folder_of(collection)}/records.{kind}")
    await archive.write(writer.begin(["id", *fields, "created_at", "updated_at"]))
    async for page in pages(database, access, [], parse_sort(collection, "")):
        lines = [line_of(one, fields) for one in page]
        await archive.write(await asyncio.to_thread(writer.page, lines))
        count += len(page)
        told(len(page))
    await archive.write(writer.end())
    await archive.end(count)
    return count


async def write_workspace(archive: Archive, database: Database, actor: Actor) -> None:
    """What belongs to no collection, but files: what was made, people without their passwords, the audit log."""
    async with database.read() as connection:
        names = await dashboards.collection_names(connection)
        made = [
            (await report_service.opened(connection, actor, one))[0] for one in await reports.select_all(connection)
        ]
        boards = [dashboard_service.opened(one, names) for one in await dashboards.select_all(connection)]
        hooks = await webhooks.select_all(connection)
        settings = await settings_of(connection)
    await write_item(archive, "settings.json", settings)
    await write_list(archive, "reports.json", _once(made))
    await write_list(archive, "dashboards.json", _once(boards))
    await write_list(archive, "webhooks.json", _once(hooks))
    await write_list(archive, "people.json", _people(database))
    await write_list(archive, "audit.json", _audit(database))


async def write_files(archive: Archive, database: Database, store: FileService) -> int:
    """Every file with its content: how many; one that is gone or damaged is listed with why, and nothing stops for it."""
    listed, count = Listed(), 0
    try:
        async for page in _files(database):
            for file in page:
                problem = await _write_file(archive, store, file)
                listed.add({**msgspec.to_builtins(file), "path": path_of(file), "problem": problem})
                count += not problem
        archive.begin("files.json")
        await listed.write_to(archive)
        await archive.end(count)
    finally:
        listed.close()
    return count


def path_of(file: StoredFile) -> str:
    """Where a file is in the archive; two files may have one name."""
    return f"files/{file.id}/{safe_name(file.name)}"


async def _write_file(archive: Archive, store: FileService, file: StoredFile) -> str:
    """Write a file; why it is not in the archive as it should be, empty if it is."""
    try:
        content = await store.content(file)
    except (NotFoundError, FileDamagedError) as error:  # before its first byte
        return error.detail
    problem = ""
    archive.begin(path_of(file), packed=False)
    try:
        async for piece in content:
            await archive.write(piece)
    except FileDamagedError as error:
        problem = error.detail
    await archive.end()
    return problem


async def write_item(archive: Archive, name: str, item: Any) -> None:  # noqa: ANN401  whatever JSON can say
    """A member that is one JSON value."""
    archive.begin(name)
    await archive.write(encode_bytes(item) + b"\n")
    await archive.end()


async def write_list(archive: Archive, name: str, found: AsyncIterator[Sequence[Any]]) -> None:
    """A member that is a JSON array."""
    array, count = JsonArray(), 0
    archive.begin(name)
    async for page in found:
        await archive.write(array.add(page))
        count += len(page)
    await archive.write(array.end())
    await archive.end(count)


async def _once(items: Sequence[Any]) -> AsyncIterator[Sequence[Any]]:
    yield items


async def _paged(
    database: Database, select: Callable[[Connection, Any], Awaitable[list[Any]]], place: Callable[[Any], Any]
) -> AsyncIterator[list[Any]]:
    """All of a list, whose `select` returns one more than a page when there are more, behind the `place` of the last."""
    last = None
    while True:
        async with database.read() as connection:
            found = await select(connection, last)
        yield found[:_PAGE]
        if len(found) <= _PAGE:
            return
        last = place(found[_PAGE - 1])


def _comments(database: Database, collection_id: int) -> AsyncIterator[list[Any]]:
    async def select(connection: Connection, last: int | None) -> list[Any]:
        return await comments.select_of_collection(connection, collection_id, _PAGE, last)

    return _paged(database, select, lambda one: one.id)


def _attachments(database: Database, collection_id: int) -> AsyncIterator[list[Any]]:
    async def select(connection: Connection, last: tuple[int, str] | None) -> list[Any]:
        return list(await held.select_attached(connection, collection_id, _PAGE, last or (0, "")))

    return _paged(database, select, lambda one: (one.record_id, one.id))


def _people(database: Database) -> AsyncIterator[list[Any]]:
    async def select(connection: Connection, last: int | None) -> list[Any]:
        return list(await users.select_page(connection, _PAGE, last or 0))

    return _paged(database, select, lambda one: one.id)


def _audit(database: Database) -> AsyncIterator[list[Any]]:
    async def select(connection: Connection, last: int | None) -> list[Any]:
        return list(await audit.select_page(connection, AuditQuery(limit=_PAGE), last))

    return _paged(database, select, lambda one: one.id)


def _files(database: Database) -> AsyncIterator[list[Any]]:
    async def select(connection: Connection, last: Any) -> list[Any]:  # noqa: ANN401  a time and an id
        return list(await files.select_page(connection, _PAGE, last, held=True))

    return _paged(database, select, lambda one: (one.created_at.replace(tzinfo=None), one.id))
