"""The indexes of a collection that an import makes, built at its end: at once they take a fraction of what each row costs."""

import msgspec

from vivero_data.db.database import Database
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.collections.alteration import BUILD_SECONDS, alter
from vivero_data.domain.collections.columns import add_plain_keys
from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Collection, Field, NewCollection


def without_indexes(new: NewCollection) -> NewCollection:
    """The definition of a collection that gets its indexes when its records are there."""
    bare = [msgspec.structs.replace(field, indexed=False) for field in new.fields]
    return msgspec.structs.replace(new, fields=bare)


async def add_indexes(database: Database, wanted: NewCollection, collection_id: int) -> None:
    """Add the indexes that the definition wants and are not there yet, while others read and write.

    Raises:
        UnavailableError: the table is in use for too long.
    """
    async with database.read() as connection:
        collection = await collections.get_by_id(connection, collection_id)
    fields = [] if collection is None else missing(wanted, collection)
    if not fields:
        return
    async with database.patient(BUILD_SECONDS) as slow:
        await alter(slow, add_plain_keys(collection_id, fields))
    async with database.transaction() as tx:
        if await collections.lock_structure(tx, collection_id):
            await collections.set_indexed(tx, fields)


def missing(wanted: NewCollection, collection: Collection) -> list[Field]:
    """The fields that are to have an index and have none; others may have renamed, changed or deleted some meanwhile."""
    names = {fold(field.name) for field in wanted.fields if field.indexed}
    return [
        field
        for field in collection.fields
        if fold(field.name) in names and field.kind.sortable and not field.indexed and not field.unique
    ]
