"""SQL about the outbox: rows go in with the decision, workers take them out under a lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.dialects.mysql import insert

from vivero_control.db.repository import Repository
from vivero_control.db.tables import OutboxEntry

DONE = "done"
DEAD = "dead"
PENDING = "pending"


class OutboxRepository(Repository[OutboxEntry]):
    """What must happen."""

    model_type = OutboxEntry

    async def put(self, *, kind: str, key: str, payload: dict[str, Any], now: datetime, due_at: datetime) -> None:
        """Once for each key: a second time changes nothing."""
        statement = insert(OutboxEntry).values(
            kind=kind, key=key, payload=payload, state=PENDING, attempts=0, due_at=due_at, created_at=now
        )
        await self.session.execute(statement.on_duplicate_key_update(key=key))

    async def take(self, now: datetime) -> OutboxEntry | None:
        """The entry that is due longest, locked until the transaction ends; others take other ones."""
        statement = (
            select(OutboxEntry)
            .where(OutboxEntry.state == PENDING, OutboxEntry.due_at <= now)
            .order_by(OutboxEntry.due_at, OutboxEntry.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return cast("OutboxEntry | None", await self.session.scalar(statement))

    async def finish(self, key: str, now: datetime) -> None:
        """It has been done, by whoever; what it carried is no longer kept."""
        statement = (
            update(OutboxEntry)
            .where(OutboxEntry.key == key, OutboxEntry.state == PENDING)
            .values(state=DONE, payload=None, finished_at=now, last_error=None)
        )
        await self.session.execute(statement)

    async def state_of(self, key: str) -> str | None:
        return cast("str | None", await self.session.scalar(select(OutboxEntry.state).where(OutboxEntry.key == key)))

    async def counts(self) -> dict[str, int]:
        """How many entries are in each state."""
        rows = await self.session.execute(select(OutboxEntry.state, func.count()).group_by(OutboxEntry.state))
        return {key: value for key, value in rows}  # noqa: C416  a Row is no tuple for the type checker

    async def drop(self, keys: Sequence[str]) -> None:
        await self.session.execute(delete(OutboxEntry).where(OutboxEntry.key.in_(keys)))

    async def forget(self, before: datetime) -> int:
        """Remove what was done before; dead entries stay for a person."""
        statement = delete(OutboxEntry).where(OutboxEntry.state == DONE, OutboxEntry.finished_at < before)
        return cast("CursorResult[Any]", await self.session.execute(statement)).rowcount
