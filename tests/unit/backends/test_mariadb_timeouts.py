"""How long a call to a MariaDB server may take that accepts connections and says nothing."""

import socket
import time

import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.errors import BackendUnavailableError


def test_a_server_that_hangs_is_given_up_before_the_login(authority: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Server("127.0.0.1", silent.getsockname()[1], authority, connect_timeout=1, answer_timeout=30)
        started = time.monotonic()
        with pytest.raises(BackendUnavailableError):
            MariaDbAdmin(address, Credentials("admin", "secret")).ping()
    assert time.monotonic() - started < 5
