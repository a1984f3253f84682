"""SQL of records: the only place where statements on a collection's own table are made."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.query import Clause, Sort
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.records.values import present

_HEAD: Final = ("id", "version", "created_at", "updated_at")


async def insert(tx: Connection, collection: Collection, values: Mapping[int, Any]) -> int:
    """Add a record with values by field id; its id."""
    names = ", ".join(column_name(field_id) for field_id in values)
    places = ", ".join(["%s"] * len(values))
    return await tx.insert(
        f"INSERT INTO {table_name(collection.id)} ({names}) VALUES ({places})",  # noqa: S608  names from numbers
        *values.values(),
    )


async def get(connection: Connection, collection: Collection, record_id: int) -> Record | None:
    row = await connection.fetch_one(f"{_select(collection)} WHERE id = %s", record_id)
    return _record(collection, row) if row else None


async def get_locked(tx: Connection, collection: Collection, record_id: int) -> Record | None:
    """The record; nobody else changes it until this transaction ends."""
    row = await tx.fetch_one(f"{_select(collection)} WHERE id = %s FOR UPDATE", record_id)
    return _record(collection, row) if row else None


async def update(tx: Connection, collection: Collection, record_id: int, values: Mapping[int, Any]) -> None:
    """Set values by field id; the version grows."""
    sets = "".join(f", {column_name(field_id)} = %s" for field_id in values)
    await tx.execute(
        f"UPDATE {table_name(collection.id)} SET version = version + 1,"  # noqa: S608  names from numbers
        f" updated_at = CURRENT_TIMESTAMP(6){sets} WHERE id = %s",
        *values.values(),
        record_id,
    )


async def delete(tx: Connection, collection: Collection, record_id: int) -> None:
    await tx.execute(f"DELETE FROM {table_name(collection.id)} WHERE id = %s", record_id)  # noqa: S608  names from numbers


async def select_page(
    connection: Connection, collection: Collection, clauses: Sequence[Clause], sort: Sort, limit: int
) -> list[tuple[Record, Any]]:
    """Records with the column's own value of the sort field, one more than the limit when there are more."""
    where = " AND ".join(clause.sql for clause in clauses) or "TRUE"
    params = [param for clause in clauses for param in clause.params]
    rows = await connection.fetch_all(
        f"{_select(collection, sort.column.sql)} WHERE {where} ORDER BY {sort.order_by} LIMIT %s", *params, limit + 1
    )
    return [(_record(collection, row[:-1]), row[-1]) for row in rows]


def _select(collection: Collection, *also: str) -> str:
    names = ", ".join((*_HEAD, *(column_name(field.id) for field in collection.fields), *also))
    return f"SELECT {names} FROM {table_name(collection.id)}"  # noqa: S608  names from numbers


def _record(collection: Collection, row: Row) -> Record:
    number, version, created_at, updated_at = row[: len(_HEAD)]
    values = {
        field.name: present(field, value) for field, value in zip(collection.fields, row[len(_HEAD) :], strict=True)
    }
    return Record(number, version, values, clock.utc(created_at), clock.utc(updated_at))
