"""ALTER TABLE of a table that others use meanwhile."""

import asyncio
from typing import Final

from vivero_web.errors import InvalidInputError, UnavailableError, WebError

from vivero_data.db.database import Connection, Database
from vivero_data.db.errors import DatabaseError
from vivero_data.domain.collections import columns, repository
from vivero_data.domain.collections.schemas import Field

BUILD_SECONDS: Final = 1500  # of an index; less than an attempt of a job has
_ROW_TOO_LARGE: Final = 1118
_NOT_THIS_WAY: Final = (1845, 1846)
_AT_ONCE: Final = (0,) * 40 + (1,) * 5
# The seconds that each attempt waits for the transactions of others; whoever comes later waits behind it. One that
# builds something does not give up at the end of its work because of a transaction of some milliseconds.
_WAYS: Final = (
    ("ALGORITHM=INSTANT", _AT_ONCE),
    ("ALGORITHM=INPLACE, LOCK=NONE", (1, 1, 2, 5)),
    ("ALGORITHM=INPLACE, LOCK=SHARED", (1, 1, 2, 5)),
)
_PAUSE: Final = 0.02


async def alter(connection: Connection, *statements: str) -> None:
    """Run ALTER TABLE, each in the way that disturbs others least."""
    for statement in statements:
        await _alter(connection, statement)


async def _alter(connection: Connection, statement: str) -> None:
    refusal: WebError | None = None
    for way, waits in _WAYS:
        try:
            await _patiently(connection, f"{statement}, {way}", waits)
        except DatabaseError as error:
            if error.code not in _NOT_THIS_WAY:
                raise
            refusal = error
        else:
            return
    raise refusal or UnavailableError("The table cannot be changed.")


async def _patiently(connection: Connection, statement: str, waits: tuple[int, ...]) -> None:
    for number, wait in enumerate(waits, 1):
        try:
            await connection.execute(
                f"SET STATEMENT max_statement_time = 0, lock_wait_timeout = {wait} FOR {statement}"
            )
        except UnavailableError:
            if number == len(waits):
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return


async def allow_null(database: Database, connection: Connection, collection_id: int, field: Field) -> None:
    """Whoever adds a record may soon give no value for a field's column."""
    if field.required and await repository.refuses_null(connection, database.name, collection_id, field):
        await alter(connection, columns.allow_null(collection_id, field))


async def add_column(connection: Connection, collection_id: int, field: Field) -> None:
    """Add a field's column, empty.

    Raises:
        InvalidInputError: the table has no room for it.
    """
    try:
        await alter(connection, columns.add_column(collection_id, field))
    except DatabaseError as error:
        if error.code != _ROW_TOO_LARGE:
            raise
        message = "leaves no room in the records of this collection; make it long_text"
        raise InvalidInputError.of("type", message) from error


async def add_keys(connection: Connection, collection_id: int, field: Field) -> None:
    """Add a field's indexes, while records are written.

    Raises:
        DuplicateKeyError: it is unique, and two records have the same value.
    """
    await alter(connection, *columns.add_keys(collection_id, field))
