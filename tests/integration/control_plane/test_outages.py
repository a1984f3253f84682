"""Signups while the API server is down: the delay is shown, and the workspace is created once, later."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from faults.gate import Gate
from faults.plan import Outage
from integration.control_plane.support import DOMAIN, Names, TestClock, listening, signup_body
from integration.operator.live import cluster_names
from vivero_control import composition
from vivero_control.settings import Settings
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT

ANSWER_SECONDS = 60.0
NAME = "kubernetes"  # in the API server's certificate, where this machine's address is not


@pytest.fixture
def document(kubeconfig: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    return loaded


@pytest.fixture
async def gate(document: dict[str, Any]) -> AsyncIterator[Gate]:
    real = urlsplit(document["clusters"][0]["cluster"]["server"])
    async with Gate((str(real.hostname), int(real.port or 443))) as gate:
        yield gate


@pytest.fixture
async def through(
    gate: Gate, document: dict[str, Any], settings: Settings, clock: TestClock, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A control plane that reaches the API server through a proxy."""
    document["clusters"][0]["cluster"]["server"] = f"https://{NAME}:{gate.port}"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    kube = settings.kube.model_copy(update={"kubeconfig": path})
    stack = ExitStack()
    stack.enter_context(cluster_names({NAME: ("127.0.0.1", gate.port)}))
    # Its start and its end wait, and the gate works in this thread.
    address = await asyncio.to_thread(stack.enter_context, listening(settings.model_copy(update={"kube": kube}), clock))
    headers = {"Host": f"{DOMAIN}:8443", "X-Forwarded-For": "198.51.100.251"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=ANSWER_SECONDS) as client:
        yield client
    await asyncio.to_thread(stack.close)


@pytest.mark.parametrize("outage", [Outage.DOWN, Outage.SILENT])
async def test_a_signup_during_an_outage_is_provisioned_afterwards(
    through: httpx.AsyncClient,
    gate: Gate,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    later: Callable[[timedelta], None],
    outage: Outage,
) -> None:
    slug = names.new()

    async def made() -> int:
        return sum(one["spec"].get("slug") == slug for one in (await kube.list(TENANT)).items)

    await gate.fail(outage)
    answer = await through.post("/api/v1/signups", json=signup_body(slug))
    assert answer.status_code == 202
    assert (await through.get(f"/api/v1/signups/{answer.json()['id']}")).status_code == 200
    assert await made() == 0
    await gate.heal()
    later(timedelta(minutes=1))
    for _ in range(2):
        await Worker(infrastructure).drain()
        assert await made() == 1
