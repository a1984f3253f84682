"""Exports of the workspace: owners ask for them, download them and remove them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from vivero_data.db.database import Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.files.service import FileService
from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.workspace_exports import repository
from vivero_data.domain.workspace_exports.archive import PIECE
from vivero_data.domain.workspace_exports.job import ExportWorkspace
from vivero_data.domain.workspace_exports.schemas import WorkspaceExport, WorkspaceExportNotFoundError
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

MEDIA_TYPE: Final = "application/zip"
_SORT: Final = "-id"


class WorkspaceExportService:
    """The newest export, and its making."""

    def __init__(self, database: Database, files: FileService, jobs: JobService, *, logs: bool) -> None:
        self._database = database
        self._files = files
        self._jobs = jobs
        self._logs = logs
        """Whether the workspace may be written to: then a download is in its audit log."""

    async def start(self, actor: Actor) -> Job:
        """Have the workspace exported.

        Raises:
            WorkspaceExportRunningError: another export is under way.
            JobsFullError: too many jobs wait.
        """
        return await self._jobs.start(actor, Permission.EXPORT_WORKSPACE, ExportWorkspace())

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[WorkspaceExport]:
        require_permission(actor, Permission.EXPORT_WORKSPACE)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, limit, below)
        return page_of(found, limit, lambda one: cursors.by_id(_SORT, one.id))

    async def get(self, actor: Actor, export_id: int) -> WorkspaceExport:
        require_permission(actor, Permission.EXPORT_WORKSPACE)
        async with self._database.read() as connection:
            found = await repository.get(connection, export_id)
        if found is None:
            raise WorkspaceExportNotFoundError
        return found

    async def content(self, actor: Actor, export: WorkspaceExport, part: range | None = None) -> AsyncIterator[bytes]:
        """The ZIP, or some of its bytes; each request for it is in the audit log."""
        require_permission(actor, Permission.EXPORT_WORKSPACE)
        async with self._database.read() as connection:
            objects = await repository.pieces(connection, export.id)
        wanted = range(export.size) if part is None else part
        pieces = self._pieces(export, objects, wanted)
        first = await anext(pieces, b"")  # what is missing is said before the answer begins
        if self._logs:
            async with self._database.transaction() as tx:
                await record(tx, actor, "workspace_export.download", file_name(export))
        return _from(first, pieces)

    async def _pieces(self, export: WorkspaceExport, objects: Sequence[str], wanted: range) -> AsyncIterator[bytes]:
        for number, part in cut(wanted):
            size = min(PIECE, export.size - number * PIECE)
            piece = StoredFile(objects[number], "", size, MEDIA_TYPE, export.created_at, export.created_by)
            async for content in await self._files.content(piece, None if len(part) == size else part):
                yield content

    async def delete(self, actor: Actor, export_id: int) -> None:
        """Remove an export at once."""
        require_permission(actor, Permission.EXPORT_WORKSPACE)
        async with self._database.transaction() as tx:
            found = await repository.get(tx, export_id)
            if found is None or not await repository.expire(tx, export_id):
                raise WorkspaceExportNotFoundError
            await record(tx, actor, "workspace_export.delete", file_name(found))
        await remove(self._database, self._files, export_id)


async def remove(database: Database, files: FileService, export_id: int) -> None:
    """Remove the objects of an expired export, and then forget it."""
    async with database.read() as connection:
        objects = await repository.pieces(connection, export_id)
    for one in objects:
        await files.delete_object(one)
    async with database.transaction() as tx:
        await repository.remove(tx, export_id)


def file_name(export: WorkspaceExport) -> str:
    """`Workspace 2026-11-29 1015.zip`."""
    return f"Workspace {export.created_at:%Y-%m-%d %H%M}.zip"


def as_file(export: WorkspaceExport) -> StoredFile:
    """The export as a download describes it; its tag is like no other file's."""
    name = file_name(export)
    return StoredFile(f"export-{export.id}", name, export.size, MEDIA_TYPE, export.created_at, export.created_by)


def cut(wanted: range) -> Iterator[tuple[int, range]]:
    """The pieces with these bytes, and which of each piece."""
    for number in range(wanted.start // PIECE, -(-wanted.stop // PIECE)):
        begin = number * PIECE
        yield number, range(max(0, wanted.start - begin), min(PIECE, wanted.stop - begin))


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
