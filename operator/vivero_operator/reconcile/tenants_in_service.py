"""Metrics of each tenant that is expected to answer: what the alert about a dead one goes by.

Read from the mirror when Prometheus asks, so that no number stays behind when a tenant goes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.policies.life import in_service
from vivero_operator.reconcile.cluster import Cluster

_LABELS = ("tenant", "tenant_id")


class TenantsInService(Collector):
    """Two numbers a tenant, by its name and id.

    `listed`: whether the pods were listed yet; before, every tenant would seem to have none.
    """

    def __init__(self, cluster: Cluster, listed: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._listed = listed

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the registry would read the whole mirror to learn two names."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pods = GaugeMetricFamily(
            "vivero_tenant_ready_pods", "Ready pods of a tenant that is expected to answer", labels=_LABELS
        )
        ready = GaugeMetricFamily(
            "vivero_tenant_ready", "1 while the Tenant is Ready, for those that are expected to answer", labels=_LABELS
        )
        for tenant in self._expected():
            labels = (tenant.name, tenant.id)
            pods.add_metric(labels, sum(pod.ready for pod in self._cluster.pods(tenant.id)))
            ready.add_metric(labels, is_true(tenant.status.conditions, ConditionType.READY))
        yield pods
        yield ready

    def _expected(self) -> Iterator[Tenant]:
        """A restore in place takes its tenant out of service for a moment, on purpose."""
        closed = {one.spec.tenant for one in self._cluster.of(TenantRestore) if one.is_switching}
        known = self._cluster.tenants if self._listed() else ()
        return (one for one in known if in_service(one) and one.name not in closed)


@contextmanager
def measured(cluster: Cluster, listed: Callable[[], bool], registry: CollectorRegistry = REGISTRY) -> Iterator[None]:
    """While this replica leads: two that speak of the same tenants would contradict each other."""
    collector = TenantsInService(cluster, listed)
    registry.register(collector)
    try:
        yield
    finally:
        registry.unregister(collector)
