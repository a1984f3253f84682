"""Jobs as the API has them, and their table.

One runs at a time: a unique key holds the place. An attempt's number is its fence: who writes for a job names it, and
what an older attempt wants to write is refused.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.lib.json import decode, encode

ATTEMPTS: Final = 4
HEARTBEAT_TIMEOUT: Final = 60  # seconds without a sign of life: a machine that is merely busy is not taken for dead
_PROBLEM: Final = 500  # characters that are kept of one


class JobState(StrEnum):
    """Where a job is; the last two are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True):
    """A job and how far it is."""

    id: Annotated[int, msgspec.Meta(description="Where it is: `/api/v1/jobs/{id}`.")]
    kind: Annotated[str, msgspec.Meta(description="What is done, for example `export`.")]
    subject: Annotated[str, msgspec.Meta(description="To what, for example a collection's name.")]
    state: JobState
    done: Annotated[int, msgspec.Meta(description="How much is done by now, in records.")]
    total: Annotated[int | None, msgspec.Meta(description="Of how much, where that is known.")]
    result: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="What came of it: an export has `file_id` and `records`.")
    ]
    problem: Annotated[str | None, msgspec.Meta(description="Why it failed; while it waits, why the last attempt did.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was asked for.")]
    ended_at: Annotated[datetime | None, msgspec.Meta(description="When it was done or given up.")]

    @property
    def ended(self) -> bool:
        return self.state in {JobState.DONE, JobState.FAILED}


class Attempt(msgspec.Struct, frozen=True):
    """One of a job's."""

    job_id: int
    number: int


_COLUMNS: Final = "id, kind, subject, state, done, total, result, problem, created_at, ended_at"
_CURRENT: Final = "id = %s AND attempts = %s AND state = 'running'"
# Twice as long each time, from half a minute on, and not all workspaces of a platform at once.
_NEXT_ATTEMPT: Final = "CURRENT_TIMESTAMP(6) + INTERVAL 15000000 * POW(2, attempts) * (0.8 + 0.4 * RAND()) MICROSECOND"
# MariaDB sets columns from left to right, and each sees those before it: `state` goes last.
_FAIL: Final = (
    f"UPDATE jobs SET problem = %s, running = NULL, due_at = {_NEXT_ATTEMPT},"  # noqa: S608  fixed words
    f" ended_at = IF(attempts >= {ATTEMPTS} OR %s, CURRENT_TIMESTAMP(6), NULL),"
    f" state = IF(attempts >= {ATTEMPTS} OR %s, 'failed', 'waiting')"
)


async def insert(tx: Connection, kind: str, subject: str, work: object, user_id: int) -> int:
    return await tx.insert(
        "INSERT INTO jobs (kind, subject, work, user_id, state) VALUES (%s, %s, %s, %s, 'waiting')",
        kind,
        subject,
        encode(work),
        user_id,
    )


async def get(connection: Connection, job_id: int, user_id: int) -> Job | None:
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM jobs WHERE id = %s AND user_id = %s",  # noqa: S608  fixed words
        job_id,
        user_id,
    )
    return _job(row) if row else None


async def select_page(connection: Connection, user_id: int, limit: int, below: int | None) -> list[Job]:
    """A user's jobs, newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM jobs WHERE user_id = %s AND (%s IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",  # noqa: S608  fixed words
        user_id,
        below,
        below,
        limit + 1,
    )
    return [_job(row) for row in rows]


async def unfinished(connection: Connection) -> int:
    """How many wait or run."""
    row = await connection.fetch_one("SELECT COUNT(*) FROM jobs WHERE state IN ('waiting', 'running')")
    return int(row[0]) if row else 0


async def claim(tx: Connection) -> Attempt | None:
    """Begin the next attempt that is due; None when there is none.

    Raises:
        DuplicateKeyError: another process has begun one at this moment.
    """
    row = await tx.fetch_one(
        "SELECT id, attempts FROM jobs WHERE state = 'waiting' AND due_at <= CURRENT_TIMESTAMP(6)"
        " AND NOT EXISTS (SELECT * FROM jobs WHERE running = 1)"
        " ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    if row is None:
        return None
    await tx.execute(
        "UPDATE jobs SET state = 'running', running = 1, attempts = attempts + 1, seen_at = CURRENT_TIMESTAMP(6), done = 0"
        " WHERE id = %s",
        row[0],
    )
    return Attempt(int(row[0]), int(row[1]) + 1)


async def task_of(connection: Connection, attempt: Attempt) -> tuple[str, int, str] | None:
    """The kind of an attempt that still runs, on whose behalf, and the work as JSON."""
    row = await connection.fetch_one(
        f"SELECT kind, user_id, work FROM jobs WHERE {_CURRENT}",  # noqa: S608  fixed words
        attempt.job_id,
        attempt.number,
    )
    return (str(row[0]), int(row[1]), str(row[2])) if row else None


async def heartbeat(connection: Connection, attempt: Attempt, done: int, total: int | None) -> bool:
    """A sign of life, and how far it is; False when it is not this attempt's job any more."""
    changed = await connection.execute(
        f"UPDATE jobs SET seen_at = CURRENT_TIMESTAMP(6), done = %s, total = %s WHERE {_CURRENT}",  # noqa: S608  fixed words
        done,
        total,
        attempt.job_id,
        attempt.number,
    )
    return changed == 1


async def finish(tx: Connection, attempt: Attempt, result: object, done: int) -> bool:
    """The job is done; False when it is not this attempt's any more."""
    changed = await tx.execute(
        "UPDATE jobs SET state = 'done', running = NULL, result = %s, done = %s, total = %s, problem = NULL,"  # noqa: S608  fixed words
        f" ended_at = CURRENT_TIMESTAMP(6) WHERE {_CURRENT}",
        encode(result),
        done,
        done,
        attempt.job_id,
        attempt.number,
    )
    return changed == 1


async def fail(connection: Connection, attempt: Attempt, problem: str, *, for_good: bool) -> bool:
    """The attempt came to nothing; another follows unless it is `for_good` or was the last. False when it had ended."""
    changed = await connection.execute(
        f"{_FAIL} WHERE {_CURRENT}", problem[:_PROBLEM], for_good, for_good, attempt.job_id, attempt.number
    )
    return changed == 1


async def release(connection: Connection, attempt: Attempt) -> None:
    """The attempt was ended by us and does not count."""
    await connection.execute(
        f"UPDATE jobs SET state = 'waiting', running = NULL, attempts = attempts - 1 WHERE {_CURRENT}",  # noqa: S608  fixed words
        attempt.job_id,
        attempt.number,
    )


async def fail_stale(connection: Connection) -> int:
    """What gives no sign of life has ended without a word, with its pod; how many."""
    return await connection.execute(
        f"{_FAIL} WHERE state = 'running' AND seen_at < CURRENT_TIMESTAMP(6) - INTERVAL %s SECOND",
        "The process that did it ended without a word.",
        False,  # noqa: FBT003  a column's value
        False,  # noqa: FBT003  as above
        HEARTBEAT_TIMEOUT,
    )


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Forget jobs that ended long ago; how many."""
    return await tx.execute("DELETE FROM jobs WHERE ended_at < %s LIMIT %s", clock.naive(before), batch)


def _job(row: Row) -> Job:
    number, kind, subject, state, done, total, result, problem, created_at, ended_at = row
    return Job(
        int(number),
        kind,
        subject,
        JobState(state),
        int(done),
        None if total is None else int(total),
        None if result is None else decode(result),
        problem,
        clock.utc(created_at),
        None if ended_at is None else clock.utc(ended_at),
    )
