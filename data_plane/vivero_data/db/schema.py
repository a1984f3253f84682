"""Brings the schema to this program's revision at start-up, in whichever pod is first.

An empty schema gets `schema.sql`, which is Alembic's own output kept as
text: Alembic and SQLAlchemy cost 35 MB and a third of a second, and a signup
waits for this. Only a schema of an older revision needs Alembic, in a separate
process (`db/migrate.py`) that frees its memory when it exits. On a newer schema
the program runs unchanged, or refuses to start (`db/compatibility.py`).
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import structlog
from vivero_web import migration_lock
from vivero_web.errors import UnavailableError

from vivero_data.db.compatibility import HEAD, SELECT_OLDEST, MigrationError, is_ahead, require_compatible
from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import MissingTableError

SCHEMA_FILE: Final = Path(__file__).with_name("schema.sql")
_LOCK_ATTEMPTS: Final = 12  # each as long as a statement timeout, two minutes in total: another pod is migrating
_MIGRATE_SECONDS: Final = 600  # for a long ALTER; then the pod restarts and continues

_DATA_LOST: Final = (
    "The schema is empty, yet this workspace held data. Nothing is made in its place: restore the schema from a backup,"
    " or have the operator give the data up (spec.acceptDataLossAt of the Tenant)."
)

_NO_TABLES: Final = "The schema is empty, and nothing may be written to it."
_TOO_OLD: Final = f"The schema is of revision {{revision}}, this program of {HEAD}, and a view is not migrated."

log = structlog.get_logger(__name__)


class SchemaReady(asyncio.Event):
    """Set once this process has a usable schema; `revision` is the schema's at that time."""

    revision = ""

    def set_to(self, revision: str) -> None:
        self.revision = revision
        self.set()


def split(text: str) -> list[str]:
    """The statements of a schema file, each terminated by a semicolon at a line's end."""
    return [part.strip() + ";" for part in text.split(";\n") if part.strip()]


async def ensure_current(database: Database, *, holds_data: bool = False) -> str:
    """Create or upgrade the tables unless they are current or ahead; returns the schema's revision.

    `holds_data`: the workspace has been in use, so an empty schema is an error.

    Raises:
        MigrationError: the tables are gone, the migration failed, or another pod's takes too long.
        SchemaTooNewError: a newer program made the schema incompatible with this one.
    """
    async with database.read() as connection:
        revision = await revision_of(connection)
        if revision is None and holds_data:
            raise MigrationError(_DATA_LOST)
        if revision is None:
            await _install_locked(database, connection)
            revision = await revision_of(connection) or HEAD
        if is_ahead(revision):
            return await _run_on_newer_schema(connection, revision)
    if revision != HEAD:
        await _migrate()
    return HEAD


async def require_current(database: Database) -> str:
    """The schema's revision, where nothing may be written.

    Raises:
        MigrationError: the tables are gone, or an older program's.
        SchemaTooNewError: a newer program made the schema incompatible with this one.
    """
    async with database.read() as connection:
        revision = await revision_of(connection)
        if revision is None:
            raise MigrationError(_NO_TABLES)
        if is_ahead(revision):
            return await _run_on_newer_schema(connection, revision)
    if revision != HEAD:
        raise MigrationError(_TOO_OLD.format(revision=revision))
    return revision


async def _run_on_newer_schema(connection: Connection, revision: str) -> str:
    try:
        row = await connection.fetch_one(SELECT_OLDEST)
    except MissingTableError:
        row = None
    oldest = str(row[0]) if row else None
    require_compatible(revision, oldest)
    log.warning("schema_is_ahead", schema=revision, program=HEAD, oldest_program=oldest)
    return revision


async def revision_of(connection: Connection) -> str | None:
    """The schema's revision; None when it is empty or its first install was interrupted."""
    try:
        row = await connection.fetch_one("SELECT version_num FROM alembic_version")
    except MissingTableError:
        return None
    return str(row[0]) if row else None


async def _install_locked(database: Database, connection: Connection) -> None:
    for _ in range(_LOCK_ATTEMPTS):
        async with database.transaction() as holder:
            if await _acquire_lock(holder, connection):
                return await _install(connection)
    raise UnavailableError("Another process is still creating the schema.")


async def _acquire_lock(holder: Connection, connection: Connection) -> bool:
    """Whether we got the lock; a lock wait timeout may have rolled back the transaction as well."""
    try:
        for statement in migration_lock.MADE:
            await connection.execute(statement)
        await holder.fetch_one(migration_lock.TAKE)
    except UnavailableError:
        return False
    return True


async def _install(connection: Connection) -> None:
    if await revision_of(connection) is None:
        for statement in split(SCHEMA_FILE.read_text(encoding="utf-8")):
            await connection.execute(statement)


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
