"""The job that changes a field of a collection with many records."""

from vivero_data.db.database import Connection
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.calculation import CalculateFormulas
from vivero_data.domain.collections.changes import Change, ChangedMeanwhileError, Effects, apply, described
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.users.schemas import Actor, Permission, require_permission


class ChangeField(Task, frozen=True):
    """Changes a field, and says how many values became empty by it."""

    change: Change

    async def check(self, connection: Connection, _: Actor) -> str:
        collection = await repository.get_by_id(connection, self.change.collection_id)
        if collection is None:
            raise ChangedMeanwhileError
        return described(collection, self.change)

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.MANAGE_COLLECTIONS)
        async with context.database.read() as connection:
            collection = await repository.get_by_id(connection, self.change.collection_id)
        total = collection.records if collection else None

        async def done(tx: Connection, entry: int, effects: Effects) -> None:
            if collection and self.change.calculates(collection.fields):
                name = self.change.after.name
                task = CalculateFormulas(collection.id, name)
                await jobs.insert(tx, "formulas", f"{collection.name}: {name}", task, context.actor.user_id)
            result = {"records": effects.examined, "emptied": effects.emptied, "undo": entry}
            await context.finish(tx, result)

        await apply(context.database, context.actor, self.change, done, lambda n: context.progress(n, total))
