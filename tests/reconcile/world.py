"""A small cluster in memory with one reconciler in it."""

from datetime import UTC, datetime
from typing import Any, cast

from reconcile.fakes import FakeBackends, FakeDataPlane, FakeDns, FakeKube, merge
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.constants import ANNOTATION_REVISION
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.escrow.store import EscrowStore
from vivero_operator.instance import Instance, TenantKeys
from vivero_operator.kinds import KINDS
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import Orphans, Rollout
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.recorder import Recorder
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.start_limiter import StartLimiter
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.tenant import TenantReconciler
from vivero_operator.reconcile.waiting_pages import WaitingPages
from vivero_operator.settings import Settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UID = "2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11"
Object = dict[str, Any]
MODELS = {spec.kind: spec.model for spec in KINDS}

PLAN: Object = {
    "kind": "Plan",
    "metadata": {"name": "trial"},
    "spec": {
        "displayName": "Trial",
        "price": {"amountCents": 0},
        "limits": {"records": 10000, "users": 5, "connections": 10, "requestsPerMinute": 600},
        "features": ["files"],
        # What is deleted with its data goes at once, unless a test is about the time between.
        "undoDays": 0,
    },
}
SERVER: Object = {
    "kind": "DatabaseServer",
    "metadata": {"name": "main"},
    "spec": {"host": "db.example", "adminSecret": "mariadb-admin", "caConfigMap": "vivero-ca"},
}


def tenant_body(name: str = "acme", /, **spec: object) -> Object:
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

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  as Settings parses them
        self.kube, self.backends, self.data_plane = FakeKube(), FakeBackends(), FakeDataPlane()
        self.dns = FakeDns()
        self.cluster = Cluster()
        self.now = NOW
        self.told_revision: set[str] = set()
        self.settings = Settings(data_plane_image="image:1", **settings)
        self.restart()

    def _clock(self) -> float:
        return (self.now - NOW).total_seconds()

    def restart(self) -> None:
        """A new process: what was remembered is not, but for what the watches tell at once."""
        self.state = ReconcileState(self._clock)
        settings, kube = self.settings, cast("Any", self.kube)
        services = Services(
            settings=settings,
            kube=kube,
            backends=cast("Any", self.backends),
            data_plane=cast("Any", self.data_plane),
            cluster=self.cluster,
            escrow=EscrowStore(kube, settings.platform_namespace),
            recorder=Recorder(kube, "test", lambda: self.now),
            rollout=Rollout(settings, self.cluster),
            start_limiter=StartLimiter(settings.starts_at_once, lambda: 0.0),
            waiting_pages=WaitingPages(kube, self.cluster, settings, lambda: self.now),
            orphans=Orphans(),
            dns=cast("Any", self.dns),
            now=lambda: self.now,
        )
        self.services = services
        self.reconciler = TenantReconciler(services, self.state)

    def put(self, manifest: Object) -> None:
        """The object, in the API server and in what the watches told. One of our kinds that is known is merged."""
        key = (manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        stored = self.kube.put(merge(self.kube.objects.get(key, {}), manifest))
        if manifest["kind"] in MODELS:
            model = MODELS[manifest["kind"]]
            self.cluster.of(model).put(model.parse(stored))
        if manifest["kind"] == "Pod":
            self.cluster.put_pod(Pod.parse(stored))
            if manifest["metadata"].get("annotations", {}).get(ANNOTATION_REVISION) == "old":
                self.told_revision.add(manifest["metadata"]["name"])

    def remove(self, kind: str, namespace: str | None, name: str) -> None:
        """The object, by hand; a namespace with all that is in it."""
        removed = self.kube.objects.pop((kind, namespace, name))
        match kind:
            case "Plan":
                self.cluster.drop_plan(name, removed["metadata"]["uid"])
            case "Pod":
                self.cluster.drop_pod(Pod.parse(removed))
            case "Namespace":
                for inner in [key for key in self.kube.objects if key[1] == name]:
                    self.remove(*inner)
            case kind if kind in MODELS:
                self.cluster.of(MODELS[kind]).drop(name, removed["metadata"]["uid"])

    async def escrow(self, id: str, uid: str, server: str = "main", *, retained: bool = False, **keys: str) -> None:  # noqa: A002  as in YAML
        """A record of keys as an earlier Tenant left it; keys that are not named are their own names, as hexadecimal."""
        names = ("database_password", "cache_password", "storage_secret", "signing_key", "file_key", "operator_token")
        known = TenantKeys(**{name: keys.get(name, name.encode().hex().ljust(64, "0")[:64]) for name in names})
        tenant = Tenant.parse(merge(tenant_body("former"), {"metadata": {"uid": uid}, "spec": {"adopt": id}}))
        plan = Plan.parse(PLAN)
        at = self.now if retained else None
        escrow = EscrowStore(cast("Any", self.kube), self.services.settings.platform_namespace)
        await escrow.save(Instance(tenant, plan, self.services.settings), known, server, retained_at=at)

    def _roll(self) -> None:
        """As the Deployment's controller does, at once: pods are of its template, unless a case says of which they are."""
        for (kind, namespace, name), pod in list(self.kube.objects.items()):
            deployment = self.kube.objects.get(("Deployment", namespace, "app"))
            if kind == "Pod" and deployment is not None and name not in self.told_revision:
                template = deployment["spec"]["template"]["metadata"]["annotations"][ANNOTATION_REVISION]
                self.put(merge(pod, {"metadata": {"annotations": {ANNOTATION_REVISION: template}}}))

    async def reconcile(self, name: str = "acme") -> Result:
        """One pass, with its writes alone in `kube.writes`."""
        self._roll()
        self.kube.writes.clear()
        result = await self.reconciler.reconcile(name)
        for (kind, _, _), item in list(self.kube.objects.items()):
            if kind == "Tenant":
                self.cluster.tenants.put(Tenant.parse(item))
        return result

    async def tenant(self, name: str = "acme") -> Tenant:
        return Tenant.parse(await self.kube.get(TENANT, name))
