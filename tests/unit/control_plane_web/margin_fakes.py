"""Cost and margin of tenants in memory."""

from vivero_control.domain.margins import policies
from vivero_control.domain.margins.policies import Revenue
from vivero_control.domain.margins.schemas import Margin, RevenueOf
from vivero_control.domain.margins.service import CostsUnknownError, Margins
from vivero_control.settings import CostSettings

COSTS = CostSettings(workspace_cents=900, storage_gib_cents=12)
SOLD = Revenue(RevenueOf.CONTRACT, 416_667, "EUR")


class FakeMargins(Margins):
    """The same of every tenant; None: nothing is known of costs."""

    def __init__(
        self, costs: CostSettings | None = COSTS, *, stored: int | None = 5 * 2**30, revenue: Revenue = SOLD
    ) -> None:
        self.costs = costs
        self.stored = stored
        self.revenue = revenue

    async def of(self, name: str) -> Margin:
        del name
        if self.costs is None:
            raise CostsUnknownError
        parts = policies.cost_parts(self.costs, runs=self.stored is not None, stored_bytes=self.stored)
        return policies.margin(parts, self.revenue, self.costs.currency)
