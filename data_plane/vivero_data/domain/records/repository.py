"""SQL of records: the only module with statements on collection tables.

What writes takes the whole collection: formulas are calculated from fields that the actor may not see, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from vivero_web import clock

from vivero_data.db.database import Connection, Row, within
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.calculation import calculate
from vivero_data.domain.collections.columns import column_name, exact_column, table_name
from vivero_data.domain.collections.formulas import assignments
from vivero_data.domain.collections.schemas import Collection, Field, present
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import held
from vivero_data.domain.records.access import Access
from vivero_data.domain.records.query import Clause, Column, Key, Sort, joined
from vivero_data.domain.records.schemas import Record

_HEAD: Final = ("id", "version", "created_at", "updated_at")


async def insert(tx: Connection, collection: Collection, values: Mapping[int, Any]) -> Record:
    """Add a record with values by field id."""
    (values,) = await _numbered(tx, collection, [values])
    # An expression reads the columns before it.
    formulas = assignments(collection.fields)
    names = ", ".join([*_names(collection, values), *(column for column, _ in formulas)])
    places = ", ".join([*["%s"] * len(values), *(expression for _, expression in formulas)])
    (row,) = await tx.fetch_all(
        f"INSERT INTO {table_name(collection.id)} ({names}) VALUES ({places}) RETURNING {_columns(collection)}",  # noqa: S608  names from numbers
        *values.values(),
    )
    record = _record(collection, row)
    await held.note(tx, collection, [(record.id, values)])
    return record


async def _numbered(
    tx: Connection, collection: Collection, rows: Sequence[Mapping[int, Any]]
) -> list[Mapping[int, Any]]:
    """The rows with the automatic numbers that they do not have yet."""
    found = list(rows)
    for field in _counted(collection):
        if rows and field.id not in rows[0]:
            first = await collections.take_numbers(tx, field, len(rows))
            found = [{**row, field.id: first + place} for place, row in enumerate(found)]
    return found


def _counted(collection: Collection) -> list[Field]:
    return [field for field in collection.fields if field.type is FieldType.AUTONUMBER]


async def get(connection: Connection, access: Access, record_id: int) -> Record | None:
    select, params = _by_number(access, [record_id])
    row = await connection.fetch_one(select, *params)
    return _record(access.collection, row) if row else None


async def get_locked(tx: Connection, access: Access, record_id: int) -> Record | None:
    """The record, locked until this transaction ends."""
    select, params = _by_number(access, [record_id])
    row = await tx.fetch_one(f"{select} FOR UPDATE", *params)
    return _record(access.collection, row) if row else None


async def update(tx: Connection, collection: Collection, record_id: int, values: Mapping[int, Any]) -> None:
    """Set values by field id; the version is incremented."""
    written = [(name, "%s") for name in _names(collection, values)]
    # Assigned from left to right: formulas read what is written.
    sets = "".join(f", {name} = {value}" for name, value in [*written, *assignments(collection.fields)])
    await tx.execute(
        f"UPDATE {table_name(collection.id)} SET version = version + 1,"  # noqa: S608  names from numbers
        f" updated_at = CURRENT_TIMESTAMP(6){sets} WHERE id = %s",
        *values.values(),
        record_id,
    )
    await held.note(tx, collection, [(record_id, values)])


async def delete(tx: Connection, collection: Collection, record_id: int) -> None:
    await tx.execute(f"DELETE FROM {table_name(collection.id)} WHERE id = %s", record_id)  # noqa: S608  names from numbers


async def insert_all(tx: Connection, collection: Collection, rows: Sequence[Mapping[int, Any]]) -> list[Record]:
    """Add records with one statement; the values of each are by field id, and of the same fields."""
    rows = await _numbered(tx, collection, rows)
    names = ", ".join(_names(collection, rows[0]))
    places = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
    made = await tx.fetch_all(
        f"INSERT INTO {table_name(collection.id)} ({names}) VALUES {places} RETURNING {_columns(collection)}",  # noqa: S608  names from numbers
        *(value for row in rows for value in row.values()),
    )
    if assignments(collection.fields):
        numbers = tuple(row[0] for row in made)
        await calculate(tx, collection, numbers)
        made = await tx.fetch_all(
            f"SELECT {_columns(collection)} FROM {table_name(collection.id)} WHERE id IN %s ORDER BY id",  # noqa: S608  names from numbers
            numbers,
        )
    records = [_record(collection, row) for row in made]
    await held.note(tx, collection, [(record.id, row) for record, row in zip(records, rows, strict=True)])
    return records


async def insert_rows(
    tx: Connection, collection: Collection, fields: Sequence[Field], rows: Sequence[Sequence[Any]]
) -> list[int]:
    """Add records with one statement, each with its values in the order of `fields`; returns their ids in order."""
    counted = [field for field in _counted(collection) if field not in fields]
    if counted:
        firsts = [await collections.take_numbers(tx, field, len(rows)) for field in counted]
        fields = [*fields, *counted]
        rows = [[*row, *(first + place for first in firsts)] for place, row in enumerate(rows)]
    names = ", ".join(column_name(field) for field in fields)
    places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    made = await tx.fetch_all(
        f"INSERT INTO {table_name(collection.id)} ({names}) VALUES {places} RETURNING id",  # noqa: S608  names from numbers
        *chain.from_iterable(rows),
    )
    numbers = [int(number) for (number,) in made]
    await calculate(tx, collection, numbers)
    return numbers


async def existing(connection: Connection, access: Access, ids: Sequence[int]) -> set[int]:
    """Which of these records there are."""
    if not ids:
        return set()
    condition, params = where(access, [Clause("id IN %s", (tuple(ids),))])
    rows = await connection.fetch_all(
        f"SELECT id FROM {table_name(access.whole.id)} WHERE {condition}",  # noqa: S608  names from numbers
        *params,
    )
    return {int(number) for (number,) in rows}


async def find(connection: Connection, access: Access, field: Field, values: Sequence[Any]) -> list[tuple[int, int]]:
    """The records with each of some values, which are the same as the field's uniqueness has it: place and id."""
    if not values:
        return []
    exact = field.exact and field.unique
    given = " UNION ALL ".join(["SELECT %s AS place, %s AS value"] * len(values))
    collation = ""
    if field.kind.exact is not None:  # a text
        collation = f" COLLATE {'utf8mb4_nopad_bin' if exact else 'utf8mb4_unicode_520_nopad_ci'}"
    value = field.kind.exact_sql("given.value") if exact else "given.value"
    condition, params = where(access)
    column = exact_column(field) if exact else column_name(field)
    rows = await connection.fetch_all(
        f"SELECT given.place, record.id FROM ({given}) given"  # noqa: S608  names from numbers
        f" JOIN {table_name(access.whole.id)} record ON record.{column} = {value}{collation} WHERE {condition}",
        *(param for pair in enumerate(values) for param in pair),
        *params,
    )
    return [(int(place), int(number)) for place, number in rows]


