"""Dead letters: jobs that were given up. Staff see them, and replay them with a new budget of time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, NotFoundError

from vivero_control.db.database import Database
from vivero_control.db.tables import OutboxEntry
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.jobs.kinds import JobDescription, JobKind
from vivero_control.jobs.repository import DEAD, PENDING, OutboxRepository


class DeadLetterNotFoundError(NotFoundError):
    """Never there, or removed since."""

    def __init__(self) -> None:
        super().__init__("There is no such job.")


class ErasedError(ConflictError):
    """Nobody knows any more what was to be done."""

    def __init__(self) -> None:
        super().__init__("What this job needs has been erased, so it cannot be replayed.")


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One job; nothing secret of its payload.

    Attributes:
        recipient: a name or an address; empty once the payload is erased.
        is_kept: whether the payload is still there, so that it can be replayed.
    """

    id: int
    what: str
    recipient: str
    error: str
    attempts: int
    created_at: datetime
    died_at: datetime
    is_kept: bool


class DeadLetterList(Struct, frozen=True, kw_only=True):
    """Those that died last, and how many there are."""

    items: tuple[DeadLetter, ...]
    total: int


SHOWN: Final = 100


class DeadLetterService:
    """Lists and replays."""

    def __init__(
        self, database: Database, kinds: Mapping[str, JobKind], wake_worker: Callable[[], None], clock: Clock
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._wake_worker = wake_worker
        self._clock = clock

    async def newest(self) -> DeadLetterList:
        """The SHOWN that died last."""
        async with self._database.transaction() as session:
            rows, total = await OutboxRepository(session).dead_letters(SHOWN)
        return DeadLetterList(items=tuple(self._letter(row) for row in rows), total=total)

    async def count(self) -> int:
        """How many there are."""
        async with self._database.transaction() as session:
            return await OutboxRepository(session).count_dead()

    async def replay(self, entry_id: int, actor: str) -> None:
        """Have it tried again from the start; one that is not dead any more is left alone, so twice is once.

        Raises:
            DeadLetterNotFoundError: there is no such job.
            ConflictError: it cannot be done any more; the sentence says why.
        """
        async with self._database.transaction() as session:
            entry = await OutboxRepository(session).locked(entry_id)
            if entry is None:
                raise DeadLetterNotFoundError
            if entry.state != DEAD:
                return
            if entry.payload is None:
                raise ErasedError
            if kind := self._kinds.get(entry.kind):
                await kind.on_replay(session, entry.payload)
            now = self._clock()
            await AuditRepository(session).add(record(_act(entry, actor), now, DONE))
            _begin_anew(entry, now)
        self._wake_worker()

    def _letter(self, row: OutboxEntry) -> DeadLetter:
        kind = self._kinds.get(row.kind)
        description = kind.describe(row.payload or {}) if kind else JobDescription(row.kind, "")
        return DeadLetter(
            id=row.id,
            what=description.what,
            recipient=description.recipient if row.payload else "",
            error=row.last_error or "",
            attempts=row.attempts,
            created_at=row.created_at,
            died_at=row.finished_at or row.due_at,
            is_kept=row.payload is not None,
        )


def _begin_anew(entry: OutboxEntry, now: datetime) -> None:
    entry.state, entry.attempts, entry.due_at = PENDING, 0, now
    entry.gives_up_at = entry.finished_at = None


def _act(entry: OutboxEntry, actor: str) -> AuditAction:
    """Without the job's key: it may contain the id of a signup."""
    return AuditAction(
        actor=actor,
        action="replay",
        subject=entry.subject or f"job/{entry.id}",
        reason="",
        detail={"job": entry.id, "kind": entry.kind, "error": entry.last_error},
    )
