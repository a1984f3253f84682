"""Periodic clean-up: one background loop, safe to run in several pods concurrently."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import structlog
from vivero_web import clock
from vivero_web.errors import WebError, explained

from vivero_data.clients.storage import Storage
from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.auth import repository as sessions
from vivero_data.domain.collections import columns
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.alteration import BUILD_SECONDS, alter
from vivero_data.domain.email_changes import repository as email_changes
from vivero_data.domain.files import repository as uploads
from vivero_data.domain.files.service import FileService
from vivero_data.domain.idempotency import repository as idempotency
from vivero_data.domain.imports import repository as imports
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.links import repository as links
from vivero_data.domain.records import held, merging
from vivero_data.domain.report_mails import repository as report_mails
from vivero_data.domain.support import repository as support
from vivero_data.domain.tickets import service as tickets
from vivero_data.domain.trash.service import TrashService
from vivero_data.domain.webhooks import repository as webhooks
from vivero_data.domain.workspace_exports import repository as workspace_exports
from vivero_data.domain.workspace_exports.service import remove as remove_export

_FIRST_SECONDS: Final = 600.0  # not during start-up
_EVERY_SECONDS: Final = 3600.0
_KEEP: Final = timedelta(days=1)  # retention of ended sessions, tickets and links, for support
_KEEP_ATTEMPTS: Final = timedelta(days=30)  # at webhooks
_KEEP_SENDINGS: Final = timedelta(days=90)  # of reports by e-mail
_BATCH: Final = 500
_IMPORTS_KEPT: Final = timedelta(days=30)  # with what undoing them needs
_UPLOAD_AGE: Final = timedelta(hours=2)  # longer than any upload takes
_UPLOADS: Final = 100

K = TypeVar("K")

log = structlog.get_logger(__name__)


class Housekeeping:
    """Runs each task once an hour; a failure is logged, and retried an hour later."""

    def __init__(  # noqa: PLR0913  all that it keeps in order
        self,
        database: Database,
        storage: Storage,
        files: FileService,
        audit: AuditService,
        trash: TrashService,
        *,
        tell: Callable[[], Awaitable[int]],
    ) -> None:
        """`tell` tells owners of limits that are nearly or fully used."""
        self._database = database
        self._storage = storage
        self._files = files
        self._audit = audit
        self._trash = trash
        self._tell = tell
        self._spare: set[tuple[int, int]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        # At start-up: until then old entries are missing from the pages.
        await self._do("audit", self._audit.move_legacy_entries)
        await asyncio.sleep(_FIRST_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  jitter
        while True:
            await self.once()
            await asyncio.sleep(_EVERY_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311  jitter

    async def once(self) -> dict[str, int]:
        """Run every task; returns how much each removed, and how many mails about limits began."""
        tasks: dict[str, Callable[[], Awaitable[int]]] = {
            "tables": lambda: drop_orphaned_tables(self._database),
            "files": lambda: finish_interrupted(self._database, self._storage, self._files),
            "sessions": lambda: self._purge(sessions.purge),
            "tickets": lambda: self._purge(tickets.purge),
            "support_sessions": lambda: self._purge(support.purge),
            "links": lambda: self._purge(links.purge),
            "columns": self._drop_spare_columns,
            "trash": lambda: self._trash.destroy_expired(_BATCH),
            "jobs": lambda: self._purge(jobs.purge),
            "workspace_exports": lambda: forget_exports(self._database, self._files),
            "imports": lambda: forget_imports(self._database, self._files),
            "record_files": lambda: remove_unused_files(self._database, self._files),
            "changes": lambda: self._purge(merging.purge),
            "addresses": lambda: self._purge(email_changes.purge),
            "idempotency": lambda: self._purge(idempotency.purge),
            "webhooks": self._purge_attempts,
            "report_mails": self._purge_sendings,
            "limits": self._tell,
            "audit": self._audit.move_legacy_entries,
        }
        done = {name: await self._do(name, task) for name, task in tasks.items()}
        return {name: count for name, count in done.items() if count is not None}

    @staticmethod
    async def _do(name: str, task: Callable[[], Awaitable[int]]) -> int | None:
        """Run one task; returns how much it removed, None if it failed."""
        try:
            return await task()
        except WebError as error:
            log.warning("housekeeping_failed", task=name, problem=explained(error))
        except Exception:
            # A bug must not end the loop for the life of the pod.
            log.exception("housekeeping_failed", task=name)
        return None

    async def _drop_spare_columns(self) -> int:
        """Drop the columns of changes that came to nothing: spare now, and an hour ago."""
        async with self._database.read() as connection:
            found = await collections.spare_columns(connection, self._database.name)
        given_up, self._spare = found & self._spare, found
        if given_up:
            async with self._database.patient(BUILD_SECONDS) as connection:
                for collection_id, column in given_up:
                    await alter(connection, *columns.drop_column(collection_id, column))
        return len(given_up)

    async def _purge_attempts(self) -> int:
        async with self._database.transaction() as tx:
            return await webhooks.purge(tx, clock.now() - _KEEP_ATTEMPTS, _BATCH)

    async def _purge_sendings(self) -> int:
        async with self._database.transaction() as tx:
            return await report_mails.purge(tx, clock.now() - _KEEP_SENDINGS, _BATCH)

    async def _purge(self, purge: Callable[[Connection, datetime, int], Awaitable[int]]) -> int:
        async with self._database.transaction() as tx:
            return await purge(tx, clock.now() - _KEEP, _BATCH)


async def drop_orphaned_tables(database: Database) -> int:
    """Drop the tables of interrupted definitions; returns how many."""
    async with database.read() as connection:
        found = await collections.orphaned_tables(connection, database.name)
        drops = {one: partial(connection.execute, columns.drop_table(one)) for one in found}
        return await _each(drops, "table_not_dropped", "collection")


async def finish_interrupted(database: Database, storage: Storage, files: FileService) -> int:
    """Remove interrupted uploads and finish interrupted deletions; returns how many."""

    async def finish(file_id: str, state: str, size: int) -> None:
        await asyncio.to_thread(storage.delete, file_id)
        await files.forget(file_id, state, size)

    async with database.read() as connection:
        found = await uploads.select_unfinished(connection, clock.now() - _UPLOAD_AGE, _UPLOADS)
    return await _each({one[0]: partial(finish, *one) for one in found}, "file_not_finished", "file")


async def forget_imports(database: Database, files: FileService) -> int:
    """Remove the files that no import reads any more, and imports that cannot be undone any more; returns how many."""

    async def forget(number: int) -> None:
        async with database.transaction() as tx:
            await imports.remove(tx, number)

    async with database.read() as connection:
        old = await imports.select_old(connection, clock.now() - _IMPORTS_KEPT, _BATCH)
        read = await imports.select_read_files(connection, clock.now() - _KEEP, _UPLOADS)
    done = await _each({number: partial(forget, number) for number in old}, "import_not_forgotten", "import_id")
    deletions = {file_id: partial(files.delete_unlisted, file_id, size) for file_id, size in read}
    return done + await _each(deletions, "file_not_deleted", "file")


async def forget_exports(database: Database, files: FileService) -> int:
    """Remove exports of the workspace that have expired; returns how many."""
    async with database.read() as connection:
        expired = await workspace_exports.select_expired(connection, _UPLOADS)
    removals = {number: partial(remove_export, database, files, number) for number in expired}
    return await _each(removals, "workspace_export_not_removed", "export")


async def remove_unused_files(database: Database, files: FileService) -> int:
    """Remove the files of records that neither a record nor the trash has any more; returns how many.

    Each file is looked for once a day. The trash keeps what was removed for 30 days, so that nothing here has to wait.
    """
    before = clock.now() - _KEEP
    async with database.read() as connection:
        waiting = await held.select_to_check(connection, before, _BATCH)
    for collection_id in waiting:
        async with database.transaction() as tx:
            # Of a deleted collection they wait for it to come back, or go with it.
            collection = await collections.get_by_id(tx, collection_id)
            if collection is not None and (current := await collections.get_held(tx, collection.name)):
                await held.forget_unused(tx, current, before, _BATCH)
            else:
                await held.skip(tx, collection_id)
    async with database.read() as connection:
        unheld = await uploads.select_unheld(connection, _UPLOADS)
    return await _each(
        {one: partial(files.delete_unlisted, one, size) for one, size in unheld}, "file_not_deleted", "file"
    )


async def _each(actions: Mapping[K, Callable[[], Awaitable[object]]], event: str, subject: str) -> int:
    """Run each action; returns how many succeeded. One that fails is logged, and retried next time."""
    done = 0
    for key, act in actions.items():
        try:
            await act()
        except WebError as error:
            log.warning(event, problem=explained(error), **{subject: key})
        else:
            done += 1
    return done
