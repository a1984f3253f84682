import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql.cursors import Cursor
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import connections as connections_module
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.backends.tally import tally
from vivero_core.backends.tls import client_context
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)

pytestmark = pytest.mark.alone  # the server logs every statement for a while

MakeTenant = Callable[[], Any]


def run(admin: MariaDbAdmin, statement: str) -> None:
    with admin._session("drift") as cursor:  # noqa: SLF001  a hand behind the operator's back
        cursor.execute(statement)


def test_the_client_is_what_the_operator_asks_for(database_admin: MariaDbAdmin) -> None:
    admin: DatabaseAdmin = database_admin
    admin.ping()
    assert "MariaDB" in admin.server_version()


def connections(admin: MariaDbAdmin) -> set[str]:
    """Ids of the administrator's connections, the asking one's included."""
    with admin._session("look") as cursor:  # noqa: SLF001
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = SUBSTRING_INDEX(USER(), '@', 1)")
        return {str(row[0]) for row in cursor.fetchall()}


@pytest.fixture
def own_admin(platform: dict[str, Any], database_server: Server) -> Iterator[MariaDbAdmin]:
    login = Credentials(platform["mariadb"]["admin_user"], platform["mariadb"]["admin_password"])
    with closing(MariaDbAdmin(database_server, login)) as admin:
        yield admin


