"""SQL about the audit log: rows are added and their outcome filled in, never removed."""

from collections.abc import Sequence

from sqlalchemy import select, update

from vivero_control.db.repository import Repository
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

    async def conclude(self, record_id: int, outcome: str) -> None:
        await self.session.execute(update(AuditRecord).where(AuditRecord.id == record_id).values(outcome=outcome[:200]))
