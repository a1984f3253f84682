"""Takes many objects of a kind away, and waits until the last is gone."""

import asyncio
from collections.abc import Callable

from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.resources import Resource

GONE_SECONDS = 1800.0


async def erase(kube: KubeClient, kind: Resource, mine: Callable[[Object], bool]) -> None:
    """One by one: a thousand in one request take the API server longer than a client waits."""
    for item in await _left(kube, kind, mine):
        await kube.delete(kind, item["metadata"]["name"], uid=item["metadata"]["uid"])
    await until_none(kube, kind, mine)


async def until_none(kube: KubeClient, kind: Resource, mine: Callable[[Object], bool]) -> None:
    """Raises TimeoutError after half an hour; `mine` sees an object's metadata only."""
    async with asyncio.timeout(GONE_SECONDS):
        while await _left(kube, kind, mine):  # noqa: ASYNC110  asked now and then
            await asyncio.sleep(1)


async def _left(kube: KubeClient, kind: Resource, mine: Callable[[Object], bool]) -> list[Object]:
    return [item for item in (await kube.list(kind, metadata_only=True)).items if mine(item)]
