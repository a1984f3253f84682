"""SQL of collections and fields, and of the tables behind them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from vivero_web import clock
from vivero_web.errors import UnavailableError

from vivero_data.db.database import Connection, Row
from vivero_data.db.errors import DuplicateKeyError, MissingTableError
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.formulas import named_now
from vivero_data.domain.collections.names import MAX_NAME, fold
from vivero_data.domain.collections.schemas import Collection, CollectionSummary, Field
from vivero_data.domain.field_types.options import NONE, Options
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.json import decode, encode
from vivero_data.lib.like import like

_LEGACY_NAME_LENGTH: Final = MAX_NAME - len(f" {2**63}")  # characters, leaving room for any number
_SELECT: Final = (
    "SELECT c.id, COALESCE(c.label, c.name), c.description, c.records, c.created_at,"
    " COALESCE(f.field_id, f.id), f.id, COALESCE(f.label, f.name), f.type, f.required, f.is_unique, f.is_exact, f.indexed, f.default_value, f.choices, f.options"
    " FROM collections c JOIN fields f ON f.collection_id = c.id"
)
# Programs before revision 0003 wrote no name_key, and their key on `name` ignores accents:
# it finds all candidates, and `_named` chooses.
_BY_NAME: Final = f"{_SELECT} WHERE c.name_key = %s OR c.name = %s ORDER BY c.id, f.position"

_HOLD: Final = "SELECT collection_id FROM structures WHERE collection_id = %s LOCK IN SHARE MODE"
_HOLD_BY_NAME: Final = _HOLD.replace("= %s", "= (SELECT id FROM collections WHERE name_key = %s)")
_TAKE: Final = "SELECT collection_id FROM structures WHERE collection_id = %s FOR UPDATE"
_UNQUEUED: Final = 25  # attempts to lock what others hold before we queue for it
_PAUSE: Final = 0.02  # seconds between them

# Case-insensitive: `label` has a case-sensitive collation.
_NAME: Final = "COALESCE(c.label, c.name) COLLATE utf8mb4_unicode_520_nopad_ci"
# LIKE compares character by character: `ß` equals `ss` only in a folded name.
_SEARCHED_NAME: Final = "COALESCE(c.name_key, c.label, c.name) COLLATE utf8mb4_unicode_520_nopad_ci"
_SUMMARY: Final = (
    "SELECT c.id, COALESCE(c.label, c.name), c.description,"
    " (SELECT COUNT(*) FROM fields f WHERE f.collection_id = c.id), c.records, c.created_at FROM collections c"
)


class Place(msgspec.Struct, frozen=True):
    """What a field has in its collection beside its definition: where it stands, and its last automatic number."""

    position: int = 0
    counter: int = 0


async def select_all(connection: Connection) -> list[Collection]:
    """Every collection, by name."""
    return _collections(await connection.fetch_all(f"{_SELECT} ORDER BY c.name, f.position"))


async def select_named(connection: Connection, limit: int, among: Iterable[int] | None = None) -> list[Collection]:
    """Those with the most records, of all or some, whose records have names that an index finds, the most first."""
    some = None if among is None else (0, *among)
    leading = tuple(one.value for one in FieldType if one.kind.leads)
    rows = await connection.fetch_all(
        f"{_SELECT} JOIN (SELECT id FROM collections WHERE records > 0 AND (%s OR id IN %s) AND EXISTS (SELECT 1 FROM fields n"  # noqa: S608  fixed words
        " WHERE n.collection_id = collections.id AND n.indexed AND n.type IN %s) ORDER BY records DESC, id LIMIT %s) largest"
        " ON largest.id = c.id ORDER BY c.records DESC, c.id, f.position",
        some is None,
        some or (0,),
        leading,
        limit,
    )
    return _collections(rows)


async def get(connection: Connection, name: str) -> Collection | None:
    return _named(await connection.fetch_all(_BY_NAME, fold(name), name), name)


async def get_by_id(connection: Connection, collection_id: int) -> Collection | None:
    found = _collections(await connection.fetch_all(f"{_SELECT} WHERE c.id = %s ORDER BY f.position", collection_id))
    return found[0] if found else None


async def get_by_field(connection: Connection, field_id: int) -> Collection | None:
    """The collection that has a field."""
    row = await connection.fetch_one(
        "SELECT collection_id FROM fields WHERE COALESCE(field_id, id) = %s ORDER BY id DESC LIMIT 1", field_id
    )
    return await get_by_id(connection, int(row[0])) if row else None


async def get_held(tx: Connection, name: str) -> Collection | None:
    """The collection, whose fields stay as they are until this transaction ends.

    Whoever writes records reads the definition by this, before the first row is locked: many may hold it beside each
    other, and a change of fields waits for all of them (`changes.py`).
    """
    while True:
        held = await tx.fetch_one(_HOLD_BY_NAME, fold(name))
        found = await get(tx, name)
        if found is None or (held and held[0] == found.id):
            return found
        await _hold(tx, found.id)
        if (again := await get(tx, name)) is None or again.id == found.id:
            return again


async def get_held_by_id(tx: Connection, collection_id: int) -> Collection | None:
    """Like `get_held`."""
    await _hold(tx, collection_id)
    return await get_by_id(tx, collection_id)


async def _hold(tx: Connection, collection_id: int) -> None:
    if await tx.fetch_one(_HOLD, collection_id) is None:  # it was made by an older program
        await tx.execute("INSERT IGNORE INTO structures (collection_id) VALUES (%s)", collection_id)
        await tx.fetch_one(_HOLD, collection_id)


async def lock_structure(tx: Connection, collection_id: int) -> Collection | None:
    """The collection, for a change of its fields: nobody else holds it, or will until this transaction ends.

    At first without a place in the queue, so that nobody waits behind a long transaction.
    """
    for _ in range(_UNQUEUED):
        try:
            await tx.fetch_one(f"{_TAKE} NOWAIT", collection_id)
            break
        except UnavailableError:
            await asyncio.sleep(_PAUSE)
    if await tx.fetch_one(_TAKE, collection_id) is None:
        await tx.execute("INSERT IGNORE INTO structures (collection_id) VALUES (%s)", collection_id)
        await tx.fetch_one(_TAKE, collection_id)
    return await get_by_id(tx, collection_id)


async def place_of(tx: Connection, field: Field) -> Place:
    row = await tx.fetch_one("SELECT position, counter FROM fields WHERE id = %s", field.column)
    return Place(int(row[0]), int(row[1])) if row else Place()


async def counters(tx: Connection, collection_id: int) -> dict[int, int]:
    """How far the automatic numbers of fields have come, by column."""
    rows = await tx.fetch_all("SELECT id, counter FROM fields WHERE collection_id = %s AND counter > 0", collection_id)
    return {int(column): int(counter) for column, counter in rows}


async def map_field(tx: Connection, collection_id: int, place: Place, field: Field) -> None:
    """Give a collection a field, whose column exists."""
    try:
        await _insert_field(tx, collection_id, place, field, field.name)
    except DuplicateKeyError:
        await _insert_field(tx, collection_id, place, field, _legacy_name(field.name, field.id))
    if field.type is FieldType.AUTONUMBER:
        # One that comes back goes on where it was.
        await tx.execute(
            f"UPDATE fields SET counter = (SELECT GREATEST(counter, COALESCE(MAX({column_name(field)}), 0)) FROM {table_name(collection_id)})"  # noqa: S608  names from numbers
            " WHERE id = %s",
            field.column,
        )


async def unmap_field(tx: Connection, field: Field) -> None:
    """Take a field from its collection; its column stays."""
    await tx.execute("DELETE FROM fields WHERE id = %s", field.column)


async def set_indexed(tx: Connection, fields: Sequence[Field]) -> None:
    """Say that fields have an index; one that has another column by now is left as it is."""
    columns = tuple(field.column for field in fields)
    await tx.execute("UPDATE fields SET indexed = TRUE WHERE id IN %s", columns)


async def reorder(tx: Connection, fields: Sequence[Field]) -> None:
    for position, field in enumerate(fields):
        await tx.execute("UPDATE fields SET position = %s WHERE id = %s", position, field.column)


async def rename(tx: Connection, collection_id: int, name: str, description: str) -> None:
    """Set what a collection is called and is for.

    Raises:
        DuplicateKeyError: another collection has this name.
    """
    sql = "UPDATE collections SET name = %s, label = %s, name_key = %s, description = %s WHERE id = %s"
    try:
        await tx.execute(sql, name, name, fold(name), description, collection_id)
    except DuplicateKeyError:
        if await get(tx, name):
            raise
        await tx.execute(sql, _legacy_name(name, collection_id), name, fold(name), description, collection_id)


async def refuses_null(connection: Connection, schema: str, collection_id: int, field: Field) -> bool:
    """Whether a field's column is NOT NULL, as older programs made those of required fields."""
    row = await connection.fetch_one(
        "SELECT is_nullable FROM information_schema.columns WHERE table_schema = %s AND table_name = %s AND column_name = %s",
        schema,
        table_name(collection_id).strip("`"),
        column_name(field).strip("`"),
    )
    return row is not None and row[0] == "NO"