async def delete_unchanged(tx: Connection, collection: Collection, first: int, last: int) -> int:
    """Delete the records from one id to another that nobody changed since they were made; returns how many."""
    return await tx.execute(
        f"DELETE FROM {table_name(collection.id)} WHERE id BETWEEN %s AND %s AND version = 1",  # noqa: S608  names from numbers
        first,
        last,
    )


async def last_id(connection: Connection, collection: Collection) -> int:
    """The number of the newest record; 0 without one."""
    row = await connection.fetch_one(f"SELECT COALESCE(MAX(id), 0) FROM {table_name(collection.id)}")  # noqa: S608  names from numbers
    return int(row[0]) if row else 0


async def select_ids(connection: Connection, access: Access, clauses: Sequence[Clause], limit: int) -> list[int]:
    """The first records that match, by number."""
    condition, params = where(access, clauses)
    rows = await connection.fetch_all(
        f"SELECT id FROM {table_name(access.whole.id)} WHERE {condition} ORDER BY id LIMIT %s",  # noqa: S608  names from numbers
        *params,
        limit,
    )
    return [int(row[0]) for row in rows]


async def count_between(connection: Connection, access: Access, first: int, last: int) -> int:
    """How many records there are from one id to another."""
    condition, params = where(access, [Clause("id BETWEEN %s AND %s", (first, last))])
    row = await connection.fetch_one(
        f"SELECT COUNT(*) FROM {table_name(access.whole.id)} WHERE {condition}",  # noqa: S608  names from numbers
        *params,
    )
    return int(row[0]) if row else 0


