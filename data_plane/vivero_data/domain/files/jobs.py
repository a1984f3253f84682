"""Housekeeping of files."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from vivero_web import clock
from vivero_web.errors import WebError, explained

from vivero_data.clients.storage import Storage
from vivero_data.db.database import Database
from vivero_data.domain.files import repository
from vivero_data.domain.files.service import FileService

_AGE: Final = timedelta(hours=2)  # longer than any upload takes
_BATCH: Final = 100

log = structlog.get_logger(__name__)


async def finish_interrupted(database: Database, storage: Storage, files: FileService) -> int:
    """Remove interrupted uploads and finish interrupted deletions; how many. One that fails is retried next time."""
    async with database.read() as connection:
        found = await repository.select_unfinished(connection, clock.now() - _AGE, _BATCH)
    done = 0
    for file_id, state, size in found:
        try:
            await asyncio.to_thread(storage.delete, file_id)
            await files.forget(file_id, state, size)
        except WebError as error:
            log.warning("file_not_finished", file=file_id, problem=explained(error))
        else:
            done += 1
    return done
