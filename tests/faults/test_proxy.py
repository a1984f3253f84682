"""The proxy before a made-up API server."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from faults.plan import EVENTS, MANY, ONE, READS, Action, Director, Fault, Verb
from faults.proxy import Proxy, status_object
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.config import KubeConfig
from vivero_core.backends.kube.errors import (
    KubeGoneError,
    KubeNotFoundError,
    KubeThrottledError,
    KubeUnavailableError,
)
from vivero_core.backends.kube.resources import TENANT
from vivero_core.errors import BackendError

BODY = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "acme", "uid": "1"}}
PATH = TENANT.path()


@dataclass
class Upstream:
    """Counts what it was asked, and lets a watch see three changes."""

    port: int = 0
    writes: int = 0
    queries: list[dict[str, str]] = field(default_factory=list)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(dict(request.query))
        if request.query.get("watch") != "true":
            return web.json_response({"items": [], "metadata": {"resourceVersion": "9"}})
        stream = web.StreamResponse()
        await stream.prepare(request)
        for number in range(3):
            change = {"type": "MODIFIED", "object": {"metadata": {"name": "acme", "resourceVersion": str(number)}}}
            await stream.write(json.dumps(change).encode() + b"\n")
        return stream

    async def created(self, _: web.Request) -> web.Response:
        self.writes += 1
        return web.json_response(BODY, status=201)

    async def found(self, _: web.Request) -> web.Response:
        if not self.writes:
            return web.json_response(status_object(404), status=404)
        return web.json_response(BODY | {"spec": {"writes": self.writes}})


@dataclass
class World:
    upstream: Upstream
    proxy: Proxy
    client: KubeClient
    kills: list[str]
    outages: list[Fault]

    def strike(self, *faults: Fault) -> None:
        self.proxy.director = Director(faults)


@asynccontextmanager
async def serving(upstream: Upstream) -> AsyncIterator[KubeConfig]:
    app = web.Application()
    app.add_routes(
        [
            web.get(PATH, upstream.listed),
            web.post(PATH, upstream.created),
            web.get(f"{PATH}/acme", upstream.found),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield KubeConfig(f"http://127.0.0.1:{runner.addresses[0][1]}", ssl.create_default_context())
    await runner.cleanup()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    upstream, kills, outages = Upstream(), list[str](), list[Fault]()

    async def outage(fault: Fault) -> None:
        outages.append(fault)

    async with serving(upstream) as config, Proxy(config, lambda: kills.append("killed"), outage) as proxy:
        real = tmp_path / "real"
        cluster = {
            "name": "c",
            "cluster": {"server": "https://elsewhere", "certificate-authority": str(tmp_path / "ca")},
        }
        user = {"name": "u", "user": {"client-key-data": "c2VjcmV0"}}
        context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
        document = {"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "x"}
        real.write_text(yaml.safe_dump(document))
        proxy.write_kubeconfig(tmp_path / "config", real, proxy.port)
        written = yaml.safe_load((tmp_path / "config").read_text())
        server, token = written["clusters"][0]["cluster"]["server"], written["users"][0]["user"]["tokenFile"]
        mine = KubeConfig(server, ssl.create_default_context(), Path(token))
        async with KubeClient(mine, field_manager="tests") as client:
            yield World(upstream, proxy, client, kills, outages)


async def test_without_a_fault_everything_passes_and_is_noted(world: World) -> None:
    assert await world.client.create(BODY) == BODY
    assert (await world.client.get(TENANT, "acme"))["spec"] == {"writes": 1}
    assert [str(entry) for entry in world.proxy.journal] == ["201 create tenants acme", "200 get tenants acme"]


async def test_nobody_else_gets_in(world: World) -> None:
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Bearer guess"}):
            async with session.get(f"http://127.0.0.1:{world.proxy.port}{PATH}", headers=headers) as answer:
                assert answer.status == 401
    assert world.proxy.journal == []


@pytest.mark.usefixtures("world")
async def test_the_kubeconfig_holds_no_certificate(tmp_path: Path) -> None:
    assert "client-key-data" not in (tmp_path / "config").read_text()
    assert ((tmp_path / "config.token").stat().st_mode & 0o077) == 0


async def test_a_refusal_never_reaches_the_server(world: World) -> None:
    world.strike(Fault(Action.REFUSE, status=429))
    with pytest.raises(KubeThrottledError):
        await world.client.create(BODY)
    assert world.upstream.writes == 0
    await world.client.create(BODY)
    assert world.upstream.writes == 1


async def test_a_lost_answer_is_a_write_that_was_done(world: World) -> None:
    world.strike(Fault(Action.LOSE))
    with pytest.raises(KubeUnavailableError):
        await world.client.create(BODY)
    assert (world.upstream.writes, world.kills) == (1, [])


@pytest.mark.parametrize(("action", "writes"), [(Action.KILL_BEFORE, 0), (Action.KILL_AFTER, 1)])
async def test_it_dies_before_or_after_the_write(world: World, action: Action, writes: int) -> None:
    world.strike(Fault(action))
    with pytest.raises(KubeUnavailableError):
        await world.client.create(BODY)
    assert (world.upstream.writes, world.kills) == (writes, ["killed"])


async def seen(world: World) -> int:
    """How many writes the object shows that one reads; none while it is not there."""
    try:
        body = await world.client.get(TENANT, "acme")
    except KubeNotFoundError:
        return 0
    writes: int = body["spec"]["writes"]
    return writes


@pytest.mark.parametrize("former", [0, 1])
async def test_a_stale_object_is_as_it_was_read_before(world: World, former: int) -> None:
    """Also one that was not there."""
    for _ in range(former):
        await world.client.create(BODY)
    before = await seen(world)
    await world.client.create(BODY)
    world.strike(Fault(Action.STALE, ONE, times=2))
    assert [before, *[await seen(world) for _ in range(3)]] == [former, former, former, former + 1]


async def test_what_was_never_read_has_no_past(world: World) -> None:
    await world.client.create(BODY)
    world.strike(Fault(Action.STALE, ONE))
    assert await seen(world) == 1


async def test_a_delay_takes_its_time(world: World) -> None:
    world.strike(Fault(Action.DELAY, READS, seconds=0.2))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await seen(world)
    assert loop.time() - started >= 0.2


async def test_a_page_of_another_server_says_404_without_a_reason(world: World) -> None:
    world.strike(Fault(Action.MISROUTE, READS, status=404))
    with pytest.raises(BackendError, match="status 404"):
        await world.client.get(TENANT, "acme")


async def test_a_stale_list_is_asked_for_at_the_version_that_was(world: World) -> None:
    world.proxy.since = "5"
    world.strike(Fault(Action.STALE, MANY))
    await world.client.list(TENANT)
    await world.client.list(TENANT)
    asked = [query.get("resourceVersion") for query in world.upstream.queries]
    assert asked == ["5", None]


async def test_an_outage_is_announced_before_the_call_goes_on(world: World) -> None:
    fault = Fault(Action.OUTAGE, service="s3")
    world.strike(fault)
    await world.client.create(BODY)
    assert (world.outages, world.upstream.writes) == ([fault], 1)


async def watched(world: World) -> list[str]:
    """Versions seen until the watch ended."""
    return [change.object["metadata"]["resourceVersion"] async for change in world.client.watch(TENANT, "0")]


async def test_a_watch_passes(world: World) -> None:
    assert await watched(world) == ["0", "1", "2"]


async def test_a_watch_is_cut_before_an_event(world: World) -> None:
    world.strike(Fault(Action.CUT, EVENTS, nth=2))
    with pytest.raises(KubeUnavailableError):
        await watched(world)


async def test_a_watch_expires_in_place_of_an_event(world: World) -> None:
    world.strike(Fault(Action.EXPIRE, EVENTS, nth=2))
    with pytest.raises(KubeGoneError):
        await watched(world)


async def test_a_mute_watch_tells_all_later(world: World) -> None:
    world.strike(Fault(Action.MUTE, EVENTS, seconds=0.2))
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await watched(world) == ["0", "1", "2"]
    assert loop.time() - started >= 0.2


async def test_a_watch_can_be_refused(world: World) -> None:
    world.strike(Fault(Action.REFUSE, frozenset({Verb.WATCH}), status=410))
    with pytest.raises(KubeGoneError):
        await watched(world)


def a_fault(**content: Any) -> Fault:  # noqa: ANN401  a fault's own fields
    return Fault(Action.REFUSE, READS, **content)


def test_a_fault_says_what_it_does() -> None:
    assert str(a_fault(resource="secrets", nth=3, times=2, status=500)) == "refuse 500 at get/list secrets #3 x2"
