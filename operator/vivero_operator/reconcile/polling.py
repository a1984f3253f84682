"""Polls the Secrets and ConfigMaps of every tenant, one tenant after the other: RBAC in single namespaces allows no watch of all.

One small request for each kind and tenant (metadata alone, answered from the
API server's cache), spread over the round, so that a thousand tenants cost
some seventy requests a second and a change is seen within a minute.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial
from itertools import chain, repeat
from typing import Final

from vivero_core.backends.kube.client import KubeClient, Listing
from vivero_core.backends.kube.errors import KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import CONFIG_MAP, SECRET, Resource
from vivero_core.errors import BackendError
from vivero_core.model.constants import LABEL_ESCROW, LABEL_TENANT
from vivero_core.model.naming import namespace_name
from vivero_core.model.tenant import Tenant

from vivero_operator.policies import expected_objects
from vivero_operator.reconcile.children import Child, Children, Listener, by_tenant
from vivero_operator.reconcile.cluster import Cluster

logger = logging.getLogger(__name__)

FIRST_ROUND_SECONDS: Final = 10.0
"""After a start it is not known what went on before."""
ROUND_SECONDS: Final = 30.0
"""Time for all tenants once; a change is corrected within a minute."""
_SPREAD: Final = 0.2
_KINDS: Final = (SECRET, CONFIG_MAP)
_AWAY_SECONDS: Final = 5.0


class Poller:
    """What was seen of each tenant's objects."""

    def __init__(self, kube: KubeClient, listener: Listener, cluster: Cluster) -> None:
        self._kube = kube
        self._listener = listener
        self._cluster = cluster
        self._seen: dict[tuple[str, str], dict[str, str]] = {}
        """By tenant and kind: the fingerprint of each object by its uid."""

    async def run(self) -> None:
        """Round after round, until cancelled."""
        for seconds in chain([FIRST_ROUND_SECONDS], repeat(ROUND_SECONDS)):
            # In an order that stays: each is looked at once a round, and never two rounds apart.
            tenants = sorted(
                (one for one in self._cluster.tenants if one.metadata.deletion_timestamp is None),
                key=lambda one: one.id,
            )
            living = {one.id for one in tenants}
            self._seen = {key: seen for key, seen in self._seen.items() if key[0] in living}
            pause = seconds / max(1, len(tenants))
            for tenant in tenants:
                await asyncio.sleep(pause * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311  jitter, no secret
                await self._look_patiently(tenant)
            if not tenants:
                await asyncio.sleep(pause)

    async def _look_patiently(self, tenant: Tenant) -> None:
        try:
            await self.look(tenant)
        except (KubeForbiddenError, KubeNotFoundError):
            return  # its namespace is being made, or was deleted: the watch of namespaces reports it
        except BackendError as error:
            logger.info(
                "polling Secrets and ConfigMaps failed: %s", error, extra={"tenant": tenant.name, "id": tenant.id}
            )
            await asyncio.sleep(_AWAY_SECONDS)

    async def look(self, tenant: Tenant) -> None:
        """Both kinds once."""
        for kind in _KINDS:
            listing = await self._kube.list_as(
                kind, Child.of, namespace_name(tenant.id), label_selector=LABEL_TENANT, metadata_only=True
            )
            known = self._cluster.tenants.get(tenant.name)
            if known is not None and known.metadata.uid == tenant.metadata.uid:
                self._compare(known, kind, listing)

    def _compare(self, tenant: Tenant, kind: Resource, listing: Listing[Child]) -> None:
        key, before = (tenant.id, kind.kind), self._seen.get((tenant.id, kind.kind), {})
        self._seen[key] = {one.uid: one.fingerprint for one in listing.items}
        # The metadata of a new one tells: what we made again ourselves is as we made it.
        changed = any(
            before[one.uid] != one.fingerprint if one.uid in before else one.was_touched for one in listing.items
        )
        if changed or any(expected_objects.incomplete([tenant], kind.kind, by_tenant(listing.items))):
            self._listener.touched(tenant.id, kind)


async def watch_records(kube: KubeClient, touched: Callable[[str], None], cluster: Cluster, namespace: str) -> None:
    """The records of tenants' keys lie in the platform's own namespace, where they can be watched. Until cancelled."""
    records = Children(touched)
    view = partial(Child.of, label=LABEL_ESCROW)
    async for news in follow(kube, SECRET, view, namespace, label_selector=LABEL_ESCROW, metadata_only=True):
        records.handle(news)
        if isinstance(news, Listing):
            for tenant_id in expected_objects.incomplete(
                cluster.tenants, expected_objects.RECORD, by_tenant(news.items)
            ):
                touched(tenant_id)
