"""What a hand can change about a tenant on a real MariaDB server is seen, put right, and then seen as before."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pymysql
import pytest
from integration.conftest import Login
from vivero_core.backends.corrections import SECURITY_RELEVANT, Correction
from vivero_core.backends.mariadb import accounts
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.tls import client_context

pytestmark = pytest.mark.alone  # compares surveys of the whole server, and changes its settings

MakeTenant = Callable[[], Any]

USER, GRANTS = Correction.DATABASE_USER, Correction.DATABASE_GRANTS
ACCOUNT, RIGHTS = Correction.UNMANAGED_DATABASE_ACCOUNT, Correction.UNMANAGED_DATABASE_GRANTS
SCHEMA, CHARACTERS = Correction.DATABASE_SCHEMA, Correction.DATABASE_CHARACTER_SET
AUDIT, FIRST_AUDIT = Correction.AUDIT_LOG, Correction.FIRST_AUDIT_LOG
FIRST_ROUTINES = Correction.FIRST_ROUTINES

# Everything that ALTER USER of 10.11 can change, and what lies beside it. `{u}` is the account, `{n}` its name, `{d}` the
# schema, `{a}` that of the audit log.
ATTRIBUTES = [
    "ALTER USER {u} ACCOUNT LOCK",
    "ALTER USER {u} PASSWORD EXPIRE",
    "ALTER USER {u} PASSWORD EXPIRE INTERVAL 3 DAY",
    "ALTER USER {u} WITH MAX_QUERIES_PER_HOUR 1000",
    "ALTER USER {u} WITH MAX_UPDATES_PER_HOUR 1000",
    "ALTER USER {u} WITH MAX_CONNECTIONS_PER_HOUR 1000",
    "ALTER USER {u} WITH MAX_STATEMENT_TIME 0.5",
    "ALTER USER {u} WITH MAX_USER_CONNECTIONS 0",
    "ALTER USER {u} WITH MAX_USER_CONNECTIONS 11",
    "ALTER USER {u} IDENTIFIED BY 'stolen'",
    "ALTER USER {u} IDENTIFIED BY ''",
    "ALTER USER {u} IDENTIFIED VIA unix_socket",
    "ALTER USER {u} IDENTIFIED VIA mysql_native_password USING PASSWORD('a') OR unix_socket",
    "ALTER USER {u} IDENTIFIED VIA mysql_native_password USING PASSWORD('a') OR mysql_native_password USING PASSWORD('b')",
    "ALTER USER {u} IDENTIFIED VIA mysql_old_password USING '0123456789abcdef'",
    "SET PASSWORD FOR {u} = PASSWORD('stolen')",
    "ALTER USER {u} REQUIRE NONE",
    "ALTER USER {u} REQUIRE X509",
    "ALTER USER {u} REQUIRE CIPHER 'TLS_AES_256_GCM_SHA384'",
    "ALTER USER {u} REQUIRE ISSUER '/CN=a' AND SUBJECT '/CN=b'",
    "UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.not_known_yet', 7) WHERE User = '{n}'; FLUSH PRIVILEGES",
]
OWN_GRANTS = [
    "REVOKE ALL PRIVILEGES, GRANT OPTION FROM {u}",
    "REVOKE CREATE ON {d}.* FROM {u}",
    "GRANT EVENT ON {d}.* TO {u}",
    "REVOKE EXECUTE ON {d}.* FROM {u}",
    "GRANT SELECT ON {d}.* TO {u} WITH GRANT OPTION",
    "GRANT DELETE ON {a}.* TO {u}",
    "GRANT ALL ON {a}.* TO {u} WITH GRANT OPTION",
    "GRANT UPDATE ON {a}.audit_log TO {u}",
    "GRANT UPDATE (actor) ON {a}.audit_log TO {u}",
    "REVOKE INSERT ON {a}.* FROM {u}",
    "REVOKE ALL ON {d}.* FROM {u}",
    "GRANT SELECT ON *.* TO {u}",
    "GRANT FILE, PROCESS ON *.* TO {u} WITH GRANT OPTION",
    "GRANT SELECT ON mysql.* TO {u}",
    "GRANT SELECT ON `vt%`.* TO {u}",
    "GRANT SELECT (User) ON mysql.db TO {u}",
    "GRANT SELECT ON mysql.db TO {u}",
    "GRANT EXECUTE ON PROCEDURE mysql.AddGeometryColumn TO {u}",
    "GRANT {r} TO {u}",
    "GRANT {r} TO {u} WITH ADMIN OPTION",
    "INSERT INTO mysql.proxies_priv VALUES ('%', '{n}', 'localhost', 'root', 0, '', NOW()); FLUSH PRIVILEGES",
]
FOREIGN_ACCOUNTS = [
    "CREATE USER '{n}'@'localhost' IDENTIFIED BY 'x'",
    "CREATE USER '{n}'@'10.0.0.0/255.0.0.0'; GRANT ALL ON {d}.* TO '{n}'@'10.0.0.0/255.0.0.0' WITH GRANT OPTION",
    "CREATE USER '{t}b'@'%' IDENTIFIED BY 'x'; GRANT SELECT ON {d}.* TO '{t}b'@'%'",
    "CREATE USER '{t}b'@'localhost'; GRANT ALL ON *.* TO '{t}b'@'localhost' WITH GRANT OPTION",
    "CREATE USER '{t}'@'%'",
    "CREATE USER '{t} `%s` '@'%'",
    "CREATE ROLE `{t}role`; GRANT ALL ON {d}.* TO `{t}role`",
]
FOREIGN_RIGHTS = [
    "GRANT SELECT ON {d}.* TO {f}",
    "GRANT ALL ON {d}.* TO {f} WITH GRANT OPTION",
    "GRANT INSERT ON {d}.t TO {f} WITH GRANT OPTION",
    "GRANT SELECT ON {a}.* TO {f}",
    "GRANT DELETE ON {a}.audit_log TO {other}",
    "GRANT SELECT ON {a}.* TO PUBLIC",
    "GRANT SELECT (a), UPDATE (b) ON {d}.t TO {f}",
    "GRANT SELECT ON {d}.`odd ``%s`` name` TO {f}",
    "GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE {d}.p TO {f} WITH GRANT OPTION",
    "GRANT EXECUTE ON FUNCTION {d}.f TO {f}",
    "GRANT SELECT ON {d}.* TO {r}",
    "GRANT SELECT ON {d}.t TO {r}",
    "GRANT SELECT ON {d}.* TO PUBLIC",
    "GRANT EXECUTE ON FUNCTION {d}.f TO PUBLIC",
    "GRANT SELECT ON {d}.* TO ''@'localhost'",
    "GRANT SELECT ON {d}.* TO {other}",
    "GRANT SELECT ON `{t}%`.* TO {f}",
    "GRANT SELECT ON {d}.t TO {f}; DROP TABLE {d}.t",
    "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', '{t}', '', 'Y'); FLUSH PRIVILEGES",
    "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', '{t}', 'ghost', 'Y'); FLUSH PRIVILEGES",
    "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('', '{t}', 'no role', 'Y'); FLUSH PRIVILEGES",
    "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', CONCAT('vt', CHAR(92), SUBSTR('{t}', 3)), '', 'Y'); FLUSH PRIVILEGES",
    "INSERT INTO mysql.tables_priv (Host, Db, User, Table_name, Grantor, Table_priv) VALUES ('%', '{t}', 'ghost', 't', '', 'Select'); FLUSH PRIVILEGES",
    "INSERT INTO mysql.proxies_priv VALUES ('localhost', '{foreigner}', '%', '{n}', 1, '', NOW()); FLUSH PRIVILEGES",
]
SCHEMAS = [
    ("ALTER DATABASE {d} CHARACTER SET latin1", CHARACTERS),
    ("ALTER DATABASE {d} COLLATE utf8mb4_bin", CHARACTERS),
    ("DROP DATABASE {d}", SCHEMA),
    ("DROP TABLE {a}.audit_log", AUDIT),
    ("DROP DATABASE {a}", AUDIT),
    # To the letter what a release made that knew no second schema.
    ("REVOKE ALL ON {a}.* FROM {u}", FIRST_AUDIT),
    ("REVOKE ALL ON {a}.* FROM {u}; DROP DATABASE {a}", FIRST_AUDIT),
    ("REVOKE CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON {d}.* FROM {u}", FIRST_ROUTINES),
]
HANDS = [
    *((statement, {USER}) for statement in ATTRIBUTES),
    ("DROP USER {u}", {USER, GRANTS}),
    ("UPDATE mysql.global_priv SET Priv = '[]' WHERE User = '{n}'", {USER, GRANTS}),
    ("GRANT {r} TO {u}; SET DEFAULT ROLE {r} FOR {u}", {USER, GRANTS}),
    *((statement, {GRANTS}) for statement in OWN_GRANTS),
    ("GRANT {r} TO {u}; SET DEFAULT ROLE {r} FOR {u}; REVOKE {r} FROM {u}", {USER, GRANTS}),
    *((statement, {ACCOUNT}) for statement in FOREIGN_ACCOUNTS),
    *((statement, {RIGHTS}) for statement in FOREIGN_RIGHTS),
    *((statement, {correction}) for statement, correction in SCHEMAS),
]
FOREIGNER, ROLE = "backends-test-foreigner", "backends-test-role"


def run(admin: MariaDbAdmin, statements: str) -> None:
    with admin._session("drift") as cursor:  # noqa: SLF001  a hand behind the operator's back
        for statement in statements.split("; "):
            cursor.execute(statement)


@pytest.fixture
def others(database_admin: MariaDbAdmin) -> Iterator[None]:
    """An account, an anonymous one and a role that are no tenant's."""
    made = f"CREATE USER '{FOREIGNER}'@'localhost'; CREATE USER ''@'localhost'; CREATE ROLE `{ROLE}`"
    gone = f"DROP USER IF EXISTS '{FOREIGNER}'@'localhost'; DROP USER IF EXISTS ''@'localhost'; DROP ROLE IF EXISTS `{ROLE}`"
    run(database_admin, gone)
    run(database_admin, made)
    yield
    run(database_admin, gone)


