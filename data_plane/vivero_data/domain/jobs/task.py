"""What a job gets while it runs, in its own process: services, whose work it is, and how it tells where it is."""

import asyncio
from typing import Any, Final

import msgspec
from vivero_web.errors import NotAllowedError, UnavailableError, WebError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.files.service import FileService
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.repository import HEARTBEAT_TIMEOUT, Attempt
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.schemas import Actor

_HEARTBEAT_SECONDS: Final = 2.0  # between two signs of life; people watch the progress
_DATABASE_TIMEOUT: Final = (
    HEARTBEAT_TIMEOUT / 2
)  # without the database: gone before anybody takes this attempt for dead


class JobLostError(WebError):
    """The job is not this attempt's any more: it was taken for dead, or somebody removed it."""


class TaskContext:
    """One attempt."""

    def __init__(self, attempt: Attempt, actor: Actor, database: Database, files: FileService) -> None:
        self.actor = actor
        self.database = database
        self.files = files
        self._attempt = attempt
        self._done = 0
        self._total: int | None = None

    def progress(self, done: int, total: int | None) -> None:
        """So many are done, of so many if that is known; written down with the next sign of life."""
        self._done, self._total = done, total

    async def finish(self, tx: Connection, result: dict[str, Any]) -> None:
        """The job is done if what this transaction writes is: an attempt that was taken for dead writes nothing.

        Raises:
            JobLostError: another attempt has begun.
        """
        if not await repository.finish(tx, self._attempt, result, self._done):
            raise JobLostError

    async def heartbeat(self) -> None:
        """Signs of life until cancelled.

        Raises:
            JobLostError: as `finish`.
            UnavailableError: the database has been away for too long.
        """
        clock = asyncio.get_running_loop().time
        last_seen = clock()
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            try:
                async with self.database.read() as connection:
                    alive = await repository.heartbeat(connection, self._attempt, self._done, self._total)
            except UnavailableError:
                if clock() - last_seen > _DATABASE_TIMEOUT:
                    raise
                continue
            if not alive:
                raise JobLostError
            last_seen = clock()


class Task(msgspec.Struct, frozen=True):
    """What a job is to do, as it is kept: each kind has its own."""

    async def check(self, connection: Connection) -> str:
        """What it is about, in a word for people, before anything is promised.

        Raises:
            WebError: it cannot be done.
        """
        raise NotImplementedError

    async def run(self, context: TaskContext) -> None:
        """Do it, and end with `context.finish`. It may have been begun before: an attempt leaves nothing behind.

        Raises:
            UnavailableError: worth another attempt.
            WebError: it will never work; its sentence is for who asked.
        """
        raise NotImplementedError


async def actor_of(connection: Connection, user_id: int) -> Actor:
    """On whose behalf it is, with the rights of today.

    Raises:
        NotAllowedError: the user is gone or not active.
    """
    user = await users.get(connection, user_id)
    if user is None or not user.active:
        raise NotAllowedError("The user who asked for this may not log in any more.")
    return Actor(user.id, user.email, user.name, user.role)
