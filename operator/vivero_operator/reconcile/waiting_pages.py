"""Shows a waiting page at the address of a workspace without ready pods, instead of the proxy's own error.

No route changes, so connections and the ingress' configuration stay as they are; only the endpoints of the tenant's
Service do. Events of pods are handled outside the work queue, because visitors are affected at once.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from weakref import WeakValueDictionary

from vivero_core.backends.kube.client import Change, KubeClient, Listing
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import ENDPOINT_SLICE
from vivero_core.errors import BackendError
from vivero_core.model.naming import namespace_name, tenant_in_namespace

from vivero_operator.manifests import waiting_page
from vivero_operator.manifests.waiting_page import Backing
from vivero_operator.policies import waiting_page as policy
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.settings import Settings

logger = logging.getLogger(__name__)

_SWEEP_SECONDS: Final = 5.0
"""Changes without an event of a pod (a slow first start, a failed request) are detected within this time."""


@dataclass(frozen=True)
class _Slice:
    """An EndpointSlice in the cluster."""

    name: str
    uid: str
    tenant_id: str
    """Empty for those of the control plane."""
    backing: Backing | None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "_Slice":
        meta = body["metadata"]
        return cls(meta["name"], meta["uid"], tenant_in_namespace(meta["namespace"]) or "", Backing.parse(body))


class WaitingPages:
    """For one event loop."""

    def __init__(self, kube: KubeClient, cluster: Cluster, settings: Settings, now: Callable[[], datetime]) -> None:
        self._kube = kube
        self._cluster = cluster
        self._settings = settings
        self._now = now
        self._control_plane: dict[str, _Slice] | None = None
        """The control plane's slices by name; None before the first list: until then nothing is changed."""
        self._shown: dict[str, _Slice] = {}
        """By tenant."""
        self._marked: set[str] = set()
        self._wake = asyncio.Event()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def mark(self, tenant_id: str) -> None:
        """Mark a tenant for a check, after an event of one of its pods."""
        self._marked.add(tenant_id)
        self._wake.set()

    async def run(self, watching: KubeClient, pods_listed: asyncio.Event) -> None:
        """Run until cancelled; raises an error of any of its tasks."""
        await pods_listed.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_control_plane(watching))
            group.create_task(self._follow_own(watching))
            group.create_task(self._sweep())
            group.create_task(self._process_marked())

    async def settle(self, tenant_id: str) -> None:
        """Show or remove the page, according to the tenant's pods.

        Raises:
            BackendError: the request to the API server failed.
        """
        async with self._locks.setdefault(tenant_id, asyncio.Lock()):
            if not self._differs(tenant_id):
                return
            wanted, shown = self._wanted(tenant_id), self._shown.get(tenant_id)
            if wanted is not None:
                self._shown[tenant_id] = _Slice.parse(await self._kube.apply(waiting_page.build(tenant_id, wanted)))
            elif shown is not None:
                await self._remove(tenant_id, shown)

    async def _remove(self, tenant_id: str, shown: _Slice) -> None:
        try:
            await self._kube.delete(ENDPOINT_SLICE, shown.name, namespace_name(tenant_id), uid=shown.uid)
        except KubeNotFoundError:
            logger.debug("the EndpointSlice of the waiting page was deleted already", extra={"id": tenant_id})
        self._shown.pop(tenant_id, None)

    def _differs(self, tenant_id: str) -> bool:
        """Whether the page must be changed; during deletion it is not: it is deleted with the namespace."""
        tenant = self._cluster.tenant_of(tenant_id)
        if self._control_plane is None or tenant is None or tenant.metadata.deletion_timestamp is not None:
            return False
        shown = self._shown.get(tenant_id)
        return (shown and shown.backing) != self._wanted(tenant_id)

    def _wanted(self, tenant_id: str) -> Backing | None:
        tenant, pods = self._cluster.tenant_of(tenant_id), self._cluster.pods(tenant_id)
        down_since = min((pod.unready_since for pod in pods if pod.unready_since is not None), default=None)
        ready = any(pod.ready for pod in pods)
        if tenant is None or not policy.is_wanted(tenant, ready=ready, down_since=down_since, now=self._now()):
            return None
        return _single_family(self._control_plane or {})

    async def _process_marked(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            marked, self._marked = self._marked, set()
            await asyncio.gather(*(self._settle_or_log(one) for one in marked if self._differs(one)))

    async def _settle_or_log(self, tenant_id: str) -> None:
        try:
            await self.settle(tenant_id)
        except BackendError as error:
            logger.warning("updating the EndpointSlice of the waiting page failed: %s", error, extra={"id": tenant_id})

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._mark_all()

    def _mark_all(self) -> None:
        for tenant in self._cluster.tenants:
            self.mark(tenant.id)

    async def _follow_control_plane(self, watching: KubeClient) -> None:
        settings = self._settings
        selector = f"{waiting_page.LABEL_SERVICE}={settings.control_plane_service}"
        async for news in follow(
            watching, ENDPOINT_SLICE, _Slice.parse, settings.platform_namespace, label_selector=selector
        ):
            self.handle_control_plane(news)

    def handle_control_plane(self, news: Listing[_Slice] | Change[_Slice]) -> None:
        """Update shown pages when pods of the control plane change."""
        self._control_plane = _merged(news, self._control_plane or {}, lambda one: one.name)
        self._mark_all()

    async def _follow_own(self, watching: KubeClient) -> None:
        async for news in follow(watching, ENDPOINT_SLICE, _Slice.parse, label_selector=waiting_page.SELECTOR):
            self.handle_own(news)

    def handle_own(self, news: Listing[_Slice] | Change[_Slice]) -> None:
        """Handle slices from before a restart, and external changes of ours."""
        self._shown = _merged(news, self._shown, lambda one: one.tenant_id)
        for one in news.items if isinstance(news, Listing) else [news.object]:
            self.mark(one.tenant_id)


def _merged(
    news: Listing[_Slice] | Change[_Slice], known: dict[str, _Slice], key: Callable[[_Slice], str]
) -> dict[str, _Slice]:
    if isinstance(news, Listing):
        return {key(one): one for one in news.items}
    one = news.object
    if news.type != "DELETED":
        known[key(one)] = one
    elif key(one) in known and known[key(one)].uid == one.uid:  # that an earlier one went may be heard late
        del known[key(one)]
    return known


def _single_family(slices: dict[str, _Slice]) -> Backing | None:
    """The addresses of one family, because a slice has only one: IPv4 if there are any."""
    backings = sorted((one.backing for one in slices.values() if one.backing), key=lambda one: (one.family, one.port))
    if not backings:
        return None
    first = backings[0]
    same = (one for one in backings if (one.family, one.port) == (first.family, first.port))
    return Backing(first.family, first.port, tuple(sorted(address for one in same for address in one.addresses)))