def furnish(admin: MariaDbAdmin, database: str) -> None:
    """Something that a right can be given on."""
    run(
        admin,
        f"CREATE TABLE {database}.t (a INT, b INT); CREATE TABLE {database}.`odd ``%s`` name` (a INT);"
        f" CREATE PROCEDURE {database}.p() SELECT 1; CREATE FUNCTION {database}.f() RETURNS INT DETERMINISTIC RETURN 1",
    )


def ensure(admin: MariaDbAdmin, tenant: Any) -> set[Correction]:  # noqa: ANN401  the login that `new_tenant` makes
    corrections = admin.ensure_database(tenant.database)
    return {*corrections, *admin.ensure_user(tenant.database_user, tenant.database, 10)}


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("hand", "expected"), HANDS, ids=[hand for hand, _ in HANDS])
def test_a_change_is_seen_and_put_right(
    database_admin: MariaDbAdmin, new_tenant: MakeTenant, hand: str, expected: set[Correction]
) -> None:
    admin = database_admin
    tenant, neighbour = new_tenant(), new_tenant()
    furnish(admin, tenant.database)
    before, again = admin.survey(), admin.survey()
    # Of these two alone: the operator may still be erasing what others made.
    assert [before[one.id] for one in (tenant, neighbour)] == [again[one.id] for one in (tenant, neighbour)]
    user, other = f"`{tenant.database_user.name}`@`%`", f"`{neighbour.database_user.name}`@`%`"
    names = {"u": user, "n": tenant.database_user.name, "d": f"`{tenant.database}`", "t": tenant.database}
    names["a"] = f"`{tenant.audit_database}`"
    foreign = {"f": f"`{FOREIGNER}`@localhost", "r": f"`{ROLE}`", "other": other, "foreigner": FOREIGNER}
    run(admin, hand.format(**names, **foreign))
    changed = admin.survey()
    assert before[tenant.id] != changed.get(tenant.id)
    if "{other}" not in hand:
        assert before[neighbour.id] == changed[neighbour.id]
    corrections = ensure(admin, tenant)
    assert corrections == expected
    assert ensure(admin, tenant) == set()
    if Correction.DATABASE_SCHEMA in expected:
        furnish(admin, tenant.database)  # a survey sees that a schema is empty
    after = admin.survey()
    assert after[tenant.id] == before[tenant.id]
    assert after[neighbour.id] == before[neighbour.id]
    admin.prove(tenant.database_user, tenant.database)
    assert ensure(admin, neighbour) == set()


