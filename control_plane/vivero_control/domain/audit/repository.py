"""SQL about the audit log: rows are added and their outcome filled in, never removed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, func, select, update
from sqlalchemy.exc import IntegrityError

from vivero_control.db.database import Repository
from vivero_control.db.tables import AuditRecord


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

    async def put(self, row: AuditRecord) -> None:
        """Unless another process has just written down the same."""
        try:
            async with self.session.begin_nested():
                await self.add(row)
        except IntegrityError:
            return

    async def conclude(self, record_id: int, outcome: str) -> None:
        await self.session.execute(update(AuditRecord).where(AuditRecord.id == record_id).values(outcome=outcome[:200]))
