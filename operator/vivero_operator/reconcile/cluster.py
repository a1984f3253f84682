"""What the watches have told: the last seen state of what reconciling looks at. Memory only, rebuilt at start."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from vivero_core.model import constants as c
from vivero_core.model.base import Resource
from vivero_core.model.conditions import find
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool

T = TypeVar("T", bound=Resource)


def _no_traits(_: object) -> Iterable[Hashable]:
    return ()


class Mirror(Generic[T]):
    """Objects of one cluster-scoped kind by name; an older version never replaces a newer one.

    `traits` says what else they are looked up by: to search all of a thousand for each of a thousand would cost more
    than everything else the operator does.
    """

    def __init__(self, traits: Callable[[T], Iterable[Hashable]] = _no_traits) -> None:
        self._items: dict[str, T] = {}
        self._traits = traits
        self._having: dict[Hashable, dict[str, T]] = {}

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
            if before is not None:
                self._remove(before)
            self._items[item.metadata.name] = item
            for trait in self._traits(item):
                self._having.setdefault(trait, {})[item.metadata.name] = item
        return before

    def drop(self, name: str, uid: str) -> None:
        """Forget the object of this name and uid; a successor of the same name stays."""
        known = self._items.get(name)
        if known is not None and known.metadata.uid == uid:
            self._remove(known)

    def having(self, trait: Hashable) -> list[T]:
        """All objects with this trait."""
        return list(self._having.get(trait, {}).values())

    def _remove(self, item: T) -> None:
        name = item.metadata.name
        del self._items[name]
        for trait in self._traits(item):
            left = self._having[trait]
            del left[name]
            if not left:
                del self._having[trait]


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
    version: str = field(default="", compare=False)
    """resourceVersion; that it alone changes is no news."""

    @property
    def news(self) -> Hashable:
        """What of it makes work when it changes; that it was scheduled, or that we asked it, does not."""
        return self.running, self.ready, self.ready and self.ip, self.going, self.limits, self.trouble, self.restarts

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Pod":
        meta, status = body["metadata"], body.get("status", {})
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
        containers = status.get("containerStatuses", ())
        annotations = meta.get("annotations", {})
        return cls(
            name=meta["name"],
            namespace=meta["namespace"],
            tenant_id=meta.get("labels", {}).get(c.LABEL_TENANT, ""),
            ip=status.get("podIP"),
            running=any("running" in one.get("state", {}) for one in containers),
            ready=ready,
            asked=c.ANNOTATION_ASKED in annotations,
            going="deletionTimestamp" in meta,
            limits=annotations.get(c.ANNOTATION_LIMITS),
            trouble=next(filter(None, map(_trouble, containers)), None),
            restarts=sum(one.get("restartCount", 0) for one in containers),
            version=meta.get("resourceVersion", ""),
        )


_STARTING = frozenset({"ContainerCreating", "PodInitializing"})


def _trouble(container: dict[str, Any]) -> str | None:
    reason: str | None = container.get("state", {}).get("waiting", {}).get("reason")
    return None if reason in _STARTING else reason


def _traits(tenant: Tenant) -> set[Hashable]:
    """What Tenants are looked up by."""
    ready = find(tenant.status.conditions, c.ConditionType.READY)
    return {
        ("id", tenant.id),
        ("slug", tenant.spec.slug),
        *(("host", host) for host in tenant.spec.hosts),
        ("pool", tenant.spec.pool),
        ("server", tenant.status.database_server),
        ("reason", ready and ready.reason),
    }


class Cluster:
    """Everything the watches have told."""

    def __init__(self) -> None:
        self.tenants: Mirror[Tenant] = Mirror(_traits)
        self.plans: Mirror[Plan] = Mirror()
        self.servers: Mirror[DatabaseServer] = Mirror()
        self.pools: Mirror[TenantPool] = Mirror()
        self._pods: dict[str, dict[str, Pod]] = {}
        self._placed: dict[str, tuple[str, str]] = {}

    def pods(self, tenant_id: str) -> list[Pod]:
        """The tenant's pods that are not on their way out."""
        return [pod for pod in self._pods.get(tenant_id, {}).values() if not pod.going]

    def all_pods(self) -> list[Pod]:
        """Every tenant's pods, those on their way out as well."""
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
        """The pool's Tenants that nobody has claimed."""
        return [tenant for tenant in self.tenants.having(("pool", pool)) if tenant.is_spare]

    def tenant_of(self, tenant_id: str) -> Tenant | None:
        """The live Tenant of this id."""
        return next(iter(self.tenants.having(("id", tenant_id))), None)

    def rivals(self, tenant: Tenant) -> list[Tenant]:
        """All that want the same slug, a same host or the same id; the Tenant itself is among them."""
        wanted: list[Hashable] = [("id", tenant.id), *(("host", host) for host in tenant.spec.hosts)]
        if tenant.spec.slug is not None:
            wanted.append(("slug", tenant.spec.slug))
        return [one for trait in wanted for one in self.tenants.having(trait)]

    def held_up_by(self, reasons: Iterable[c.Reason]) -> list[Tenant]:
        """Tenants that are not Ready for one of these reasons."""
        return [one for reason in reasons for one in self.tenants.having(("reason", reason))]

    def reserve(self, tenant: Tenant, server: str) -> None:
        """Count a placement that is not in any status yet, so that many at once spread out."""
        self._placed[tenant.name] = tenant.metadata.uid, server

    def placed_on(self, server: str) -> list[Tenant]:
        """Tenants whose schema is on this database server."""
        return self.tenants.having(("server", server))

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
