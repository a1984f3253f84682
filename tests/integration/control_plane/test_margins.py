"""A tenant's margin on real services: what its subscription pays, and what is not known while it does not answer."""

from datetime import UTC, datetime, timedelta

import httpx
from integration.control_plane.support import Names, make_workspace
from vivero_control import composition
from vivero_control.domain.accounts.usage import Meter, Usage
from vivero_control.domain.margins.service import Margins
from vivero_control.settings import CostSettings
from vivero_core.backends.kube.client import KubeClient
from vivero_core.model.tenant import Tenant


async def test_a_trial_costs_what_it_stores_and_brings_nothing(
    infrastructure: composition.Infrastructure, kube: KubeClient, names: Names
) -> None:
    tenant = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))

    async def usage(asked: Tenant) -> Usage | None:
        assert asked.metadata.uid == tenant.metadata.uid
        return Usage(Meter(1, 10), Meter(1, None), Meter(3 * 2**30, None))

    services = composition.services(infrastructure)
    margins = Margins(
        tenants=infrastructure.tenants,
        usage=usage,
        billing=services.billing,
        contracts=services.contracts,
        costs=CostSettings(workspace_cents=900, storage_gib_cents=12),
    )
    found = await margins.of(tenant.name)
    assert (found.cost_cents, found.is_whole, found.revenue_of, found.margin_cents) == (936, True, "nothing", -936)


def test_without_prices_there_is_no_margin(staff: httpx.Client) -> None:
    answer = staff.get("/api/v1/tenants/no-such-tenant/margin")
    assert answer.status_code == 404
    assert "does not say what a workspace costs" in answer.json()["detail"]