def test_what_touches_access_is_called_so() -> None:
    assert {USER, GRANTS, ACCOUNT, RIGHTS, AUDIT} <= SECURITY_RELEVANT
    assert not {SCHEMA, CHARACTERS} & SECURITY_RELEVANT


@pytest.mark.usefixtures("others")
def test_rights_that_are_not_about_one_tenant_stay(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    run(
        database_admin,
        f"GRANT SELECT ON `vt%`.* TO `{ROLE}`; GRANT SELECT ON *.* TO `{FOREIGNER}`@localhost;"
        f" GRANT SELECT ON `{tenant.database}copy`.* TO `{FOREIGNER}`@localhost",
    )
    assert ensure(database_admin, tenant) == set()
    with database_admin._session("look") as cursor:  # noqa: SLF001
        cursor.execute("SELECT COUNT(*) FROM mysql.db WHERE User IN (%s, %s)", (ROLE, FOREIGNER))
        assert cursor.fetchone() == (2,)


def test_what_the_server_itself_writes_into_an_account_is_no_drift(
    database_admin: MariaDbAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer server may: it is learnt once, by replacing the account. Here one attribute of ours plays the unknown."""
    tenant = new_tenant()
    wanted = accounts.wanted

    def older(password: str, max_connections: int) -> accounts.Attributes:
        return {key: value for key, value in wanted(password, max_connections).items() if key != "ssl_type"}

    monkeypatch.setattr(accounts, "wanted", older)
    monkeypatch.setattr(database_admin, "_own_attributes", set())
    assert ensure(database_admin, tenant) == {USER}
    assert ensure(database_admin, tenant) == set()
    assert ensure(database_admin, new_tenant()) == set()


def test_a_server_wide_end_of_passwords_does_not_reach_tenants(
    database_admin: MariaDbAdmin, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    forget = "UPDATE mysql.global_priv SET Priv = JSON_REMOVE(Priv, '$.password_lifetime') WHERE User = '{}'"
    run(database_admin, forget.format(tenant.database_user.name))
    assert ensure(database_admin, tenant) == set(), "an account of an earlier version, and no policy on the server"
    before = database_admin.survey()[tenant.id]
    run(database_admin, "SET GLOBAL default_password_lifetime = 30")
    try:
        assert database_admin.survey()[tenant.id] != before
        assert ensure(database_admin, tenant) == {USER}
        assert database_admin.survey()[tenant.id] == before
    finally:
        run(database_admin, "SET GLOBAL default_password_lifetime = 0")


def session(server: Server, user: str, secret: str, database: str) -> "pymysql.Connection[Any]":
    context = client_context(server.authority)
    return pymysql.connect(
        host=server.host, port=server.port, user=user, password=secret, database=database, ssl=context, read_timeout=5
    )


def ended(connection: "pymysql.Connection[Any]") -> bool:
    with suppress(pymysql.err.MySQLError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return False
    return True


def check_that_lost_rights_end_sessions(
    database_admin: MariaDbAdmin, admin: MariaDbAdmin, server: Server, tenant: Login, intruder: Login
) -> None:
    """`database_admin` gives rights that are too many, `admin` takes them."""
    second = f"{tenant.database}x"
    own, theirs = tenant.database_user, intruder.database_user
    run(
        database_admin,
        f"CREATE USER `{second}`@`%` IDENTIFIED BY 'x' REQUIRE SSL; GRANT SELECT ON {tenant.database}.* TO `{second}`@`%`;"
        f" GRANT SELECT ON {tenant.database}.* TO `{theirs.name}`@`%`",
    )
    with (
        closing(session(server, own.name, own.secret, tenant.database)) as owners,
        closing(session(server, second, "x", tenant.database)) as seconds,
        closing(session(server, theirs.name, theirs.secret, tenant.database)) as intruders,
        closing(session(server, theirs.name, theirs.secret, intruder.database)) as at_home,
    ):
        assert ensure(admin, tenant) == {ACCOUNT, RIGHTS}
        assert [ended(one) for one in (owners, seconds, intruders, at_home)] == [False, True, True, False]


def test_who_loses_the_rights_loses_the_session(
    database_admin: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    check_that_lost_rights_end_sessions(database_admin, database_admin, database_server, new_tenant(), new_tenant())


def test_rights_on_the_audit_log_that_were_too_many_end_with_the_session(
    database_admin: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    own, account = tenant.database_user, f"`{tenant.database_user.name}`@`%`"
    run(database_admin, f"GRANT ALL ON {tenant.audit_database}.* TO {account}")
    with (
        closing(session(database_server, own.name, own.secret, tenant.audit_database)) as inside,
        closing(session(database_server, own.name, own.secret, tenant.database)) as at_work,
    ):
        assert ensure(database_admin, tenant) == {GRANTS}
        assert [ended(one) for one in (inside, at_work)] == [True, False]


def test_a_tenant_of_before_gets_an_audit_log_and_keeps_its_connections(
    database_admin: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    tenant, own = (made := new_tenant()), made.database_user
    run(
        database_admin,
        f"DROP DATABASE {tenant.audit_database}; REVOKE ALL ON {tenant.audit_database}.* FROM `{own.name}`@`%`",
    )
    with closing(session(database_server, own.name, own.secret, tenant.database)) as at_work:
        assert database_admin.ensure_database(tenant.database) == [FIRST_AUDIT]
        assert database_admin.ensure_user(own, tenant.database, 10) == [FIRST_AUDIT]
        assert not ended(at_work)
        with at_work.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {tenant.audit_database}.audit_log")  # noqa: S608  a name of our making
    assert ensure(database_admin, tenant) == set()


def test_all_accounts_of_a_tenant_go_with_it(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    run(
        database_admin,
        f"CREATE USER `{tenant.database}a`@localhost; CREATE USER `{tenant.database}x`@`%`; CREATE ROLE `{tenant.database}r`;"
        f" GRANT SELECT ON {tenant.database}.* TO PUBLIC",
    )
    assert database_admin.drop_users(tenant.database)
    with database_admin._session("look") as cursor:  # noqa: SLF001
        cursor.execute("SELECT COUNT(*) FROM mysql.global_priv WHERE User LIKE %s", (f"{tenant.database}%",))
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT COUNT(*) FROM mysql.db WHERE Db = %s", (tenant.database,))
        assert cursor.fetchone() == (0,)


def test_the_inventory_says_what_is_there_of_whom(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    whole, without_schema, without_users = new_tenant(), new_tenant(), new_tenant()
    database_admin.drop_database(without_schema.database)
    database_admin.drop_users(without_users.database)
    run(database_admin, f"CREATE DATABASE {whole.database}copy; CREATE USER `{without_users.database}copy`@localhost")
    try:
        found = database_admin.inventory()
    finally:
        run(database_admin, f"DROP DATABASE {whole.database}copy; DROP USER `{without_users.database}copy`@localhost")
    assert found[whole.id] == {"schema", "database users"}
    assert found[without_schema.id] == {"database users"}
    assert not {name for name in database_admin.tenant_databases() if name.endswith("audit")}
    assert found[without_users.id] == {"schema"}


def test_a_schema_holds_data_once_it_has_a_table(database_admin: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    tenant = new_tenant()
    assert not database_admin.holds_data(tenant.database)
    run(database_admin, f"CREATE VIEW {tenant.database}.v AS SELECT 1")
    assert not database_admin.holds_data(tenant.database)
    run(database_admin, f"CREATE TABLE {tenant.database}.t (a INT)")
    assert database_admin.holds_data(tenant.database)
    database_admin.drop_database(tenant.database)
    assert not database_admin.holds_data(tenant.database)
