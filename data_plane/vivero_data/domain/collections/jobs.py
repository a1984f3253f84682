"""Housekeeping of collections."""

import structlog
from vivero_web.errors import WebError, explained

from vivero_data.db.database import Database
from vivero_data.domain.collections import columns, repository

log = structlog.get_logger(__name__)


async def drop_orphaned_tables(database: Database) -> int:
    """Drop the tables of interrupted definitions; returns how many. One that fails is retried next time."""
    done = 0
    async with database.read() as connection:
        for collection_id in await repository.orphaned_tables(connection, database.name):
            try:
                await connection.execute(columns.drop_table(collection_id))
            except WebError as error:
                log.warning("table_not_dropped", collection=collection_id, problem=explained(error))
            else:
                done += 1
    return done
