"""What a column of ASCII could not be compared with never gets to the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.schemas import AuditQuery
from vivero_data.domain.audit.service import AuditService
from vivero_data.domain.files.service import FileService, new_id
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.cursors import Cursor, encode
from vivero_web.errors import InvalidInputError, NotFoundError

OWNER = Actor(1, "olive@example.com", "", Role.OWNER)
ODD = [
    "",
    "é",
    "株式会社",
    "🎉",
    "\0",
    "a" * 25,
    "a" * 27,
    "A" * 26,
    "1" * 26,
    "../" * 8 + "ab",
    "a" * 25 + "é",
    "a" * 26 + "\n",
]


class AskedError(Exception):
    """The database was."""


class NoDatabase(Database):
    def __init__(self) -> None:
        pass

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        raise AskedError
        yield

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        raise AskedError
        yield


class Files(FileService):
    def __init__(self) -> None:
        self._database = NoDatabase()


@pytest.mark.parametrize("file_id", ODD)
async def test_no_such_file_is_looked_for(file_id: str) -> None:
    for call in (Files().get, Files().delete):
        with pytest.raises(NotFoundError):
            await call(OWNER, file_id)
    if file_id:
        cursor = encode(Cursor("-created_at", 0, f"2026-11-28T12:00:00 {file_id}"))
        with pytest.raises(InvalidInputError):
            await Files().list(OWNER, cursor=cursor)


async def test_a_valid_tenant_name_is_queried() -> None:
    with pytest.raises(AskedError):
        await Files().get(OWNER, new_id())
    cursor = encode(Cursor("-created_at", 0, f"2026-11-28T12:00:00 {new_id()}"))
    with pytest.raises(AskedError):
        await Files().list(OWNER, cursor=cursor)


@pytest.mark.parametrize("action", ["é", "record.updaté", "🎉", "\0", "Record", "record update", "a" * 65, "record\n"])
async def test_no_such_action_is_looked_for(action: str) -> None:
    with pytest.raises(InvalidInputError, match="action"):
        await AuditService(NoDatabase()).list(OWNER, AuditQuery(action=action))


@pytest.mark.parametrize("action", ["", "record", "record.update", "user.change_password"])
async def test_an_action_is(action: str) -> None:
    with pytest.raises(AskedError):
        await AuditService(NoDatabase()).list(OWNER, AuditQuery(action=action))
