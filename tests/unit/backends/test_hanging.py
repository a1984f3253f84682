"""Servers that accept connections and say nothing: each call ends, and as unavailable."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseAddress
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.iam import IamAccounts
from vivero_core.backends.s3.transport import Endpoint, Transport
from vivero_core.backends.valkey.client import Server as CacheAddress
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.backends.valkey.elasticache import ElastiCacheAdmin
from vivero_core.errors import BackendUnavailableError

HERE = "127.0.0.1"
ADMIN = Credentials("admin", "secret")
STATEMENT_SECONDS = 300
PATIENCE_SECONDS = 120
"""Far longer than a busy machine needs to notice that a connection's one second is over, and less than a statement has."""


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server whose system takes connections that nobody ever looks at."""
    with socket.create_server((HERE, 0)) as listener:
        yield listener.getsockname()[1]


def ends(ping: Callable[[], object]) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool, pytest.raises(BackendUnavailableError):
        pool.submit(ping).result(PATIENCE_SECONDS)


def test_mariadb_before_the_login(authority: str, silent: int) -> None:
    """Although a statement may take longer."""
    ends(MariaDbAdmin(DatabaseAddress(HERE, silent, authority, 1, STATEMENT_SECONDS), ADMIN).ping)


def test_valkey(authority: str, silent: int) -> None:
    ends(ValkeyAdmin(CacheAddress(HERE, silent, authority, 1, 1), ADMIN).ping)


def test_s3(authority: str, silent: int) -> None:
    endpoint = Endpoint(f"https://{HERE}:{silent}", "us-east-1", authority, 1, 1)
    ends(VersityStorageAdmin(endpoint, ADMIN).ping)


def test_iam(authority: str, silent: int) -> None:
    """Once: what retries a throttled call does not retry a server that hangs."""
    url = f"https://{HERE}:{silent}"
    transport = Transport(Endpoint(url, "us-east-1", authority, 1, 1))
    ends(IamAccounts(transport, ADMIN, url).names)


def test_elasticache(authority: str, silent: int) -> None:
    """The API, while the cache answers or not."""
    api = Endpoint(f"https://{HERE}:{silent}", "us-east-1", authority, 1, 1)
    admin = ElastiCacheAdmin(CacheAddress(HERE, silent, authority, 1, 1), ADMIN, api, ADMIN, "group")
    ends(admin.inventory)
