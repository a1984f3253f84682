"""A backing service is away from a running workspace: what can be served is, the rest says so, and all comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from faults.gate import Gate
from faults.plan import Outage
from faults.rig import eventually
from integration.data_plane.workspace import Workspace
from structlog.testing import capture_logs

RECORDS = "/api/v1/collections/Contacts/records"
FILES = "/api/v1/files"
ANSWER_SECONDS = 60.0  # instead of never: the database that says nothing is waited for, for five
BACK_SECONDS = 60.0


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


@pytest.fixture
async def gates(platform: dict[str, Any]) -> AsyncIterator[dict[str, Gate]]:
    real = {
        "mariadb": (platform["mariadb"]["host"], int(platform["mariadb"]["port"])),
        "valkey": _address(platform["valkey"]["url"]),
        "s3": _address(platform["s3"]["endpoint"]),
    }
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(Gate(at)) for name, at in real.items()}


@pytest.fixture
async def workspace(
    platform: dict[str, Any], gates: dict[str, Gate], new_workspace: Callable[..., Awaitable[Workspace]]
) -> Workspace:
    """All its services behind gates."""
    here = "127.0.0.1"
    services = {
        **platform,
        "mariadb": {**platform["mariadb"], "host": here, "port": gates["mariadb"].port},
        "valkey": {**platform["valkey"], "url": f"rediss://{here}:{gates['valkey'].port}"},
        "s3": {**platform["s3"], "endpoint": f"https://{here}:{gates['s3'].port}"},
    }
    return await new_workspace(services=services)


async def look(workspace: Workspace, owner: dict[str, str]) -> int:
    """The status of a page of records, which comes."""
    async with asyncio.timeout(ANSWER_SECONDS):
        return (await workspace.client.get(RECORDS, headers=owner)).status_code


@pytest.mark.parametrize("outage", [Outage.DOWN, Outage.SILENT])
@pytest.mark.parametrize("service", ["valkey", "s3"])
async def test_records_need_neither_cache_nor_files(
    workspace: Workspace, owner: dict[str, str], gates: dict[str, Gate], service: str, outage: Outage
) -> None:
    await workspace.collection(owner)
    await gates[service].fail(outage)
    for _ in range(3):
        assert await look(workspace, owner) == 200
    made = await workspace.client.post(RECORDS, json={"values": {"Name": "Ada"}}, headers=owner)
    assert made.status_code == 201
    await gates[service].heal()
    assert await look(workspace, owner) == 200


async def test_files_come_back_with_their_server(
    workspace: Workspace, owner: dict[str, str], gates: dict[str, Gate]
) -> None:
    async def upload() -> int:
        sent = {"file": ("a.txt", b"x", "text/plain")}
        return (await workspace.client.post(FILES, files=sent, headers=owner)).status_code

    assert await upload() == 201
    await gates["s3"].fail(Outage.DOWN)
    assert await upload() == 503
    await gates["s3"].heal()

    async def works() -> bool:
        return await upload() == 201

    await eventually(works, BACK_SECONDS)


@pytest.mark.parametrize("outage", [Outage.DOWN, Outage.SILENT])
async def test_without_its_database_it_says_so_and_comes_back(
    workspace: Workspace, owner: dict[str, str], gates: dict[str, Gate], outage: Outage
) -> None:
    await workspace.collection(owner)
    await gates["mariadb"].fail(outage)
    for _ in range(3):
        assert await look(workspace, owner) == 503
    assert (await workspace.client.get("/healthz")).status_code == 200
    await gates["mariadb"].heal()

    async def works() -> bool:
        return await look(workspace, owner) == 200

    await eventually(works, BACK_SECONDS)


@pytest.mark.parametrize("outage", [Outage.DOWN, Outage.SILENT])
@pytest.mark.parametrize(("service", "aspect"), [("mariadb", "database"), ("valkey", "cache"), ("s3", "storage")])
async def test_the_log_says_why_it_is_not_ready_once_a_change(
    workspace: Workspace, gates: dict[str, Gate], service: str, aspect: str, outage: Outage
) -> None:
    async def is_ready() -> bool:
        return (await workspace.client.get("/readyz")).status_code == 200

    with capture_logs() as lines:
        assert await is_ready()
        await gates[service].fail(outage)
        for _ in range(3):
            assert not await is_ready()
        await gates[service].heal()
        await eventually(is_ready, BACK_SECONDS)
        assert await is_ready()
    told = [line for line in lines if line["event"] in {"not_ready", "ready"}]
    assert [(line["event"], line["log_level"]) for line in told] == [("not_ready", "warning"), ("ready", "info")]
    assert told[0].keys() - {"event", "log_level"} == {aspect}
    assert "does not answer" in told[0][aspect] or "no answer in time" in told[0][aspect]
