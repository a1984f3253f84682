"""Our page through the real ingress: a Service without a pod that answers leads to the control plane, and back."""

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from integration.operator.live import Setup
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import ENDPOINT_SLICE, NAMESPACE
from vivero_core.model.constants import FIELD_MANAGER, LABEL_TENANT
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_dev.localhost import local_client
from vivero_operator.instance import Instance
from vivero_operator.manifests import ingress, waiting_page
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.waiting_pages import WaitingPages

SECONDS = 60
NOW = "2026-11-28T12:00:00Z"
ROUTED = {"type": "RouteReady", "status": "True", "reason": "Routed", "message": "", "lastTransitionTime": NOW}


class Door:
    """A tenant that only this test knows, with a route, a Service, and no pods but those that it is told of."""

    def __init__(self, setup: Setup, kube: KubeClient) -> None:
        settings, slug = setup.settings(), f"door-{secrets.token_hex(3)}"
        body = {
            "metadata": {"name": slug, "uid": str(uuid.uuid4()), "generation": 1, "creationTimestamp": NOW},
            "spec": {"displayName": "Door", "slug": slug, "plan": "trial", "owner": {"email": "a@b.example"}},
            "status": {"provenAt": NOW, "conditions": [ROUTED]},
        }
        plan = {"metadata": {"name": "trial"}, "spec": {"displayName": "Trial", "price": {"amountCents": 0}}}
        self.instance = Instance(Tenant.parse(body), Plan.parse(plan), settings)
        self.cluster, self.kube = Cluster(), kube
        self.cluster.tenants.put(self.instance.tenant)
        self.pages = WaitingPages(kube, self.cluster, settings, lambda: datetime.now(UTC))

    def pod(self, *, ready: bool) -> None:
        """As the watch of pods tells of one."""
        labels = {LABEL_TENANT: self.instance.id}
        meta = {"name": "app-1", "namespace": self.instance.namespace, "labels": labels}
        status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
        self.cluster.put_pod(Pod.parse({"metadata": meta, "status": status}))
        self.pages.mark(self.instance.id)

    async def slices(self) -> list[dict[str, Any]]:
        return (
            await self.kube.list(ENDPOINT_SLICE, self.instance.namespace, label_selector=waiting_page.SELECTOR)
        ).items


@pytest.fixture
async def door(setup: Setup) -> AsyncIterator[Door]:
    """What it makes goes with its namespace."""
    administrator = kube_config.load(Path(setup.administrator))
    async with AsyncExitStack() as stack:
        kube = await stack.enter_async_context(KubeClient(administrator, field_manager=FIELD_MANAGER))
        one, listed = Door(setup, kube), asyncio.Event()
        namespace = await kube.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one.instance.namespace}}
        )
        stack.push_async_callback(kube.delete, NAMESPACE, one.instance.namespace, uid=str(namespace["metadata"]["uid"]))
        for manifest in (ingress.service(one.instance), ingress.build(one.instance)):
            await kube.apply(manifest)
        listed.set()
        running = asyncio.create_task(one.pages.run(kube, listed))
        yield one
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def eventually(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await holds():  # noqa: ASYNC110  a proxy tells nobody
            await asyncio.sleep(0.02)


async def test_a_visitor_is_led_to_the_control_plane_and_back(door: Door, platform: dict[str, Any]) -> None:
    with local_client(Path(platform["ca"])) as client:
        client.headers["Connection"] = "close"

        async def ours() -> bool:
            """Of a host that it does not know the control plane says so; the proxy has no such words."""
            answer = await asyncio.to_thread(client.get, str(door.instance.url))
            return bool(answer.headers.get("content-type") == "application/problem+json")

        await eventually(ours)
        door.pod(ready=True)

        async def theirs() -> bool:
            return not await ours()

        await eventually(theirs)
        door.pod(ready=False)
        await eventually(ours)


async def test_what_somebody_removes_is_put_right(door: Door) -> None:
    async def shown() -> bool:
        return bool(await door.slices())

    await eventually(shown)
    (first,) = await door.slices()
    meta = first["metadata"]
    await door.kube.delete(ENDPOINT_SLICE, meta["name"], meta["namespace"], uid=meta["uid"])

    async def new() -> bool:
        return [one["metadata"]["uid"] for one in await door.slices()] not in ([], [meta["uid"]])

    await eventually(new)
