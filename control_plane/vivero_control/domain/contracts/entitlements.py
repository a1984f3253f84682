"""What a workspace has by contract: its plan and its own limits, from the first day to the last.

Level-based: a Tenant is compared with the contract that is in force, on its first day, every few minutes, and when a
contract is attached. What others set is put back. After the last day nothing is taken away: staff were told of it, and
they decide. Of two contracts in force the one that started last counts.
"""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec
from vivero_web.clock import Clock

from vivero_control.db.database import Database
from vivero_control.db.tables import Contract
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.contracts import policies
from vivero_control.domain.contracts.repository import ContractRepository
from vivero_control.domain.contracts.schemas import QuoteTerms
from vivero_control.domain.tenants.following import TenantFollower
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.lib.background import for_each

ACTOR: Final = "contracts"

logger = logging.getLogger(__name__)


class Entitlements:
    """Applies contracts to Tenants."""

    def __init__(self, database: Database, tenants: TenantRepository, audit: AuditService, clock: Clock) -> None:
        self._database = database
        self._follower = TenantFollower(tenants, audit)
        self._clock = clock

    async def apply(self, number: int) -> None:
        """What this contract says, while it is the one in force for its Tenant.

        Raises:
            UnavailableError: the cluster or the database does not answer.
            TenantChangedError: others wrote to the Tenant in each of the attempts.
            TenantUnreadableError: a person has to correct it.
        """
        async with self._database.transaction() as session:
            row = await ContractRepository(session).get_one_or_none(id=number, with_for_update=True)
            if row is None or row.tenant is None or row.tenant_uid is None:
                return
            holding = await ContractRepository(session).in_force(self._today(), row.tenant_uid)
            if not holding or holding[0].id != number:
                return
            tenant = await self._follower.find(row.tenant, row.tenant_uid)
            if tenant is None:
                logger.warning("the workspace of a contract is gone", extra={"contract": number, "tenant": row.tenant})
                return
            terms = msgspec.convert(row.terms, QuoteTerms)
            act = AuditAction(
                actor=ACTOR,
                action="follow-contract",
                subject=tenant_subject(row.tenant),
                reason=f"Contract {number} says so.",
                detail={"contract": number, "plan": terms.plan, "limits": msgspec.to_builtins(terms.limits)},
            )
            await self._follower.follow(
                tenant, lambda found: policies.entitlement(found, terms.plan, terms.limits), act
            )
            row.applied_at = row.applied_at or self._clock()

    async def apply_all(self) -> None:
        """Each that is in force, by itself."""
        async with self._database.transaction() as session:
            holding = await ContractRepository(session).in_force(self._today())
        await for_each("contracts", latest(holding), self.apply, str)

    def _today(self) -> date:
        return self._clock().date()


def latest(contracts: Sequence[Contract]) -> list[int]:
    """The first of each Tenant's, by number."""
    first: dict[str | None, int] = {}
    for one in contracts:
        first.setdefault(one.tenant_uid, one.id)
    return list(first.values())
