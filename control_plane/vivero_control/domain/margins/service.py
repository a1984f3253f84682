"""What a tenant costs and brings, asked for at this moment: of the workspace, its subscription and its contracts."""

from collections.abc import Awaitable, Callable

from vivero_core.model.reading import Unreadable, salvaged
from vivero_core.model.tenant import Tenant
from vivero_web.errors import NotFoundError

from vivero_control.domain.accounts.usage import Usage
from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.contracts.contracts import ContractService
from vivero_control.domain.margins import policies
from vivero_control.domain.margins.schemas import Margin
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.domain.tenants.repository import TenantRepository
from vivero_control.settings import CostSettings


class CostsUnknownError(NotFoundError):
    """The settings do not say what anything costs."""

    def __init__(self) -> None:
        super().__init__(
            "This installation does not say what a workspace costs (`costs.enabled` in the chart's values)."
        )


class Margins:
    """For staff."""

    def __init__(
        self,
        *,
        tenants: TenantRepository,
        usage: Callable[[Tenant], Awaitable[Usage | None]],
        billing: BillingService,
        contracts: ContractService,
        costs: CostSettings | None,
    ) -> None:
        self._tenants = tenants
        self._usage = usage
        self._billing = billing
        self._contracts = contracts
        self._costs = costs

    async def of(self, name: str) -> Margin:
        """Of the tenant of this name.

        Raises:
            CostsUnknownError: nothing is known of costs here.
            TenantNotFoundError, UnavailableError.
        """
        if self._costs is None:
            raise CostsUnknownError
        found = await self._tenants.find(name)
        if found is None:
            raise TenantNotFoundError(name)
        if isinstance(found, Unreadable):
            found = salvaged(found)
        usage, uid = await self._usage(found), found.metadata.uid
        parts = policies.cost_parts(
            self._costs,
            runs=found.spec.suspended is None,
            stored_bytes=usage.storage_bytes.used if usage else None,
        )
        bought = await self._billing.of_tenant(uid)
        revenue = policies.revenue(await self._contracts.of_tenant(uid), bought.subscription, self._costs.currency)
        return policies.margin(parts, revenue, self._costs.currency)
