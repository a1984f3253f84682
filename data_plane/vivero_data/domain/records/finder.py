"""Finds records of all collections by how their names begin, while one types."""

from typing import Any, Final

import msgspec

from vivero_data.db.database import Database, within
from vivero_data.db.errors import MissingTableError, StatementTimeoutError
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.columns import column_name, table_name
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.records import repository
from vivero_data.domain.records.access import Access, access_to
from vivero_data.domain.records.query import Clause
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.like import like

MAX_FOUND: Final = 8
"""As many as the palette shows below the collections; who has more goes on typing."""
SHORTEST: Final = 2
"""Characters that are searched for: fewer match too much."""
_OF_EACH: Final = 3
_MAX_COLLECTIONS: Final = 60
"""Those with the most records; each is a range of an index."""
_SECONDS: Final = 0.25
"""Then the palette shows what it has: somebody is typing."""


class FoundRecord(msgspec.Struct, frozen=True):
    """A record, by its name."""

    collection: str
    id: int
    name: str


class RecordFinder:
    """Autocomplete over records, for everybody who may read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, actor: Actor, words: str) -> list[FoundRecord]:
        """The first by name whose name begins with the words; nothing if that takes too long."""
        require_permission(actor, Permission.READ)
        if len(words) < SHORTEST:
            return []
        async with self._database.read() as connection:
            among = actor.own.collections if actor.own else None
            found = await collections.select_named(connection, _MAX_COLLECTIONS, among)
            allowed = [one for whole in found if (one := access_to(actor, whole))]
            searched = [(one, field) for one in allowed if (field := name_field(one.collection)) is not None]
            if not searched:
                return []
            query = search(searched, words)
            try:
                rows = await connection.fetch_all(query.sql, *query.params)
            except (
                MissingTableError,
                StatementTimeoutError,
            ):  # a collection was deleted meanwhile, or this takes too long
                return []
        names = {access.whole.id: access.whole.name for access, _ in searched}
        return [FoundRecord(names[int(where)], int(number), name) for where, number, name in rows]


def name_field(collection: Collection) -> Field | None:
    """What a record is called: its first short text, if it has an index."""
    return next((field for field in collection.fields if field.kind.leads and field.indexed), None)


def search(searched: list[tuple[Access, Field]], words: str) -> Clause:
    """One statement over all of them."""
    parts: list[str] = []
    params: list[Any] = []
    for access, field in searched:
        collection, column = access.whole, column_name(field)
        begins, patterns = like(column, words, anywhere=False)
        condition, values = repository.where(access, [Clause(begins, tuple(patterns))])
        parts.append(
            f"(SELECT {int(collection.id)}, id, {column} AS name FROM {table_name(collection.id)}"  # noqa: S608  names from numbers
            f" WHERE {condition} ORDER BY {column}, id LIMIT {_OF_EACH})"
        )
        params += values
    every = " UNION ALL ".join(parts)
    return Clause(f"{within(_SECONDS)}{every} ORDER BY name LIMIT {MAX_FOUND}", tuple(params))
