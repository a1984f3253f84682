"""The limiter on a real Valkey: as the cache user of a tenant, and as one who may do nothing but what counting needs."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import valkey as valkey_sync
from valkey.asyncio import BlockingConnectionPool, SSLConnection, Valkey
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.valkey.client import Server
from vivero_web.counts import SharedCounts
from vivero_web.limiter import Limit, Limiter

SHORT = 3
"""Seconds: to wait for, and yet long for what a busy machine does in between."""
ONCE = Limit("tries", 5, 60, "Too many.")
NEEDED = ["-@all", "+auth", "+hello", "+client|setname", "+client|setinfo", "+get", "+set", "+incr", "+decr"]


@pytest.fixture
def bare(platform: dict[str, Any]) -> Iterator[tuple[Credentials, str]]:
    name, password = f"bare-{secrets.token_hex(4)}", secrets.token_hex(16)
    with valkey_sync.Valkey.from_url(platform["valkey"]["url"], ssl_ca_certs=platform["valkey"]["ca"]) as admin:
        admin.execute_command("ACL", "SETUSER", name, "reset", "on", f">{password}", f"~{name}:*", *NEEDED)
        yield Credentials(name, password), f"{name}:"
        admin.execute_command("ACL", "DELUSER", name)


@pytest.fixture(params=["tenant", "bare"])
async def counts(
    request: pytest.FixtureRequest, platform: dict[str, Any], cache_server: Server
) -> AsyncIterator[SharedCounts]:
    if request.param == "tenant":
        new_tenant: Callable[[], Any] = request.getfixturevalue("new_tenant")
        tenant = new_tenant()
        login, prefix = tenant.cache_user, tenant.prefix
    else:
        login, prefix = request.getfixturevalue("bare")
    pool = BlockingConnectionPool(
        connection_class=SSLConnection,
        host=cache_server.host,
        port=cache_server.port,
        username=login.name,
        password=login.secret,
        ssl_ca_certs=platform["valkey"]["ca"],
        ssl_min_version=ssl.TLSVersion.TLSv1_3,
        max_connections=10,
        timeout=60,
        socket_timeout=60,  # a busy machine may need more than the library's five for ten handshakes
    )
    async with Valkey.from_pool(pool) as client:
        yield SharedCounts(client, prefix)


async def test_of_fifty_at_once_five_get_through(counts: SharedCounts) -> None:
    processes = [Limiter(counts) for _ in range(5)]
    tallies = await asyncio.gather(*(limiter.count(ONCE, "a") for limiter in processes * 10))
    assert sum(tally.allowed for tally in tallies) == 5
    assert all(0 < tally.wait <= 66 for tally in tallies if not tally.allowed)
    for tally in tallies:
        if tally.allowed:
            await processes[0].give_back(tally)
    again = await asyncio.gather(*(limiter.count(ONCE, "a") for limiter in processes * 10))
    assert sum(tally.allowed for tally in again) == 5


async def test_a_window_passes(counts: SharedCounts) -> None:
    limiter, limit = Limiter(counts), Limit("short", 2, SHORT, "Too many.")
    tallies = [await limiter.count(limit, "a") for _ in range(3)]
    assert [tally.allowed for tally in tallies] == [True, True, False]
    await asyncio.sleep(tallies[-1].wait + 0.1)
    assert (await limiter.count(limit, "a")).allowed


async def test_a_place_is_remembered_and_forgotten(counts: SharedCounts) -> None:
    limiter = Limiter(counts)
    assert not await limiter.has("place")
    await limiter.mark("place", SHORT)
    assert await limiter.has("place")
    await asyncio.sleep(SHORT + 0.2)
    assert not await limiter.has("place")
