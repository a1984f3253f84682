"""Work on one tenant's data that takes long, or is locked, on real servers: it goes on, and so do all others."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

import pymysql
import pytest
import pytest_asyncio
from vivero_core.backends.mariadb import client as mariadb_client
from vivero_core.backends.mariadb import connections
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.s3 import client as s3_client
from vivero_core.backends.s3 import erasure
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.transport import Call, Endpoint, Transport
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey import client as valkey_client
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.errors import BackendUnfinishedError
from vivero_operator.reconcile.circuit_breaker import CircuitBreaker

MakeTenant = Callable[[], Any]


def run(admin: MariaDbAdmin, *statements: str) -> None:
    with admin._session("prepare") as cursor:  # noqa: SLF001
        for statement in statements:
            cursor.execute(statement)


@pytest_asyncio.fixture
async def breakers() -> AsyncIterator[Callable[[Callable[[], object]], CircuitBreaker]]:
    made: list[CircuitBreaker] = []

    def make(probe: Callable[[], object]) -> CircuitBreaker:
        made.append(CircuitBreaker("a server", probe))
        return made[-1]

    yield make
    for breaker in made:
        breaker.shut_down()


async def finish(breaker: CircuitBreaker, work: Callable[[], object]) -> int:
    """Repeat until it is done; how many calls were not enough."""
    unfinished = 0
    while True:
        try:
            await breaker.long(work)
        except BackendUnfinishedError:
            unfinished += 1
        else:
            return unfinished


async def test_others_go_on_while_a_large_bucket_is_erased(
    storage_admin: VersityStorageAdmin,
    storage_endpoint: Endpoint,
    new_tenant: MakeTenant,
    breakers: Callable[[Callable[[], object]], CircuitBreaker],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 5)
    monkeypatch.setattr(s3_client, "ERASURE_SECONDS", 0.1)
    large, others = new_tenant(), [new_tenant() for _ in range(3)]
    with closing(Transport(storage_endpoint)) as transport:
        for number in range(400):
            assert transport.signed(Call("PUT", f"/{large.bucket}/{number}", b"x"), large.account).ok
    breaker = breakers(storage_admin.ping)
    erasing = asyncio.create_task(finish(breaker, lambda: storage_admin.delete_bucket(large.bucket)))
    beside = 0
    while not erasing.done():
        for other in others:
            assert await breaker.call(storage_admin.ensure_account, other.account) == []
            assert not breaker.is_open
            beside += 1
    assert await erasing >= 2
    assert beside > 10
    assert not storage_admin.bucket_exists(large.bucket)


async def test_a_schema_of_many_tables_takes_several_calls(
    database_admin: MariaDbAdmin,
    new_tenant: MakeTenant,
    breakers: Callable[[Callable[[], object]], CircuitBreaker],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tables that refer to each other, a view and a sequence among them."""
    monkeypatch.setattr(mariadb_client, "ERASURE_SECONDS", -1.0)
    tenant = new_tenant()
    name = tenant.database
    tables = [f"CREATE TABLE {name}.t{n} (a INT PRIMARY KEY) ENGINE=InnoDB" for n in range(5)]
    refer = [f"ALTER TABLE {name}.t{n} ADD FOREIGN KEY (a) REFERENCES {name}.t{(n + 1) % 5} (a)" for n in range(5)]
    run(database_admin, *tables, *refer, f"CREATE VIEW {name}.v AS SELECT 1", f"CREATE SEQUENCE {name}.s")
    breaker = breakers(database_admin.ping)

    assert await finish(breaker, lambda: database_admin.drop_database(name)) == 4
    assert not database_admin.database_exists(name)
    assert not breaker.is_open


async def test_others_go_on_while_a_table_is_locked(
    database_admin: MariaDbAdmin,
    database_server: Server,
    new_tenant: MakeTenant,
    breakers: Callable[[Callable[[], object]], CircuitBreaker],
) -> None:
    """A backup in a transaction holds the tables that it has read."""
    tenant, other = new_tenant(), new_tenant()
    run(database_admin, f"CREATE TABLE {tenant.database}.t (a INT) ENGINE=InnoDB")
    breaker = breakers(database_admin.ping)
    login = tenant.database_user
    holder = pymysql.connect(
        host=database_server.host,
        port=database_server.port,
        user=login.name,
        password=login.secret,
        database=tenant.database,
        ssl=client_context(database_server.authority),
    )
    with closing(holder), holder.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT * FROM t")
        dropping = asyncio.create_task(finish(breaker, lambda: database_admin.drop_database(tenant.database)))
        started = time.monotonic()
        while time.monotonic() - started < connections.LOCK_SECONDS + 1:
            assert await breaker.call(database_admin.ensure_user, other.database_user, other.database, 10) == []
            await asyncio.sleep(0.05)
        assert not dropping.done()
    assert await dropping >= 1
    assert not breaker.is_open
    assert not database_admin.database_exists(tenant.database)


def test_a_statement_on_a_tenants_data_that_takes_long_is_no_outage(
    database_admin: MariaDbAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WORK_SECONDS", 1.0)
    with (
        pytest.raises(BackendUnfinishedError, match="timeout"),
        database_admin._session("drop", tenants_data=True) as cursor,  # noqa: SLF001
    ):
        cursor.execute("SELECT SLEEP(60)")  # to its end, it would be no error
    database_admin.ping()


async def test_others_go_on_while_many_keys_are_erased(
    cache_admin: ValkeyAdmin,
    new_tenant: MakeTenant,
    breakers: Callable[[Callable[[], object]], CircuitBreaker],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(valkey_client, "PAGE", 10)
    monkeypatch.setattr(valkey_client, "ERASURE_SECONDS", -1.0)
    tenant, other = new_tenant(), new_tenant()
    for number in range(100):
        cache_admin._client.set(f"{tenant.prefix}{number}", "x")  # noqa: SLF001
    breaker = breakers(cache_admin.ping)
    erasing = asyncio.create_task(finish(breaker, lambda: cache_admin.delete_keys(tenant.cache_user.name)))
    while not erasing.done():
        assert await breaker.call(cache_admin.ensure_user, other.cache_user) == []
        assert not breaker.is_open
    assert await erasing >= 3
