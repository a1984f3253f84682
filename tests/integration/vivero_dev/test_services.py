"""What the local backing services let in: over TLS 1.3, by name and password, and nobody else."""

import smtplib
import socket
import ssl
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pymysql
import pytest
import valkey
from botocore.exceptions import ClientError
from vivero_dev.backing import mariadb, object_store
from vivero_dev.backing.accounts import Account, Accounts, accounts_of
from vivero_dev.instance import Instance
from vivero_dev.secret_store import SecretStore


@pytest.fixture
def accounts(instance: Instance) -> Accounts:
    return accounts_of(SecretStore(instance.secrets_dir))


@pytest.fixture
def authority(platform: dict[str, Any]) -> Path:
    return Path(platform["ca"])


@pytest.mark.parametrize("service", ["valkey", "s3", "mail", "https"])
def test_nothing_older_than_tls_1_3_is_spoken(service: str, instance: Instance, authority: Path) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    address = ("127.0.0.1", instance.ports[service])
    with (
        socket.create_connection(address, timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        context.wrap_socket(plain, server_hostname="vivero.localhost" if service == "https" else "127.0.0.1"),
    ):
        pass


def test_mariadb_refuses_what_is_not_tls_1_3(instance: Instance, accounts: Accounts, authority: Path) -> None:
    admin, port = accounts.mariadb_admin, instance.ports["mariadb"]
    old = ssl.create_default_context(cafile=str(authority))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for context in (old, None):
        with pytest.raises(pymysql.OperationalError):
            pymysql.connect(
                host="127.0.0.1",
                port=port,
                user=admin.username,
                password=admin.password,
                ssl=context,
                ssl_disabled=context is None,
                connect_timeout=5,
            )
    with closing(mariadb.connect(port, admin, authority)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        assert cursor.fetchone() == ("Ssl_version", "TLSv1.3")


def test_mariadb_knows_no_stranger(instance: Instance, accounts: Accounts, authority: Path) -> None:
    port = instance.ports["mariadb"]
    for stranger in (Account("", ""), Account("root", ""), Account("nobody", "x")):
        with pytest.raises(pymysql.OperationalError, match="Access denied"):
            mariadb.connect(port, stranger, authority)
    with closing(mariadb.connect(port, accounts.mariadb_admin, authority)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM mysql.global_priv WHERE User = ''")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT COUNT(*) FROM mysql.db WHERE Db LIKE 'test%%'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SHOW DATABASES LIKE 'test'")
        assert cursor.fetchone() is None


def test_the_control_planes_user_has_its_schema_and_no_other(
    instance: Instance, accounts: Accounts, authority: Path
) -> None:
    with (
        closing(mariadb.connect(instance.ports["mariadb"], accounts.control_plane_database, authority)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW DATABASES")
        assert {name for (name,) in cursor.fetchall()} == {"information_schema", "vivero_control"}
        for statement in ("CREATE DATABASE vivero0control", "SELECT * FROM mysql.global_priv"):
            with pytest.raises(pymysql.MySQLError):
                cursor.execute(statement)


def cache(platform: dict[str, Any], account: Account | None) -> valkey.Valkey:
    parts = urlsplit(platform["valkey"]["url"])
    assert parts.hostname is not None
    return valkey.Valkey(
        host=parts.hostname,
        port=parts.port or 0,
        username=account and account.username,
        password=account and account.password,
        ssl=True,
        ssl_ca_certs=platform["ca"],
        socket_timeout=5,
    )


def test_the_cache_has_no_default_user(platform: dict[str, Any]) -> None:
    with cache(platform, None) as stranger, pytest.raises(valkey.AuthenticationError):
        stranger.ping()


def test_the_control_planes_cache_user_is_bound_to_its_keys(platform: dict[str, Any], accounts: Accounts) -> None:
    with cache(platform, accounts.valkey_admin) as admin, cache(platform, accounts.control_plane_cache) as client:
        admin.set("other:secret", "x", ex=60)
        client.set("control:probe", "1", ex=60)
        assert client.get("control:probe") == b"1"
        refused = [
            ("GET", "other:secret"),
            ("SCAN", "0"),
            ("KEYS", "*"),
            ("FLUSHALL",),
            ("ACL", "LIST"),
            ("RANDOMKEY",),
        ]
        for command in refused:
            with pytest.raises(valkey.exceptions.NoPermissionError):
                client.execute_command(*command)
        admin.delete("other:secret", "control:probe")


def test_the_object_store_knows_no_stranger(platform: dict[str, Any], accounts: Accounts, authority: Path) -> None:
    endpoint = platform["s3"]["endpoint"]
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        object_store.client(endpoint, Account(accounts.s3_admin.username, "wrong"), authority).list_buckets()
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        object_store.client(endpoint, Account("stranger", "wrong"), authority).list_buckets()
    answer = httpx.get(endpoint, verify=ssl.create_default_context(cafile=str(authority)), timeout=5)
    assert answer.status_code == httpx.codes.FORBIDDEN


def test_a_mail_can_be_read_where_the_status_says(
    platform: dict[str, Any], instance: Instance, authority: Path
) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    with smtplib.SMTP("127.0.0.1", instance.ports["smtp"], timeout=5) as client:
        client.starttls(context=context)
        client.sendmail("a@x.example", ["reader@x.example"], b"Subject: here\r\n\r\nbody\r\n")
    answer = httpx.get(f"{platform['mail']['url']}/api/messages", params={"to": "reader@x.example"}, verify=context)
    assert answer.json()["messages"][0]["subject"] == "here"
