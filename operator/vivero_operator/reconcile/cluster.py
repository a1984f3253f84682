"""Mirror of the cluster as the watches reported it: what reconciling reads. In memory only, rebuilt at start."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

from vivero_core.model import constants as c
from vivero_core.model.base import Resource
from vivero_core.model.conditions import Status, find
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.reading import Unreadable, salvaged
from vivero_core.model.release import Release
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool
from vivero_core.model.tenant_proof import TenantProof
from vivero_core.model.tenant_restore import TenantRestore

from vivero_operator.policies import proofs
from vivero_operator.reconcile.mirror import Mirror
from vivero_operator.reconcile.pods import Pod

R = TypeVar("R", bound=Resource)


def _traits(tenant: Tenant) -> set[Hashable]:
    """What Tenants are looked up by."""
    ready = find(tenant.status.conditions, c.ConditionType.READY)
    is_ready = ready is not None and ready.status is Status.TRUE
    return {
        ("uid", tenant.metadata.uid),
        ("id", tenant.id),
        ("slug", tenant.spec.slug),
        *(("host", host) for host in tenant.spec.hosts),
        ("plan", tenant.spec.plan),
        ("pool", tenant.spec.pool),
        ("server", tenant.status.database_server),
        ("reason", ready and ready.reason),
        ("ready on" if is_ready else "not ready on", tenant.status.release),
    }


class Cluster:
    """Everything the watches have reported."""

    def __init__(self) -> None:
        self._mirrors: dict[type[Resource], Mirror[Any]] = {
            Tenant: Mirror(_traits),
            TenantProof: Mirror(lambda proof: [proof.spec.tenant]),
        }
        self.tenants = self.of(Tenant)
        self.plans = self.of(Plan)
        self.servers = self.of(DatabaseServer)
        self.pools = self.of(TenantPool)
        self.releases = self.of(Release)
        self.unreadable: dict[tuple[str, str], Unreadable] = {}
        """By kind and name: what the watches reported and this version cannot parse. Of such an object the mirror keeps what
        could last be read, and of a Tenant at least what can be: it holds its id and its address."""
        self.last_plans: dict[str, Plan] = {}
        """Plans that are gone, as they last were."""
        self._pods: dict[str, dict[str, Pod]] = {}
        self._placed: dict[str, tuple[str, str]] = {}

    def of(self, model: type[R]) -> Mirror[R]:
        """The objects of one of our kinds."""
        if model not in self._mirrors:
            self._mirrors[model] = Mirror()
        return self._mirrors[model]

    def put_unreadable(self, kind: str, unreadable: Unreadable) -> None:
        self.unreadable[kind, unreadable.name] = unreadable
        known = self.tenants.get(unreadable.name) if kind == "Tenant" else None
        if kind == "Tenant" and (known is None or known.metadata.uid != unreadable.metadata.uid):
            self.tenants.put(salvaged(unreadable))

    def plan_of(self, tenant: Tenant) -> Plan | None:
        """Its plan; the last known one where the Plan is gone and was in force before."""
        wanted = tenant.spec.plan
        return self.plans.get(wanted) or (self.last_plans.get(wanted) if tenant.status.plan == wanted else None)

    def drop_plan(self, name: str, uid: str) -> None:
        known = self.plans.get(name)
        if known is not None and known.metadata.uid == uid:
            self.last_plans[name] = known
        self.plans.drop(name, uid)

    def users_of_plan(self, name: str) -> list[str]:
        """Names of the Tenants and pools that use this plan."""
        pools = [f"TenantPool {pool.name}" for pool in self.pools if pool.spec.plan == name]
        return [*pools, *(f"Tenant {one.name}" for one in self.tenants.having(("plan", name)))]

    def pods(self, tenant_id: str) -> list[Pod]:
        """The tenant's pods that are not terminating."""
        return [pod for pod in self._pods.get(tenant_id, {}).values() if not pod.going]

    def all_pods(self) -> list[Pod]:
        """Every tenant's pods, terminating ones included."""
        return [pod for known in self._pods.values() for pod in known.values()]

    def put_pod(self, pod: Pod) -> Pod | None:
        """Returns what was known of it before."""
        known = self._pods.setdefault(pod.tenant_id, {})
        before = known.get(pod.name)
        known[pod.name] = pod
        return before

    def drop_pod(self, pod: Pod) -> None:
        known = self._pods.get(pod.tenant_id, {})
        known.pop(pod.name, None)
        if not known:
            self._pods.pop(pod.tenant_id, None)

    def spares(self, pool: str) -> list[Tenant]:
        """The pool's Tenants that no one has claimed."""
        return [tenant for tenant in self.tenants.having(("pool", pool)) if tenant.is_spare]

    def tenant_of(self, tenant_id: str) -> Tenant | None:
        """The live Tenant of this id."""
        return next(iter(self.tenants.having(("id", tenant_id))), None)

    def proofs_of(self, tenant: Tenant) -> list[TenantProof]:
        """Of this very Tenant, oldest first."""
        return proofs.of_tenant(tenant, self.of(TenantProof).having(tenant.name))

    def rivals(self, tenant: Tenant) -> list[Tenant]:
        """All that want the same slug, a same host or the same id; the Tenant itself is among them."""
        wanted: list[Hashable] = [("id", tenant.id), *(("host", host) for host in tenant.spec.hosts)]
        if tenant.spec.slug is not None:
            wanted.append(("slug", tenant.spec.slug))
        return [one for trait in wanted for one in self.tenants.having(trait)]

    def held_up_by(self, reasons: Iterable[c.Reason]) -> list[Tenant]:
        """Tenants that are not Ready for one of these reasons."""
        return [one for reason in reasons for one in self.tenants.having(("reason", reason))]

    def closed_by(self, tenant: Tenant) -> TenantRestore | None:
        """The restore in place for which it is out of service at the moment."""
        restores = (one for one in self.of(TenantRestore) if one.spec.tenant == tenant.name)
        return next((one for one in restores if one.is_switching and one.metadata.deletion_timestamp is None), None)

    def shown_beside(self, tenant: Tenant) -> TenantRestore | None:
        """The workspace as of a second that is beside this tenant's live one."""
        found = (one for one in self.of(TenantRestore) if one.spec.tenant == tenant.name and one.is_beside)
        return next(found, None)

    def reserve(self, tenant: Tenant, server: str) -> None:
        """Count a placement that is not in any status yet, so that many at once spread out."""
        self._placed[tenant.name] = tenant.metadata.uid, server

    def placed_on(self, server: str) -> list[Tenant]:
        """Tenants whose schema is on this database server."""
        return self.tenants.having(("server", server))

    def users_of_server(self, server: str) -> list[str]:
        """Names of the Tenants whose schema is on this database server, or is just being made there."""
        pending = (
            name for name, (uid, where) in self._placed.items() if where == server and self._is_pending(name, uid)
        )
        return [f"Tenant {name}" for name in (*(one.name for one in self.placed_on(server)), *pending)]

    def placements(self) -> Counter[str]:
        """Tenants by database server."""
        self._placed = {name: placed for name, placed in self._placed.items() if self._is_pending(name, placed[0])}
        counts = Counter(server for _, server in self._placed.values())
        for server in self.servers:
            counts[server.name] += len(self.placed_on(server.name))
        return counts

    def _is_pending(self, name: str, uid: str) -> bool:
        tenant = self.tenants.get(name)
        return tenant is not None and tenant.metadata.uid == uid and tenant.status.database_server is None
