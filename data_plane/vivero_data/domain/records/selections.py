"""Starts changes of many records (`bulk.py`): a page's selection at once, all that match a query by a job."""

from typing import Any

import msgspec
from vivero_web.errors import InvalidInputError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.notation.person import notation_for
from vivero_data.domain.records import references, repository
from vivero_data.domain.records.access import access_to_write
from vivero_data.domain.records.bulk import AT_ONCE, CHANGES, RIGHTS, Action, Bulk, ChangeRecords, Worker, checked, kept
from vivero_data.domain.records.lists import conditions
from vivero_data.domain.records.service import as_typed, columns_for, require_writable
from vivero_data.domain.records.trash import RECORDS
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor, Permission, require_permission


class Done(msgspec.Struct, frozen=True):
    """How many records were changed, and the entry of the trash that undoes it; or the job that is at it."""

    records: int
    entry: int
    job: int | None = None


class BulkService:
    """Changes many records, for members."""

    def __init__(self, database: Database, limits: LimitService, jobs: JobService) -> None:
        self._database = database
        self._limits = limits
        self._jobs = jobs

    async def start(self, actor: Actor, collection: str, bulk: Bulk) -> Done:
        """Do it, or have a job do it.

        Raises:
            InvalidInputError: the field cannot have this value in many records, or the query is not valid.
            PlanLimitError: there is no room for the copies.
            JobsFullError: too many jobs wait.
        """
        require_permission(actor, Permission.WRITE_RECORDS)
        if len(bulk.ids) > AT_ONCE:
            raise InvalidInputError.of("ids", f"must be at most {AT_ONCE}")
        async with self._database.transaction() as tx:
            if bulk.ids and bulk.action is not Action.EDIT:
                await self._limits.hold(tx, "records")
            access = await access_to_write(tx, actor, collection)
            access.require(RIGHTS[bulk.action])
            definition = access.collection
            values = checked(definition, bulk, await _typed(tx, actor, definition, bulk))
            columns = columns_for(definition, values, new=False) if values else {}
            require_writable(access, columns)
            if nowhere := await references.unknown(tx, access, [("", columns)]):
                raise InvalidInputError.of_all(nowhere)
            entry = await trash.add(
                tx,
                actor,
                *_called(definition, bulk),
                {"field": _field_id(definition, bulk)},
                collection_id=definition.id,
            )
            if bulk.ids:
                worker = Worker(tx, access, self._limits, entry)
                records = await worker.change(bulk.action, sorted(bulk.ids), values)
                return Done(records, await kept(tx, entry, records))
            conditions(access, bulk.matching.query)
            task = ChangeRecords(
                definition.name, bulk.action, entry, await repository.last_id(tx, access.whole), bulk.matching, values
            )
            job = await self._jobs.enqueue(tx, actor, task, definition.name)
        self._jobs.wakeup.set()
        return Done(0, entry, job)


async def _typed(tx: Connection, actor: Actor, collection: Collection, bulk: Bulk) -> dict[str, Any]:
    if bulk.action is not Action.EDIT:
        return {}
    return as_typed(collection, {bulk.field: bulk.value}, await notation_for(tx, actor))


def _field_id(collection: Collection, bulk: Bulk) -> int | None:
    return next((one.id for one in collection.fields if bulk.action is Action.EDIT and one.name == bulk.field), None)


def _called(collection: Collection, bulk: Bulk) -> tuple[str, str]:
    """The kind of the trash's entry, and what it is called there."""
    if bulk.action is Action.DELETE:
        return RECORDS, collection.name
    return CHANGES, f"{bulk.field} of {collection.name}" if bulk.field else f"Copies in {collection.name}"
