"""What the links of records lead to: whether it exists, what it is called, and what leads back; SQL and what it gives."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from vivero_web.errors import FieldError

from vivero_data.db.database import Connection, within
from vivero_data.db.errors import MissingTableError, StatementTimeoutError
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import Field, parse, present
from vivero_data.domain.field_types.kind import InvalidValueError, Operator
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access, access_by_id
from vivero_data.domain.records.query import Clause
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.records.through import field_in, read_through
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.like import like

MAX_FOUND: Final = 10  # of a picker; further typing narrows them down
MAX_RELATED: Final = 10  # records that lead here, of each field
MAX_POINTING: Final = 20  # fields
_TITLE: Final = 120  # characters
_SECONDS: Final = 0.3  # as long as somebody who types waits for a search that no index helps


async def resolved(connection: Connection, access: Access, records: Sequence[Record]) -> list[Record]:
    """The records with what their links lead to and what is read through them, two statements a field."""
    records = await read_through(connection, access, records)
    for field in access.collection.fields:
        if not field.kind.refers:
            continue
        ids = {record.values[field.name] for record in records} - {None}
        names = await titles(connection, access.actor, field, ids)
        records = [_with_titles(record, field.name, names) for record in records]
    return list(records)


def _with_titles(record: Record, name: str, names: Mapping[int, str]) -> Record:
    number = record.values[name]
    if number is None:
        return record
    return msgspec.structs.replace(record, values={**record.values, name: Linked(number, names.get(number))})


async def unknown(
    connection: Connection, access: Access, rows: Iterable[tuple[str, Mapping[int, Any]]]
) -> list[FieldError]:
    """The links that lead nowhere, or to what the actor may not read, of rows with a place and column values by field id."""
    errors: list[FieldError] = []
    for field in access.collection.fields:
        if not field.kind.refers:
            continue
        wanted = [(place, values[field.id]) for place, values in rows if values.get(field.id) is not None]
        there = await titles(connection, access.actor, field, {number for _, number in wanted}) if wanted else {}
        errors += [
            FieldError(f"{place}{field.name}", f"is {number}, which does not exist")
            for place, number in wanted
            if number not in there
        ]
    return errors


async def titles(connection: Connection, actor: Actor, field: Field, ids: Iterable[int]) -> dict[int, str]:
    """What the links of a field lead to, by number, without what does not exist for the actor."""
    numbers = tuple(ids)
    if not numbers:
        return {}
    if field.type is FieldType.PERSON:
        rows = await connection.fetch_all("SELECT id, name, email FROM users WHERE id IN %s", numbers)
        return {int(number): name or email for number, name, email in rows}
    target = await access_by_id(connection, actor, field.options.collection)
    if target is None:
        return {}
    lead = target.collection.fields[0]
    condition, params = repository.where(target, [Clause("id IN %s", (numbers,))])
    try:
        rows = await connection.fetch_all(
            f"SELECT id, {column_name(lead)} FROM {table_name(target.whole.id)} WHERE {condition}",  # noqa: S608  names from numbers
            *params,
        )
    except MissingTableError:
        return {}
    return {int(number): _title(lead, int(number), value) for number, value in rows}


def _title(lead: Field, number: int, stored: Any) -> str:  # noqa: ANN401  a column's value
    return in_words(present(lead, stored))[:_TITLE] or f"Record {number}"


def in_words(value: Any) -> str:  # noqa: ANN401  a field's value
    """A value in a title: as the API has it, without its quotes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, date):
        return value.isoformat()
    return ", ".join(value) if isinstance(value, list) else str(value)


async def find_people(connection: Connection, words: str, limit: int = MAX_FOUND) -> list[Linked]:
    """People whose name or address has the words."""
    by_name, names = like("name", words, anywhere=True)
    by_address, addresses = like("email", words, anywhere=True)
    rows = await connection.fetch_all(
        f"SELECT id, name, email FROM users WHERE active AND ({by_name} OR {by_address}) ORDER BY name, email LIMIT %s",  # noqa: S608  fixed words
        *names,
        *addresses,
        limit,
    )
    return [Linked(int(number), name or email) for number, name, email in rows]


