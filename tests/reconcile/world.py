"""A small cluster in memory with one reconciler in it."""

from datetime import UTC, datetime
from typing import Any, cast

from reconcile.fakes import FakeBackends, FakeDataPlane, FakeKube, merge
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool
from vivero_operator.reconcile.cluster import Cluster, Pod
from vivero_operator.reconcile.memory import Memory
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.tenant import Result, TenantReconciler
from vivero_operator.settings import Settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UID = "2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11"
Object = dict[str, Any]

PLAN: Object = {
    "kind": "Plan",
    "metadata": {"name": "trial"},
    "spec": {
        "displayName": "Trial",
        "price": {"amountCents": 0},
        "limits": {"records": 10000, "users": 5, "connections": 10, "requestsPerMinute": 600},
        "features": ["files"],
    },
}
SERVER: Object = {
    "kind": "DatabaseServer",
    "metadata": {"name": "main"},
    "spec": {"host": "db.example", "adminSecret": "mariadb-admin", "caConfigMap": "vivero-ca"},
}


def tenant_body(name: str = "acme", **spec: object) -> Object:
    wanted = {"displayName": "Acme", "slug": name, "plan": "trial", "owner": {"email": "a@b.co"}}
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {
            "name": name,
            "uid": UID,
            "generation": 1,
            "creationTimestamp": "2026-11-22T11:59:00Z",
        },
        "spec": {**wanted, **spec},
    }


class World:
    """Puts objects where the watches and the API server would have them, and reconciles."""

    def __init__(self) -> None:
        self.kube, self.backends, self.data_plane = FakeKube(), FakeBackends(), FakeDataPlane()
        self.cluster, self.memory = Cluster(), Memory(lambda: 0.0)
        self.now = NOW
        services = Services(
            settings=Settings(data_plane_image="image:1"),
            kube=cast("Any", self.kube),
            backends=cast("Any", self.backends),
            data_plane=cast("Any", self.data_plane),
            cluster=self.cluster,
            now=lambda: self.now,
        )
        self.services = services
        self.reconciler = TenantReconciler(services, self.memory)

    def put(self, manifest: Object) -> None:
        """The object, in the API server and in what the watches told. A Tenant, Plan, pool or server that is known is merged."""
        key = (manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        stored = self.kube.put(merge(self.kube.objects.get(key, {}), manifest))
        match manifest["kind"]:
            case "Tenant":
                self.cluster.tenants.put(Tenant.parse(stored))
            case "Plan":
                self.cluster.plans.put(Plan.parse(stored))
            case "DatabaseServer":
                self.cluster.servers.put(DatabaseServer.parse(stored))
            case "TenantPool":
                self.cluster.pools.put(TenantPool.parse(stored))
            case "Pod":
                self.cluster.put_pod(Pod.parse(stored))

    async def reconcile(self, name: str = "acme") -> Result:
        """One pass, with its writes alone in `kube.writes`."""
        self.kube.writes.clear()
        result = await self.reconciler.reconcile(name)
        for (kind, _, _), item in list(self.kube.objects.items()):
            if kind == "Tenant":
                self.cluster.tenants.put(Tenant.parse(item))
        return result

    async def tenant(self, name: str = "acme") -> Tenant:
        return Tenant.parse(await self.kube.get(TENANT, name))
