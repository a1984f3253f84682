"""SQL of the proof."""

import secrets
from typing import Final

from vivero_web.errors import UnavailableError

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DatabaseError, MissingTableError
from vivero_data.domain.audit import repository as audit
from vivero_data.errors import IsolationError

_DENIED: Final = 1142  # ER_TABLEACCESS_DENIED_ERROR: also for a missing table of another schema
_OPEN: Final = "The schema of another workspace is open to this one."


async def prove(database: Database) -> None:
    """Write, read and delete a row; the audit log gets no row, because none can be deleted there.

    It is not committed: a workspace that nobody uses would be one that changes every half hour, and be archived and backed up.

    Raises:
        UnavailableError: the row was not returned, or the database does not answer.
    """
    name = f"proof-{secrets.token_hex(8)}"
    async with database.rehearsal() as tx:
        await tx.execute("INSERT INTO counters (name, value) VALUES (%s, 1)", name)
        row = await tx.fetch_one("SELECT value FROM counters WHERE name = %s", name)
        await tx.execute("DELETE FROM counters WHERE name = %s", name)
        await audit.use(tx)
    if row != (1,):
        raise UnavailableError("The database did not return what was written.")


async def check_isolation(database: Database, neighbour: str) -> None:
    """Try to read a table of another workspace, and its audit log; `neighbour` is its id.

    Raises:
        IsolationError: one can be read, or its existence be checked.
        UnavailableError: the database does not answer.
    """
    from vivero_core.model import naming  # noqa: PLC0415  the proof is rare, memory is not

    own, log = naming.database_name(neighbour), naming.audit_database_name(neighbour)
    async with database.read() as connection:
        for table in (f"`{own}`.counters", f"`{log}`.audit_log"):
            await _expect_denied(connection, table)


async def _expect_denied(connection: Connection, table: str) -> None:
    try:
        await connection.fetch_one(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608  a checked name
    except DatabaseError as error:
        if error.code != _DENIED:
            raise
        return
    except MissingTableError as error:
        raise IsolationError(_OPEN) from error
    raise IsolationError(_OPEN)


async def ping(database: Database) -> None:
    """Check that the database answers.

    Raises:
        UnavailableError: it does not.
    """
    async with database.read() as connection:
        await connection.fetch_one("SELECT 1")
