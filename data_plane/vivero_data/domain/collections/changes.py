"""How a field of a collection changes while others read and write its records, and how that is undone.

A field whose values change form gets a new column. The old one is not written any more, so that undoing is a way back
to it. No write is lost, because of three things:

- Whoever writes records holds the collection's row of `structures` in share (`repository.get_held`) from before it
  reads the definition until its end, and sets `updated_at` to the server's time. So once we had that row alone, at a
  time T, all writes from before are committed, and those to come have an `updated_at` of T or later.
- A row is filled only if it is at the version that its value was read at. Who changed it meanwhile has made it one of
  those with a later `updated_at`, which are filled again, until few are left (`_catch_up`).
- The last of them are filled, and the field is mapped to its new column, in one transaction that has the row of
  `structures` alone: no writer has the old definition then, and none fails, since all wait for it and read the new one.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from vivero_web.errors import ConflictError, InvalidInputError, UnavailableError

from vivero_data.db.database import Connection, Database, Row, batches
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import columns, repository
from vivero_data.domain.collections.alteration import BUILD_SECONDS, add_column, add_keys, allow_null, alter
from vivero_data.domain.collections.conversion import converted, restored
from vivero_data.domain.collections.formulas import check as check_formulas
from vivero_data.domain.collections.formulas import is_formula, users, with_field
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Collection, Field, LostValue, present
from vivero_data.domain.field_types.kind import InvalidValueError
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor
from vivero_data.lib.notation import UNSET, Notation

FIELD_CHANGE: Final = "field_change"
_PAGE: Final = (
    500  # rows that are read at once, and filled in statements of less: nobody waits for their locks for long
)
_FEW: Final = 1000  # rows that are filled while writers wait
_CLOCK: Final = timedelta(seconds=2)  # that a server's clock may be set back
_EXAMPLES: Final = 5
_SHOWN: Final = 100  # characters of an example


class ChangedMeanwhileError(ConflictError):
    """Somebody else changed the field."""

    def __init__(self) -> None:
        super().__init__("The field was changed meanwhile. Look at it again.")


class DuplicatesError(ConflictError):
    """A field cannot become unique."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has the same value in several records, so it cannot become unique.")


class Change(msgspec.Struct, frozen=True):
    """A field before and after; as JSON it is part of a job.

    Attributes:
        undone: the entry of the trash that is restored by it.
        notation: how texts are read.
    """

    collection_id: int
    before: Field
    after: Field
    undone: int | None = None
    notation: Notation = UNSET

    @property
    def moves(self) -> bool:
        """Whether the values go to another column."""
        return self.before.column != self.after.column

    @property
    def rebuilds(self) -> bool:
        """Whether the table changes, and not only what is said about it."""
        rules = [(one.unique, one.exact, one.indexed) for one in (self.before, self.after)]
        return self.moves or (self.before.required and not self.after.required) or rules[0] != rules[1]

    @property
    def converts(self) -> bool:
        """Whether each value is converted; a formula's are calculated again."""
        return self.moves and not is_formula(self.after)

    def calculates(self, fields: Sequence[Field]) -> bool:
        """Whether formulas have to be calculated again."""
        if is_formula(self.after):
            return self.rebuilds or self.before.options.formula != self.after.options.formula
        return self.moves and bool(users(fields, self.after.id))

    def value(self, stored: Any, was: Any = None) -> Any:  # noqa: ANN401  columns' values
        """The value for the column afterwards.

        Raises:
            InvalidValueError: it has none, and becomes empty.
        """
        if self.undone is None:
            return converted(self.before, self.after, stored, self.notation)
        return restored(self.after, self.before, was, stored, self.notation)


class Effects(msgspec.Struct):
    """What a change does to values."""

    examined: int = 0
    emptied: int = 0
    examples: list[LostValue] = []

    def lose(self, record_id: int, value: Any, problem: str) -> None:  # noqa: ANN401  a field's value
        self.emptied += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(LostValue(record_id, str(value)[:_SHOWN], problem))


Done = Callable[[Connection, int, Effects], Awaitable[None]]
"""Called with the entry of the trash, in the transaction that publishes a change."""


async def foresee(connection: Connection, change: Change, most: int) -> Effects:
    """What a change would do to at most so many of the records."""
    effects, last = Effects(), 0
    while effects.examined < most:
        rows = await _read(connection, change, "id > %s ORDER BY id", last, limit=min(_PAGE, most - effects.examined))
        if not rows:
            break
        _values(change, rows, effects)
        last = rows[-1][0]
    return effects