def _named_like(search: str, only: Iterable[int] | None) -> tuple[str, list[Any]]:
    """The condition for names that contain `search`, of these collections only if they are said."""
    where, params = like(_SEARCHED_NAME, fold(search), anywhere=True)
    if only is None:
        return where, list(params)
    return f"{where} AND c.id IN %s", [*params, tuple(only) or (0,)]


async def count(connection: Connection, search: str = "", only: Iterable[int] | None = None) -> int:
    """How many there are, or whose names contain `search`; `only` as `select_page`."""
    where, params = _named_like(search, only)
    row = await connection.fetch_one(f"SELECT COUNT(*) FROM collections c WHERE {where}", *params)  # noqa: S608  fixed words
    return int(row[0]) if row else 0


async def select_page(
    connection: Connection,
    search: str,
    limit: int,
    after: tuple[str, int] | None = None,
    only: Iterable[int] | None = None,
) -> list[CollectionSummary]:
    """By name, starting after the name and id in `after`; one more than the limit when there are more.

    `only`: the numbers of the collections that may be there; all if None.
    """
    where, params = _named_like(search, only)
    beyond = f"({_NAME} > %s OR ({_NAME} = %s AND c.id > %s))" if after else "TRUE"
    place = (after[0], *after) if after else ()
    rows = await connection.fetch_all(
        f"{_SUMMARY} WHERE {where} AND {beyond} ORDER BY {_NAME}, c.id LIMIT %s", *params, *place, limit + 1
    )
    return [_summary(row) for row in rows]


