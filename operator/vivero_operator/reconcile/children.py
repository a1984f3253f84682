"""Sees that somebody touched an object of a tenant: a watch of each kind's metadata, and a fingerprint of every object.

What was touched, and how, the next pass finds out; here one only learns whose it was.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from vivero_core.backends.kube import resources
from vivero_core.backends.kube.client import Change, KubeClient, Listing
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import Resource
from vivero_core.model.constants import LABEL_TENANT

from vivero_operator.policies import drift

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

Touched = Callable[[str, Resource], None]
"""Called with the id of a tenant and the kind of its object that was changed or removed."""


async def watch(kube: KubeClient, touched: Touched) -> None:
    """For ever."""
    async with asyncio.TaskGroup() as group:
        for kind in KINDS:
            group.create_task(_follow(kube, kind, touched), name=f"children {kind.plural}")


async def _follow(kube: KubeClient, kind: Resource, touched: Touched) -> None:
    children = Children(lambda tenant: touched(tenant, kind))
    async for news in follow(kube, kind, label_selector=LABEL_TENANT, metadata_only=True):
        if isinstance(news, Listing):
            children.listed(news)
        else:
            children.changed(news)


class Children:
    """The objects of one kind by uid: whose they are, and what they looked like."""

    def __init__(self, touched: Callable[[str], None]) -> None:
        self._touched = touched
        self._known: dict[str, tuple[str, str]] = {}

    def listed(self, listing: Listing) -> None:
        """The first list is the baseline; a later one may follow changes that were missed."""
        gone = self._known.keys() - {item["metadata"]["uid"] for item in listing.items}
        for uid in gone:
            self._touched(self._known.pop(uid)[0])
        for item in listing.items:
            self._seen(item["metadata"])

    def changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        if change.type == "DELETED":  # or its label was taken away, which hides it from us
            known = self._known.pop(metadata["uid"], None)
            if known is not None:
                self._touched(known[0])
        else:
            self._seen(metadata)

    def _seen(self, metadata: dict[str, Any]) -> None:
        uid, now = metadata["uid"], (metadata["labels"][LABEL_TENANT], drift.fingerprint(metadata))
        before = self._known.get(uid)
        self._known[uid] = now
        if before is not None and before != now:
            self._touched(before[0])
