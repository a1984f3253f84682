"""SQL about quotes and contracts."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import func, select

from vivero_control.db.database import Repository
from vivero_control.db.tables import Base, Contract, Quote

SHOWN = 100
"""Rows of one list."""

RowT = TypeVar("RowT", bound=Base)


class _Numbered(Repository[RowT]):
    """Rows by number, the newest first."""

    async def newest(self) -> tuple[Sequence[RowT], int]:
        """The newest SHOWN, and how many there are."""
        kind = self.model_type
        rows = (await self.session.scalars(select(kind).order_by(kind.__table__.c.id.desc()).limit(SHOWN))).all()
        return rows, await self.session.scalar(select(func.count()).select_from(kind)) or 0


class QuoteRepository(_Numbered[Quote]):
    """Quotes."""

    model_type = Quote


class ContractRepository(_Numbered[Contract]):
    """Contracts."""

    model_type = Contract

    async def of_quotes(self, quotes: Sequence[int]) -> dict[int, int]:
        """The number of each contract, by that of its quote."""
        wanted = select(Contract.quote_id, Contract.id).where(Contract.quote_id.in_(quotes))
        return dict(iter(await self.session.execute(wanted))) if quotes else {}

    async def of_tenant(self, tenant_uid: str) -> Sequence[Contract]:
        """The one that starts last first."""
        wanted = select(Contract).where(Contract.tenant_uid == tenant_uid)
        return (await self.session.scalars(wanted.order_by(Contract.starts_on.desc(), Contract.id.desc()))).all()

    async def in_force(self, today: date, tenant_uid: str | None = None) -> Sequence[Contract]:
        """Those that hold on a day for a Tenant, or for that one; the one that started last first."""
        of = Contract.tenant_uid.is_not(None) if tenant_uid is None else Contract.tenant_uid == tenant_uid
        wanted = select(Contract).where(of, Contract.starts_on <= today, Contract.ends_on >= today)
        return (await self.session.scalars(wanted.order_by(Contract.starts_on.desc(), Contract.id.desc()))).all()

    async def ending(self, today: date, by: date) -> Sequence[int]:
        """Numbers of those whose last day is from one day to another."""
        wanted = select(Contract.id).where(Contract.ends_on >= today, Contract.ends_on <= by)
        return (await self.session.scalars(wanted.order_by(Contract.id))).all()
