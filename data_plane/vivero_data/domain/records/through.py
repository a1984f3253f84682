"""What records show of others: lookups and rollups, one statement a field for all records of a page; SQL and what it gives."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from vivero_data.db.database import Connection
from vivero_data.db.errors import MissingTableError
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import Field, present
from vivero_data.domain.field_types.number import DECIMALS, plain
from vivero_data.domain.field_types.options import Figure
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access, access_by_id, access_to
from vivero_data.domain.records.query import Clause
from vivero_data.domain.records.schemas import Record

_SQL: Final = {Figure.SUM: "SUM", Figure.AVERAGE: "AVG", Figure.MIN: "MIN", Figure.MAX: "MAX"}


async def read_through(connection: Connection, access: Access, records: Sequence[Record]) -> list[Record]:
    """The records with their lookups and rollups; their links are still numbers.

    What the actor may not read in the other collection is not there: neither its value, nor in a figure.
    """
    for field in access.collection.fields:
        if not field.kind.virtual or not records:
            continue
        looks_up = field.type is FieldType.LOOKUP
        found = await (_looked_up if looks_up else _rolled_up)(connection, access, field, records)
        records = [
            msgspec.structs.replace(record, values={**record.values, field.name: found.get(record.id)})
            for record in records
        ]
    return list(records)


async def _looked_up(connection: Connection, access: Access, field: Field, records: Sequence[Record]) -> dict[int, Any]:
    """The values by record."""
    link = next((one for one in access.collection.fields if one.id == field.options.link), None)
    target = await access_by_id(connection, access.actor, link.options.collection) if link else None
    wanted = field_in(target, field.options.field)
    leads = {record.id: record.values[link.name] for record in records} if link else {}
    ids = tuple({number for number in leads.values() if number is not None})
    if target is None or wanted is None or not ids:
        return {}
    where, params = repository.where(target, [Clause("id IN %s", (ids,))])
    try:
        rows = await connection.fetch_all(
            f"SELECT id, {column_name(wanted)} FROM {table_name(target.whole.id)} WHERE {where}",  # noqa: S608  names from numbers
            *params,
        )
    except MissingTableError:
        return {}
    values = {int(number): present(wanted, value) for number, value in rows}
    return {record: values.get(number) for record, number in leads.items()}


async def _rolled_up(connection: Connection, access: Access, field: Field, records: Sequence[Record]) -> dict[int, Any]:
    """The figures by record."""
    figure, ids = field.options.figure, tuple(record.id for record in records)
    empty: dict[int, Any] = dict.fromkeys(ids, 0) if figure is Figure.COUNT else {}
    whole = await collections.get_by_field(connection, field.options.link)
    source = access_to(access.actor, whole) if whole else None
    link = field_in(source, field.options.link)
    if source is None or link is None or link.options.collection != access.whole.id:
        return empty
    measured = field_in(source, field.options.field)
    if measured is None and figure is not Figure.COUNT:
        return empty
    asked = "COUNT(*)" if measured is None else f"{_SQL[figure]}({column_name(measured)})"
    where, params = repository.where(source, [Clause(f"{column_name(link)} IN %s", (ids,))])
    try:
        rows = await connection.fetch_all(
            f"SELECT {column_name(link)}, {asked} FROM {table_name(source.whole.id)} WHERE {where}"  # noqa: S608  names from numbers
            f" GROUP BY {column_name(link)}",
            *params,
        )
    except MissingTableError:
        return empty
    return empty | {int(number): _figure(figure, measured, value) for number, value in rows}


def field_in(access: Access | None, number: int) -> Field | None:
    """A field that the actor may read, by its number."""
    return next((one for one in access.collection.fields if one.id == number), None) if access else None


def _figure(figure: Figure, measured: Field | None, value: Any) -> Any:  # noqa: ANN401  as the driver returns it
    if value is None or measured is None:
        return value
    if figure in {Figure.MIN, Figure.MAX}:
        return present(measured, value)
    return plain(round(Decimal(value), DECIMALS))
