"""What the operator tells Prometheus of each tenant that is expected to answer, and of no other."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from reconcile.scenes import pod
from reconcile.world import NOW, Object
from unit.operator.made import PAUSED, body, condition, served
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.policies.life import in_service
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.tenants_in_service import TenantsInService, measured

URL = {"url": "https://acme.vivero.localhost"}
SUSPENDED = {"suspended": {"reason": "Unpaid"}}


def of(tenant: Tenant, *, ready: bool, number: int = 0) -> Pod:
    found = pod(ready=ready)
    found["metadata"]["name"] = f"app-{number}"
    found["metadata"]["labels"]["vivero.dev/tenant"] = tenant.id
    return Pod.parse(found)


def numbers(cluster: Cluster, *, listed: bool = True) -> dict[str, dict[str, float]]:
    """Metric -> tenant -> value."""
    found: dict[str, dict[str, float]] = {}
    for metric in TenantsInService(cluster, lambda: listed).collect():
        found[metric.name] = {one.labels["tenant"]: one.value for one in metric.samples}
    return found


def test_ready_pods_are_counted_and_the_condition_is_told() -> None:
    cluster, well, ill = Cluster(), served("well", status=URL), served("ill", reason="CrashLoopBackOff", status=URL)
    for tenant in (well, ill):
        cluster.tenants.put(tenant)
    cluster.put_pod(of(well, ready=True))
    cluster.put_pod(of(well, ready=True, number=1))
    cluster.put_pod(of(ill, ready=False))
    assert numbers(cluster) == {
        "vivero_tenant_ready_pods": {"well": 2, "ill": 0},
        "vivero_tenant_ready": {"well": 1, "ill": 0},
    }


@pytest.mark.parametrize(
    ("spec", "status", "meta", "expected"),
    [
        ({}, URL, {}, True),
        ({}, URL, {"annotations": PAUSED}, True),
        ({}, URL | {"provenAt": (NOW - timedelta(days=9)).isoformat()}, {}, True),
        ({}, {}, {}, False),
        ({}, URL | {"provenAt": None}, {}, False),
        (SUSPENDED, URL, {}, False),
        ({}, URL | {"conditions": [condition("Suspended", "Unpaid", truth=True)]}, {}, False),
        ({}, URL, {"deletionTimestamp": NOW.isoformat()}, False),
    ],
    ids=["well", "paused", "long proven", "no address", "never served", "to be suspended", "resumed", "deleted"],
)
def test_who_is_expected_to_answer(spec: Object, status: Object, meta: Object, *, expected: bool) -> None:
    assert in_service(served("acme", spec=spec, status=status, **meta)) is expected


def test_a_spare_is_not_expected_to() -> None:
    spare = body("Tenant", "spare", status=URL | {"provenAt": NOW.isoformat()})
    spare["spec"] = {"displayName": "Spare", "plan": "trial", "pool": "trial"}
    assert not in_service(Tenant.parse(spare))


def test_a_restore_in_place_takes_it_out_on_purpose() -> None:
    cluster = Cluster()
    cluster.tenants.put(served("acme", status=URL))
    assert numbers(cluster)["vivero_tenant_ready_pods"] == {"acme": 0}
    switching = {"conditions": [condition("Complete", "Switching", truth=False)]}
    cluster.of(TenantRestore).put(TenantRestore.parse(body("TenantRestore", "back", status=switching)))
    assert numbers(cluster)["vivero_tenant_ready_pods"] == {}


def test_nothing_is_said_before_the_pods_were_listed() -> None:
    cluster = Cluster()
    cluster.tenants.put(served("acme", status=URL))
    assert numbers(cluster, listed=False) == {"vivero_tenant_ready_pods": {}, "vivero_tenant_ready": {}}


def test_two_replicas_in_one_process_and_a_leader_that_stops() -> None:
    """Another is never refused, and none leaves numbers behind."""
    cluster = Cluster()
    cluster.tenants.put(served("acme", status=URL))
    registry = CollectorRegistry(auto_describe=True)
    with measured(cluster, lambda: True, registry), measured(Cluster(), lambda: True, registry):
        assert b'vivero_tenant_ready{tenant="acme"' in generate_latest(registry)
    assert b"vivero_tenant" not in generate_latest(registry)
