"""A subscription while nothing else is done with it: what owners and staff order happens there, one order after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from vivero_core.model.tenant import Tenant
from vivero_web.errors import ConflictError, UnavailableError

from vivero_control.db.database import Database
from vivero_control.domain.audit.service import AuditAction, AuditService
from vivero_control.domain.billing import policies
from vivero_control.domain.billing.errors import BillingOffError, NothingBoughtError
from vivero_control.domain.billing.provider import PaymentProvider
from vivero_control.domain.billing.repository import CustomerRepository, known, locked
from vivero_control.domain.billing.schemas import Account, Subscription
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.tenants.policies import tenant_subject


class Held(NamedTuple):
    """A customer while its row is locked; `current` is the subscription that decides, of all that the provider has."""

    provider: PaymentProvider
    customer: str
    account: Account
    current: Subscription | None


class HeldSubscriptions:
    """Locks customers. Without a provider: BillingOffError."""

    def __init__(
        self, database: Database, provider: PaymentProvider | None, billing: BillingService, audit: AuditService
    ) -> None:
        self._database = database
        self._provider = provider
        self._billing = billing
        self._audit = audit

    def provider(self) -> PaymentProvider:
        """Raises BillingOffError."""
        if self._provider is None:
            raise BillingOffError
        return self._provider

    @asynccontextmanager
    async def hold(self, tenant: Tenant, by: str, action: str, reason: str) -> AsyncIterator[Held]:
        """The subscription as the provider has it; what the block has done is in the audit log and applied.

        Raises:
            NothingBoughtError: there is no customer.
            UnavailableError: the provider does not answer.
        """
        provider, uid = self.provider(), tenant.metadata.uid
        act = AuditAction(actor=by, action=action, subject=tenant_subject(tenant.name), reason=reason, detail={})
        async with self._audit.recording(act), self._database.transaction() as session:
            found = await CustomerRepository(session).get_one_or_none(tenant_uid=uid)
            if found is None:
                raise NothingBoughtError
            customer = known(await locked(session, found.id))
            account = await provider.account(customer)
            yield Held(provider, customer, account, policies.deciding(account.subscriptions))
        # Before the provider's message comes; when that fails, the message brings it.
        with suppress(UnavailableError, ConflictError):
            await self._billing.refresh(uid)
