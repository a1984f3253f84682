"""Finds objects of ours whose deletion no watch reported: after a watch expired, kopf lists again and never says what is missing from the list."""

import asyncio
import logging
import random
from collections.abc import Iterable
from typing import Any, Final

from vivero_core.backends.kube.client import KubeClient
from vivero_core.errors import BackendError

from vivero_operator.handlers import dispatch
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.kind import KindSpec

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 40.0
"""Mean time between two lists; a missed deletion is found within a minute."""
_SPREAD: Final = 0.2


async def run(kube: KubeClient, context: HandlerContext, kinds: Iterable[KindSpec[Any]]) -> None:
    """For ever."""
    while True:
        spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  jitter, no secret
        await asyncio.sleep(EVERY_SECONDS * spread)
        for spec in kinds:
            try:
                await find(kube, context, spec)
            except BackendError as error:
                logger.info("listing %s to find missed deletions failed: %s", spec.plural, error)


async def find(kube: KubeClient, context: HandlerContext, spec: KindSpec[Any]) -> None:
    """A known object whose version is no newer than the list, and that is not in it, is deleted."""
    listing = await kube.list_as(spec.resource, lambda item: str(item["metadata"]["uid"]), metadata_only=True)
    listed = set(listing.items)
    for item in context.cluster.of(spec.model):
        meta = item.metadata
        # Versions of one server are ordered numbers; a list from the past knows nothing of what is newer.
        newer = int(meta.resource_version or 0) > int(listing.resource_version or 0)
        if meta.uid not in listed and not newer:
            dispatch.gone(context, spec, meta)
