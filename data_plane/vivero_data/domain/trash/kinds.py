"""How each kind of thing comes back from the trash, and why it sometimes cannot; a new kind is a class and an entry here."""

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec
from vivero_web.errors import ConflictError, WebError

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DuplicateKeyError
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import columns, fields, repository
from vivero_data.domain.collections.alteration import alter
from vivero_data.domain.collections.changes import FIELD_CHANGE, Change
from vivero_data.domain.collections.fields import COLLECTION_CHANGE, FIELD, FieldService
from vivero_data.domain.collections.formulas import is_formula
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import MAX_FIELDS, Collection
from vivero_data.domain.collections.service import COLLECTION, MAX_COLLECTIONS, CollectionsFullError, described
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.records import bulk, files
from vivero_data.domain.records import trash as records
from vivero_data.domain.records.held import FILES
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.trash import repository as trash
from vivero_data.domain.trash.repository import Entry
from vivero_data.domain.users.schemas import Actor, Permission
from vivero_data.domain.views import service as views
from vivero_data.lib.notation import Notation


class CannotRestoreError(ConflictError):
    """Something cannot come back as things are; the message says why."""


class Scene(msgspec.Struct, frozen=True):
    """What an entry comes back to: the collections that there are, by number."""

    collections: Mapping[int, Collection]

    def of(self, entry: Entry) -> Collection | None:
        return self.collections.get(entry.collection_id or 0)


class Tools(msgspec.Struct, frozen=True):
    """What kinds use."""

    database: Database
    limits: LimitService
    fields: FieldService


class TrashKind:
    """A kind of thing in the trash.

    Attributes:
        label: what it is, on pages.
        permission: what restoring one takes.
        right: what a role of the workspace's own needs besides, where it sees the collection.
    """

    label: ClassVar[str]
    permission: ClassVar[Permission] = Permission.MANAGE_COLLECTIONS
    right: ClassVar[Right | None] = None

    def named_by(self, entry: Entry) -> int | None:
        """The field that the entry's name tells something of; None if it tells nothing of a field."""
        return trash.named_by(entry, None)

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        """Why it cannot come back, as far as that is known without trying."""
        raise NotImplementedError

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        """Bring it back, and remove the entry in the same transaction; the number of the job that is at it, if one is.

        Raises:
            WebError: it cannot come back; nothing was changed.
        """
        raise NotImplementedError

    async def destroy(self, connection: Connection, entry: Entry) -> None:
        """Remove for good what the entry alone still holds, before the entry itself goes. May run again."""


_GONE: Final = "Its collection is deleted. Restore that first."


async def take(tx: Connection, entry: Entry) -> None:
    """Take an entry out, once.

    Raises:
        CannotRestoreError: somebody else was faster.
    """
    if await trash.get_locked(tx, entry.id) is None:
        raise CannotRestoreError("It has been restored already.")
    await trash.remove(tx, entry.id)


async def _held(tx: Connection, entry: Entry) -> Collection:
    """The collection of an entry, whose fields stay as they are until this transaction ends.

    Raises:
        CannotRestoreError: it is deleted.
    """
    found = await repository.get_by_id(tx, entry.collection_id or 0)
    collection = await repository.get_held(tx, found.name) if found else None
    if collection is None or collection.id != entry.collection_id:
        raise CannotRestoreError(_GONE)
    return collection


class DeletedRecords(TrashKind):
    """One record, or many that were deleted together."""

    label = "Records"
    permission = Permission.WRITE_RECORDS
    right = Right.DELETE

    def named_by(self, entry: Entry) -> int | None:
        return trash.named_by(entry, trash.UNKNOWN)

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        return None if scene.of(entry) else _GONE

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        async with tools.database.transaction() as tx:
            await tools.limits.reserve(tx, "records", entry.items)
            collection = await _held(tx, entry)
            await records.bring_back(tx, actor, collection, entry)
            await take(tx, entry)
        return None

    async def destroy(self, connection: Connection, entry: Entry) -> None:
        await trash.forget_records(connection, entry.id, entry.collection_id or 0)


