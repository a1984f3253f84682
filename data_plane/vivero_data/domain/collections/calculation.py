"""The values of formulas: calculated by the statement that writes a record, and again when a formula changes.

Each expression reads the columns of the row at hand, and the server sets the columns of an UPDATE from left to right.
So a row that is written or calculated again is right by itself, whatever is written to others: a batch only has to
hold the collection's fields, as all who write do.
"""

from collections.abc import Callable, Sequence
from typing import Final

from vivero_data.db.database import Connection, Database
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.changes import ChangedMeanwhileError
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.formulas import assignments
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

_BATCH: Final = 1000  # records; nobody waits for their locks for long


async def calculate(tx: Connection, collection: Collection, ids: Sequence[int]) -> None:
    """Calculate the formulas of records that this transaction has written."""
    sets = ", ".join(f"{column} = {expression}" for column, expression in assignments(collection.fields))
    if sets and ids:
        await tx.execute(f"UPDATE {table_name(collection.id)} SET {sets} WHERE id IN %s", tuple(ids))  # noqa: S608  names from numbers


async def calculate_all(
    database: Database, collection_id: int, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Calculate the formulas of all records, while others are written; returns how many. May run again."""
    done, last = 0, 0
    while True:
        async with database.transaction() as tx:
            collection = await repository.get_held_by_id(tx, collection_id)
            if collection is None:
                return done
            rows = await tx.fetch_all(
                f"SELECT id FROM {table_name(collection_id)} WHERE id > %s ORDER BY id LIMIT {_BATCH}",  # noqa: S608  a number
                last,
            )
            await calculate(tx, collection, [row[0] for row in rows])
        if not rows:
            return done
        last = rows[-1][0]
        done += len(rows)
        progress(done)


class CalculateFormulas(Task, frozen=True):
    """Calculates the formulas of a collection after a change."""

    collection_id: int
    field: str

    async def check(self, connection: Connection, _: Actor) -> str:
        collection = await repository.get_by_id(connection, self.collection_id)
        if collection is None:
            raise ChangedMeanwhileError
        return f"{collection.name}: {self.field}"

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.MANAGE_COLLECTIONS)
        async with context.database.read() as connection:
            collection = await repository.get_by_id(connection, self.collection_id)
        total = collection.records if collection else None
        done = await calculate_all(context.database, self.collection_id, lambda number: context.progress(number, total))
        async with context.database.transaction() as tx:
            await context.finish(tx, {"records": done})
