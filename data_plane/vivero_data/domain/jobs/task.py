"""The interface of a job's task, and the context that it runs in: services, the user, progress and heartbeats."""

import asyncio
from typing import Any, Final

import msgspec
from vivero_web.errors import NotAllowedError, UnavailableError, WebError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.anchors import Anchors
from vivero_data.domain.files.service import FileService
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.repository import HEARTBEAT_TIMEOUT, Attempt
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.users import repository as users
from vivero_data.domain.users.acting import acting
from vivero_data.domain.users.schemas import Actor
from vivero_data.settings import Settings

_HEARTBEAT_SECONDS: Final = 2.0  # users watch the progress
_DATABASE_TIMEOUT: Final = HEARTBEAT_TIMEOUT / 2  # without the database: give up before another attempt starts


class JobLostError(WebError):
    """The attempt is stale: its heartbeat timed out, or the job was deleted."""


class TaskContext:
    """What a task uses during one attempt."""

    def __init__(  # noqa: PLR0913, PLR0917  all that tasks need
        self,
        attempt: Attempt,
        actor: Actor,
        database: Database,
        files: FileService,
        limits: LimitService,
        anchors: Anchors,
        settings: Settings,
    ) -> None:
        self.actor = actor
        self.anchors = anchors
        self.database = database
        self.files = files
        self.limits = limits
        self.settings = settings
        self._attempt = attempt
        self._done = 0
        self._total: int | None = None

    @property
    def token(self) -> int:
        """Grows from attempt to attempt, also over the jobs of one subject: who holds a smaller one is stale."""
        return self._attempt.job_id * 1000 + self._attempt.number

    def progress(self, done: int, total: int | None) -> None:
        """Report progress, with the total if known; stored with the next heartbeat."""
        self._done, self._total = done, total

    async def require_current(self) -> None:
        """Before an effect that no transaction fences: a stale attempt has none any more.

        Raises:
            JobLostError: the attempt is stale.
        """
        async with self.database.read() as connection:
            if not await repository.heartbeat(connection, self._attempt, self._done, self._total):
                raise JobLostError

    async def finish(self, tx: Connection, result: dict[str, Any]) -> None:
        """Mark the job as done in the transaction that writes its result; a stale attempt thus writes nothing.

        Raises:
            JobLostError: the attempt is stale.
        """
        if not await repository.finish(tx, self._attempt, result, self._done):
            raise JobLostError

    async def heartbeat(self) -> None:
        """Send heartbeats until cancelled.

        Raises:
            JobLostError: as `finish`.
            UnavailableError: the database has been unavailable for too long.
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
    """A kind of job; its fields are the parameters, stored as JSON."""

    async def check(self, connection: Connection, actor: Actor) -> str:
        """Validate the parameters before the job is queued; returns its subject, for people.

        Raises:
            WebError: the task cannot be done.
        """
        raise NotImplementedError

    async def run(self, context: TaskContext) -> None:
        """Do the work, and end with `context.finish`. Must be idempotent: an attempt may be a retry.

        Raises:
            UnavailableError: retried.
            WebError: not retried; its detail is shown to the user.
        """
        raise NotImplementedError


async def actor_of(connection: Connection, user_id: int) -> Actor:
    """The user on whose behalf the job runs, with their current role.

    Raises:
        NotAllowedError: the user is gone or not active.
    """
    user = await users.get(connection, user_id)
    if user is None or not user.active:
        raise NotAllowedError("The user who asked for this may not log in any more.")
    return await acting(connection, user)
