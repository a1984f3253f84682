"""The audit log. A change of another system (the cluster) is logged before it is made, and its outcome after.

Rows are added and their outcome filled in, never removed.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from sqlalchemy import and_, func, select, update
from vivero_web.clock import Clock
from vivero_web.current_request import current_api_key, current_caller, current_request_id
from vivero_web.logins import WINDOW, is_worth_an_entry

from vivero_control.db.database import Database, Repository
from vivero_control.db.tables import AuditRecord


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to what, why, from where, and what came of it."""

    at: Annotated[datetime, Meta(description="When it was begun.")]
    actor: Annotated[str, Meta(description="E-mail of the actor, or a name of the platform.")]
    action: Annotated[str, Meta(description="Stable word for programs, such as `suspend`.")]
    subject: Annotated[str, Meta(description="What it was done to, such as `tenant/acme`.")]
    reason: Annotated[str, Meta(description="The reason that the actor gave.")]
    detail: Annotated[dict[str, Any], Meta(description="What else was said.")]
    outcome: Annotated[str, Meta(description="The outcome.")]
    address: Annotated[str, Meta(description="Client address; empty for the platform itself.")] = ""


class AuditRepository(Repository[AuditRecord]):
    """The log."""

    model_type = AuditRecord

    async def about(self, subjects: Sequence[str], limit: int) -> Sequence[AuditRecord]:
        """The newest first."""
        statement = (
            select(AuditRecord).where(AuditRecord.subject.in_(subjects)).order_by(AuditRecord.id.desc()).limit(limit)
        )
        return (await self.session.scalars(statement)).all()

    async def recent(self, action: str, subject: str, address: str, since: datetime) -> tuple[int, int]:
        """How many entries there are of an action from this moment on: with this subject and address, and in all."""
        same = func.coalesce(func.sum(and_(AuditRecord.subject == subject, AuditRecord.address == address)), 0)
        statement = select(same, func.count()).where(AuditRecord.action == action, AuditRecord.at >= since)
        alike, all_alike = (await self.session.execute(statement)).one()
        return int(alike), int(all_alike)

    async def unknown(self, sources: Collection[str]) -> set[str]:
        """Those of which there is no entry yet."""
        statement = select(AuditRecord.source).where(AuditRecord.source.in_(sources))
        return set(sources).difference((await self.session.scalars(statement)).all())

    async def conclude(self, record_id: int, outcome: str) -> None:
        await self.session.execute(update(AuditRecord).where(AuditRecord.id == record_id).values(outcome=outcome[:200]))


INTENDED: Final = "intended"
DONE: Final = "done"
ANONYMOUS: Final = "anonymous"
"""The actor of refused attempts."""
HISTORY: Final = 100
BATCH: Final = 200  # what was seen at once is looked up and written in transactions of this size


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAction:
    """What somebody is about to do, or did. `detail` contains no secret."""

    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObservedAction:
    """An action outside this program, observed here. `source` identifies it, in 64 characters."""

    action: AuditAction
    at: datetime
    source: str


class AuditService:
    """Writes and reads the log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def recording(self, action: AuditAction) -> AsyncIterator[None]:
        """Around a change: it is logged before, and its outcome after."""
        record_id = await self._write(action, INTENDED)
        try:
            yield
        except BaseException as error:
            await self._conclude(record_id, f"failed: {type(error).__name__}")
            raise
        await self._conclude(record_id, DONE)

    async def log(self, action: AuditAction) -> None:
        """Something that has just been done, for example a login."""
        await self._write(action, DONE)

    async def log_refusal(self, action: str, subject: str) -> None:
        """What somebody was refused, so often as `vivero_web.logins` says; `subject` is an account, never what was typed."""
        now = self._clock()
        async with self._database.transaction() as session:
            log = AuditRepository(session)
            if is_worth_an_entry(*await log.recent(action, subject, current_caller(), now - WINDOW)):
                await log.add(refusal(action, subject, now))

    async def log_observed(self, found: Sequence[ObservedAction]) -> None:
        """Each with its own time, and once, however many processes observe it.

        In the order of their sources, so that two processes wait for each other instead of deadlocking.
        """
        by_source = sorted(found, key=lambda one: one.source)
        for some in (by_source[start : start + BATCH] for start in range(0, len(by_source), BATCH)):
            async with self._database.transaction() as session:
                log = AuditRepository(session)
                unknown = await log.unknown([one.source for one in some])
                rows = [_observed_record(one) for one in some if one.source in unknown]
                if rows:
                    await log.add_new(rows)

    async def history(self, *subjects: str) -> tuple[AuditEntry, ...]:
        """The newest HISTORY entries about what is known by these names, for example `tenant/acme`."""
        async with self._database.transaction() as session:
            rows = await AuditRepository(session).about(subjects, HISTORY)
            return tuple(as_entry(row) for row in rows)

    async def _write(self, action: AuditAction, outcome: str) -> int:
        async with self._database.transaction() as session:
            row = record(action, self._clock(), outcome)
            await AuditRepository(session).add(row)
            return row.id

    async def _conclude(self, record_id: int, outcome: str) -> None:
        async with self._database.transaction() as session:
            await AuditRepository(session).conclude(record_id, outcome)


def record(action: AuditAction, now: datetime, outcome: str) -> AuditRecord:
    """The row of an act; for changes of our own schema it is written in their transaction.

    What a program does with an API key is its owner's act, and says by which key.
    """
    key = current_api_key()
    return AuditRecord(
        at=now,
        actor=action.actor,
        action=action.action,
        subject=action.subject,
        reason=action.reason,
        detail=action.detail | {"api_key": key} if key else action.detail,
        outcome=outcome,
        request_id=current_request_id(),
        address=current_caller(),
    )


def _observed_record(observed: ObservedAction) -> AuditRecord:
    row = record(observed.action, observed.at, DONE)
    row.source = observed.source
    return row


def refusal(action: str, subject: str, now: datetime) -> AuditRecord:
    """The row of a refused attempt."""
    return record(AuditAction(actor=ANONYMOUS, action=action, subject=subject, reason="", detail={}), now, DONE)


def as_entry(row: AuditRecord) -> AuditEntry:
    return AuditEntry(
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        detail=row.detail,
        outcome=row.outcome,
        address=row.address,
    )
