"""What the watches have told: the last seen state of what reconciling looks at. Memory only, rebuilt at start."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vivero_core.model import constants as c
from vivero_core.model.base import Resource
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool

T = TypeVar("T", bound=Resource)


class Mirror(Generic[T]):
    """Objects of one cluster-scoped kind by name; an older version never replaces a newer one."""

    def __init__(self) -> None:
        self._items: dict[str, T] = {}

    def __iter__(self) -> Iterator[T]:
        # A copy: a watch event may arrive while someone iterates.
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def get(self, name: str) -> T | None:
        return self._items.get(name)

    def put(self, item: T) -> T | None:
        """Keep `item` unless a newer version is known; returns what was known before."""
        before = self._items.get(item.metadata.name)
        if before is None or not _newer(before, item):
            self._items[item.metadata.name] = item
        return before

    def drop(self, name: str, uid: str) -> None:
        """Forget the object of this name and uid; a successor of the same name stays."""
        known = self._items.get(name)
        if known is not None and known.metadata.uid == uid:
            del self._items[name]


def _newer(one: Resource, other: Resource) -> bool:
    """Whether `one` is a later version of the same object. Versions of one object are ordered numbers."""
    if one.metadata.uid != other.metadata.uid:
        return False
    return int(one.metadata.resource_version or 0) > int(other.metadata.resource_version or 0)


@dataclass(frozen=True)
class Pod:
    """A tenant's pod, as far as reconciling cares."""

    name: str
    namespace: str
    tenant_id: str
    ip: str | None
    running: bool
    ready: bool
    asked: bool
    """Whether kubelet was already made to ask it, outside its turn, if it is ready."""
    going: bool
    limits: str | None
    """Digest of the limits that the pod was last told about, if it ever was."""
    trouble: str | None
    """Why it cannot start, in Kubernetes' words, for example ErrImageNeverPull."""
    restarts: int

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Pod":
        meta, status = body["metadata"], body.get("status", {})
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
        containers = status.get("containerStatuses", ())
        annotations = meta.get("annotations", {})
        return cls(
            name=meta["name"],
            namespace=meta["namespace"],
            tenant_id=meta["labels"][c.LABEL_TENANT],
            ip=status.get("podIP"),
            running=any("running" in one.get("state", {}) for one in containers),
            ready=ready,
            asked=c.ANNOTATION_ASKED in annotations,
            going="deletionTimestamp" in meta,
            limits=annotations.get(c.ANNOTATION_LIMITS),
            trouble=next(filter(None, map(_trouble, containers)), None),
            restarts=sum(one.get("restartCount", 0) for one in containers),
        )


_STARTING = frozenset({"ContainerCreating", "PodInitializing"})


def _trouble(container: dict[str, Any]) -> str | None:
    reason: str | None = container.get("state", {}).get("waiting", {}).get("reason")
    return None if reason in _STARTING else reason


class Cluster:
    """Everything the watches have told."""

    def __init__(self) -> None:
        self.tenants: Mirror[Tenant] = Mirror()
        self.plans: Mirror[Plan] = Mirror()
        self.servers: Mirror[DatabaseServer] = Mirror()
        self.pools: Mirror[TenantPool] = Mirror()
        self._pods: dict[str, dict[str, Pod]] = {}
        self._placed: dict[str, str] = {}

    def pods(self, tenant_id: str) -> list[Pod]:
        """The tenant's pods that are not on their way out."""
        return [pod for pod in self._pods.get(tenant_id, {}).values() if not pod.going]

    def put_pod(self, pod: Pod) -> bool:
        """Whether anything that matters is new."""
        known = self._pods.setdefault(pod.tenant_id, {})
        changed = known.get(pod.name) != pod
        known[pod.name] = pod
        return changed

    def drop_pod(self, pod: Pod) -> None:
        known = self._pods.get(pod.tenant_id, {})
        known.pop(pod.name, None)
        if not known:
            self._pods.pop(pod.tenant_id, None)

    def spares(self, pool: str) -> list[Tenant]:
        """The pool's Tenants that nobody has claimed."""
        return [tenant for tenant in self.tenants if tenant.is_spare and tenant.spec.pool == pool]

    def tenant_of(self, tenant_id: str) -> Tenant | None:
        """The live Tenant of this id."""
        return next((tenant for tenant in self.tenants if tenant.id == tenant_id), None)

    def reserve(self, tenant: Tenant, server: str) -> None:
        """Count a placement that is not in any status yet, so that many at once spread out."""
        self._placed[tenant.metadata.uid] = server

    def placements(self) -> Counter[str]:
        """Tenants by database server."""
        live = {tenant.metadata.uid: tenant for tenant in self.tenants}
        self._placed = {uid: server for uid, server in self._placed.items() if uid in live}
        counts: Counter[str] = Counter()
        for uid, tenant in live.items():
            server = tenant.status.database_server or self._placed.get(uid)
            if server:
                counts[server] += 1
        return counts