async def suggest(
    connection: Connection, search: str, limit: int, only: Iterable[int] | None = None
) -> list[CollectionSummary]:
    """Collections whose names contain the text: exact matches first, then prefixes, then the rest; `only` as above."""
    where, params = _named_like(search, only)
    begins, first = like(_SEARCHED_NAME, fold(search), anywhere=False)
    rows = await connection.fetch_all(
        f"{_SUMMARY} WHERE {where} ORDER BY {begins} DESC, CHAR_LENGTH({_NAME}), {_NAME}, c.id LIMIT %s",
        *params,
        *first,
        limit,
    )
    return [_summary(row) for row in rows]


async def select_favourites(connection: Connection, user_id: int) -> list[CollectionSummary]:
    """A person's favourites, by name."""
    rows = await connection.fetch_all(
        f"{_SUMMARY} JOIN favourites v ON v.collection_id = c.id WHERE v.user_id = %s ORDER BY {_NAME}, c.id", user_id
    )
    return [_summary(row) for row in rows]


async def allocate_ids(connection: Connection, amount: int) -> int:
    """Allocate `amount` unused ids; returns the first."""
    last = await connection.insert(
        "UPDATE counters SET value = LAST_INSERT_ID(value + %s) WHERE name = 'object_ids'", amount
    )
    return last - amount + 1


async def take_numbers(tx: Connection, field: Field, amount: int) -> int:
    """Take the next `amount` of a field's automatic numbers; returns the first. Others wait until this transaction ends."""
    last = await tx.insert(
        "UPDATE fields SET counter = LAST_INSERT_ID(counter + %s) WHERE id = %s", amount, field.column
    )
    return last - amount + 1


async def insert(tx: Connection, collection: Collection, counters: Mapping[int, int] | None = None) -> None:
    """Store a definition; `counters` as from `counters`, of one that comes back.

    Raises:
        DuplicateKeyError: a collection has this name.
    """
    try:
        await _insert_collection(tx, collection, collection.name)
    except DuplicateKeyError:
        if await get(tx, collection.name):
            raise
        await _insert_collection(tx, collection, _legacy_name(collection.name, collection.id))
    await tx.execute("INSERT IGNORE INTO structures (collection_id) VALUES (%s)", collection.id)
    for position, field in enumerate(collection.fields):
        await map_field(tx, collection.id, Place(position, (counters or {}).get(field.column, 0)), field)


def _legacy_name(name: str, number: int) -> str:
    """A substitute for a name that the old unique key treats as taken: `Grosse 17` beside `Größe`."""
    return f"{name[:_LEGACY_NAME_LENGTH]} {number}"


async def _insert_collection(tx: Connection, collection: Collection, name: str) -> None:
    await tx.execute(
        "INSERT INTO collections (id, name, label, name_key, description) VALUES (%s, %s, %s, %s, %s)",
        collection.id,
        name,
        collection.name,
        fold(collection.name),
        collection.description,
    )


async def _insert_field(tx: Connection, collection_id: int, place: Place, field: Field, name: str) -> None:
    await tx.execute(
        "INSERT INTO fields (id, field_id, collection_id, position, name, label, type, required, is_unique, is_exact, indexed,"
        " default_value, choices, options, counter) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        field.column,
        field.id,
        collection_id,
        place.position,
        name,
        field.name,
        field.type.value,
        field.required,
        field.unique,
        field.exact,
        field.indexed,
        encode(field.default),
        encode(field.choices),
        encode(field.options),
        place.counter,
    )