class ChangedRecords(TrashKind):
    """One field of many records, or many copies."""

    label = "Change of records"
    permission = Permission.WRITE_RECORDS
    right = Right.CHANGE

    def named_by(self, entry: Entry) -> int | None:
        number: int | None = entry.content["field"]
        return number

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        collection, number = scene.of(entry), entry.content["field"]
        if collection is None:
            return _GONE
        if number is not None and all(field.id != number for field in collection.fields):
            return "The field is deleted. Restore it first."
        return None

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        async with tools.database.transaction() as tx:
            await tools.limits.hold(tx, "records")
            collection = await _held(tx, entry)
            await bulk.undo(tx, actor, collection, tools.limits, entry)
            await take(tx, entry)
        return None


class DeletedField(TrashKind):
    """A field and its values."""

    label = "Field"

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        collection, field = scene.of(entry), trash.field_of(entry.content["field"])
        if collection is None:
            return _GONE
        if any(fold(one.name) == fold(field.name) for one in collection.fields):
            return f"{collection.name} has another field named {field.name}. Rename that one first."
        if len(collection.fields) >= MAX_FIELDS:
            return f"{collection.name} has {MAX_FIELDS} fields already, and cannot have more."
        return None

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        field = trash.field_of(entry.content["field"])
        async with tools.database.transaction() as tx:
            place = msgspec.convert(entry.content["place"], repository.Place)
            await fields.publish_new(tx, actor, entry.collection_id or 0, field, "field.restore", place)
            await take(tx, entry)
            collection = await repository.get_by_id(tx, entry.collection_id or 0)
        if collection is None or not is_formula(field):
            return None
        return await tools.fields.calculate(actor, collection, field.name)

    async def destroy(self, connection: Connection, entry: Entry) -> None:
        if await repository.has_table(connection, entry.collection_id or 0):
            field = trash.field_of(entry.content["field"])
            await alter(connection, *columns.drop_column(entry.collection_id or 0, field.column))


class ChangedField(TrashKind):
    """A field as it was before a change of its name, type or rules."""

    label = "Change of a field"

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        collection = scene.of(entry)
        if collection is None:
            return _GONE
        before, after = (trash.field_of(entry.content[when]) for when in ("before", "after"))
        current = next((field for field in collection.fields if field.id == after.id), None)
        if current is None:
            return f"The field {after.name} is deleted. Restore it first."
        if current.column != after.column:
            return f"The type of {current.name} was changed again later. Undo that change first."
        if any(fold(one.name) == fold(before.name) for one in collection.fields if one.id != before.id):
            return f"{collection.name} has another field named {before.name}. Rename that one first."
        return None

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        async with tools.database.read() as connection:
            collection = await repository.get_by_id(connection, entry.collection_id or 0)
        if collection is None:
            raise CannotRestoreError(_GONE)
        before, after = (trash.field_of(entry.content[when]) for when in ("before", "after"))
        current = next(field for field in collection.fields if field.id == after.id)
        undone = {
            name: getattr(before, name)
            for name in before.__struct_fields__
            if getattr(before, name) != getattr(after, name)
        }
        wanted = msgspec.structs.replace(current, **undone)
        notation = msgspec.convert(entry.content["notation"], Notation)
        change = Change(collection.id, current, wanted, entry.id, notation)
        answer = await tools.fields.undo(actor, collection, change)
        return answer.job

    async def destroy(self, connection: Connection, entry: Entry) -> None:
        before, after = (trash.field_of(entry.content[when]) for when in ("before", "after"))
        if before.column != after.column and await repository.has_table(connection, entry.collection_id or 0):
            await alter(connection, *columns.drop_column(entry.collection_id or 0, before.column))


class ChangedCollection(TrashKind):
    """A collection's former name, description or order of fields."""

    label = "Change of a collection"

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        name = entry.content["before"].get("name", "")
        if scene.of(entry) is None:
            return "The collection is deleted. Restore it first."
        taken = (one for one in scene.collections.values() if fold(one.name) == fold(name))
        if name and any(one.id != entry.collection_id for one in taken):
            return f"Another collection is named {name} meanwhile. Rename that one first."
        return None

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        before = entry.content["before"]
        async with tools.database.transaction() as tx:
            current = await repository.lock_structure(tx, entry.collection_id or 0)
            if current is None:
                raise CannotRestoreError(_GONE)
            name, words = before.get("name", current.name), before.get("description", current.description)
            try:
                await repository.rename(tx, current.id, name, words)
            except DuplicateKeyError as error:
                raise CannotRestoreError(f"Another collection is named {name} meanwhile.") from error
            places = {number: place for place, number in enumerate(before.get("fields", []))}
            if places:
                ordered = sorted(current.fields, key=lambda field: places.get(field.id, MAX_FIELDS))
                await repository.reorder(tx, ordered)
            await record(tx, actor, "collection.undo", name, before=entry.content["after"], after=before)
            await take(tx, entry)
        return None


