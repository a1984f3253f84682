"""SQL about billing. What is applied to a customer is applied under the lock on its row."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from vivero_control.db.database import Repository
from vivero_control.db.tables import (
    BillingCheckout,
    BillingCustomer,
    BillingDifference,
    BillingInvoice,
    BillingSubscription,
)
from vivero_control.domain.billing import policies
from vivero_control.domain.billing.errors import NothingBoughtError
from vivero_control.domain.billing.policies import Difference
from vivero_control.domain.billing.schemas import Account, Invoice, Subscription

S = TypeVar("S", bound=Struct)


class CustomerRepository(Repository[BillingCustomer]):
    """Customers: one for each Tenant's uid."""

    model_type = BillingCustomer

    async def put(self, tenant_uid: str, tenant: str, now: datetime) -> BillingCustomer:
        """The Tenant's customer, made if there is none, and locked until the transaction ends."""
        await self.add_new([BillingCustomer(id=uuid4(), tenant_uid=tenant_uid, tenant=tenant, created_at=now)])
        statement = select(BillingCustomer).where(BillingCustomer.tenant_uid == tenant_uid).with_for_update()
        return (await self.session.scalars(statement)).one()

    async def locked(self, customer_id: UUID) -> BillingCustomer | None:
        """Held until the transaction ends."""
        return await self.get_one_or_none(id=customer_id, with_for_update=True)

    async def known(self) -> Sequence[UUID]:
        """Those that the provider has made."""
        statement = select(BillingCustomer.id).where(BillingCustomer.provider_id.is_not(None))
        return (await self.session.scalars(statement)).all()


class CheckoutRepository(Repository[BillingCheckout]):
    """Orders."""

    model_type = BillingCheckout

    async def payable(self, customer_id: UUID, now: datetime) -> Sequence[BillingCheckout]:
        """Those that may still be paid."""
        statement = select(BillingCheckout).where(
            BillingCheckout.customer_id == customer_id, BillingCheckout.expires_at > now
        )
        return (await self.session.scalars(statement)).all()


class AccountRepository:
    """Our copy of what the provider has of a customer."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self, customer_id: UUID) -> Account:
        """As it was applied last; the newest first."""
        subscriptions = select(BillingSubscription).where(BillingSubscription.customer_id == customer_id)
        invoices = select(BillingInvoice).where(BillingInvoice.customer_id == customer_id)
        return Account(
            subscriptions=tuple(
                _struct(row, Subscription)
                for row in await self._session.scalars(subscriptions.order_by(BillingSubscription.created_at.desc()))
            ),
            invoices=tuple(
                _struct(row, Invoice)
                for row in await self._session.scalars(
                    invoices.order_by(BillingInvoice.created_at.desc(), BillingInvoice.id)
                )
            ),
        )

    async def replace(self, customer_id: UUID, ours: Account, theirs: Account) -> None:
        """Write what differs. All of it is deleted before any is inserted: a void invoice makes room for another."""
        charges = policies.charges(theirs.invoices)
        for model, before, after in (
            (BillingSubscription, ours.subscriptions, theirs.subscriptions),
            (BillingInvoice, ours.invoices, theirs.invoices),
        ):
            changed = policies.differing(before, after)
            if not changed:
                continue
            await self._session.execute(delete(model).where(model.id.in_(changed)))
            rows = [
                {**msgspec.structs.asdict(one), "customer_id": customer_id}
                | ({"charge": charges[one.id]} if model is BillingInvoice else {})
                for one in after
                if one.id in changed
            ]
            if rows:
                await self._session.execute(insert(model), rows)


class DifferenceRepository(Repository[BillingDifference]):
    """What the hourly comparison has found."""

    model_type = BillingDifference

    async def newest(self, limit: int) -> tuple[Sequence[tuple[BillingDifference, str]], int]:
        """Each with the Tenant that is paid for, the newest first; and how many there are in all."""
        statement = (
            select(BillingDifference, BillingCustomer.tenant)
            .join(BillingCustomer, BillingCustomer.id == BillingDifference.customer_id)
            .order_by(BillingDifference.id.desc())
            .limit(limit)
        )
        found = [(row, tenant) for row, tenant in await self.session.execute(statement)]
        total = await self.session.scalar(select(func.count()).select_from(BillingDifference))
        return found, total or 0

    async def count_since(self, kinds: Collection[Difference], since: datetime) -> int:
        """How many of these kinds were found from a moment on."""
        wanted = (BillingDifference.what.in_(kinds), BillingDifference.found_at >= since)
        return await self.session.scalar(select(func.count()).where(*wanted)) or 0

    async def note(self, customer_id: UUID, found: Mapping[Difference, str], now: datetime) -> None:
        """One that a person has to mend is one row for as long as it stays."""
        rows = [
            BillingDifference(
                customer_id=customer_id,
                key=_key(customer_id, what, detail, "" if what in policies.FOR_PEOPLE else now.isoformat()),
                what=what,
                detail=detail[:500],
                found_at=now,
            )
            for what, detail in found.items()
        ]
        if rows:
            await self.add_new(rows)


async def locked(session: AsyncSession, customer_id: UUID) -> BillingCustomer:
    """The customer, held until the transaction ends. Raises NothingBoughtError when there is none."""
    customer = await CustomerRepository(session).locked(customer_id)
    if customer is None:
        raise NothingBoughtError
    return customer


def known(customer: BillingCustomer) -> str:
    """The provider's name for it. Raises NothingBoughtError when it has none."""
    if customer.provider_id is None:
        raise NothingBoughtError
    return customer.provider_id


def _key(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _struct(row: object, kind: type[S]) -> S:
    """A row as its struct, whose fields are named as the columns."""
    values: dict[str, Any] = {name: getattr(row, name) for name in kind.__struct_fields__}
    return msgspec.convert(values, kind)
