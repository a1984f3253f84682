"""SQL of runs and of their tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select

from vivero_control.db.database import Repository
from vivero_control.db.tables import BulkItem, BulkRun
from vivero_control.domain.bulk_runs.schemas import ItemState

SHOWN = 100


class RunRepository(Repository[BulkRun]):
    """Orders for many."""

    model_type = BulkRun

    async def counts(self, run: int) -> dict[str, int]:
        statement = select(BulkItem.state, func.count()).where(BulkItem.run_id == run).group_by(BulkItem.state)
        return {state: count for state, count in await self.session.execute(statement)}  # noqa: C416  a Row is no tuple for the type checker

    async def left(self, run: int) -> Sequence[BulkItem]:
        """Those for which it was not done, by name."""
        of = BulkItem.run_id == run, BulkItem.state.in_((ItemState.REFUSED, ItemState.GIVEN_UP))
        return (await self.session.scalars(select(BulkItem).where(*of).order_by(BulkItem.tenant).limit(SHOWN))).all()

    async def forget(self, before: datetime) -> int:
        """Delete older ones with their tenants."""
        return cast(
            "CursorResult[Any]", await self.session.execute(delete(BulkRun).where(BulkRun.made_at < before))
        ).rowcount


class ItemRepository(Repository[BulkItem]):
    """Tenants of runs."""

    model_type = BulkItem

    async def locked(self, run: int, tenant: str) -> BulkItem | None:
        return await self.get_one_or_none(run_id=run, tenant=tenant, with_for_update=True)
