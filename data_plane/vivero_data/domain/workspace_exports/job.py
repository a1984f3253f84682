"""The job that exports the workspace: a ZIP that grows in the bucket, piece by piece.

Each attempt writes an export of its own, which nothing leads to until it is ready; what an attempt left expires.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from vivero_web import clock
from vivero_web.errors import UnavailableError

from vivero_data.db.database import Connection
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.files.service import new_id
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.jobs.task import JobLostError, Task, TaskContext
from vivero_data.domain.records.access import everything
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.workspace_exports import contents, repository
from vivero_data.domain.workspace_exports.archive import Archive
from vivero_data.domain.workspace_exports.schemas import KEPT_FOR, WorkspaceExport, WorkspaceExportRunningError

KIND: Final = "workspace_export"
FORMAT: Final = 1
_NOTE: Final = "Each member is as of the moment at which it was written: what was changed meanwhile is in it or not."
_UNFINISHED_FOR: Final = timedelta(hours=2)  # longer than an attempt may take
_TRIES: Final = 4  # of a piece, before the attempt as a whole is given up
_PAUSE: Final = 3.0  # seconds, and longer each time


class ExportWorkspace(Task, frozen=True):
    """Exports the whole workspace."""

    async def check(self, connection: Connection, _: Actor) -> str:
        if await jobs.is_under_way(connection, KIND):
            raise WorkspaceExportRunningError
        return "workspace"

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.EXPORT_WORKSPACE)
        begun = clock.now()
        async with context.database.transaction() as tx:
            number = await repository.insert(tx, context.actor.email, begun + _UNFINISHED_FOR)
        archive = Archive(lambda piece, content: _store(context, number, piece, content))
        try:
            records, files = await _write(context, archive, begun)
        finally:
            archive.close()
        made = WorkspaceExport(number, archive.size, records, files, context.actor.email, begun, clock.now() + KEPT_FOR)
        async with context.database.transaction() as tx:
            if not await repository.publish(tx, made):
                raise JobLostError
            await context.finish(tx, {"export_id": number, "records": records, "files": files, "size": made.size})


async def _write(context: TaskContext, archive: Archive, begun: datetime) -> tuple[int, int]:
    """Write the whole archive; how many records and files are in it."""
    async with context.database.read() as connection:
        found = await collections.select_all(connection)
    total, done = 2 * sum(one.records for one in found), 0

    def told(amount: int) -> None:
        nonlocal done
        done += amount
        context.progress(done, max(total, done))

    records = 0
    for collection in found:
        access = everything(context.actor, collection)
        records += await contents.write_collection(archive, context.database, access, told)
    await contents.write_workspace(archive, context.database, context.actor)
    files = await contents.write_files(archive, context.database, context.files)
    await archive.finish({"format": FORMAT, "created_at": begun, "records": records, "files": files, "note": _NOTE})
    return records, files


async def _store(context: TaskContext, export_id: int, number: int, content: bytes) -> None:
    """Note a piece and store it, with patience for a bucket that restarts.

    Raises:
        JobLostError: the export has expired: this attempt takes too long.
        UnavailableError: the bucket does not answer for a while.
    """
    object_id = new_id()
    async with context.database.transaction() as tx:
        if not await repository.add_piece(tx, export_id, number, object_id):
            raise JobLostError
    for attempt in range(1, _TRIES):
        try:
            await context.files.put_object(object_id, content)
        except UnavailableError:
            await asyncio.sleep(_PAUSE * attempt)
        else:
            return
    await context.files.put_object(object_id, content)
