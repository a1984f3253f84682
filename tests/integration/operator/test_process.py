"""The whole program against the real API server: its watches, its leadership, its stop."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import aiohttp
import pytest
from integration.operator.live import Setup, manifest
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import INGRESS, LEASE, TENANT
from vivero_core.model import naming
from vivero_core.model.conditions import find, is_true
from vivero_core.model.tenant import Tenant
from vivero_operator.main import serve

LEASE_NAME = "operator-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
async def kube(setup: Setup) -> AsyncIterator[KubeClient]:
    async with KubeClient(kube_config.load(Path(setup.administrator)), field_manager="operator-tests") as client:
        yield client


@pytest.fixture
def port() -> int:
    return free_port()


@asynccontextmanager
async def running(setup: Setup, port: int) -> AsyncIterator["asyncio.Task[None]"]:
    """The operator; told to stop by a signal if the test has not done so.

    Not a fixture: on its way out kopf cancels every task of the loop that is younger than itself, and a fixture's end
    runs in such a one.
    """
    update = {"lease_name": LEASE_NAME, "identity": "tests", "admin_host": "127.0.0.1", "admin_port": port}
    with mock.patch.dict("os.environ", {"KUBECONFIG": setup.kubeconfig}):
        task = asyncio.create_task(serve(setup.settings().model_copy(update=update)))
        try:
            yield task
            assert not task.done()
        finally:
            if not task.done():
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.wait_for(task, 30)


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.1)


async def test_a_tenant_from_birth_to_death(setup: Setup, kube: KubeClient, port: int) -> None:
    async with running(setup, port):
        await live_and_die(kube, port)


async def live_and_die(kube: KubeClient, port: int) -> None:
    name = f"watched-{secrets.token_hex(4)}"

    async def tenant() -> Tenant:
        return Tenant.parse(await kube.get(TENANT, name))

    async def made() -> bool:
        return is_true((await tenant()).status.conditions, "Ready")

    async def suspended() -> bool:
        return is_true((await tenant()).status.conditions, "Suspended")

    async def gone() -> bool:
        try:
            await tenant()
        except KubeNotFoundError:
            return True
        return False

    await kube.create(manifest(name))
    await eventually(made)
    namespace = naming.namespace_name((await tenant()).id)
    await kube.get(INGRESS, "app", namespace)

    await kube.patch(TENANT, name, {"spec": {"suspended": {"reason": "Manual"}}})
    await eventually(suspended)
    with pytest.raises(KubeNotFoundError):
        await kube.get(INGRESS, "app", namespace)

    async with aiohttp.ClientSession() as session:
        for path in ("healthz", "readyz", "metrics"):
            async with session.get(f"http://127.0.0.1:{port}/{path}") as answer:
                assert answer.status == 200

    await kube.delete(TENANT, name, uid=(await tenant()).metadata.uid)
    await eventually(gone)


async def test_a_plan_that_is_found_helps_at_once(setup: Setup, kube: KubeClient, port: int) -> None:
    async with running(setup, port):
        await wait_for_a_plan(kube)


async def wait_for_a_plan(kube: KubeClient) -> None:
    name = f"waiting-{secrets.token_hex(4)}"

    async def reason(wanted: str) -> bool:
        ready = find(Tenant.parse(await kube.get(TENANT, name)).status.conditions, "Ready")
        return ready is not None and ready.reason == wanted

    created = await kube.create(manifest(name, plan=name))
    try:
        await eventually(lambda: reason("PlanNotFound"))
        await kube.patch(TENANT, name, {"spec": {"plan": "trial"}})
        await eventually(lambda: other_than("PlanNotFound", reason))
    finally:
        await kube.delete(TENANT, name, uid=created["metadata"]["uid"])

        async def gone() -> bool:
            return not any(item["metadata"]["name"] == name for item in (await kube.list(TENANT)).items)

        await eventually(gone)


async def other_than(unwanted: str, reason: Callable[[str], Awaitable[bool]]) -> bool:
    return not await reason(unwanted)


async def test_a_signal_stops_it_in_order(setup: Setup, kube: KubeClient, port: int) -> None:
    async def leads() -> bool:
        try:
            lease = await kube.get(LEASE, LEASE_NAME, "vivero-system")
        except KubeNotFoundError:
            return False
        return bool(lease["spec"]["holderIdentity"] == "tests")

    async with running(setup, port):
        await eventually(leads)
        await asyncio.sleep(1)  # past kopf's own start, whose handlers of signals ours replace
    lease = await kube.get(LEASE, LEASE_NAME, "vivero-system")
    assert lease["spec"]["holderIdentity"] == ""
