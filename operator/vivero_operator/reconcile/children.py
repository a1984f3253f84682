"""Detects drift of tenants' objects: a watch of each kind's metadata, and a fingerprint of every object.

What was changed, and how, the next pass finds out; this only tells which tenant it belongs to.
Secrets and ConfigMaps may be read in tenants' namespaces alone, so they are
not watched: `polling.py` reads them in turns.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from vivero_core.backends.kube import resources
from vivero_core.backends.kube.client import Change, KubeClient, Listing
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.constants import LABEL_TENANT
from vivero_core.model.naming import tenant_in_namespace

from vivero_operator.policies import drift, expected_objects
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.supervision import supervised

KINDS: Final = (
    resources.NAMESPACE,
    resources.SERVICE,
    resources.SERVICE_ACCOUNT,
    resources.DEPLOYMENT,
    resources.RESOURCE_QUOTA,
    resources.POD_DISRUPTION_BUDGET,
)
"""Kinds of which only our own objects count: those with a tenant's label. The routes' kind comes with the settings."""
EXCLUSIVE_SECONDS: Final = 10.0
"""How long a first list keeps the other kinds from theirs: many times what it takes."""
SUMMED_UP: Final = (resources.NETWORK_POLICY, resources.ROLE_BINDING)
"""Kinds of which any object in a tenant's namespace counts: one that is not ours opens it."""


@dataclass(frozen=True, slots=True)
class Child:
    """What is kept of an object: of a thousand tenants there are ten thousand."""

    uid: str
    name: str
    tenant_id: str
    """Empty for one whose label was taken away, or that is in no tenant's namespace."""
    fingerprint: str
    was_touched: bool
    """Whether it shows, without having been seen before, that someone else wrote to it."""

    @classmethod
    def of(cls, body: dict[str, Any], label: str = LABEL_TENANT) -> "Child":
        """From its metadata alone; `label` says whose it is."""
        return cls._read(body["metadata"], body["metadata"].get("labels", {}).get(label, ""))

    @classmethod
    def by_namespace(cls, body: dict[str, Any]) -> "Child":
        """As above; whose it is its namespace says, whatever its labels are."""
        return cls._read(body["metadata"], tenant_in_namespace(body["metadata"].get("namespace", "")) or "")

    @classmethod
    def _read(cls, metadata: dict[str, Any], tenant_id: str) -> "Child":
        return cls(
            uid=metadata["uid"],
            name=metadata.get("name", ""),
            tenant_id=tenant_id,
            fingerprint=drift.fingerprint(metadata),
            was_touched=drift.was_touched(metadata),
        )


class Listener(Protocol):
    """Is notified of changes to tenants' objects."""

    def touched(self, tenant_id: str, kind: Resource) -> None:
        """Someone changed or removed an object of this kind."""


async def watch(kube: KubeClient, listener: Listener, cluster: Cluster, route: Resource) -> None:
    """Watch all kinds until cancelled; a failure of one watch does not affect the others."""
    lock = asyncio.Lock()
    async with asyncio.TaskGroup() as group:
        for kind in (*KINDS, route, *SUMMED_UP):
            follower = _Follower(kube, kind, listener, cluster, lock)
            group.create_task(supervised(f"watch {kind.plural}", follower.run), name=f"watch {kind.plural}")


@dataclass
class _Follower:
    """The watch of one kind."""

    kube: KubeClient
    kind: Resource
    listener: Listener
    cluster: Cluster
    lock: asyncio.Lock

    async def run(self) -> None:
        """Initial lists are made one kind after the other, to save memory.

        A list that hangs does not block the next kind.
        """
        summed_up = self.kind in SUMMED_UP
        children = Children(self._touched)
        news = follow(
            self.kube,
            self.kind,
            Child.by_namespace if summed_up else Child.of,
            label_selector=None if summed_up else LABEL_TENANT,
            metadata_only=True,
        )
        async with aclosing(news):
            async with _exclusive(self.lock):
                first = await anext(news)
            if isinstance(first, Listing):
                children.listed(first)
                for tenant_id in expected_objects.incomplete(
                    self.cluster.tenants, self.kind.kind, by_tenant(first.items)
                ):
                    self._touched(tenant_id)
            async for one in news:
                children.handle(one)

    def _touched(self, tenant_id: str) -> None:
        if tenant_id:
            self.listener.touched(tenant_id, self.kind)


@asynccontextmanager
async def _exclusive(lock: asyncio.Lock) -> AsyncIterator[None]:
    """Holds the lock for EXCLUSIVE_SECONDS at most: then the next one starts in parallel."""
    await lock.acquire()
    held = [True]

    def let_go() -> None:
        if held:
            held.clear()
            lock.release()

    over = asyncio.get_running_loop().call_later(EXCLUSIVE_SECONDS, let_go)
    try:
        yield
    finally:
        over.cancel()
        let_go()


def by_tenant(children: Iterable[Child]) -> dict[str, set[str]]:
    """Names of the objects by the tenant's id."""
    found: dict[str, set[str]] = {}
    for child in children:
        found.setdefault(child.tenant_id, set()).add(child.name)
    return found


class Children:
    """The objects of one kind by uid: whose they are, and what they looked like."""

    def __init__(self, touched: Callable[[str], None]) -> None:
        """`touched` is called with the id of a tenant."""
        self._touched = touched
        self._objects: dict[str, tuple[str, str]] = {}

    def handle(self, news: Listing[Child] | Change[Child]) -> None:
        if isinstance(news, Listing):
            self.listed(news)
        else:
            self.changed(news)

    def listed(self, listing: Listing[Child]) -> None:
        """A later list may follow changes that were missed."""
        gone = self._objects.keys() - {child.uid for child in listing.items}
        for uid in gone:
            self._touched(self._objects.pop(uid)[0])
        for child in listing.items:
            self._seen(child)

    def changed(self, change: Change[Child]) -> None:
        child = change.object
        if change.type == "DELETED":  # or its label was taken away, which hides it from us
            known = self._objects.pop(child.uid, None)
            if known is not None:
                self._touched(known[0])
        else:
            self._seen(child)

    def _seen(self, child: Child) -> None:
        now = child.tenant_id, child.fingerprint
        before = self._objects.get(child.uid)
        self._objects[child.uid] = now
        if before is None:
            # Its metadata tells: one that only we wrote to is as we made it.
            if child.was_touched:
                self._touched(child.tenant_id)
        elif before != now:
            self._touched(before[0])
