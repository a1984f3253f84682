"""SQL about who manages a workspace."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select

from vivero_control.db.database import Repository
from vivero_control.db.tables import WorkspaceManager


class ManagerRepository(Repository[WorkspaceManager]):
    """Managers of workspaces. Addresses are given in lower case."""

    model_type = WorkspaceManager

    async def of(self, tenant_id: str) -> Sequence[WorkspaceManager]:
        """By address."""
        statement = select(WorkspaceManager).where(WorkspaceManager.tenant_id == tenant_id)
        return (await self.session.scalars(statement.order_by(WorkspaceManager.email))).all()

    async def named(self, email: str) -> Sequence[WorkspaceManager]:
        """What this person manages, the first first."""
        statement = select(WorkspaceManager).where(WorkspaceManager.email == email)
        return (await self.session.scalars(statement.order_by(WorkspaceManager.named_at, WorkspaceManager.id))).all()

    async def count(self, tenant_id: str) -> int:
        statement = select(func.count()).where(WorkspaceManager.tenant_id == tenant_id)
        return await self.session.scalar(statement) or 0

    async def remove(self, tenant_id: str, email: str) -> bool:
        """Whether there was one."""
        statement = delete(WorkspaceManager).where(
            WorkspaceManager.tenant_id == tenant_id, WorkspaceManager.email == email
        )
        return bool(cast("CursorResult[Any]", await self.session.execute(statement)).rowcount)

    async def forget(self, tenant_ids: Collection[str]) -> None:
        """All managers of these tenants, which are erased."""
        await self.session.execute(delete(WorkspaceManager).where(WorkspaceManager.tenant_id.in_(tenant_ids)))
