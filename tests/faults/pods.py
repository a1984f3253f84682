"""What tenants' pods are to the operator, without any: a stand-in for kubelet, and one data plane that answers for all.

The tests' plans ask for more CPU than any node has, so that Kubernetes itself leaves their pods alone.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from faults.servers import Servers
from faults.workspace import NEEDED, Program, decoded
from vivero_core.backends.kube.client import Change, KubeClient, Listing, whole
from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import POD, SECRET
from vivero_core.model.constants import LABEL_TENANT
from vivero_dev.testing.data_plane import DataPlane, Works, answering
from vivero_operator.instance import APP_PORT
from vivero_operator.policies import room

Object = dict[str, Any]

TOO_MUCH_CPU: Final = "200"
"""Of the tests' own plans; a Plan may ask for 256 cores at most."""
MORE_THAN_THERE_IS: Final = 20
"""Cores from which on a pod is ours: no machine that runs these tests has as many."""
BROKEN_IMAGE: Final = "localhost/vivero/broken"
"""Pods of an image whose name begins so never start."""
_AGAIN_SECONDS: Final = 0.2
_LONGEST_SECONDS: Final = 2.0


def _is_left_alone(pod: Object) -> bool:
    """Waiting for a node that will never come, and not on its way out."""
    container = pod["spec"]["containers"][0]
    asks = container.get("resources", {}).get("requests", {}).get("cpu", "")
    known = pod.get("status", {}).get("podIP")
    return (
        bool(asks)
        and room.parse(asks) >= MORE_THAN_THERE_IS
        and not known
        and "deletionTimestamp" not in pod["metadata"]
    )


@dataclass
class Kubelet:
    """Starts every pod of the tests' plans at once, at `address`, as kubelet and the program in it would."""

    kube: KubeClient
    servers: Servers
    address: str
    running: dict[str, tuple[str, Program]] = field(default_factory=dict)
    """By the pod's uid: the tenant's id and the program; the youngest last."""
    _starting: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    def identify(self, token: str) -> str | None:
        return next((tenant for tenant, program in self.running.values() if program.token == token), None)

    async def works(self, tenant: str) -> Works:
        """As the tenant's youngest pod finds it."""
        program = next(program for whose, program in reversed(self.running.values()) if whose == tenant)
        return await program.works()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async for news in follow(self.kube, POD, whole, label_selector=LABEL_TENANT):
                self._hear(news)
        finally:
            for task in self._starting.values():
                task.cancel()

    def _hear(self, news: Listing[Object] | Change[Object]) -> None:
        if isinstance(news, Listing):
            listed = {pod["metadata"]["uid"] for pod in news.items}
            for uid in (self.running.keys() | self._starting.keys()) - listed:
                self._end(uid)
        elif news.type == "DELETED":
            self._end(news.object["metadata"]["uid"])
            return
        for pod in news.items if isinstance(news, Listing) else [news.object]:
            uid = pod["metadata"]["uid"]
            if uid not in self._starting and uid not in self.running and _is_left_alone(pod):
                task = self._starting[uid] = asyncio.create_task(self._start(pod), name=f"pod {uid}")
                task.add_done_callback(partial(self._started, uid))

    def _started(self, uid: str, _: object) -> None:
        self._starting.pop(uid, None)

    def _end(self, uid: str) -> None:
        self.running.pop(uid, None)
        task = self._starting.pop(uid, None)
        if task is not None:
            task.cancel()

    async def _start(self, pod: Object) -> None:
        meta, image = pod["metadata"], pod["spec"]["containers"][0]["image"]
        if image.startswith(BROKEN_IMAGE):
            await self._tell(meta, _unpullable(image))
            return
        secrets = await self._mounted(meta["namespace"])
        program = Program(self.servers, secrets)
        pause = _AGAIN_SECONDS
        while not await program.begin():
            await asyncio.sleep(pause)
            pause = min(_LONGEST_SECONDS, 1.5 * pause)
        self.running[meta["uid"]] = meta["labels"][LABEL_TENANT], program
        await self._tell(meta, self._ready())

    async def _mounted(self, namespace: str) -> dict[str, dict[str, str]]:
        """Waits for all of them, as a volume does."""
        while True:
            found = {one["metadata"]["name"]: decoded(one) for one in (await self.kube.list(SECRET, namespace)).items}
            if found.keys() >= set(NEEDED):
                return found
            await asyncio.sleep(_AGAIN_SECONDS)

    def _ready(self) -> Object:
        return {
            "phase": "Running",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }

    async def _tell(self, meta: Object, status: Object) -> None:
        with contextlib.suppress(KubeNotFoundError, KubeConflictError):
            await self.kube.patch_status(POD, meta["name"], status, meta["namespace"], uid=meta["uid"])


def _unpullable(image: str) -> Object:
    waiting = {"reason": "ImagePullBackOff", "message": f"Back-off pulling image {image}"}
    container = {"name": "app", "image": image, "imageID": "", "ready": False, "restartCount": 0}
    return {"phase": "Pending", "containerStatuses": [{**container, "state": {"waiting": waiting}}]}


@contextlib.asynccontextmanager
async def standing_in(kube: KubeClient, servers: Servers, address: str) -> AsyncIterator[DataPlane]:
    """Pods that are ready, and the data plane that they would run, at an address of the loopback network."""
    async with answering(address, APP_PORT) as data_plane:
        kubelet = Kubelet(kube, servers, address)
        data_plane.identify, data_plane.works = kubelet.identify, kubelet.works
        pods = asyncio.create_task(kubelet.run(), name="pods")
        try:
            yield data_plane
        finally:
            pods.cancel()
            await asyncio.wait({pods})
