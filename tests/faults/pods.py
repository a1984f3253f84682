"""What tenants' pods are to the operator, without any: a stand-in for kubelet, and one data plane that answers for all.

The tests' plan asks for more CPU than any node has, so that Kubernetes itself leaves its pods alone.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from vivero_core.backends.kube.client import Change, KubeClient, Listing
from vivero_core.backends.kube.errors import KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import POD
from vivero_core.model.constants import LABEL_TENANT
from vivero_operator.instance import APP_PORT
from vivero_operator.policies import quantity

TOO_MUCH_CPU = "100000"
VERSION = "0.0.0-tests"


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
    async for news in follow(kube, POD, label_selector=LABEL_TENANT):
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


@dataclass
class Told:
    """What a tenant was told by the operator."""

    name: str | None = None
    public_url: str | None = None
    accounts: list[str] = field(default_factory=list)
    """Mail addresses in the order in which accounts were made."""


@dataclass
class DataPlane:
    """Answers for every tenant; its operator token tells which."""

    tenants: dict[str, Told] = field(default_factory=dict)

    def _of(self, request: web.Request) -> Told:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.tenants.setdefault(token, Told())

    async def put_workspace(self, request: web.Request) -> web.Response:
        told, body = self._of(request), await request.json()
        told.name, told.public_url = body["name"], body["public_url"]
        owner = body["owner"]
        new = owner is not None and owner["email"] not in told.accounts
        if new:
            told.accounts.append(owner["email"])
        return web.Response(status=201 if new else 200)

    async def proof(self, request: web.Request) -> web.Response:
        told = self._of(request)
        aspects = {name: {"ok": True} for name in ("database", "storage", "cache")}
        workspace = {"name": told.name, "public_url": told.public_url} if told.name else None
        return web.json_response({"ok": True, "version": VERSION, "workspace": workspace, **aspects})


@contextlib.asynccontextmanager
async def standing_in(kube: KubeClient, address: str) -> AsyncIterator[DataPlane]:
    """Pods that are ready, and the data plane that they would run, at an address of the loopback network."""
    data_plane = DataPlane()
    app = web.Application()
    app.add_routes(
        [
            web.put("/internal/v1/workspace", data_plane.put_workspace),
            web.get("/internal/v1/proof", data_plane.proof),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address, APP_PORT).start()
    pods = asyncio.create_task(run_pods(kube, address), name="pods")
    try:
        yield data_plane
    finally:
        pods.cancel()
        await asyncio.wait({pods})
        await runner.cleanup()