async def apply(
    database: Database, actor: Actor, change: Change, done: Done, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Change a field of a collection that is in use. What an interrupted attempt left is used again.

    Raises:
        ChangedMeanwhileError: the field is not as it was when the change was asked for.
        DuplicatesError: it cannot become unique.
        FormulasError: formulas that use it would not work any more.
        InvalidInputError: another field has its name by now, or the table has no room.
    """
    effects = Effects()
    if not change.rebuilds:
        await _publish(database, actor, change, None, done, effects)
        return
    async with database.patient(BUILD_SECONDS) as connection:
        await allow_null(database, connection, change.collection_id, change.before)
        since = None
        if change.moves and change.undone is None:
            await add_column(connection, change.collection_id, change.after)
        if change.converts:
            since = await _fill(database, change, effects, progress)
        try:
            await add_keys(connection, change.collection_id, change.after)
        except DuplicateKeyError as error:
            raise DuplicatesError(change.after.name) from error
        await _publish(database, actor, change, since, done, effects)
        # A column that the field left keeps its indexes: its way back needs them.
        if not change.moves:
            await alter(connection, *columns.drop_spare_keys(change.collection_id, change.before, change.after))


async def _publish(  # noqa: PLR0913, PLR0917  what was done so far, and what is to be told
    database: Database, actor: Actor, change: Change, since: datetime | None, done: Done, effects: Effects
) -> None:
    while True:
        async with database.transaction() as tx:
            current = await repository.lock_structure(tx, change.collection_id)
            if current is None or change.before not in current.fields:
                raise ChangedMeanwhileError
            check_name_free(current, change.after)
            check_formulas(with_field(current.fields, change.after))
            rows = await _changed(tx, change, since) if since else []
            if len(rows) <= _FEW:
                await _write(tx, change, rows, Effects())
                await done(tx, await _map(tx, actor, current, change), effects)
                return
        since = await _catch_up(database, change, since) if since else None


async def _map(tx: Connection, actor: Actor, collection: Collection, change: Change) -> int:
    """Give the field its new definition; returns the trash's entry of the old one."""
    place = await repository.place_of(tx, change.before)
    await repository.unmap_field(tx, change.before)
    await repository.map_field(tx, change.collection_id, place, change.after)
    changed = [one for one in Field.__struct_fields__ if getattr(change.before, one) != getattr(change.after, one)]
    before, after = (
        {one: getattr(field, one) for one in changed if one != "column"} for field in (change.before, change.after)
    )
    action = "field.undo" if change.undone else "field.update"
    await record(tx, actor, action, f"{collection.name}/{change.after.name}", before=before, after=after)
    if change.undone:
        await trash.remove(tx, change.undone)
    return await trash.add(
        tx,
        actor,
        FIELD_CHANGE,
        described(collection, change),
        {"before": change.before, "after": change.after, "notation": change.notation},
        collection_id=change.collection_id,
        column=change.before.column if change.moves else None,
    )


def described(collection: Collection, change: Change) -> str:
    """What a change did, for people: `Price of Orders: Text → Number`."""
    before, after = change.before, change.after
    if before.type != after.type:
        said = f"{before.kind.label} → {after.kind.label}"
    elif before.name != after.name:
        said = f"was {before.name}"
    elif before.options.formula != after.options.formula:
        said = "formula changed"
    elif before.choices != after.choices:
        said = "choices changed"
    else:
        said = "rules changed"
    return f"{after.name} of {collection.name}: {said}"


def check_name_free(collection: Collection, field: Field) -> None:
    """Check that no other field of the collection has the name.

    Raises:
        InvalidInputError: one has.
    """
    if any(fold(one.name) == fold(field.name) for one in collection.fields if one.id != field.id):
        raise InvalidInputError.of("name", "is the name of another field")


async def _fill(database: Database, change: Change, effects: Effects, progress: Callable[[int], None]) -> datetime:
    """Fill the new column; returns since when rows may have changed."""
    since, last = await _barrier(database, change.collection_id), 0
    while True:
        async with database.read() as connection:
            rows = await _read(connection, change, "id > %s ORDER BY id", last, limit=_PAGE)
            await _write(connection, change, rows, effects)
        if not rows:
            return await _catch_up(database, change, since)
        last = rows[-1][0]
        progress(effects.examined)


async def _catch_up(database: Database, change: Change, since: datetime) -> datetime:
    """Fill what was changed since; returns since when more may have been."""
    until = await _barrier(database, change.collection_id)
    after, last = since - _CLOCK, 0
    while True:
        async with database.read() as connection:
            later = "updated_at > %s OR (updated_at = %s AND id > %s) ORDER BY updated_at, id"
            rows = await _read(connection, change, later, after, after, last, limit=_PAGE)
            await _write(connection, change, rows, Effects())
        if not rows or rows[-1][2] > until:
            return until
        last, after = rows[-1][0], rows[-1][2]


async def _changed(tx: Connection, change: Change, since: datetime) -> list[Row]:
    return await _read(tx, change, "updated_at >= %s ORDER BY updated_at", since - _CLOCK, limit=_FEW + 1)


async def _barrier(database: Database, collection_id: int) -> datetime:
    """The server's time at a moment when nobody was writing records of the collection."""
    async with database.transaction() as tx:
        await repository.lock_structure(tx, collection_id)
        row = await tx.fetch_one("SELECT CURRENT_TIMESTAMP(6)")
    if row is None:
        raise UnavailableError("The database does not say what time it is.")
    moment: datetime = row[0]
    return moment


async def _read(connection: Connection, change: Change, where: str, *params: object, limit: int) -> list[Row]:
    """Rows: id, version, updated_at, the value before, and when undoing what the column afterwards has already."""
    after = columns.column_name(change.after) if change.moves and change.undone else "NULL"
    return await connection.fetch_all(
        f"SELECT id, version, updated_at, {columns.column_name(change.before)}, {after}"  # noqa: S608  names from numbers
        f" FROM {columns.table_name(change.collection_id)} WHERE {where} LIMIT %s",
        *params,
        limit,
    )


def _values(change: Change, rows: Sequence[Row], effects: Effects) -> list[tuple[int, int, Any]]:
    """The new column's values, with the version that each was made from."""
    made = []
    for number, version, _, stored, was in rows:
        effects.examined += 1
        try:
            made.append((number, version, change.value(stored, was)))
        except InvalidValueError as error:
            effects.lose(number, present(change.before, stored), str(error))
            made.append((number, version, None))
    return made


async def _write(connection: Connection, change: Change, rows: Sequence[Row], effects: Effects) -> None:
    name = columns.column_name(change.after)
    for part in batches(_values(change, rows, effects)):
        given = " UNION ALL ".join(["SELECT %s AS id, %s AS version, %s AS made"] * len(part))
        await connection.execute(
            f"UPDATE {columns.table_name(change.collection_id)} old JOIN ({given}) new"  # noqa: S608  names from numbers
            f" ON old.id = new.id AND old.version = new.version SET old.{name} = new.made",
            *(value for row in part for value in row),
        )


async def first_results(
    connection: Connection, collection: Collection, field: Field, expression: str, most: int
) -> list[tuple[int, Any]]:
    """The first records with what an expression gives for them, as values of a field."""
    rows = await connection.fetch_all(
        f"SELECT id, {expression} FROM {columns.table_name(collection.id)} ORDER BY id LIMIT %s",  # noqa: S608  names from numbers
        most,
    )
    return [(int(number), present(field, value)) for number, value in rows]


async def left_empty(
    connection: Connection, collection: Collection, before: Field | None, expression: str, most: int
) -> tuple[int, int]:
    """How many of the first records there are, and for how many an expression is empty though a field is not."""
    had = f"{columns.column_name(before)} IS NOT NULL" if before else "TRUE"
    row = await connection.fetch_one(
        f"SELECT COUNT(*), COALESCE(SUM({had} AND ({expression}) IS NULL), 0)"  # noqa: S608  names from numbers
        f" FROM (SELECT * FROM {columns.table_name(collection.id)} ORDER BY id LIMIT %s) first",
        most,
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def missing(connection: Connection, collection: Collection, field: Field) -> int:
    """How many records have no value of a field."""
    return await _count(connection, collection, f"{columns.column_name(field)} IS NULL")


async def filled(connection: Connection, collection: Collection, field: Field) -> int:
    """How many records have a value of a field."""
    return await _count(connection, collection, f"{columns.column_name(field)} IS NOT NULL")


async def _count(connection: Connection, collection: Collection, where: str) -> int:
    row = await connection.fetch_one(f"SELECT COUNT(*) FROM {columns.table_name(collection.id)} WHERE {where}")  # noqa: S608  names from numbers
    return int(row[0]) if row else 0


async def duplicates(connection: Connection, collection: Collection, field: Field) -> int:
    """How many values of a field several records have, as `unique` compares them."""
    name, kind = columns.column_name(field), field.kind
    exact = field.exact and kind.exact is not None
    compared = f"({kind.exact_sql(name)}) COLLATE utf8mb4_nopad_bin" if exact else name
    row = await connection.fetch_one(
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {columns.table_name(collection.id)} WHERE {name} IS NOT NULL"  # noqa: S608  names from numbers
        f" GROUP BY {compared} HAVING COUNT(*) > 1) twice"
    )
    return int(row[0]) if row else 0


async def distinct(connection: Connection, collection: Collection, field: Field, most: int) -> list[Any]:
    """The different values that a field has, one more than `most` if there are more."""
    rows = await connection.fetch_all(
        f"SELECT DISTINCT {columns.column_name(field)} FROM {columns.table_name(collection.id)}"  # noqa: S608  names from numbers
        f" WHERE {columns.column_name(field)} IS NOT NULL LIMIT %s",
        most + 1,
    )
    return [present(field, row[0]) for row in rows]
