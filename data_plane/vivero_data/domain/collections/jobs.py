"""Housekeeping of collections."""

from vivero_data.db.database import Database
from vivero_data.domain.collections import columns, repository


async def drop_orphaned_tables(database: Database) -> int:
    """Remove the tables of definitions that were interrupted; how many."""
    async with database.read() as connection:
        found = await repository.orphaned_tables(connection, database.name)
        for collection_id in found:
            await connection.execute(columns.drop_table(collection_id))
    return len(found)
