"""Servers that accept connections and say nothing: each call ends, and as unavailable."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseAddress
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.transport import Endpoint
from vivero_core.backends.valkey.client import Server as CacheAddress
from vivero_core.backends.valkey.client import ValkeyAdmin
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


def ends(ping: Callable[[], None]) -> None:
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
