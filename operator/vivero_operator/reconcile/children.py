"""Sees that somebody touched an object of a tenant: a watch of each kind's metadata, and a fingerprint of every object.

What was touched, and how, the next pass finds out; here one only learns whose it was.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from vivero_core.backends.kube import resources
from vivero_core.backends.kube.client import Change, KubeClient, Listing
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.constants import ANNOTATION_APPLIED, LABEL_TENANT

from vivero_operator.instance import Instance
from vivero_operator.manifests import deployment, secrets
from vivero_operator.policies import drift, life
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.run import Services

KINDS: Final = (
    resources.NAMESPACE,
    resources.SECRET,
    resources.CONFIG_MAP,
    resources.SERVICE,
    resources.SERVICE_ACCOUNT,
    resources.DEPLOYMENT,
    resources.INGRESS,
    resources.NETWORK_POLICY,
    resources.RESOURCE_QUOTA,
    resources.POD_DISRUPTION_BUDGET,
)


@dataclass(frozen=True, slots=True)
class Child:
    """What is kept of an object: of a thousand tenants there are ten thousand."""

    uid: str
    tenant_id: str
    """Empty for one whose label was taken away."""
    fingerprint: str
    was_touched: bool
    """Whether it shows, without having been seen before, that somebody else wrote to it."""
    applied: str | None
    """Digest of what we last made it from."""

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Child":
        """From its metadata alone."""
        metadata = body["metadata"]
        return cls(
            uid=metadata["uid"],
            tenant_id=metadata.get("labels", {}).get(LABEL_TENANT, ""),
            fingerprint=drift.fingerprint(metadata),
            was_touched=drift.was_touched(metadata),
            applied=metadata.get("annotations", {}).get(ANNOTATION_APPLIED),
        )


class Listener(Protocol):
    """Hears what became of tenants' objects."""

    def touched(self, tenant_id: str, kind: Resource) -> None:
        """Somebody changed or removed an object of this kind."""

    def outdated(self, tenant_id: str) -> None:
        """The pods are of another release, or of a plan as it was."""


async def watch(kube: KubeClient, listener: Listener, services: Services) -> None:
    """For ever."""
    turn = asyncio.Lock()
    async with asyncio.TaskGroup() as group:
        for kind in KINDS:
            group.create_task(_follow(kube, kind, listener, services, turn), name=f"children {kind.plural}")


async def _follow(kube: KubeClient, kind: Resource, listener: Listener, services: Services, turn: asyncio.Lock) -> None:
    """The first list is made in turn: ten pages at once would be ten times as much memory."""
    await turn.acquire()
    children = Children(lambda tenant_id: listener.touched(tenant_id, kind))
    first = True
    async for news in follow(kube, kind, Child.of, label_selector=LABEL_TENANT, metadata_only=True):
        if isinstance(news, Listing):
            children.listed(news)
            if first:
                for tenant_id in incomplete(services.cluster, kind, news):
                    listener.touched(tenant_id, kind)
                if kind is resources.DEPLOYMENT:
                    for tenant_id in outdated(services, news):
                        listener.outdated(tenant_id)
                turn.release()
            first = False
        else:
            children.changed(news)


def incomplete(cluster: Cluster, kind: Resource, listing: Listing[Child]) -> Iterator[str]:
    """Ids of the tenants that are well, as their status says, yet lack objects that every such tenant has."""
    found = Counter(child.tenant_id for child in listing.items)
    least = len(secrets.NAMES) if kind is resources.SECRET else 1
    for tenant in cluster.tenants:
        has_all_kinds = tenant.spec.suspended is None and not (tenant.is_spare and kind is resources.INGRESS)
        if life.settled(tenant) and has_all_kinds and found[tenant.id] < least:
            yield tenant.id


def outdated(services: Services, deployments: Listing[Child]) -> Iterator[str]:
    """Ids of the tenants whose pods are not what they would be made today."""
    for child in deployments.items:
        tenant = services.cluster.tenant_of(child.tenant_id)
        plan = services.cluster.plans.get(tenant.spec.plan) if tenant is not None else None
        if tenant is not None and plan is not None:
            wanted = deployment.build(Instance(tenant, plan, services.settings))
            if child.applied != wanted["metadata"]["annotations"][ANNOTATION_APPLIED]:
                yield tenant.id


class Children:
    """The objects of one kind by uid: whose they are, and what they looked like."""

    def __init__(self, touched: Callable[[str], None]) -> None:
        self._touched = touched
        self._objects: dict[str, tuple[str, str]] = {}
        self._is_listed = False

    def listed(self, listing: Listing[Child]) -> None:
        """In the first list objects speak for themselves; a later one may follow changes that were missed."""
        first, self._is_listed = not self._is_listed, True
        gone = self._objects.keys() - {child.uid for child in listing.items}
        for uid in gone:
            self._touched(self._objects.pop(uid)[0])
        for child in listing.items:
            if first and child.was_touched:
                self._touched(child.tenant_id)
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
        if before is not None and before != now:
            self._touched(before[0])
