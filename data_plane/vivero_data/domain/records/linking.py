"""What people choose from when they set a link, and what leads to a record."""

from itertools import islice
from typing import Final

from vivero_web.text import tidy

from vivero_data.db.database import Database
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.seen import seen
from vivero_data.domain.collections.service import CollectionNotFoundError
from vivero_data.domain.field_types.link import Linked
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import references
from vivero_data.domain.records.access import access_by_id, access_of
from vivero_data.domain.records.references import Related
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib.pages import Page

MAX_WORDS: Final = 120  # characters of a search


class ReferenceService:
    """For everybody who may read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def records(self, actor: Actor, collection: str, words: str) -> Page[Linked]:
        """Records of a collection by what they are called."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            target = await access_of(connection, actor, collection)
            return Page(await references.find_records(connection, target, tidy(words)))

    async def name_of(self, actor: Actor, collection_id: int) -> str:
        """The name that a collection has now."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            found = await access_by_id(connection, actor, collection_id)
        if found is None:
            raise CollectionNotFoundError
        return found.whole.name

    async def people(self, actor: Actor, words: str, limit: int = references.MAX_FOUND) -> Page[Linked]:
        """The first people of the workspace by name, whose name or address has the words."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            return Page(await references.find_people(connection, tidy(words), limit))

    async def fields(self, actor: Actor, words: str, kind: FieldType | None = None) -> Page[Linked]:
        """Fields of all collections, as `Orders: Customer`, whose names have the words."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            every = [one for whole in await collections.select_all(connection) if (one := seen(actor, whole))]
        wanted = fold(words)
        found = (
            Linked(field.id, f"{collection.name}: {field.name}")
            for collection in every
            for field in collection.fields
            if (kind is None or field.type is kind) and wanted in fold(f"{collection.name}: {field.name}")
        )
        return Page(list(islice(found, references.MAX_FOUND)))

    async def related(self, actor: Actor, collection: str, record_id: int) -> list[Related]:
        """What leads to a record."""
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            target = await access_of(connection, actor, collection)
            return await references.related(connection, target, record_id)
