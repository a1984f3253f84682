"""One pass over one tenant: what its steps share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import Resource, resource_of
from vivero_core.model.constants import Reason
from vivero_core.model.tenant import Owner, Tenant

from vivero_operator.backends import Backends
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.instance import DatabaseAddress, Instance, Keys
from vivero_operator.manifests.common import Manifest
from vivero_operator.manifests.retained import Record
from vivero_operator.policies import drift
from vivero_operator.policies.outcome import Pending
from vivero_operator.reconcile.cluster import Cluster, Pod
from vivero_operator.settings import Settings

_MADE_ANEW: Final = frozenset({"Service", "Deployment", "Ingress", "NetworkPolicy"})
"""Kinds whose objects, when somebody else made them under our name, keep what their maker left to chance, or cannot be
merged with ours at all: two unnamed ports, another selector. They hold nothing that a new one would lack."""


@dataclass(frozen=True)
class Services:
    """What every pass uses; made once, in main."""

    settings: Settings
    kube: KubeClient
    backends: Backends
    data_plane: DataPlaneClient
    cluster: Cluster
    now: Callable[[], datetime]


@dataclass
class Run:
    """A pass. Steps read what earlier steps have left here."""

    services: Services
    instance: Instance
    fresh: bool = False
    """The namespace was made in this pass: nothing can be in it, so nothing but Secrets needs to be read first."""
    alive: bool = False
    """The Tenant was there in this pass, and not only in what the watch once told."""
    keys: Keys | None = field(default=None, repr=False)
    address: DatabaseAddress | None = None
    record: Record | None = field(default=None, repr=False)
    limits_changed: bool = False
    mended: list[str] = field(default_factory=list)
    """What was not as wanted, in words without secrets."""
    proven_at: datetime | None = None
    version: str | None = None

    @property
    def tenant(self) -> Tenant:
        return self.instance.tenant

    @property
    def kube(self) -> KubeClient:
        return self.services.kube

    @property
    def owner(self) -> Owner:
        """Who it belongs to; no step for spares asks."""
        if self.tenant.spec.owner is None:
            raise RuntimeError("a spare has no owner")
        return self.tenant.spec.owner

    def known_keys(self) -> Keys:
        """The credentials; a step that uses them comes after the step that reads them."""
        if self.keys is None:
            raise RuntimeError("the step `secrets` has not run")
        return self.keys

    def known_address(self) -> DatabaseAddress:
        if self.address is None:
            raise RuntimeError("the step `secrets` has not run")
        return self.address

    def ready_pod(self) -> Pod | None:
        """A pod that answers, if there is one."""
        pods = self.services.cluster.pods(self.instance.id)
        return next((pod for pod in pods if pod.ready and pod.ip), None)

    async def find(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest | None:
        """The live object, or None when the API server says that there is none."""
        try:
            return await self.kube.get(resource, name, namespace)
        except KubeNotFoundError:
            return None

    async def ensure(self, manifest: Manifest) -> bool:
        """Make the live object like the manifest; True when that took a write."""
        meta = manifest["metadata"]
        if not self.fresh or meta.get("namespace") != self.instance.namespace:
            live = await self.find(resource_of(manifest), meta["name"], meta.get("namespace"))
            if not drift.differs(manifest, live):
                return False
        else:
            live = None
        await self.write(manifest, live)
        return True

    async def write(self, manifest: Manifest, live: Manifest | None) -> None:
        """Bring the object about as the manifest says, whatever `live` is."""
        meta = manifest["metadata"]
        if live is not None and manifest["kind"] in _MADE_ANEW and drift.is_strangers(live):
            await self._delete(resource_of(manifest), live)
            live = None
        await self.kube.apply(manifest)
        patch = drift.intrusion(manifest, live) if live is not None else {}
        if patch:
            await self.kube.patch(resource_of(manifest), meta["name"], patch, meta.get("namespace"))
        self.mended.append(f"{manifest['kind']} {meta['name']}")

    async def ensure_all(self, *manifests: Manifest) -> None:
        async with asyncio.TaskGroup() as group:
            for manifest in manifests:
                group.create_task(self.ensure(manifest))

    async def remove(self, resource: Resource, name: str, namespace: str, *, belongs: dict[str, str]) -> bool:
        """Delete the object when it is there and carries these labels; True when it was."""
        live = await self.find(resource, name, namespace)
        if live is None or not belongs.items() <= live["metadata"].get("labels", {}).items():
            return False
        return await self._delete(resource, live)

    async def _delete(self, resource: Resource, live: Manifest) -> bool:
        """Delete this very object and none that has its name by now; False when it has gone meanwhile."""
        meta = live["metadata"]
        try:
            await self.kube.delete(resource, meta["name"], meta["namespace"], uid=meta["uid"])
        except KubeNotFoundError:
            return False
        return True


def starting(pods: list[Pod]) -> Pending:
    """Why no pod answers yet, in words."""
    trouble = next((pod.trouble for pod in pods if pod.trouble), None)
    if trouble:
        return Pending(Reason.WORKLOAD_UNAVAILABLE, f"The pod cannot start: {trouble}", retry_after=30)
    return Pending(Reason.STARTING, "Waiting for the pod to answer", retry_after=30)
