import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.addresses import checked_host
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseAddress
from vivero_core.backends.valkey.client import Server as CacheAddress
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.errors import BackendMisconfiguredError

ADMIN = Credentials("admin", "secret")


@pytest.mark.parametrize("host", ["db", "db.example.com", "DB.example.com.", "10.0.0.1", "::1", "a_b", "x" * 63])
def test_what_a_server_can_be_called(host: str) -> None:
    assert checked_host(host, "mariadb") == host


NO_HOSTS = ["", " ", "exa mple", "a..b", ".a", "x" * 64, "a." * 127 + "a", "host:3306", "ho\nst", "höst", "-a", "a-"]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_can_be_no_host_is_refused_by_each_adapter(host: str, authority: str) -> None:
    with pytest.raises(BackendMisconfiguredError, match="not a valid host name"):
        MariaDbAdmin(DatabaseAddress(host, 3306, authority), ADMIN)
    with pytest.raises(BackendMisconfiguredError, match="not a valid host name"):
        ValkeyAdmin(CacheAddress(host, 6379, authority), ADMIN)


@given(st.text(max_size=300))
def test_what_passes_is_no_trouble_for_the_resolver(host: str) -> None:
    try:
        checked_host(host, "mariadb")
    except BackendMisconfiguredError:
        return
    host.encode("idna")  # what socket.getaddrinfo does first
    assert host.isascii()
