"""The audit log. A change elsewhere (in the cluster) is written down before it is made, and its outcome after."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from vivero_web.client_address import current_caller
from vivero_web.clock import Clock
from vivero_web.refusals import WINDOW, is_worth_an_entry
from vivero_web.request_id import current_request_id

from vivero_control.db.database import Database
from vivero_control.db.tables import AuditRecord
from vivero_control.domain.audit.repository import AuditRepository
from vivero_control.domain.audit.schemas import AuditEntry

INTENDED: Final = "intended"
DONE: Final = "done"
ANONYMOUS: Final = "anonymous"
"""The actor of what somebody tried who was not let in."""
HISTORY: Final = 100
BATCH: Final = 200  # what was seen at once is looked up and written in transactions of this size


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAction:
    """What is about to be done. `detail` holds no secret."""

    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObservedAction:
    """What was done elsewhere, and only seen here. `source` names it, in 64 characters."""

    act: AuditAction
    at: datetime
    source: str


class AuditService:
    """Writes and reads the log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def recording(self, act: AuditAction) -> AsyncIterator[None]:
        """Around a change: no change without a row, and the row says how it ended."""
        record_id = await self._write(act, INTENDED)
        try:
            yield
        except BaseException as error:
            await self._conclude(record_id, f"failed: {type(error).__name__}")
            raise
        await self._conclude(record_id, DONE)

    async def log(self, act: AuditAction) -> None:
        """Something that has just happened, for example a login."""
        await self._write(act, DONE)

    async def log_refusal(self, action: str, subject: str) -> None:
        """What somebody was refused, so often as `vivero_web.refusals` says; `subject` is an account, never what was typed."""
        now = self._clock()
        async with self._database.transaction() as session:
            log = AuditRepository(session)
            if is_worth_an_entry(*await log.recent(action, subject, current_caller(), now - WINDOW)):
                await log.add(refusal(action, subject, now))

    async def log_observed(self, found: Sequence[ObservedAction]) -> None:
        """Each at its own time, and once, however often and by how many processes it is seen."""
        for some in (found[start : start + BATCH] for start in range(0, len(found), BATCH)):
            async with self._database.transaction() as session:
                log = AuditRepository(session)
                unknown = await log.unknown([one.source for one in some])
                for one in some:
                    if one.source in unknown:
                        row = record(one.act, one.at, DONE)
                        row.source = one.source
                        await log.put(row)

    async def history(self, *subjects: str) -> tuple[AuditEntry, ...]:
        """The newest HISTORY entries about what is known by these names, for example `tenant/acme`."""
        async with self._database.transaction() as session:
            rows = await AuditRepository(session).about(subjects, HISTORY)
            return tuple(_entry(row) for row in rows)

    async def _write(self, act: AuditAction, outcome: str) -> int:
        async with self._database.transaction() as session:
            row = record(act, self._clock(), outcome)
            await AuditRepository(session).add(row)
            return row.id

    async def _conclude(self, record_id: int, outcome: str) -> None:
        async with self._database.transaction() as session:
            await AuditRepository(session).conclude(record_id, outcome)


def record(act: AuditAction, now: datetime, outcome: str) -> AuditRecord:
    """The row of an act; for changes of our own schema it is written in their transaction."""
    return AuditRecord(
        at=now,
        actor=act.actor,
        action=act.action,
        subject=act.subject,
        reason=act.reason,
        detail=act.detail,
        outcome=outcome,
        request_id=current_request_id(),
        address=current_caller(),
    )


def refusal(action: str, subject: str, now: datetime) -> AuditRecord:
    """The row of something that nobody who is known has tried."""
    return record(AuditAction(actor=ANONYMOUS, action=action, subject=subject, reason="", detail={}), now, DONE)


def _entry(row: AuditRecord) -> AuditEntry:
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
