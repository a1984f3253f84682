"""List and watch, for ever: what an informer builds on."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from vivero_core.backends.kube.client import Change, KubeClient, Listing, Object
from vivero_core.backends.kube.errors import KubeGoneError
from vivero_core.backends.kube.resources import Resource
from vivero_core.errors import BackendError

logger = logging.getLogger(__name__)

V = TypeVar("V")

FIRST_PAUSE = 0.2  # seconds
LONGEST_PAUSE = 30.0


async def follow(  # noqa: PLR0913  what narrows it, by name
    client: KubeClient,
    resource: Resource,
    view: Callable[[Object], V],
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    metadata_only: bool = False,
) -> AsyncGenerator[Listing[V] | Change[V], None]:
    """A Listing, then every Change after it; a Listing again whenever changes may have been missed.

    Of each object it yields what `view` makes of it, so that of a list of
    thousands never more than a page is held whole.
    With `metadata_only` objects come without spec, status and data: enough to see that something changed.

    It never ends by itself: transient errors are retried with back-off and
    jitter; a refusal (RBAC, login) is raised.
    """
    pause = FIRST_PAUSE
    version: str | None = None
    while True:
        try:
            if version is None:
                listing = await client.list_as(
                    resource, view, namespace, label_selector=label_selector, metadata_only=metadata_only
                )
                version = listing.resource_version
                yield listing
            async for change in client.watch(
                resource, version, namespace, label_selector=label_selector, metadata_only=metadata_only
            ):
                version = change.object["metadata"]["resourceVersion"]
                pause = FIRST_PAUSE
                if change.type != "BOOKMARK":
                    yield Change(change.type, view(change.object))
        except BackendError as error:
            if not error.retryable:
                raise
            if isinstance(error, KubeGoneError):
                version = None
            logger.warning("watch of %s interrupted, retrying in %.1f s: %s", resource.plural, pause, error)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, no secret
            pause = min(pause * 2, LONGEST_PAUSE)
