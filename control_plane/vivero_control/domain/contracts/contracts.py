"""Contracts: read by staff and customers, attached to a Tenant; and who is told that one ends."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import msgspec
from vivero_core.model.reading import Unreadable
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

from vivero_control.db.database import Database
from vivero_control.db.tables import Contract
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.contracts import jobs, policies
from vivero_control.domain.contracts.errors import AttachedAlreadyError, ContractNotFoundError
from vivero_control.domain.contracts.repository import ContractRepository
from vivero_control.domain.contracts.schemas import Attach, ContractList, ContractView, QuoteTerms
from vivero_control.domain.notifications import mails
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.lib.background import for_each

FIRST_NOTICE: Final = timedelta(days=max(policies.RENEWAL_NOTICES))


class ContractService:
    """Contracts."""

    def __init__(
        self, database: Database, tenants: TenantRepository, wake_worker: Callable[[], None], clock: Clock
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._wake_worker = wake_worker
        self._clock = clock

    async def all(self) -> ContractList:
        """The newest."""
        async with self._database.transaction() as session:
            rows, total = await ContractRepository(session).newest()
        return ContractList(items=tuple(self._view(row) for row in rows), total=total)

    async def get(self, number: int) -> ContractView:
        """Raises ContractNotFoundError."""
        async with self._database.transaction() as session:
            return self._view(_there(await ContractRepository(session).get_one_or_none(id=number)))

    async def of_tenant(self, tenant_uid: str) -> tuple[ContractView, ...]:
        """The one that starts last first."""
        async with self._database.transaction() as session:
            rows = await ContractRepository(session).of_tenant(tenant_uid)
        return tuple(self._view(row) for row in rows)

    async def attach(self, number: int, to: Attach, actor: str) -> ContractView:
        """Say for which Tenant it is; in force, that one has its plan and limits within seconds.

        Raises:
            InvalidInputError: naming `tenant`.
            AttachedAlreadyError: it is for one.
            ContractNotFoundError: there is none of this number.
        """
        found = await self._tenants.find(to.tenant)
        if found is None or isinstance(found, Unreadable) or found.is_spare:
            raise InvalidInputError.of("tenant", "There is no tenant of this name that could be read.")
        async with self._database.transaction() as session:
            row = _there(await ContractRepository(session).get_one_or_none(id=number, with_for_update=True))
            if row.tenant is not None:
                raise AttachedAlreadyError(row.tenant)
            row.tenant, row.tenant_uid = found.name, found.metadata.uid
            act = AuditAction(
                actor=actor,
                action="attach-contract",
                subject=contract_subject(number),
                reason="",
                detail={"tenant": found.name},
            )
            await AuditRepository(session).add(record(act, self._clock(), DONE))
            await jobs.enqueue_apply(session, row, self._clock())
        self._wake_worker()
        return self._view(row)

    async def tell_of_ends(self) -> None:
        """Mail who made the quote of each contract that ends soon, once for each number of days."""
        today = self._today()
        async with self._database.transaction() as session:
            ending = await ContractRepository(session).ending(today, today + FIRST_NOTICE)
        await for_each("contracts-ending", ending, self._tell_of_end, str)

    async def _tell_of_end(self, number: int) -> None:
        async with self._database.transaction() as session:
            row = await ContractRepository(session).get_one_or_none(id=number, with_for_update=True)
            days = policies.renewal_notice(row.ends_on, row.told_of_end, self._today()) if row else None
            if row is None or days is None:
                return
            row.told_of_end = days
            mail = mails.of_contract(
                "contract_ending",
                f"{row.id}:{days}",
                to=row.seller,
                number=row.id,
                company=row.terms["company"],
                ends=mails.day(row.ends_on),
            )
            await mails.enqueue(session, mail, self._clock(), subject=contract_subject(row.id))
        self._wake_worker()

    def _view(self, row: Contract) -> ContractView:
        return ContractView(
            id=row.id,
            quote=row.quote_id,
            state=policies.contract_state(row.starts_on, row.ends_on, self._today()),
            tenant=row.tenant,
            terms=msgspec.convert(row.terms, QuoteTerms),
            ends_on=row.ends_on,
            accepted_by=row.accepted_by,
            accepted_at=row.accepted_at,
            terms_version=row.terms_version,
            applied_at=row.applied_at,
        )

    def _today(self) -> date:
        return self._clock().date()


def _there(row: Contract | None) -> Contract:
    if row is None:
        raise ContractNotFoundError
    return row


def contract_subject(number: int) -> str:
    """The audit log's name for a contract."""
    return f"contract/{number}"
