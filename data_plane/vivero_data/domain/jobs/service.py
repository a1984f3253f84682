"""Jobs: requested here, run in a child process (`runner.py`), followed by the user who requested them."""

import asyncio
from typing import Final

import msgspec
from vivero_web.errors import ConflictError, NotFoundError

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.jobs import repository
from vivero_data.domain.jobs.registry import kind_of
from vivero_data.domain.jobs.repository import Job
from vivero_data.domain.jobs.task import Task
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "-id"
MAX_UNFINISHED: Final = 20


class JobNotFoundError(NotFoundError):
    """The caller has no such job."""

    def __init__(self) -> None:
        super().__init__("You have no such job; those that ended are forgotten after a day.")


class JobsFullError(ConflictError):
    """The workspace's queue of jobs is full."""

    def __init__(self) -> None:
        super().__init__(f"{MAX_UNFINISHED} jobs of this workspace wait already; try again when some of them are done.")


class JobService:
    """Users request jobs and see their own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.wakeup = asyncio.Event()

    async def start(self, actor: Actor, permission: Permission, task: Task) -> Job:
        """Queue a job.

        Raises:
            JobsFullError: too many wait.
            WebError: as the task's `check`.
        """
        require_permission(actor, permission)
        kind = kind_of(task)
        async with self._database.transaction() as tx:
            subject = await task.check(tx, actor)
            number = await self.enqueue(tx, actor, task, subject)
            await record(tx, actor, f"{kind}.start", subject, after=msgspec.structs.asdict(task))
            made = await repository.get(tx, number, actor.user_id)
        self.wakeup.set()
        if made is None:
            raise JobNotFoundError
        return made

    async def enqueue(self, tx: Connection, actor: Actor, task: Task, subject: str) -> int:
        """Queue a job in the transaction that decides it, whose caller sets `wakeup` afterwards.

        Raises:
            JobsFullError: too many wait.
        """
        await self.require_room(tx)
        return await repository.insert(tx, kind_of(task), subject, task, actor.user_id)

    @staticmethod
    async def require_room(connection: Connection) -> None:
        """Raises JobsFullError if too many wait."""
        if await repository.unfinished(connection) >= MAX_UNFINISHED:
            raise JobsFullError

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Job]:
        require_permission(actor, Permission.READ)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, actor.user_id, limit, below)
        return page_of(found, limit, lambda job: cursors.by_id(_SORT, job.id))

    async def get(self, actor: Actor, job_id: int) -> Job:
        require_permission(actor, Permission.READ)
        async with self._database.read() as connection:
            job = await repository.get(connection, job_id, actor.user_id)
        if job is None:
            raise JobNotFoundError
        if not job.ended:
            self.wakeup.set()  # its pod may be gone, so make the runner check for stale attempts
        return job
