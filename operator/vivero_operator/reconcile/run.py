"""One pass over one tenant: what its steps share."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from vivero_core.backends.corrections import RENEWALS, SECURITY_RELEVANT, UNMANAGED, Correction
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeInvalidError, KubeNotFoundError
from vivero_core.backends.kube.resources import Resource, resource_of
from vivero_core.model.conditions import is_true
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import HostStatus, Owner, OwnerStatus, Tenant
from vivero_core.tracing.spans import Tracer

from vivero_operator.archiver.position import Position
from vivero_operator.backend_clients import BackendClients
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.dns_records import DnsRecords
from vivero_operator.escrow.record import Record
from vivero_operator.escrow.store import EscrowStore
from vivero_operator.instance import DatabaseAddress, Instance, Manifest, TenantKeys, digest
from vivero_operator.policies import drift, life
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import Orphans, Rollout
from vivero_operator.reconcile.recorder import Recorder
from vivero_operator.reconcile.start_limiter import StartLimiter
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.waiting_pages import WaitingPages
from vivero_operator.settings import Settings

_KEPT: Final = frozenset({"Namespace", "Secret", "ConfigMap"})
"""Kinds that are changed as they are, for they hold what a new one would lack. An object of another kind that someone else
made under our name is made again: it keeps what its maker left to chance, or cannot be merged with ours at all, such as
two unnamed ports, another selector, another role."""

_SECURITY: Final = frozenset({"Secret", "NetworkPolicy", "Namespace", "RoleBinding", "ServiceAccount"})


def _what(manifest: Manifest) -> str:
    """In words without secrets."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


@dataclass(frozen=True)
class Services:
    """What every pass uses; made once, in main."""

    settings: Settings
    kube: KubeClient
    backends: BackendClients
    data_plane: DataPlaneClient
    cluster: Cluster
    escrow: EscrowStore
    recorder: Recorder
    rollout: Rollout
    start_limiter: StartLimiter
    waiting_pages: WaitingPages
    orphans: Orphans
    dns: DnsRecords
    now: Callable[[], datetime]
    tracer: Tracer = field(default_factory=Tracer)
    archive_keys: dict[str, dict[str, str]] = field(default_factory=dict)
    """DatabaseServer's UID -> tenant's id -> the public half of its file key, as its archiver was told."""
    expiring: set[str] = field(default_factory=set)
    """Ids of tenants whose expired backups are being removed: until that has ended no operation on their data begins."""
    archive_positions: dict[str, Position] = field(default_factory=dict)
    """DatabaseServer's UID -> how far its log is archived, as last read from the backup bucket."""
    erased: dict[str, datetime] = field(default_factory=dict)
    """Tenant's id -> when it was erased: nobody gets this id again."""


@dataclass(frozen=True)
class Corrected:
    """Drift that was corrected: a part of a tenant that somebody outside Vivero changed, deleted or added."""

    what: str
    """In words without secrets, for example Deployment/app."""
    security: bool = False
    """Whether isolation or a credential depends on it."""
    missing: bool = False
    """Whether it did not exist any more."""
    unmanaged: bool = False
    """Whether Vivero never made it, and removed it."""

    @property
    def urgent(self) -> bool:
        """Whether users may notice that it is not corrected."""
        return self.security or self.missing


