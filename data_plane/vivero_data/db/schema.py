"""Brings the schema to this program's revision, at start, whichever pod is first.

An empty schema gets `schema.sql`, which is Alembic's own output kept as
text: Alembic and SQLAlchemy cost 35 MB and a third of a second, and a signup
waits for this. Only a schema of an older revision needs Alembic, and then in
a process of its own (`db/migrate.py`) whose memory goes when it ends.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import MissingTableError
from vivero_data.errors import DataPlaneError, UnavailableError

HEAD: Final = "0002"  # newest revision; a test compares it with the migrations
SCHEMA_FILE: Final = Path(__file__).with_name("schema.sql")
_LOCK_SECONDS: Final = 5  # one wait, below the session's statement limit
_LOCK_ATTEMPTS: Final = 24  # two minutes in all: another pod is migrating
_MIGRATE_SECONDS: Final = 600  # a long ALTER; then the pod restarts and goes on


class MigrationError(DataPlaneError):
    """The schema could not be brought to this revision."""


def split(text: str) -> list[str]:
    """The statements of a schema file; a semicolon at a line's end closes each."""
    return [part.strip() + ";" for part in text.split(";\n") if part.strip()]


def lock_name(schema: str) -> str:
    """GET_LOCK's names are the whole server's, so ours holds the schema's."""
    return f"vivero.{schema}"[:64]


async def ensure_current(database: Database) -> None:
    """Create or upgrade the tables unless they are current.

    Raises:
        MigrationError: the migration failed, or another pod's takes too long.
    """
    async with database.read() as connection:
        revision = await revision_of(connection)
        if revision is None:
            await _install_locked(connection, database.name)
            return
    if revision != HEAD:
        await _migrate()


async def revision_of(connection: Connection) -> str | None:
    """The schema's revision; None when it is empty or its first install was interrupted."""
    try:
        row = await connection.fetch_one("SELECT version_num FROM alembic_version")
    except MissingTableError:
        return None
    return str(row[0]) if row else None


async def _install_locked(connection: Connection, schema: str) -> None:
    name = lock_name(schema)
    for _ in range(_LOCK_ATTEMPTS):
        row = await connection.fetch_one("SELECT GET_LOCK(%s, %s)", name, _LOCK_SECONDS)
        if row and row[0] == 1:
            break
    else:
        raise UnavailableError("Another process is still creating the schema.")
    try:
        if await revision_of(connection) is None:
            for statement in split(SCHEMA_FILE.read_text(encoding="utf-8")):
                await connection.execute(statement)
    finally:
        await connection.execute("DO RELEASE_LOCK(%s)", name)


async def _migrate() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "vivero_data", "migrate")
    try:
        code = await asyncio.wait_for(process.wait(), _MIGRATE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise MigrationError("The migration took too long.") from None
    if code != 0:
        raise MigrationError(f"The migration ended with status {code}.")