async def count_unchanged(connection: Connection, collection: Collection, ranges: Sequence[Sequence[int]]) -> int:
    """How many records with ids in these ranges nobody changed since they were made."""
    inside = " OR ".join(["id BETWEEN %s AND %s"] * len(ranges)) or "FALSE"
    row = await connection.fetch_one(
        f"SELECT COUNT(*) FROM {table_name(collection.id)} WHERE version = 1 AND ({inside})",  # noqa: S608  names from numbers
        *chain.from_iterable(ranges),
    )
    return int(row[0]) if row else 0


async def get_all(connection: Connection, access: Access, ids: Sequence[int]) -> dict[int, Record]:
    """The existing records among `ids`, by id."""
    select, params = _by_number(access, ids)
    rows = await connection.fetch_all(select, *params)
    return {row[0]: _record(access.collection, row) for row in rows}


async def get_all_locked(tx: Connection, access: Access, ids: Sequence[int]) -> dict[int, Record]:
    """Like `get_all`, locked until this transaction ends."""
    select, params = _by_number(access, ids)
    rows = await tx.fetch_all(f"{select} ORDER BY id FOR UPDATE", *params)
    return {row[0]: _record(access.collection, row) for row in rows}


async def update_all(tx: Connection, collection: Collection, changes: Sequence[tuple[int, Mapping[int, Any]]]) -> None:
    """Set values of records with one statement for each set of fields; versions are incremented."""
    by_fields: dict[tuple[int, ...], list[tuple[Any, ...]]] = {}
    for record_id, values in changes:
        fields = tuple(sorted(values))
        by_fields.setdefault(fields, []).append((record_id, *(values[field_id] for field_id in fields)))
    for fields, rows in by_fields.items():
        names = _names(collection, fields)
        heads = ", ".join(["%s AS id", *(f"%s AS {name}" for name in names)])
        given = " UNION ALL ".join([f"SELECT {heads}"] * len(rows))
        sets = "".join(f", old.{name} = new.{name}" for name in names)
        await tx.execute(
            f"UPDATE {table_name(collection.id)} old JOIN ({given}) new ON old.id = new.id"  # noqa: S608  names from numbers
            f" SET old.version = old.version + 1, old.updated_at = CURRENT_TIMESTAMP(6){sets}",
            *(value for row in rows for value in row),
        )
    # Of several tables, assignments have no order.
    await calculate(tx, collection, [record_id for record_id, _ in changes])
    await held.note(tx, collection, changes)


async def delete_all(tx: Connection, collection: Collection, ids: Sequence[int]) -> None:
    await tx.execute(f"DELETE FROM {table_name(collection.id)} WHERE id IN %s", tuple(ids))  # noqa: S608  names from numbers


async def select_page(  # noqa: PLR0913, PLR0917  the parts of a SELECT
    connection: Connection,
    access: Access,
    clauses: Sequence[Clause],
    sort: Sort,
    limit: int,
    seconds: float | None = None,
) -> list[tuple[Record, Row]]:
    """Records with the raw values of the sort columns, one more than the limit when there are more.

    Raises:
        StatementTimeoutError: it takes longer than `seconds`.
    """
    condition, params = where(access, clauses)
    rows = await connection.fetch_all(
        f"{within(seconds)}{_select(access, *sort.columns)} WHERE {condition} ORDER BY {sort.order_by} LIMIT %s",
        *params,
        limit + 1,
    )
    width = len(_HEAD) + len(access.collection.fields)
    return [(_record(access.collection, row[:width]), row[width:]) for row in rows]


async def count(
    connection: Connection, access: Access, clauses: Sequence[Clause], most: int | None, seconds: float | None
) -> int:
    """How many records match, counted up to `most`.

    Raises:
        StatementTimeoutError: it takes longer than `seconds`.
    """
    condition, params = where(access, clauses)
    table = table_name(access.whole.id)
    limited = f"SELECT 1 FROM {table} WHERE {condition}{'' if most is None else ' LIMIT %s'}"  # noqa: S608  names from numbers
    row = await connection.fetch_one(
        f"{within(seconds)}SELECT COUNT(*) FROM ({limited}) found",  # noqa: S608  as above
        *params,
        *([] if most is None else [most]),
    )
    return int(row[0]) if row else 0


