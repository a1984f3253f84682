"""What watches and reconcilers share: mirror, work queue and what was last seen; releases of tenants; known orphans."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from vivero_core.backends.kube.resources import DEPLOYMENT, NAMESPACE, Resource
from vivero_core.model.tenant import Tenant

from vivero_operator.health import Heartbeat
from vivero_operator.instance import digest
from vivero_operator.manifests import pod_template
from vivero_operator.manifests.pod_template import Template
from vivero_operator.policies import release as policy
from vivero_operator.policies.orphans import Found
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.controller import ORPHAN, Key
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.settings import Settings

_AWAITED = (DEPLOYMENT, NAMESPACE)
"""Kinds that a deletion waits for."""
_COUNT_SECONDS = 30.0
"""A column for people, and placement counts for itself: one write for all that come and go meanwhile."""


@dataclass(frozen=True)
class HandlerContext:
    """What event handlers share: the mirror of the cluster, the work queue, and what was last seen."""

    cluster: Cluster
    queue: WorkQueue[Key]
    state: ReconcileState
    heartbeat: Heartbeat
    wants: dict[str, object] = field(default_factory=dict)
    """Desired state of each object at its last event, by uid: tells a change from an echo."""
    resync_seconds: float = 600.0
    """Within this time every object is reconciled, whether there were events or not."""
    pods_listed: asyncio.Event = field(default_factory=asyncio.Event)
    """Before that a tenant whose pod runs would seem to have none."""
    standings: dict[str, object] = field(default_factory=dict)
    """State of each Tenant of a pool at its last event, by uid."""
    gone: Callable[[str], None] = lambda uid: None  # noqa: ARG005
    """Called with the uid of a Tenant that is deleted, whether its finalizer ran or not."""
    pods_changed: Callable[[str], None] = lambda tenant_id: None  # noqa: ARG005
    """Called with the id of a tenant when a pod of it was added, changed or deleted."""
    sweep: Callable[[], None] = lambda: None
    """Has orphans looked for soon."""

    def suspect(self, tenant_id: str, step: str | None = None) -> None:
        """Drift is suspected: reconcile what the step makes, or the whole tenant, soon."""
        tenant = self.cluster.tenant_of(tenant_id)
        if tenant is not None and tenant.metadata.deletion_timestamp is None:
            self.state.suspect(tenant.metadata.uid, step)
            wait = self.state.backoff(tenant.metadata.uid)
            if wait > 0:
                self.queue.add_later(Key("Tenant", tenant.name), wait)
            else:
                self.queue.add(Key("Tenant", tenant.name))

    def count_again(self) -> None:
        """Requeue Plans and DatabaseServers: their count of users may have changed, and a deletion may go on."""
        for server in self.cluster.servers:
            self.queue.add_later(Key("DatabaseServer", server.name), _COUNT_SECONDS)
        for plan in self.cluster.plans:
            self.queue.add_later(Key("Plan", plan.name), _COUNT_SECONDS)

    def move(self, tenant: Tenant) -> None:
        """Update it to the current release."""
        self.state.forget(tenant.metadata.uid)
        self.queue.add(Key("Tenant", tenant.name))

    def touched(self, tenant_id: str, kind: Resource) -> None:
        """An object of this kind was changed or deleted: by ourselves, when the tenant is being deleted."""
        tenant = self.cluster.tenant_of(tenant_id)
        if tenant is None:
            self.queue.add(Key(ORPHAN, tenant_id))
            return
        if tenant.metadata.deletion_timestamp is None:
            self.suspect(tenant_id)
        elif kind in _AWAITED:
            self.queue.add(Key("Tenant", tenant.name))


_DIGEST_LENGTH: Final = 10


class Rollout:
    """The release that this program's settings describe, and which one each tenant's pods are made from at this moment.

    The reconcile of the current Release moves them on.
    """

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._cluster = cluster
        self._template = pod_template.common(settings)
        self.current = f"r{digest(self._template)[:_DIGEST_LENGTH]}"
        """Name of the release; the same image and template have the same name, however often they come back."""
        self.moves = policy.Moves()
        """Of tenants to the current release."""

    def template(self, release: str | None) -> Template | None:
        """What pods of this release are made from; None when nothing says so any more."""
        if release == self.current:
            return self._template
        known = self._cluster.releases.get(release or "")
        return known.spec.pod_template if known is not None else None

    def release_for(self, tenant: Tenant) -> str | None:
        releases = {one.name: one for one in self._cluster.releases}
        proven = [name for name in {*releases, self.current} if self._cluster.tenants.having(("ready on", name))]
        return policy.for_tenant(tenant, self.current, releases, self.moves.asked, proven)


@dataclass(frozen=True)
class Orphan:
    """What is left of one tenant."""

    found: Found
    tenant: str | None
    """Name of its Tenant, where something remembers it."""
    shown_at: str | None
    """The DatabaseServer whose status names it."""
    since: datetime


@dataclass
class Orphans:
    """What the last sweep found, by id."""

    known: dict[str, Orphan] = field(default_factory=dict)
    """Some may have been adopted since."""
    swept: bool = False
    """Whether there was a sweep yet: before, nothing is said to be gone."""
    whole: bool = False
    """Whether every system answered the last one: what is not in `known` is nowhere."""

    def of(self, server: str) -> list[Orphan]:
        return [one for _, one in sorted(self.known.items()) if one.shown_at == server]
