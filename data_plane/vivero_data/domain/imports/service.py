"""Imports: asked for here, done in a child process (`running.py`), followed and taken back by who asked and by admins."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from litestar.datastructures import UploadFile
from vivero_web import spreadsheets
from vivero_web.errors import ConflictError, InvalidInputError
from vivero_web.spreadsheets import BYTE_ORDER_MARK
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.names import MAX_NAME, name_problem, path_problem
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionNameTakenError
from vivero_data.domain.files.schemas import Place, StoredFile
from vivero_data.domain.files.service import FileService
from vivero_data.domain.imports import repository
from vivero_data.domain.imports.forms import as_json, check_order
from vivero_data.domain.imports.plan import check, parsed_mapping, plan_of
from vivero_data.domain.imports.repository import NewImport
from vivero_data.domain.imports.schemas import Import, ImportNotFoundError, ImportOrder, ImportState, Plan
from vivero_data.domain.imports.tasks import ImportRows, UndoImport
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.records.access import access_by_id, access_of
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "-id"
_UNDONE_FROM: Final = frozenset({ImportState.DONE, ImportState.FAILED})


class NothingToUndoError(ConflictError):
    """The import is not at its end, or nothing of it is left."""


class ImportService:
    """Imports of the workspace: members write records with them, admins also make collections."""

    def __init__(self, database: Database, files: FileService, jobs: JobService) -> None:
        self._database = database
        self._files = files
        self._jobs = jobs

    async def prepare(self, actor: Actor, collection: str | None) -> None:
        """Refuse what needs no file to be refused, before one is read.

        Raises:
            NotAllowedError: the actor may not.
            CollectionNotFoundError: there is no such collection.
            JobsFullError: too many jobs wait.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS if collection is None else Permission.WRITE_RECORDS)
        async with self._database.read() as connection:
            if collection is not None:
                await _named(connection, actor, collection)
            await self._jobs.require_room(connection)

    async def free_name(self, name: str) -> str:
        """The name, or one like it that no collection has."""
        async with self._database.read() as connection:
            found, number = name, 2
            while await collections.get(connection, tidy(found)):
                found, number = f"{name[: MAX_NAME - 5]} {number}", number + 1
        return found

    async def start(  # noqa: PLR0913  whose it is, what, whereto and how
        self, actor: Actor, data: UploadFile, collection: str | None, name: str, order: ImportOrder, *, asks: bool
    ) -> Import:
        """Store the file and queue its import into a collection, or into one to be made; `asks`: only its plan for now."""
        await self.prepare(actor, collection)
        check_order(order)
        async with self._database.read() as connection:
            target = None if collection is None else await _named(connection, actor, collection)
            if target is None and await collections.get(connection, tidy(name)):
                raise CollectionNameTakenError
        started = 0

        async def stored(tx: Connection, file: StoredFile) -> None:
            nonlocal started
            started = await self._insert(tx, actor, file, target, name, order, asks=asks)

        await self._files.store_unlisted(actor, data, stored, Place.SOURCE)
        self._jobs.wakeup.set()
        return await self.get(actor, started)

    async def _insert(  # noqa: PLR0913, PLR0917  as `start`
        self,
        tx: Connection,
        actor: Actor,
        file: StoredFile,
        target: Collection | None,
        name: str,
        order: ImportOrder,
        *,
        asks: bool,
    ) -> int:
        label = target.name if target else tidy(name)
        new = NewImport(
            user_id=actor.user_id,
            created_by=actor.email,
            collection_id=target.id if target else None,
            collection_name=label,
            file_id=file.id,
            file_name=file.name,
            file_size=file.size,
            asks=asks,
            mode=order.mode,
            key=order.key,
            dry_run=order.dry_run,
            mapping=as_json(order),
        )
        number = await repository.insert(tx, new)
        await self._enqueue(tx, actor, number, label, ImportState.WAITING)
        await record(tx, actor, "import.start", label, after={"import": number, "file": file.name, "mode": order.mode})
        return number

    async def _enqueue(self, tx: Connection, actor: Actor, number: int, label: str, state: ImportState) -> None:
        task = UndoImport(number) if state is ImportState.UNDOING else ImportRows(number)
        job = await self._jobs.enqueue(tx, actor, task, label)
        await repository.set_job(tx, number, job, state)

    async def get(self, actor: Actor, import_id: int) -> Import:
        async with self._database.read() as connection:
            return await self._found(connection, actor, import_id)

    async def plan(self, actor: Actor, import_id: int, order: ImportOrder | None = None) -> Plan | None:
        """Where the columns go, by the stored order or another one; None until the file was read."""
        async with self._database.read() as connection:
            await self._found(connection, actor, import_id)
            work = await repository.work(connection, import_id)
            if work is None or work.reading is None:
                return None
            made_for = None if work.makes or work.collection_id is None else work.collection_id
            into = None if made_for is None else await access_by_id(connection, actor, made_for)
            target = into.collection if into else None
        mapping = parsed_mapping(work.mapping) if order is None else order.mapping
        return plan_of(work.reading, mapping, target)

    async def go_on(self, actor: Actor, import_id: int, order: ImportOrder) -> Import:
        """Write the rows of a file whose plan a person has looked at.

        Raises:
            InvalidInputError: the plan leaves something open.
        """
        check_order(order)
        plan = await self.plan(actor, import_id, order)
        if plan is None:
            raise ConflictError("The file has not been read yet.")
        check(plan.columns, order.key)
        async with self._database.transaction() as tx:
            found = await self._found(tx, actor, import_id, locked=True)
            if found.state is not ImportState.READY:
                raise ConflictError("This import was started already.")
            label = await _label(tx, found, order.name)
            await repository.order(tx, import_id, label, order, as_json(order))
            await self._enqueue(tx, actor, import_id, label, ImportState.WAITING)
        self._jobs.wakeup.set()
        return await self.get(actor, import_id)

    async def undo(self, actor: Actor, import_id: int) -> Import:
        """Take the import back: new records go, changed ones get their values back, unless somebody changed them since."""
        async with self._database.transaction() as tx:
            found = await self._found(tx, actor, import_id, locked=True)
            if found.state not in _UNDONE_FROM:
                raise NothingToUndoError(f"This import is {found.state}: one that is done or has failed can be undone.")
            if found.dry_run or (not found.inserted + found.updated and not found.makes):
                raise NothingToUndoError("This import has written nothing.")
            await self._enqueue(tx, actor, import_id, found.collection or "", ImportState.UNDOING)
            await record(tx, actor, "import.undo", found.collection or "", before={"import": import_id})
        self._jobs.wakeup.set()
        return await self.get(actor, import_id)

    async def failures(self, actor: Actor, import_id: int) -> AsyncIterator[bytes]:
        """The refused rows as CSV: the row's number, the field and the reason, and then the cells."""
        plan = await self.plan(actor, import_id)
        names = [column.name for column in plan.columns] if plan else []
        return self._failures(import_id, names)

    async def _failures(self, import_id: int, names: Sequence[str]) -> AsyncIterator[bytes]:
        yield _csv([["row", "field", "reason", *names]], first=True)
        last = 0
        while True:
            async with self._database.read() as connection:
                found = await repository.failures(connection, import_id, last)
            if found is None:
                return
            last, rows = found
            yield _csv([[str(row), field, reason, *cells] for row, field, reason, cells in rows])

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Import]:
        require_permission(actor, Permission.WRITE_RECORDS)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, _whose(actor), limit, below)
        return page_of(found, limit, lambda one: cursors.by_id(_SORT, one.id))

    async def _found(self, connection: Connection, actor: Actor, import_id: int, *, locked: bool = False) -> Import:
        require_permission(actor, Permission.WRITE_RECORDS)
        found = await repository.get(connection, import_id, _whose(actor), locked=locked)
        if found is None:
            raise ImportNotFoundError
        if found.state not in {ImportState.WAITING, ImportState.RUNNING, ImportState.UNDOING}:
            return found
        self._jobs.wakeup.set()  # its pod may be gone, so make the runner look
        return found


def _csv(lines: list[list[str]], *, first: bool = False) -> bytes:
    return (BYTE_ORDER_MARK.encode() if first else b"") + spreadsheets.lines(lines)


def _whose(actor: Actor) -> int | None:
    """Whose imports somebody sees: their own, admins those of all."""
    return None if actor.may(Permission.MANAGE_COLLECTIONS) else actor.user_id


async def _label(connection: Connection, found: Import, wanted: str | None) -> str:
    """The name of the collection, which a person may change as long as it is to be made.

    Raises:
        InvalidInputError: it is no name, or another collection's.
    """
    name = tidy(wanted or found.collection or "")
    if not found.makes:
        if wanted is not None and name != found.collection:
            raise InvalidInputError.of("name", "is only for an import that makes its collection")
        return name
    problem = name_problem(name) or path_problem(name)
    if not problem and await collections.get(connection, name):
        problem = "is the name of a collection that exists"
    if problem:
        raise InvalidInputError.of("name", problem)
    return name


async def _named(connection: Connection, actor: Actor, name: str) -> Collection:
    access = await access_of(connection, actor, name)
    access.require_whole()
    return access.whole