async def totals(
    connection: Connection,
    access: Access,
    expressions: Sequence[str],
    clauses: Sequence[Clause],
    seconds: float | None,
) -> Row:
    """Aggregates over the records that match.

    Raises:
        StatementTimeoutError: it takes longer than `seconds`.
    """
    condition, params = where(access, clauses)
    table = table_name(access.whole.id)
    row = await connection.fetch_one(
        f"{within(seconds)}SELECT {', '.join(expressions)} FROM {table} WHERE {condition}",  # noqa: S608  names from numbers
        *params,
    )
    return row or ()


async def groups(  # noqa: PLR0913, PLR0917  the parts of a SELECT
    connection: Connection,
    access: Access,
    key: Key,
    expressions: Sequence[str],
    clauses: Sequence[Clause],
    seconds: float | None,
    ids: Sequence[int] = (),
    limit: int | None = None,
) -> list[Row]:
    """For each value of a column: the value, how many records match, which of `ids` are among them, and aggregates.

    Raises:
        StatementTimeoutError: it takes longer than `seconds`.
    """
    condition, params = where(access, clauses)
    among = "GROUP_CONCAT(CASE WHEN id IN %s THEN id END)" if ids else "NULL"
    selected = ", ".join((f"MIN({key.column.sql})", "COUNT(*)", among, *expressions))
    return await connection.fetch_all(
        f"{within(seconds)}SELECT {selected} FROM {table_name(access.whole.id)} WHERE {condition}"  # noqa: S608  names from numbers
        f" GROUP BY {key.column.sql} ORDER BY {key.sql}{'' if limit is None else ' LIMIT %s'}",
        *([tuple(ids)] if ids else []),
        *params,
        *([] if limit is None else [limit]),
    )


def with_values_of(access: Access, column: Column, ids: Sequence[int], values: Sequence[Any]) -> Clause:
    """The column has a value of one of these records, one of these values, or none."""
    parts = [Clause(f"{column.sql} IS NULL")]
    if ids:
        inside = f"SELECT {column.sql} FROM {table_name(access.whole.id)} WHERE id IN %s"  # noqa: S608  names from numbers
        parts.append(Clause(f"{column.sql} IN ({inside})", (tuple(ids),)))
    if values:
        parts.append(Clause(f"{column.sql} IN %s", (tuple(values),)))
    return joined("OR", parts)


def where(access: Access, clauses: Sequence[Clause] = ()) -> tuple[str, list[Any]]:
    """The conditions of a statement, with what holds for every record that the actor may read."""
    every = [*access.rows, *clauses]
    sql = " AND ".join(clause.sql for clause in every) or "TRUE"
    return sql, [param for clause in every for param in clause.params]


def _by_number(access: Access, ids: Sequence[int]) -> tuple[str, list[Any]]:
    condition, params = where(access, [Clause("id IN %s", (tuple(ids),))])
    return f"{_select(access)} WHERE {condition}", params


def _names(collection: Collection, field_ids: Iterable[int]) -> list[str]:
    """The names of the columns of fields that are given by their ids."""
    by_id = {field.id: column_name(field) for field in collection.fields}
    return [by_id[field_id] for field_id in field_ids]


def _select(access: Access, *also: str) -> str:
    return f"SELECT {_columns(access.collection, *also)} FROM {table_name(access.whole.id)}"  # noqa: S608  names from numbers


def _columns(collection: Collection, *also: str) -> str:
    return ", ".join((*_HEAD, *(column_name(field) for field in collection.fields), *also))


def _record(collection: Collection, row: Row) -> Record:
    number, version, created_at, updated_at = row[: len(_HEAD)]
    values = {
        field.name: present(field, value) for field, value in zip(collection.fields, row[len(_HEAD) :], strict=True)
    }
    return Record(number, version, values, clock.utc(created_at), clock.utc(updated_at))
