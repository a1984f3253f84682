"""The Compose half of the docker provider, run: what it starts, what that lets in, and what `down` leaves.

Its images are stand-ins where they differ from the official ones (support.docker_images); files, settings, networks,
volumes, the mail sink's image and every call are the provider's own.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
import valkey
from support.docker_daemon import Daemon
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_dev.backing import mariadb
from vivero_dev.backing import valkey as cache
from vivero_dev.backing.accounts import Account, Accounts, accounts_of
from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.platform.backing import backing_host
from vivero_dev.provider import SERVICES_READY
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import silently

MakeTenant = Callable[[], Any]


@pytest.fixture
def accounts(provider: DockerProvider) -> Accounts:
    return accounts_of(SecretStore(provider.instance.secrets_dir))


@pytest.fixture
def ca(platform: dict[str, Any]) -> Path:
    return Path(platform["ca"])


def test_a_tenant_is_made_on_them_and_works(
    database_admin: MariaDbAdmin, storage_admin: VersityStorageAdmin, cache_admin: ValkeyAdmin, new_tenant: MakeTenant
) -> None:
    tenant, other = new_tenant(), new_tenant()
    assert database_admin.prove(tenant.database_user, tenant.database) > 0
    assert storage_admin.prove(tenant.account, tenant.bucket) > 0
    assert cache_admin.prove(tenant.cache_user) > 0
    assert not database_admin.can_login(tenant.database_user, other.database)
    assert storage_admin.ensure_bucket(tenant.bucket, tenant.account.name) == []
    assert database_admin.ensure_user(tenant.database_user, tenant.database, 10) == []
    assert cache_admin.ensure_user(tenant.cache_user) == []


@pytest.mark.parametrize("service", ["valkey", "s3", "mail"])
def test_nothing_older_than_tls_1_3_is_spoken(service: str, provider: DockerProvider, ca: Path) -> None:
    old, current = (ssl.create_default_context(cafile=str(ca)) for _ in range(2))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    address = ("127.0.0.1", provider.instance.ports[service])
    with (
        socket.create_connection(address, timeout=5) as plain,
        current.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.version() == "TLSv1.3"
    with (
        socket.create_connection(address, timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        old.wrap_socket(plain, server_hostname="127.0.0.1"),
    ):
        pass


def test_mariadb_knows_no_stranger_and_speaks_tls_1_3_alone(
    provider: DockerProvider, accounts: Accounts, ca: Path
) -> None:
    admin, port = accounts.mariadb_admin, provider.instance.ports["mariadb"]
    for stranger in (Account("", ""), Account("root", ""), Account("healthcheck", ""), Account("mariadb.sys", "")):
        with pytest.raises(pymysql.OperationalError, match="Access denied"):
            mariadb.connect(port, stranger, ca)
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(host="127.0.0.1", port=port, user=admin.username, password=admin.password, ssl_disabled=True)
    with closing(mariadb.connect(port, admin, ca)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        assert cursor.fetchone() == ("Ssl_version", "TLSv1.3")
        cursor.execute(
            "SELECT User, Host FROM mysql.user WHERE Host NOT IN ('localhost', '127.0.0.1', '::1') ORDER BY User"
        )
        assert cursor.fetchall() == (("vivero_admin", "%"), ("vivero_archiver", "%"), ("vivero_control", "%"))


def test_the_cache_has_no_default_user(provider: DockerProvider, accounts: Accounts, ca: Path) -> None:
    port = provider.instance.ports["valkey"]
    with cache.client(port, Account("default", ""), ca) as stranger, pytest.raises(valkey.AuthenticationError):
        stranger.ping()
    with cache.client(port, accounts.control_plane_cache, ca) as control:
        assert control.set("control:probe", "1", ex=60)
        with pytest.raises(valkey.exceptions.NoPermissionError):
            control.get("other:probe")


def test_a_mail_that_is_sent_is_shown(provider: DockerProvider, platform: dict[str, Any], ca: Path) -> None:
    context = ssl.create_default_context(cafile=str(ca))
    with smtplib.SMTP("127.0.0.1", provider.instance.ports["smtp"], timeout=10) as client:
        client.starttls(context=context)
        client.sendmail("a@x.example", ["reader@x.example"], "Subject: hello\r\n\r\nover Compose\r\n")
    answer = httpx.get(
        f"{platform['mail']['url']}/api/messages", params={"to": "reader@x.example"}, verify=context
    ).raise_for_status()
    assert [mail["subject"] for mail in answer.json()["messages"]] == ["hello"]


@pytest.mark.parametrize("service", ["mariadb", "valkey", "s3", "mail"])
def test_pods_reach_it_at_the_address_that_the_cluster_is_given(
    service: str, provider: DockerProvider, ca: Path
) -> None:
    """With the name under which they call it, where it speaks TLS at once."""
    endpoint = provider.endpoints()[service]
    with socket.create_connection((endpoint.address, endpoint.port), timeout=5) as plain:
        if service in {"valkey", "s3"}:
            context = ssl.create_default_context(cafile=str(ca))
            with context.wrap_socket(plain, server_hostname=backing_host(service)) as secure:
                assert secure.version() == "TLSv1.3"
        else:
            assert plain.recv(3)


def test_the_s3_server_behind_its_tls_end_is_in_no_network_of_pods(daemon: Daemon) -> None:
    form = "{{.Names}} {{.Networks}}"
    networks = dict(line.split() for line in daemon.docker("ps", f"--format={form}").splitlines())
    assert networks["vivero-compose-versitygw-1"] == "vivero-compose_s3"
    assert set(networks["vivero-compose-s3-1"].split(",")) == {"kind", "vivero-compose_s3"}


def test_data_outlives_down(
    provider: DockerProvider,
    daemon: Daemon,
    accounts: Accounts,
    ca: Path,
    database_admin: MariaDbAdmin,
    storage_admin: VersityStorageAdmin,
    cache_admin: ValkeyAdmin,
    new_tenant: MakeTenant,
) -> None:
    tenant = new_tenant()
    for _ in range(2):
        provider.down(silently)
        assert provider.leftovers() == []
        assert daemon.docker("ps", "--all", "--quiet") == ""
        (again,) = (step for step in provider.steps() if step.name == SERVICES_READY)
        again.run(silently)
    assert database_admin.prove(tenant.database_user, tenant.database) > 0
    assert storage_admin.prove(tenant.account, tenant.bucket) > 0
    assert cache_admin.prove(tenant.cache_user) > 0
    found = BackingAddresses.of(provider.instance).health(accounts, ca)
    assert {part.component: part.ok for part in found} == dict.fromkeys(
        ("mariadb", "valkey", "s3", "mail", "payments"), True
    )


def test_up_on_what_runs_starts_nothing_anew(provider: DockerProvider, daemon: Daemon) -> None:
    def started() -> list[str]:
        return sorted(daemon.docker("ps", "--no-trunc", "--format={{.ID}}").split())

    before = started()
    (again,) = (step for step in provider.steps() if step.name == SERVICES_READY)
    again.run(silently)
    assert started() == before
    assert len(before) == 6