def test_calls_that_follow_each_other_share_a_connection(
    own_admin: MariaDbAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_admin._session("ask") as cursor:  # noqa: SLF001
        first = cursor.connection
    with own_admin._session("ask") as cursor:  # noqa: SLF001
        assert cursor.connection is first
    monkeypatch.setattr(connections_module, "IDLE_SECONDS", 0.0)
    with own_admin._session("ask") as cursor:  # noqa: SLF001
        assert cursor.connection is not first
    assert not first.open


def test_a_kept_connection_that_the_server_ended_is_replaced(
    database_admin: MariaDbAdmin, own_admin: MariaDbAdmin
) -> None:
    before = connections(database_admin)
    own_admin.server_version()
    for ident in connections(database_admin) - before:
        run(database_admin, f"KILL {ident}")
    assert "MariaDB" in own_admin.server_version()


def test_a_tenant_is_made_once_and_proven(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    assert database_admin.prove(tenant.database_user, tenant.database) < 5000
    assert tenant.database in database_admin.tenant_databases()
    run(database_admin, f"CREATE TABLE {tenant.database}.c_1 (id INT)")
    assert database_admin.tables(tenant.database) == tally(
        [f"{tenant.database}.c_1", f"{tenant.audit_database}.audit_log"]
    )
    assert database_admin.database_exists(tenant.database)
    assert database_admin.user_exists(tenant.database_user.name)


def test_what_is_as_wanted_is_only_read(
    database_admin: MariaDbAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    seen: list[str] = []

    def record(cursor: Cursor, query: str) -> object:
        seen.append(query.split(maxsplit=1)[0])
        return send(cursor, query)

    send: Callable[[Cursor, str], object] = Cursor._query  # type: ignore[attr-defined]  # noqa: SLF001  every statement passes it
    monkeypatch.setattr(Cursor, "_query", record)
    assert not database_admin.ensure_database(tenant.database)
    assert not database_admin.ensure_user(tenant.database_user, tenant.database, 10)
    assert set(seen) - {"SET"} == {"SELECT", "SHOW"}  # a new connection sets its options


def test_a_new_password_and_a_new_limit_are_set_in_place(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    renewed = Credentials(tenant.database_user.name, "quote ' back ` percent %s \\ ünï")
    assert database_admin.ensure_user(renewed, tenant.database, 10)
    assert not database_admin.can_login(tenant.database_user, tenant.database)
    assert database_admin.can_login(renewed, tenant.database)
    assert database_admin.ensure_user(renewed, tenant.database, 11)
    assert not database_admin.ensure_user(renewed, tenant.database, 11)
    database_admin.prove(renewed, tenant.database)


def test_a_user_with_all_connections_in_use_can_still_log_in(
    database_admin: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    database_admin.ensure_user(tenant.database_user, tenant.database, 1)
    with closing(connect(database_server, tenant.database_user, tenant.database)):
        assert database_admin.can_login(tenant.database_user, tenant.database)
        assert not database_admin.can_login(replace(tenant.database_user, secret="wrong"), tenant.database)
        # One tenant's limit is no outage of the server.
        with pytest.raises(BackendUnfinishedError, match="max_user_connections exceeded"):
            database_admin.prove(tenant.database_user, tenant.database)


def test_dropping_ends_connections_and_is_safe_to_repeat(
    database_admin: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    with closing(connect(database_server, tenant.database_user, tenant.database)) as connection:
        assert database_admin.drop_users(tenant.database)
        with pytest.raises(pymysql.OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    assert not database_admin.drop_users(tenant.database)
    assert database_admin.drop_database(tenant.database)
    assert not database_admin.drop_database(tenant.database)
    for schema in (tenant.database, tenant.audit_database):
        assert not database_admin.database_exists(schema)
    with pytest.raises(BackendAuthenticationError):
        database_admin.prove(tenant.database_user, tenant.database)


def test_an_audit_log_that_a_broken_off_deletion_left_goes_with_the_next(
    database_admin: MariaDbAdmin, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    with database_admin._session("break off") as cursor:  # noqa: SLF001
        cursor.execute(f"DROP DATABASE {tenant.database}")
    assert database_admin.inventory()[tenant.id] == {"schema", "database users"}
    assert database_admin.drop_database(tenant.database)
    assert not database_admin.database_exists(tenant.audit_database)


def test_two_operators_at_once_make_one_tenant(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    database_admin.drop_users(tenant.database)
    database_admin.drop_database(tenant.database)

    def provision(_: int) -> None:
        database_admin.ensure_database(tenant.database)
        database_admin.ensure_user(tenant.database_user, tenant.database, 10)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(provision, range(16)))
    database_admin.prove(tenant.database_user, tenant.database)


def test_no_clear_password_reaches_the_server(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    """A processlist, a general log or an audit plugin shows statements: none holds the password."""
    tenant = new_tenant()
    secret = secrets.token_hex(16)
    with database_admin._session("log") as cursor:  # noqa: SLF001  the administrator's own connection
        cursor.execute("SELECT @@global.general_log, @@global.log_output")
        before = cursor.fetchone()
        assert before is not None
        cursor.execute("SET GLOBAL log_output = 'TABLE'")
        cursor.execute("SET GLOBAL general_log = 1")
        try:
            database_admin.ensure_user(Credentials(tenant.database_user.name, secret), tenant.database, 10)
            cursor.execute(
                "SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE %s", (f"ALTER USER%{tenant.id}%",)
            )
            assert cursor.fetchone() == (1,)
            cursor.execute(
                "SELECT argument FROM mysql.general_log WHERE argument LIKE %s", (f"ALTER USER%{tenant.id}%",)
            )
            assert secret not in str(cursor.fetchall())
        finally:
            cursor.execute("SET GLOBAL general_log = %s", (before[0],))
            cursor.execute("SET GLOBAL log_output = %s", (before[1],))


def test_an_absent_server_and_a_foreign_certificate_are_told_apart(
    database_server: Server, foreign_authority: str
) -> None:
    nobody = Credentials("vivero", "x")
    with pytest.raises(BackendUnavailableError):
        MariaDbAdmin(replace(database_server, port=1), nobody).server_version()
    with pytest.raises(BackendRefusedError, match="certificate"):
        MariaDbAdmin(replace(database_server, authority=foreign_authority), nobody).server_version()
    with pytest.raises(BackendAuthenticationError):
        MariaDbAdmin(database_server, nobody).server_version()


def connect(server: Server, user: Credentials, database: str) -> "pymysql.Connection[Any]":
    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=user.name,
        password=user.secret,
        database=database,
        ssl=client_context(server.authority),
        connect_timeout=5,
        read_timeout=5,
    )
