"""One tenant's database login, tried on everything that is not its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.tls import client_context
from vivero_core.model import naming

MakeTenant = Callable[[], Any]


def connect(
    server: Server, user: Credentials, database: str | None = None, *, tls: bool = True
) -> "pymysql.Connection[Any]":
    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=user.name,
        password=user.secret,
        database=database,
        ssl=client_context(server.authority) if tls else None,
        ssl_disabled=not tls,
        connect_timeout=5,
        read_timeout=5,
    )


@pytest.fixture
def neighbour(new_tenant: MakeTenant, database_server: Server) -> Any:  # noqa: ANN401
    """A tenant with something to lose."""
    tenant = new_tenant()
    with closing(connect(database_server, tenant.database_user, tenant.database)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE secrets (id INT PRIMARY KEY, content TEXT)")
            cursor.execute("INSERT INTO secrets VALUES (1, 'private')")
        connection.commit()
    return tenant


@pytest.fixture(params=["tenant", "as of a second"])
def intruder(
    request: pytest.FixtureRequest, new_tenant: MakeTenant, database_server: Server, database_admin: MariaDbAdmin
) -> Iterator["pymysql.Connection[Any]"]:
    """A tenant's login, or that of a workspace which shows a tenant's past."""
    tenant = new_tenant()
    user, database = tenant.database_user, tenant.database
    if request.param != "tenant":
        user, database = as_of_a_second(database_admin, database_server, tenant)
    with closing(connect(database_server, user, database)) as connection:
        yield connection


def as_of_a_second(admin: MariaDbAdmin, server: Server, tenant: Any) -> tuple[Credentials, str]:  # noqa: ANN401  as above
    """Its login once it may only read, and its schema."""
    reader, schema = Credentials(naming.viewing_user(tenant.id), "viewing"), naming.as_of_database_names(tenant.id)[0]
    admin.begin_view(tenant.database, reader, 5)
    with closing(connect(server, reader, schema)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        cursor.execute("INSERT INTO alembic_version VALUES ('0006')")
        connection.commit()
    assert admin.open_view(tenant.database, reader, 5) is None
    return reader, schema


def run(connection: "pymysql.Connection[Any]", statement: str) -> tuple[tuple[Any, ...], ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchall())


@pytest.mark.parametrize(
    "statement",
    [
        "USE `{0}`",
        "SELECT * FROM `{0}`.secrets",
        "SHOW TABLES FROM `{0}`",
        "SHOW CREATE TABLE `{0}`.secrets",
        "DESCRIBE `{0}`.secrets",
        "INSERT INTO `{0}`.secrets VALUES (2, 'x')",
        "UPDATE `{0}`.secrets SET content = ''",
        "DELETE FROM `{0}`.secrets",
        "TRUNCATE `{0}`.secrets",
        "ALTER TABLE `{0}`.secrets ADD COLUMN x INT",
        "DROP TABLE `{0}`.secrets",
        "DROP DATABASE `{0}`",
        "CREATE TABLE `{0}`.mine (id INT)",
        "CREATE TABLE copied AS SELECT * FROM `{0}`.secrets",
        "CREATE VIEW seen AS SELECT * FROM `{0}`.secrets",
        "RENAME TABLE `{0}`.secrets TO taken",
        "LOCK TABLES `{0}`.secrets READ",
        "SELECT * FROM mysql.global_priv",
        "SELECT * FROM mysql.db",
        "CREATE DATABASE vtzzzzzzzzzz",
        "CREATE DATABASE test",
        "CREATE DATABASE test_mine",
        "CREATE USER helper",
        "GRANT SELECT ON *.* TO CURRENT_USER",
        "ALTER USER CURRENT_USER WITH MAX_USER_CONNECTIONS 1000",
        "ALTER USER CURRENT_USER REQUIRE NONE",
        "SET GLOBAL max_connections = 1",
        "SET GLOBAL general_log = 1",
        "SHOW ENGINE INNODB STATUS",
        "SHOW BINARY LOGS",
        "FLUSH TABLES",
        "FLUSH TABLES WITH READ LOCK",
        "SHUTDOWN",
        "SELECT 'x' INTO OUTFILE '/tmp/vivero-isolation'",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE x",
        "INSTALL SONAME 'ha_federatedx'",
        "CREATE EVENT later ON SCHEDULE EVERY 1 SECOND DO SELECT 1",
        # Routines of its own it may have, in nobody else's name and nobody else's schema.
        "CREATE DEFINER = root@localhost PROCEDURE later() SELECT 1",
        "CREATE DEFINER = root@localhost FUNCTION later() RETURNS INT RETURN 1",
        "CREATE PROCEDURE mysql.later() SELECT 1",
        "CREATE PROCEDURE `{0}`.later() SELECT 1",
        "CREATE FUNCTION later RETURNS INT SONAME 'udf_example.so'",
    ],
)
def test_a_statement_on_what_is_not_ones_own_is_refused(
    neighbour: Any,  # noqa: ANN401
    intruder: "pymysql.Connection[Any]",
    database_server: Server,
    statement: str,
) -> None:
    with pytest.raises(pymysql.MySQLError) as caught:
        run(intruder, statement.format(neighbour.database))
    assert caught.value.args[0] not in {1064, 2006, 2013}, "a statement that is wrong proves nothing"
    with closing(connect(database_server, neighbour.database_user, neighbour.database)) as own:
        assert run(own, "SELECT * FROM secrets") == ((1, "private"),)


def test_nothing_of_another_tenant_can_be_seen(neighbour: Any, intruder: "pymysql.Connection[Any]") -> None:  # noqa: ANN401
    ((own,),) = run(intruder, "SELECT DATABASE()")
    assert {name for (name,) in run(intruder, "SHOW DATABASES")} == {own, f"{own}audit", "information_schema"}
    for table, column in (("SCHEMATA", "SCHEMA_NAME"), ("TABLES", "TABLE_SCHEMA"), ("COLUMNS", "TABLE_SCHEMA")):
        seen = run(intruder, f"SELECT 1 FROM INFORMATION_SCHEMA.{table} WHERE {column} = '{neighbour.database}'")  # noqa: S608  names of our making
        assert seen == ()
    ((user,),) = run(intruder, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)")
    assert {row[1] for row in run(intruder, "SHOW PROCESSLIST")} == {user}
    assert {row[0] for row in run(intruder, "SELECT GRANTEE FROM INFORMATION_SCHEMA.USER_PRIVILEGES")} == {
        f"'{user}'@'%'"
    }


def test_a_login_opens_one_schema_alone(neighbour: Any, new_tenant: MakeTenant, database_server: Server) -> None:  # noqa: ANN401
    other = new_tenant()
    for database in (neighbour.database, "mysql", "performance_schema", "sys", "test", "vivero_control"):
        with pytest.raises(pymysql.OperationalError, match=r"1044|1049"):
            connect(database_server, other.database_user, database)


def test_no_name_works_as_a_wildcard(database_admin: MariaDbAdmin, intruder: "pymysql.Connection[Any]") -> None:
    """A schema whose name differs in one sign stays closed, so does one that only a wildcard would match."""
    ((own,),) = run(intruder, "SELECT DATABASE()")
    live = own.removesuffix("asof")
    lookalike = live[:-1] + ("a" if live[-1] != "a" else "b")
    database_admin.ensure_database(lookalike)
    try:
        with pytest.raises(pymysql.OperationalError, match="1044"):
            run(intruder, f"USE `{lookalike}`")
    finally:
        database_admin.drop_database(lookalike)
    for pattern in ("%", "vt%", f"{own}_", "vt__________"):
        with pytest.raises(pymysql.OperationalError, match=r"1044|1049"):
            run(intruder, f"CREATE DATABASE `{pattern}`")


def test_a_neighbours_connection_cannot_be_ended(
    neighbour: Any,  # noqa: ANN401
    intruder: "pymysql.Connection[Any]",
    database_server: Server,
) -> None:
    with closing(connect(database_server, neighbour.database_user, neighbour.database)) as victim:
        with pytest.raises(pymysql.MySQLError):
            run(intruder, f"KILL {victim.thread_id()}")  # type: ignore[no-untyped-call]
        run(intruder, f"KILL USER `{neighbour.database_user.name}`")  # accepted, and ends none but one's own
        assert run(victim, "SELECT 1") == ((1,),)


def test_connections_are_limited(new_tenant: MakeTenant, database_admin: MariaDbAdmin, database_server: Server) -> None:
    tenant = new_tenant()
    database_admin.ensure_user(tenant.database_user, tenant.database, 2)
    with (
        closing(connect(database_server, tenant.database_user, tenant.database)),
        closing(connect(database_server, tenant.database_user, tenant.database)),
        pytest.raises(pymysql.OperationalError, match="1226"),
    ):
        connect(database_server, tenant.database_user, tenant.database)


def test_a_connection_without_tls_is_refused(new_tenant: MakeTenant, database_server: Server) -> None:
    tenant = new_tenant()
    with pytest.raises(pymysql.OperationalError):
        connect(database_server, tenant.database_user, tenant.database, tls=False)


def test_nobody_gets_in_without_a_name(database_server: Server) -> None:
    for name in ("", "anonymous", "root", "mysql"):
        with pytest.raises(pymysql.OperationalError, match=r"1045|1698|4151"):
            connect(database_server, Credentials(name, ""))
