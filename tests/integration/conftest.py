"""Administrators of the real services, and tenants made on them that go away again."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import client as mariadb
from vivero_core.backends.s3 import client as s3
from vivero_core.backends.s3.transport import Endpoint
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey import client as valkey
from vivero_core.errors import BackendUnfinishedError
from vivero_core.model import naming


@dataclass(frozen=True)
class Login:
    """What a tenant's program would be given."""

    id: str
    database: str
    audit_database: str
    database_user: Credentials
    bucket: str
    account: Credentials
    cache_user: Credentials

    @property
    def prefix(self) -> str:
        return naming.cache_prefix(self.id)


def new_login() -> Login:
    ident = naming.tenant_id(str(uuid.uuid4()))
    return Login(
        id=ident,
        database=naming.database_name(ident),
        audit_database=naming.audit_database_name(ident),
        database_user=Credentials(naming.database_users(ident)[0], f"db-{uuid.uuid4()}"),
        bucket=naming.bucket_name(ident),
        account=Credentials(naming.bucket_name(ident), f"s3-{uuid.uuid4()}"),
        cache_user=Credentials(naming.cache_user(ident), f"cache-{uuid.uuid4()}"),
    )


@pytest.fixture(scope="session")
def authority(platform: dict[str, Any]) -> str:
    return Path(platform["ca"]).read_text()


@pytest.fixture(scope="session")
def database_server(platform: dict[str, Any], authority: str) -> mariadb.Server:
    return mariadb.Server(platform["mariadb"]["host"], int(platform["mariadb"]["port"]), authority)


@pytest.fixture(scope="session")
def database_admin(platform: dict[str, Any], database_server: mariadb.Server) -> Iterator[mariadb.MariaDbAdmin]:
    login = Credentials(platform["mariadb"]["admin_user"], platform["mariadb"]["admin_password"])
    admin = mariadb.MariaDbAdmin(database_server, login)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def admin_sql(platform: dict[str, Any], authority: str) -> Iterator[pymysql.Connection]:
    """MariaDB's administrator; each statement is committed."""
    at = platform["mariadb"]
    with closing(
        pymysql.connect(
            host=at["host"],
            port=int(at["port"]),
            user=at["admin_user"],
            password=at["admin_password"],
            ssl=client_context(authority),
            autocommit=True,
        )
    ) as connection:
        yield connection


@pytest.fixture(scope="session")
def storage_endpoint(platform: dict[str, Any], authority: str) -> Endpoint:
    return Endpoint(platform["s3"]["endpoint"], "us-east-1", authority)


@pytest.fixture(scope="session")
def storage_admin(platform: dict[str, Any], storage_endpoint: Endpoint) -> Iterator[s3.VersityStorageAdmin]:
    login = Credentials(platform["s3"]["access_key"], platform["s3"]["secret_key"])
    admin = s3.VersityStorageAdmin(storage_endpoint, login)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def cache_server(platform: dict[str, Any], authority: str) -> valkey.Server:
    url = urlsplit(platform["valkey"]["url"])
    return valkey.Server(url.hostname or "", url.port or 0, authority)


@pytest.fixture(scope="session")
def cache_admin(platform: dict[str, Any], cache_server: valkey.Server) -> Iterator[valkey.ValkeyAdmin]:
    url = urlsplit(platform["valkey"]["url"])
    admin = valkey.ValkeyAdmin(cache_server, Credentials(url.username or "", url.password or ""))
    yield admin
    admin.close()


@pytest.fixture
def new_tenant(
    database_admin: mariadb.MariaDbAdmin, storage_admin: s3.VersityStorageAdmin, cache_admin: valkey.ValkeyAdmin
) -> Iterator[Callable[[], Login]]:
    """Makes a tenant's schema, bucket and cache user; all of them are erased after the test."""
    with tenants_made(database_admin, storage_admin, cache_admin) as make:
        yield make


def to_its_end(remove: Callable[[str], bool], name: str) -> None:
    """What takes longer than one call may, on a busy machine, goes on at the next."""
    for _ in range(20):
        with suppress(BackendUnfinishedError):
            remove(name)
            return
    remove(name)


@contextmanager
def tenants_made(
    database_admin: mariadb.MariaDbAdmin, storage_admin: s3.VersityStorageAdmin, cache_admin: valkey.ValkeyAdmin
) -> Iterator[Callable[[], Login]]:
    """As `new_tenant`, for fixtures of any scope."""
    with ExitStack() as erasure:

        def make() -> Login:
            login = new_login()
            erasure.callback(cache_admin.delete_keys, login.cache_user.name)
            erasure.callback(cache_admin.drop_user, login.cache_user.name)
            erasure.callback(storage_admin.delete_account, login.account.name)
            erasure.callback(to_its_end, storage_admin.delete_bucket, login.bucket)
            erasure.callback(to_its_end, database_admin.drop_database, login.database)
            erasure.callback(database_admin.drop_users, login.database)
            database_admin.ensure_database(login.database)
            database_admin.ensure_user(login.database_user, login.database, 10)
            storage_admin.ensure_account(login.account)
            storage_admin.ensure_bucket(login.bucket, login.account.name)
            cache_admin.ensure_user(login.cache_user)
            return login

        yield make
