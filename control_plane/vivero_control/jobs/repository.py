"""SQL about the outbox: jobs are enqueued by the transaction that decides them, and run under a row lock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Update, delete, func, null, select, update
from sqlalchemy.dialects.mysql import insert
from vivero_core.tracing.spans import traceparent

from vivero_control.db.database import Repository
from vivero_control.db.tables import OutboxEntry

DONE = "done"
DEAD = "dead"
PENDING = "pending"
CANDIDATES = 20
"""More than there are workers, of which each locks one job of a kind."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """State of a job; `gives_up_at` is None before its first failure, `finished_at` until it is done or dead."""

    state: str
    due_at: datetime
    gives_up_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.state != PENDING


class OutboxRepository(Repository[OutboxEntry]):
    """Jobs."""

    model_type = OutboxEntry

    async def enqueue(  # noqa: PLR0913  the row's columns
        self,
        *,
        kind: str,
        key: str,
        payload: dict[str, Any],
        now: datetime,
        due_at: datetime,
        subject: str | None = None,
    ) -> None:
        """Idempotent by key. `subject` as in OutboxEntry."""
        statement = insert(OutboxEntry).values(
            kind=kind,
            key=key,
            payload=payload,
            state=PENDING,
            attempts=0,
            due_at=due_at,
            created_at=now,
            subject=subject,
            traceparent=traceparent(),
        )
        await self.session.execute(statement.on_duplicate_key_update(key=key))

    async def lock_next_due(self, kind: str, now: datetime) -> OutboxEntry | None:
        """The job that is due longest, locked until the transaction ends; concurrent workers get other ones.

        Candidates are read without a lock, and locked by id: a locking search holds every row it passes for a moment,
        and a worker that searches another kind at that moment would skip them.
        """
        due = (OutboxEntry.kind == kind, OutboxEntry.state == PENDING, OutboxEntry.due_at <= now)
        first = select(OutboxEntry.id).where(*due).order_by(OutboxEntry.due_at, OutboxEntry.id).limit(CANDIDATES)
        for entry_id in (await self.session.scalars(first)).all():
            statement = select(OutboxEntry).where(OutboxEntry.id == entry_id, *due).with_for_update(skip_locked=True)
            entry = cast("OutboxEntry | None", await self.session.scalar(statement))
            if entry is not None:
                return entry
        return None

    async def mark_done(self, key: str, now: datetime) -> None:
        """Done, by the worker or without it; its payload is deleted."""
        statement = (
            update(OutboxEntry)
            .where(OutboxEntry.key == key, OutboxEntry.state == PENDING)
            .values(state=DONE, payload=None, finished_at=now, last_error=None)
        )
        await self.session.execute(statement)

    async def status_of(self, key: str) -> JobStatus | None:
        """None when there is no such job, or no more."""
        columns = (OutboxEntry.state, OutboxEntry.due_at, OutboxEntry.gives_up_at, OutboxEntry.finished_at)
        row = (await self.session.execute(select(*columns).where(OutboxEntry.key == key))).one_or_none()
        return JobStatus(*row) if row else None

    async def newest_states(self, kind: str, subjects: Collection[str]) -> dict[str, str]:
        """State of the newest job of a kind, by subject."""
        statement = (
            select(OutboxEntry.subject, OutboxEntry.state)
            .where(OutboxEntry.kind == kind, OutboxEntry.subject.in_(subjects))
            .order_by(OutboxEntry.id)
        )
        return {subject: state for subject, state in await self.session.execute(statement) if subject}

    async def counts(self, now: datetime) -> dict[str, int]:
        """How many jobs are pending, without those that are for later, and how many dead letters can be replayed."""
        begun = (OutboxEntry.due_at <= now) | (OutboxEntry.attempts > 0)
        kept = OutboxEntry.state.in_((PENDING, DEAD)) & OutboxEntry.payload.is_not(null())
        rows = await self.session.execute(
            select(OutboxEntry.state, func.count()).where(kept, begun).group_by(OutboxEntry.state)
        )
        return {key: value for key, value in rows}  # noqa: C416  a Row is no tuple for the type checker

    async def oldest_waiting(self, kind: str, now: datetime) -> datetime | None:
        """When the job of a kind was made that is due and waits longest; None when none does."""
        waits = (OutboxEntry.kind == kind, OutboxEntry.state == PENDING, OutboxEntry.created_at <= now)
        return cast(
            "datetime | None", await self.session.scalar(select(func.min(OutboxEntry.created_at)).where(*waits))
        )

    async def dead_letters(self, limit: int) -> tuple[Sequence[OutboxEntry], int]:
        """The newest dead letters, and how many there are."""
        dead = OutboxEntry.state == DEAD
        newest = select(OutboxEntry).where(dead).order_by(OutboxEntry.finished_at.desc(), OutboxEntry.id.desc())
        rows = (await self.session.scalars(newest.limit(limit))).all()
        return rows, await self.count_dead()

    async def count_dead(self) -> int:
        """How many dead letters there are."""
        return await self.session.scalar(select(func.count()).where(OutboxEntry.state == DEAD)) or 0

    async def locked(self, entry_id: int) -> OutboxEntry | None:
        """Held until the transaction ends."""
        return await self.get_one_or_none(id=entry_id, with_for_update=True)

    async def remove(self, keys: Sequence[str]) -> None:
        await self.session.execute(delete(OutboxEntry).where(OutboxEntry.key.in_(keys)))

    async def subjects_of_dead(self, kinds: Collection[str], before: datetime) -> set[str]:
        """Subjects of the dead letters of these kinds from before that still have a payload."""
        statement = select(OutboxEntry.subject).where(
            OutboxEntry.kind.in_(kinds), *_kept_since(before), OutboxEntry.subject.is_not(None)
        )
        return {subject for subject in await self.session.scalars(statement.distinct()) if subject}

    async def erase_payloads_about(self, kinds: Collection[str], subjects: Collection[str]) -> int:
        """Delete the payloads of dead letters about these subjects; returns how many."""
        return await self._erased(
            update(OutboxEntry).where(
                OutboxEntry.kind.in_(kinds), OutboxEntry.state == DEAD, OutboxEntry.subject.in_(subjects)
            )
        )

    async def erase_payloads(self, before: datetime) -> int:
        """Delete the payloads of dead letters from before; returns how many."""
        return await self._erased(update(OutboxEntry).where(*_kept_since(before)))

    async def delete_finished(self, before: datetime) -> int:
        """Delete jobs that were finished before; returns how many."""
        statement = delete(OutboxEntry).where(OutboxEntry.state.in_((DONE, DEAD)), OutboxEntry.finished_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount

    async def _erased(self, which: Update) -> int:
        return cast("CursorResult[Any]", await self.session.execute(which.values(payload=None))).rowcount


def _kept_since(before: datetime) -> tuple[Any, ...]:
    return OutboxEntry.state == DEAD, OutboxEntry.finished_at < before, OutboxEntry.payload.is_not(null())
