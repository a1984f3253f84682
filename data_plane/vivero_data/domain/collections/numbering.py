"""Automatic numbers for the records that a collection had before it got such a field."""

from collections.abc import Callable
from typing import Final

from vivero_data.db.database import Connection, Database
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.calculation import calculate
from vivero_data.domain.collections.changes import ChangedMeanwhileError
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.jobs.task import Task, TaskContext
from vivero_data.domain.users.schemas import Actor, Permission, require_permission

_BATCH: Final = 2000  # records; as many as others wait for


async def number_records(
    database: Database, collection_id: int, field: Field, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Number the records that have no number yet, in the order of their ids; returns how many."""
    done = 0
    while True:
        async with database.transaction() as tx:
            numbered = await _number_some(tx, collection_id, field)
        done += numbered
        progress(done)
        if numbered < _BATCH:
            return done


async def _number_some(tx: Connection, collection_id: int, field: Field) -> int:
    collection = await repository.get_held_by_id(tx, collection_id)
    table, column = table_name(collection_id), column_name(field)
    rows = await tx.fetch_all(
        f"SELECT id FROM {table} WHERE {column} IS NULL ORDER BY id LIMIT %s FOR UPDATE",  # noqa: S608  names from numbers
        _BATCH,
    )
    if rows:
        first = await repository.take_numbers(tx, field, len(rows))
        ids = tuple(row[0] for row in rows)
        await tx.execute(
            f"UPDATE {table} t JOIN (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place FROM {table} WHERE id IN %s) p"  # noqa: S608  names from numbers
            f" ON p.id = t.id SET t.{column} = %s + p.place",
            ids,
            first - 1,
        )
        if collection is not None:
            await calculate(tx, collection, ids)
    return len(rows)


class NumberRecords(Task, frozen=True):
    """Numbers the records of a collection."""

    collection_id: int
    field_id: int

    async def check(self, connection: Connection, _: Actor) -> str:
        collection, field = await self._found(connection)
        return f"{collection.name}: {field.name}"

    async def run(self, context: TaskContext) -> None:
        require_permission(context.actor, Permission.MANAGE_COLLECTIONS)
        async with context.database.read() as connection:
            collection, field = await self._found(connection)
        done = await number_records(
            context.database, collection.id, field, lambda number: context.progress(number, collection.records)
        )
        async with context.database.transaction() as tx:
            await context.finish(tx, {"records": done})

    async def _found(self, connection: Connection) -> tuple[Collection, Field]:
        collection = await repository.get_by_id(connection, self.collection_id)
        field = next((one for one in collection.fields if one.id == self.field_id), None) if collection else None
        if collection is None or field is None:
            raise ChangedMeanwhileError
        return collection, field