class DeletedCollection(TrashKind):
    """A collection with all its records."""

    label = "Collection"

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        if any(fold(one.name) == fold(entry.name) for one in scene.collections.values()):
            return f"Another collection is named {entry.name} meanwhile. Rename that one first."
        if len(scene.collections) >= MAX_COLLECTIONS:
            return f"The workspace has {MAX_COLLECTIONS} collections already."
        return None

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        collection = msgspec.convert(entry.content["collection"], Collection)
        counters = {int(column): counter for column, counter in entry.content["counters"].items()}
        async with tools.database.read() as connection:
            await connection.execute(columns.bring_back(collection.id))
        try:
            async with tools.database.transaction() as tx:
                await tools.limits.reserve(tx, "records", collection.records)
                if await repository.count(tx) >= MAX_COLLECTIONS:
                    raise CollectionsFullError(MAX_COLLECTIONS)
                await repository.insert(tx, collection, counters)
                await repository.add_records(tx, collection.id, collection.records)
                await record(tx, actor, "collection.restore", collection.name, after=described(collection))
                await take(tx, entry)
        except DuplicateKeyError as error:
            await self._put_away(tools, collection.id)
            raise CannotRestoreError(f"Another collection is named {collection.name} meanwhile.") from error
        except WebError:
            await self._put_away(tools, collection.id)
            raise
        return None

    @staticmethod
    async def _put_away(tools: Tools, collection_id: int) -> None:
        async with tools.database.read() as connection:
            if await repository.get_by_id(connection, collection_id) is None:
                await connection.execute(columns.put_away(collection_id))

    async def destroy(self, connection: Connection, entry: Entry) -> None:
        number = entry.collection_id or 0
        await connection.execute(columns.drop_put_away(number))
        await connection.execute(columns.drop_table(number))
        await repository.forget(connection, number)
        await trash.remove_of_collection(connection, number, entry.id)


class RemovedFiles(TrashKind):
    """Files that were taken out of records that stay: they come back beside those that are there.

    Housekeeping removes them once nothing has them, so that the entry's end has nothing to do.
    """

    label = "Files of a record"
    permission = Permission.WRITE_RECORDS
    right = Right.CHANGE

    def named_by(self, entry: Entry) -> int | None:
        return trash.named_by(entry, trash.UNKNOWN)

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        return None if scene.of(entry) else _GONE

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        async with tools.database.transaction() as tx:
            collection = await _held(tx, entry)
            await files.bring_back(tx, actor, collection, entry)
            await take(tx, entry)
        return None


class DeletedView(TrashKind):
    """A shared view."""

    label = "View"
    permission = Permission.WRITE_RECORDS

    def obstacle(self, scene: Scene, entry: Entry) -> str | None:
        return None if scene.of(entry) else _GONE

    async def restore(self, tools: Tools, actor: Actor, entry: Entry) -> int | None:
        async with tools.database.transaction() as tx:
            collection = await repository.lock_structure(tx, entry.collection_id or 0)
            if collection is None:
                raise CannotRestoreError(_GONE)
            await views.bring_back(tx, actor, collection, entry.name, entry.content)
            await take(tx, entry)
        return None


KINDS: Final[Mapping[str, TrashKind]] = {
    records.RECORDS: DeletedRecords(),
    bulk.CHANGES: ChangedRecords(),
    FIELD: DeletedField(),
    FIELD_CHANGE: ChangedField(),
    COLLECTION_CHANGE: ChangedCollection(),
    COLLECTION: DeletedCollection(),
    views.VIEW: DeletedView(),
    FILES: RemovedFiles(),
}
