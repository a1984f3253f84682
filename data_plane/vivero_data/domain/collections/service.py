"""Defining collections. MariaDB commits DDL implicitly, so the order is: ids, table, then the rows that refer to it.

An interruption leaves at most an orphaned empty table; `housekeeping.py` drops those.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from vivero_web import clock
from vivero_web.errors import ConflictError, FieldError, NotFoundError
from vivero_web.text import tidy

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import columns, definition, formulas, repository
from vivero_data.domain.collections.schemas import Collection, CollectionQuery, CollectionSummary, NewCollection
from vivero_data.domain.collections.seen import as_seen, seen
from vivero_data.domain.collections.targets import check_targets
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import Page, check_limit, page_of


class CollectionNotFoundError(NotFoundError):
    """No collection has this name."""

    def __init__(self) -> None:
        super().__init__("There is no collection of this name.")


class CollectionsFullError(ConflictError):
    """A workspace has a bounded number of collections, whatever its plan."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"A workspace has at most {bound} collections.")


class CollectionNameTakenError(ConflictError):
    """A collection has this name already, compared case-insensitively."""

    def __init__(self) -> None:
        message = "is the name of a collection that exists"
        super().__init__(f"name: {message}", errors=[FieldError("name", message)])


Made = Callable[[Connection, Collection], Awaitable[None]]

COLLECTION: Final = "collection"
_SORT: Final = "name"
MAX_SUGGESTIONS: Final = 10  # as many as the palette shows; further typing narrows them down
MAX_COLLECTIONS: Final = 500  # each is a table; a platform with thousands of tenants must limit them


def described(collection: Collection) -> dict[str, Any]:
    """A definition as the audit log records it."""
    fields = [{"name": field.name, "type": field.type.value} for field in collection.fields]
    return {"name": collection.name, "fields": fields, "records": collection.records}


async def shown_to(connection: Connection, actor: Actor) -> dict[int, Collection] | None:
    """The collections that an actor with a role of the workspace's own sees, by number; None for who sees all."""
    if actor.own is None:
        return None
    every = await repository.select_all(connection)
    return {whole.id: shown for whole in every if (shown := seen(actor, whole))}


class CollectionService:
    """The workspace's collections: every user may read definitions, admins write them."""

    def __init__(self, database: Database, limits: LimitService) -> None:
        self._database = database
        self._limits = limits

    async def list(self, actor: Actor) -> list[Collection]:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return [one for whole in await repository.select_all(connection) if (one := seen(actor, whole))]

    async def browse(self, actor: Actor, query: CollectionQuery) -> Page[CollectionSummary]:
        """One page by name, with the total number of matches."""
        require_permission(actor, Permission.READ)
        check_limit(query.limit)
        place = cursors.decode(query.cursor, _SORT) if query.cursor else None
        async with self._database.read() as connection:
            shown = await shown_to(connection, actor)
            total = await repository.count(connection, query.search, shown)
            after = (place.value or "", place.id) if place else None
            found = as_seen(await repository.select_page(connection, query.search, query.limit, after, shown), shown)
        return page_of(found, query.limit, lambda one: cursors.encode(cursors.Cursor(_SORT, one.id, one.name)), total)

    async def suggest(self, actor: Actor, words: str) -> Sequence[CollectionSummary]:
        """Autocomplete: the best matches for what was typed so far."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            shown = await shown_to(connection, actor)
            return as_seen(await repository.suggest(connection, words, MAX_SUGGESTIONS, shown), shown)

    async def get(self, actor: Actor, name: str) -> Collection:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            collection = await repository.get(connection, tidy(name))
        shown = seen(actor, collection) if collection else None
        if shown is None:
            raise CollectionNotFoundError
        return shown

    async def create(self, actor: Actor, new: NewCollection, made: Made | None = None) -> Collection:
        """Define a collection; `made` runs in the transaction that makes it visible."""
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        new = definition.check(new)
        collection = await self._reserve(new)
        async with self._database.read() as connection:
            await connection.execute(columns.create_table(collection.id, collection.fields))
        try:
            async with self._database.transaction() as tx:
                await repository.insert(tx, collection)
                await record(tx, actor, "collection.create", collection.name, after=described(collection))
                if made is not None:
                    await made(tx, collection)
        except DuplicateKeyError as error:
            await self._drop(collection.id)
            raise CollectionNameTakenError from error
        return collection

    async def delete(self, actor: Actor, name: str, check: Made | None = None) -> int:
        """Put a collection with all its records into the trash; returns the entry that brings it back.

        `check` runs while nobody else writes the records; what it raises keeps the collection.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.transaction() as tx:
            await self._limits.hold(tx, "records")
            found = await repository.get(tx, tidy(name))
            collection = await repository.lock_structure(tx, found.id) if found else None
            if collection is None:
                raise CollectionNotFoundError
            if check is not None:
                await check(tx, collection)
            await self._limits.release(tx, "records", collection.records)
            content = {"collection": collection, "counters": await repository.counters(tx, collection.id)}
            await repository.delete(tx, collection.id)
            await record(tx, actor, "collection.delete", collection.name, before=described(collection))
            entry = await trash.add(
                tx,
                actor,
                COLLECTION,
                collection.name,
                content,
                collection_id=collection.id,
                items=collection.records,
            )
        async with self._database.read() as connection:
            await connection.execute(columns.put_away(collection.id))
        return entry

    async def _reserve(self, new: NewCollection) -> Collection:
        """Check that the name is free and there is room, and take the ids."""
        async with self._database.read() as connection:
            if await repository.get(connection, new.name):
                raise CollectionNameTakenError
            await check_targets(connection, [(f"fields[{place}].", field) for place, field in enumerate(new.fields)])
            if await repository.count(connection) >= MAX_COLLECTIONS:
                raise CollectionsFullError(MAX_COLLECTIONS)
            first = await repository.allocate_ids(connection, len(new.fields) + 1)
        fields = tuple(definition.as_field(field, first + 1 + i) for i, field in enumerate(new.fields))
        return Collection(first, new.name, new.description, formulas.all_defined(fields), 0, clock.now())

    async def _drop(self, collection_id: int) -> None:
        async with self._database.read() as connection:
            await connection.execute(columns.drop_table(collection_id))