async def find_records(connection: Connection, target: Access, words: str) -> list[Linked]:
    """Records whose first field begins with the words, then such that have them anywhere, and the one with this number.

    An index finds those that begin so; a search that no index helps ends after a moment, with what there is.
    """
    lead = target.collection.fields[0]
    found: dict[int, Linked] = {}
    for search in _searches(lead, words):
        if len(found) >= MAX_FOUND:
            break
        column = column_name(lead)
        order = "id DESC" if not words else "id" if search.sql.startswith("id ") else f"{column}, id"
        condition, params = repository.where(target, [search])
        try:
            rows = await connection.fetch_all(
                f"{within(_SECONDS)}SELECT id, {column} FROM {table_name(target.whole.id)} WHERE {condition}"  # noqa: S608  names from numbers
                f" ORDER BY {order} LIMIT %s",
                *params,
                MAX_FOUND,
            )
        except (MissingTableError, StatementTimeoutError):
            continue
        for number, value in rows:
            found.setdefault(int(number), Linked(int(number), _title(lead, int(number), value)))
    return list(found.values())[:MAX_FOUND]


def _searches(lead: Field, words: str) -> list[Clause]:
    """The conditions to try, the best first."""
    if not words:
        return [Clause("TRUE")]
    column, searches = column_name(lead), list[Clause]()
    number = words.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < len(str(2**63)):
        searches.append(Clause("id = %s", (int(number),)))
    if Operator.STARTS in lead.kind.operators:
        begins, has = like(column, words, anywhere=False), like(column, words, anywhere=True)
        return [*searches, Clause(begins[0], tuple(begins[1])), Clause(has[0], tuple(has[1]))]
    try:
        searches.append(Clause(f"{column} = %s", (parse(lead, words),)))
    except InvalidValueError:
        return searches
    return searches


class Related(msgspec.Struct, frozen=True):
    """Records of a collection whose link leads to one record."""

    collection: Annotated[str, msgspec.Meta(description="The collection whose records lead here.")]
    field: Annotated[str, msgspec.Meta(description="Its field that does.")]
    records: Annotated[list[Linked], msgspec.Meta(description="The first of them.")]
    more: Annotated[bool, msgspec.Meta(description="Whether there are others.")]


async def related(connection: Connection, access: Access, record_id: int) -> list[Related]:
    """What leads to a record, by collection and field."""
    rows = await connection.fetch_all(
        "SELECT collection_id, COALESCE(field_id, id) FROM fields WHERE type = %s"
        " AND JSON_VALUE(options, '$.collection') = %s ORDER BY collection_id, position LIMIT %s",
        FieldType.LINK.value,
        access.whole.id,
        MAX_POINTING,
    )
    found = []
    for source_id, field_id in rows:
        source = await access_by_id(connection, access.actor, int(source_id))
        field = field_in(source, int(field_id))
        if source and field and (some := await _leading_to(connection, source, field, record_id)):
            found.append(Related(source.whole.name, field.name, some[:MAX_RELATED], len(some) > MAX_RELATED))
    return found


async def _leading_to(connection: Connection, source: Access, field: Field, record_id: int) -> list[Linked]:
    lead = source.collection.fields[0]
    condition, params = repository.where(source, [Clause(f"{column_name(field)} = %s", (record_id,))])
    rows = await connection.fetch_all(
        f"SELECT id, {column_name(lead)} FROM {table_name(source.whole.id)} WHERE {condition}"  # noqa: S608  names from numbers
        " ORDER BY id DESC LIMIT %s",
        *params,
        MAX_RELATED + 1,
    )
    return [Linked(int(number), _title(lead, int(number), value)) for number, value in rows]
