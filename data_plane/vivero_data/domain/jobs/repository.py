"""Jobs as the API shows them, and their SQL.

A unique key on `running` allows one running job at a time. The attempt's number is a fencing token: every write for a
job is conditional on it, so a stale attempt cannot write.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from vivero_core.tracing.spans import traceparent
from vivero_web import clock

from vivero_data.db.database import Connection, Row
from vivero_data.lib.json import decode, encode

ATTEMPTS: Final = 4
HEARTBEAT_TIMEOUT: Final = 60  # seconds; long enough that a busy machine is not taken for dead
_PROBLEM: Final = 500  # maximum length in characters


class JobState(StrEnum):
    """A job's state; the last two are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True):
    """A job and its progress."""

    id: Annotated[int, msgspec.Meta(description="Where it is: `/api/v1/jobs/{id}`.")]
    kind: Annotated[str, msgspec.Meta(description="The kind of job, for example `export`.")]
    subject: Annotated[str, msgspec.Meta(description="What it is about, for example a collection's name.")]
    state: JobState
    done: Annotated[int, msgspec.Meta(description="Progress so far, in records.")]
    total: Annotated[int | None, msgspec.Meta(description="Total amount, if known.")]
    result: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="The result: an export has `file_id` and `records`.")
    ]
    problem: Annotated[
        str | None, msgspec.Meta(description="Why it failed, or while it waits why the last attempt failed.")
    ]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was requested.")]
    ended_at: Annotated[datetime | None, msgspec.Meta(description="When it finished or failed.")]

    @property
    def ended(self) -> bool:
        return self.state in {JobState.DONE, JobState.FAILED}


class Attempt(msgspec.Struct, frozen=True):
    """One attempt of a job; the number is its fencing token."""

    job_id: int
    number: int


_COLUMNS: Final = "id, kind, subject, state, done, total, result, problem, created_at, ended_at"
_CURRENT: Final = "id = %s AND attempts = %s AND state = 'running'"
# Exponential back-off with jitter, from half a minute on.
_NEXT_ATTEMPT: Final = "CURRENT_TIMESTAMP(6) + INTERVAL 15000000 * POW(2, attempts) * (0.8 + 0.4 * RAND()) MICROSECOND"
# MariaDB assigns from left to right, and later expressions see the new values: `state` goes last.
_FAIL: Final = (
    f"UPDATE jobs SET problem = %s, running = NULL, due_at = {_NEXT_ATTEMPT},"  # noqa: S608  fixed words
    f" ended_at = IF(attempts >= {ATTEMPTS} OR %s, CURRENT_TIMESTAMP(6), NULL),"
    f" state = IF(attempts >= {ATTEMPTS} OR %s, 'failed', 'waiting')"
)


async def insert(tx: Connection, kind: str, subject: str, work: object, user_id: int) -> int:
    return await tx.insert(
        "INSERT INTO jobs (kind, subject, work, user_id, traceparent, state) VALUES (%s, %s, %s, %s, %s, 'waiting')",
        kind,
        subject,
        encode(work),
        user_id,
        traceparent(),
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
    """How many jobs wait or run."""
    row = await connection.fetch_one("SELECT COUNT(*) FROM jobs WHERE state IN ('waiting', 'running')")
    return int(row[0]) if row else 0


async def is_under_way(connection: Connection, kind: str) -> bool:
    """Whether a job of this kind waits or runs."""
    row = await connection.fetch_one("SELECT 1 FROM jobs WHERE kind = %s AND state IN ('waiting', 'running')", kind)
    return row is not None


async def claim(tx: Connection) -> Attempt | None:
    """Start the next attempt that is due; None if there is none.

    Raises:
        DuplicateKeyError: another process started one concurrently.
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


class Order(msgspec.Struct, frozen=True):
    """What was requested: the task as JSON, on whose behalf, and by which span of which trace, if it was traced."""

    kind: str
    user_id: int
    work: str
    traceparent: str | None


async def order_of(connection: Connection, attempt: Attempt) -> Order | None:
    """What a job is to do; None if the attempt is stale."""
    row = await connection.fetch_one(
        f"SELECT kind, user_id, work, traceparent FROM jobs WHERE {_CURRENT}",  # noqa: S608  fixed words
        attempt.job_id,
        attempt.number,
    )
    return Order(*row) if row else None


async def heartbeat(connection: Connection, attempt: Attempt, done: int, total: int | None) -> bool:
    """Record a heartbeat and the progress; False if the attempt is stale."""
    changed = await connection.execute(
        f"UPDATE jobs SET seen_at = CURRENT_TIMESTAMP(6), done = %s, total = %s WHERE {_CURRENT}",  # noqa: S608  fixed words
        done,
        total,
        attempt.job_id,
        attempt.number,
    )
    return changed == 1


async def finish(tx: Connection, attempt: Attempt, result: object, done: int) -> bool:
    """Mark the job as done; False if the attempt is stale."""
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
    """Record a failed attempt; it is retried unless `for_good` or it was the last. False if the attempt is stale."""
    changed = await connection.execute(
        f"{_FAIL} WHERE {_CURRENT}", problem[:_PROBLEM], for_good, for_good, attempt.job_id, attempt.number
    )
    return changed == 1


async def release(connection: Connection, attempt: Attempt) -> None:
    """Return the job to the queue: the attempt was interrupted by our shutdown and does not count."""
    await connection.execute(
        f"UPDATE jobs SET state = 'waiting', running = NULL, attempts = attempts - 1 WHERE {_CURRENT}",  # noqa: S608  fixed words
        attempt.job_id,
        attempt.number,
    )


async def fail_stale(connection: Connection) -> int:
    """Fail running attempts without a recent heartbeat: their pod is gone; returns how many."""
    return await connection.execute(
        f"{_FAIL} WHERE state = 'running' AND seen_at < CURRENT_TIMESTAMP(6) - INTERVAL %s SECOND",
        "Its process stopped responding.",
        False,  # noqa: FBT003  a column's value
        False,  # noqa: FBT003  as above
        HEARTBEAT_TIMEOUT,
    )


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete jobs that ended before `before`; returns how many."""
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