@dataclass
class Run:
    """A pass. Steps read what earlier steps have left here."""

    services: Services
    instance: Instance
    state: ReconcileState
    begun: timedelta = timedelta()
    """How long ago this program first looked at the tenant."""
    fresh: bool = False
    """The namespace was made in this pass: nothing can be in it, so nothing but Secrets needs to be read first."""
    begins: bool = False
    """Nothing was made for the Tenant before this pass, which put its finalizer on; so it was there in this pass, and not
    only in an earlier event."""
    keys: TenantKeys | None = field(default=None, repr=False)
    address: DatabaseAddress | None = None
    record: Record | None = field(default=None, repr=False)
    limits_changed: bool = False
    release: str | None = None
    """Name of the Release that the pods are made from; None for pods from before there were releases."""
    updated: int | None = None
    """Ready pods of the wanted revision."""
    notes: list[str] = field(default_factory=list)
    """What else people should know, for the status' message."""
    corrected: list[Corrected] = field(default_factory=list)
    put_off: float | None = None
    """Seconds until something may be corrected that this pass left as it is."""
    lost: bool = False
    """Data or keys were found to be gone."""
    owner_status: OwnerStatus | None = None
    password_secret: Manifest | None = field(default=None, repr=False)
    """The Secret whose password hash was applied in this pass."""
    hosts: tuple[HostStatus, ...] | None = None
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
        """The owner's e-mail; not used by steps of spares."""
        if self.tenant.spec.owner is None:
            raise RuntimeError("a spare has no owner")
        return self.tenant.spec.owner

    @property
    def established(self) -> bool:
        """Whether what is missing now was there before."""
        return self.tenant.holds_data

    def known_keys(self) -> TenantKeys:
        """The credentials; a step that uses them comes after the step that reads them."""
        if self.keys is None:
            raise RuntimeError("the step `secrets` has not run")
        return self.keys

    def known_address(self) -> DatabaseAddress:
        if self.address is None:
            raise RuntimeError("the step `secrets` has not run")
        return self.address

    async def find(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest | None:
        """The live object, or None when the API server says that there is none."""
        try:
            return await self.kube.get(resource, name, namespace)
        except KubeNotFoundError:
            return None

    async def ensure(self, manifest: Manifest, *, optional: bool = False) -> None:
        """Make the live object like the manifest.

        `optional`: not every tenant that is well has it, so it may be missing because it was not wanted so far.
        """
        meta, live = manifest["metadata"], None
        if not self.fresh or meta.get("namespace") != self.instance.namespace:
            live = await self.find(resource_of(manifest), meta["name"], meta.get("namespace"))
        await self.make_like(live, manifest, optional=optional)

    async def make_like(self, live: Manifest | None, manifest: Manifest, *, optional: bool = False) -> None:
        """As `ensure`, of an object that was read already."""
        expected = not optional or self.state.expected(self.tenant.metadata.uid, _what(manifest))
        if drift.differs(manifest, live):
            await self.write(manifest, live, expected=expected)

    async def create(self, manifest: Manifest, *, was_there: bool | None = None) -> None:
        """Create an object; `was_there`: whether it existed, where the tenant's status does not say."""
        await self.kube.create(manifest)
        if self._was_changed(manifest, None) if was_there is None else was_there:
            self.corrected.append(Corrected(_what(manifest), manifest["kind"] in _SECURITY, missing=True))

    async def write(self, manifest: Manifest, live: Manifest | None, *, expected: bool = True) -> None:
        """Apply the manifest, whatever `live` is; `expected`: it was there before.

        Contested drift backs off; an object that does not exist does not, for nothing works without it.
        """
        kind = manifest["kind"]
        obstacle = live if live is not None and _is_in_the_way(manifest, live) else None
        live = None if obstacle else live
        changed = self._was_changed(manifest, live) and (expected or live is not None)
        correction = Corrected(_what(manifest), security=kind in _SECURITY, missing=live is None)
        if changed and live is not None and self.is_put_off(correction):
            return
        if obstacle is not None:
            await self.delete(resource_of(manifest), obstacle)
        try:
            await self.kube.apply(manifest)
            await self._remove_unmanaged_fields(manifest, live)
        except KubeInvalidError:
            if live is None or not changed:
                raise
            await self._apply_in_spite(manifest, live)
        if changed:
            self.corrected.append(correction)

    async def _remove_unmanaged_fields(self, manifest: Manifest, live: Manifest | None) -> None:
        """Remove unmanaged fields from parts that are ours alone."""
        meta, patch = manifest["metadata"], drift.unmanaged_fields(manifest, live) if live is not None else {}
        if patch:
            await self.kube.patch(resource_of(manifest), meta["name"], patch, meta.get("namespace"))

    async def _apply_in_spite(self, manifest: Manifest, live: Manifest) -> None:
        """The API server took it before, and refuses it beside what another writer added: of two bounds one may be set.

        So what was added goes first; where that is not enough, the object is made again.
        """
        try:
            await self._remove_unmanaged_fields(manifest, live)
            await self.kube.apply(manifest)
        except KubeInvalidError:
            if manifest["kind"] in _KEPT:
                raise
            await self.delete(resource_of(manifest), live)
            await self.kube.apply(manifest)

    def is_put_off(self, correction: Corrected) -> bool:
        """Whether the correction is backing off; the pass is then requeued in time."""
        left = self.state.pause(self.tenant.metadata.uid, correction.what, urgent=correction.urgent)
        if left > 0:
            self.put_off = min(left, self.put_off or left)
        return left > 0

    def correct(self, step: str, kind: ConditionType, wanted: object, written: Sequence[Correction]) -> None:
        """Record drift of a backing server: what had to be written again, although `wanted` is what was written before.

        At a tenant's beginning, after a change of plan or password, and where a later release has other rules, that is no
        correction. Whether an earlier program wrote it says the condition `kind`.
        """
        same = self.state.told(self.tenant.metadata.uid, step, digest(wanted))
        if same is None:
            same = is_true(self.tenant.status.conditions, kind)
        if same and self.established:
            self.corrected += [
                Corrected(one, one in SECURITY_RELEVANT, unmanaged=one in UNMANAGED)
                for one in written
                if one not in RENEWALS
            ]

    def _was_changed(self, manifest: Manifest, live: Manifest | None) -> bool:
        """Whether the object differs although it was last made from this very manifest: then it was not us."""
        if live is None:
            return life.settled(self.tenant)
        return drift.applied(live) == drift.applied(manifest)

    async def ensure_all(self, *manifests: Manifest) -> None:
        async with asyncio.TaskGroup() as group:
            for manifest in manifests:
                group.create_task(self.ensure(manifest))

    async def remove(self, resource: Resource, name: str, namespace: str, *, belongs: dict[str, str]) -> bool:
        """Delete the object when it is there and carries these labels; True when it was."""
        self.state.expect_no_more(self.tenant.metadata.uid, f"{resource.kind}/{name}")
        live = await self.find(resource, name, namespace)
        if live is None or not belongs.items() <= live["metadata"].get("labels", {}).items():
            return False
        return await self.delete(resource, live)

    async def delete(self, resource: Resource, live: Manifest) -> bool:
        """Delete this object, not a successor with the same name; False if it was deleted meanwhile."""
        meta = live["metadata"]
        try:
            await self.kube.delete(resource, meta["name"], meta["namespace"], uid=meta["uid"])
        except KubeNotFoundError:
            return False
        return True


def _is_in_the_way(manifest: Manifest, live: Manifest) -> bool:
    """Whether the object has to be deleted before ours can be created: an unmanaged or an immutable one."""
    return (manifest["kind"] not in _KEPT and drift.is_unmanaged(live)) or drift.is_immutable(manifest, live)
