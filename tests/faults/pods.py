"""What tenants' pods are to the operator, without any: a stand-in for kubelet, and one data plane that answers for all.

The tests' plan asks for more CPU than any node has, so that Kubernetes itself leaves its pods alone.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from vivero_core.backends.kube.client import Change, KubeClient, Listing, whole
from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import POD
from vivero_core.model.constants import LABEL_TENANT
from vivero_dev.testing.data_plane import DataPlane, answering
from vivero_operator.instance import APP_PORT
from vivero_operator.policies import quantity

TOO_MUCH_CPU = "100000"


def _is_left_alone(pod: dict[str, Any]) -> bool:
    """Waiting for a node that will never come, and not on its way out."""
    container = pod["spec"]["containers"][0]
    asks = container.get("resources", {}).get("requests", {}).get("cpu", "")
    known = pod.get("status", {}).get("podIP")
    return (
        bool(asks)
        and quantity.parse(asks) >= quantity.parse(TOO_MUCH_CPU)
        and not known
        and "deletionTimestamp" not in pod["metadata"]
    )


async def run_pods(kube: KubeClient, address: str) -> None:
    """Until cancelled: every pod of the tests' plan is ready at once, at `address`."""
    async for news in follow(kube, POD, whole, label_selector=LABEL_TENANT):
        match news:
            case Listing(items=items):
                pods = items
            case Change(type="DELETED"):
                pods = []
            case Change(object=pod):
                pods = [pod]
        for pod in filter(_is_left_alone, pods):
            await _be_ready(kube, pod["metadata"], address)


async def _be_ready(kube: KubeClient, meta: dict[str, Any], address: str) -> None:
    status = {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    with contextlib.suppress(KubeNotFoundError, KubeConflictError):
        await kube.patch_status(POD, meta["name"], status, meta["namespace"], uid=meta["uid"])


@contextlib.asynccontextmanager
async def standing_in(kube: KubeClient, address: str) -> AsyncIterator[DataPlane]:
    """Pods that are ready, and the data plane that they would run, at an address of the loopback network."""
    async with answering(address, APP_PORT) as data_plane:
        pods = asyncio.create_task(run_pods(kube, address), name="pods")
        try:
            yield data_plane
        finally:
            pods.cancel()
            await asyncio.wait({pods})