async def delete(tx: Connection, collection_id: int) -> None:
    await tx.execute("DELETE FROM fields WHERE collection_id = %s", collection_id)
    await tx.execute("DELETE FROM collections WHERE id = %s", collection_id)
    await tx.execute("DELETE FROM structures WHERE collection_id = %s", collection_id)


async def spare_columns(connection: Connection, schema: str) -> set[tuple[int, int]]:
    """Columns by collection that neither a field nor the trash has: of changes that were given up, or are under way."""
    rows = await connection.fetch_all(
        "SELECT CAST(SUBSTRING(c.table_name, 3) AS UNSIGNED), CAST(SUBSTRING(c.column_name, 3) AS UNSIGNED)"
        " FROM information_schema.columns c"
        " LEFT JOIN fields f ON c.column_name = CONCAT('f_', f.id)"
        " LEFT JOIN trash t ON c.column_name = CONCAT('f_', t.column_id)"
        " WHERE c.table_schema = %s AND c.table_name REGEXP '^c_[0-9]+$' AND c.column_name REGEXP '^f_[0-9]+$'"
        " AND f.id IS NULL AND t.id IS NULL"
        " AND EXISTS (SELECT * FROM collections o WHERE c.table_name = CONCAT('c_', o.id))"
        " AND NOT EXISTS (SELECT * FROM jobs WHERE kind = 'field' AND state IN ('waiting', 'running'))",
        schema,
    )
    return {(int(collection), int(column)) for collection, column in rows}


async def forget(connection: Connection, collection_id: int) -> None:
    """Remove what waits for a deleted collection to come back, which it will not."""
    await connection.execute(
        "DELETE FROM favourite_views WHERE view_id IN (SELECT id FROM views WHERE collection_id = %s)", collection_id
    )
    for table in ("views", "favourites", "record_comments", "record_changes", "record_files"):
        await connection.execute(f"DELETE FROM {table} WHERE collection_id = %s", collection_id)  # noqa: S608  fixed words


async def has_table(connection: Connection, collection_id: int) -> bool:
    """Whether the collection's table is in use, and not put away or gone."""
    try:
        await connection.fetch_one(f"SELECT 1 FROM {table_name(collection_id)} LIMIT 1")  # noqa: S608  a number
    except MissingTableError:
        return False
    return True


async def add_records(tx: Connection, collection_id: int, amount: int) -> None:
    """Update the collection's record count."""
    await tx.execute("UPDATE collections SET records = records + %s WHERE id = %s", amount, collection_id)


async def orphaned_tables(connection: Connection, schema: str) -> list[int]:
    """Ids of tables older than an hour without a collection: deleted, or never finished."""
    rows = await connection.fetch_all(
        "SELECT CAST(SUBSTRING(t.table_name, 3) AS UNSIGNED) FROM information_schema.tables t"
        " LEFT JOIN collections c ON t.table_name = CONCAT('c_', c.id)"
        " WHERE t.table_schema = %s AND t.table_name REGEXP '^c_[0-9]+$'"
        " AND t.create_time < CURRENT_TIMESTAMP - INTERVAL 1 HOUR AND c.id IS NULL"
        " AND NOT EXISTS (SELECT * FROM trash WHERE kind = 'collection' AND t.table_name = CONCAT('c_', collection_id))",
        schema,
    )
    return [int(row[0]) for row in rows]


def _named(rows: list[Row], name: str) -> Collection | None:
    return next((found for found in _collections(rows) if fold(found.name) == fold(name)), None)


def _summary(row: Row) -> CollectionSummary:
    number, name, description, fields, records, created_at = row
    return CollectionSummary(number, name, description, int(fields), int(records), clock.utc(created_at))


def _collections(rows: list[Row]) -> list[Collection]:
    """Group the joined rows; they come ordered by collection."""
    grouped: dict[int, tuple[Row, list[Field]]] = {}
    for row in rows:
        grouped.setdefault(row[0], (row, []))[1].append(_field(row[5:]))
    return [
        Collection(number, head[1], head[2], named_now(fields), int(head[3]), clock.utc(head[4]))
        for number, (head, fields) in grouped.items()
    ]


def _field(row: Row) -> Field:
    number, column, name, kind, required, unique, exact, indexed, default, choices, options = row
    return Field(
        id=number,
        column=column,
        name=name,
        type=FieldType(kind),
        required=bool(required),
        unique=bool(unique),
        exact=bool(exact),
        indexed=bool(indexed),
        default=decode(default),
        choices=msgspec.json.decode(choices, type=tuple[str, ...]),
        options=msgspec.json.decode(options, type=Options) if options else NONE,
    )
