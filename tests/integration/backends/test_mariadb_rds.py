"""A server that gives its administrator no more than RDS for MariaDB does.

RDS cannot be had here. In its place stands the platform's MariaDB with an administrator that has, to the letter, what AWS
documents of the master user of RDS for MariaDB 10.11 (UsingWithRDS.MasterAccounts), and a procedure `mysql.rds_kill` of
our own for the one that RDS brings.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from integration.backends.test_mariadb_drift import (
    ACCOUNT,
    FOREIGNER,
    GRANTS,
    HANDS,
    ROLE,
    check_that_lost_rights_end_sessions,
    ended,
    ensure,
    furnish,
    others,
    run,
    session,
)
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import numbering, sessions
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.errors import BackendRefusedError

__all__ = ["others"]

pytestmark = pytest.mark.alone  # for a while the whole server ends connections by a procedure

MakeTenant = Callable[[], Any]

MASTER = Credentials("rds-test-master", "password of the master user")
OPERATOR = Credentials("rds-test-operator", "password of the operator")
GUIDE = Path(__file__).parents[3] / "docs/examples/rds-operator.sql"
PRIVILEGES = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES,"
    " CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE,"
    " ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, REPLICATION SLAVE"
)

PROCEDURE = "CREATE PROCEDURE mysql.rds_kill(IN ident BIGINT) KILL HARD CONNECTION ident"


@pytest.fixture(scope="module")
def master(database_admin: MariaDbAdmin, database_server: Server) -> Iterator[MariaDbAdmin]:
    gone = f"DROP USER IF EXISTS `{MASTER.name}`@`%`; DROP PROCEDURE IF EXISTS mysql.rds_kill"
    run(
        database_admin,
        f"{gone}; CREATE USER `{MASTER.name}`@`%` IDENTIFIED BY '{MASTER.secret}' REQUIRE SSL;"
        f" GRANT {PRIVILEGES} ON *.* TO `{MASTER.name}`@`%` WITH GRANT OPTION; {PROCEDURE}",
    )
    with closing(MariaDbAdmin(database_server, MASTER)) as admin:
        yield admin
    run(database_admin, gone)


@pytest.fixture(scope="module")
def operator(master: MariaDbAdmin, database_server: Server) -> Iterator[MariaDbAdmin]:
    """With the account that the guide has the master user make."""
    words = GUIDE.read_text().replace("vivero_admin", f"`{OPERATOR.name}`").replace("PASSWORD", OPERATOR.secret)
    lines = [line for line in words.splitlines() if not line.startswith("--")]
    run(master, "; ".join(line.rstrip(";") for line in lines).replace("%", "%%"))
    with closing(MariaDbAdmin(database_server, OPERATOR)) as admin:
        yield admin
    run(master, f"DROP USER `{OPERATOR.name}`")


@pytest.fixture(params=["master", "operator"])
def rds(request: pytest.FixtureRequest) -> MariaDbAdmin:
    admin = request.getfixturevalue(request.param)
    assert isinstance(admin, MariaDbAdmin)
    return admin


def hides(hand: str) -> bool:
    """A row of mysql.db without a user hides the operator's rights on that schema: the master user has to take it."""
    return "'', 'Y'" in hand


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("hand", "expected"), HANDS, ids=[hand for hand, _ in HANDS])
def test_a_change_is_seen_and_put_right(
    database_admin: MariaDbAdmin,
    master: MariaDbAdmin,
    operator: MariaDbAdmin,
    new_tenant: MakeTenant,
    hand: str,
    expected: set[Correction],
) -> None:
    rds = master if hides(hand) else operator
    tenant, neighbour = new_tenant(), new_tenant()
    furnish(database_admin, tenant.database)
    before = rds.survey()
    user, other = f"`{tenant.database_user.name}`@`%`", f"`{neighbour.database_user.name}`@`%`"
    names = {"u": user, "n": tenant.database_user.name, "d": f"`{tenant.database}`", "t": tenant.database}
    names["a"] = f"`{tenant.audit_database}`"
    foreign = {"f": f"`{FOREIGNER}`@localhost", "r": f"`{ROLE}`", "other": other, "foreigner": FOREIGNER}
    run(database_admin, hand.format(**names, **foreign))
    assert before[tenant.id] != rds.survey().get(tenant.id)
    assert ensure(rds, tenant) == expected
    assert ensure(rds, tenant) == set()
    assert ensure(database_admin, tenant) == set(), "who sees more finds nothing else to do"
    rds.prove(tenant.database_user, tenant.database)


def test_the_administrator_has_no_more_than_rds_gives(
    database_server: Server, rds: MariaDbAdmin, new_tenant: MakeTenant
) -> None:
    tenant = new_tenant()
    own = tenant.database_user
    with (
        closing(session(database_server, own.name, own.secret, tenant.database)) as theirs,
        closing(session(database_server, MASTER.name, MASTER.secret, "mysql")) as connection,
        theirs.cursor() as asking,
        connection.cursor() as cursor,
    ):
        asking.execute("SELECT CONNECTION_ID()")
        row = asking.fetchone()
        assert row is not None
        for statement in (f"KILL HARD CONNECTION USER `{own.name}`@`%`", f"KILL HARD CONNECTION {row[0]}"):
            with pytest.raises(pymysql.err.MySQLError):
                cursor.execute(statement)
            assert not ended(theirs)
    with pytest.raises(BackendRefusedError):
        run(rds, "SET GLOBAL max_connections = 100")


def test_a_tenants_life(database_server: Server, rds: MariaDbAdmin, new_tenant: MakeTenant) -> None:
    """From nothing to nothing: made, proven, renewed, and gone with its connections."""
    tenant = new_tenant()
    own = tenant.database_user
    rds.drop_users(tenant.database)
    rds.drop_database(tenant.database)
    assert Correction.DATABASE_SCHEMA in ensure(rds, tenant)
    assert ensure(rds, tenant) == set()
    assert rds.can_login(own, tenant.database)
    assert tenant.id in rds.inventory()
    with (
        closing(session(database_server, own.name, own.secret, tenant.database)) as first,
        closing(session(database_server, own.name, own.secret, tenant.database)) as second,
    ):
        assert rds.drop_users(tenant.database)
        assert [ended(one) for one in (first, second)] == [True, True]
    assert not rds.user_exists(own.name)
    assert rds.drop_database(tenant.database)
    assert tenant.id not in rds.inventory()


def test_who_loses_the_rights_loses_the_session(
    database_admin: MariaDbAdmin, rds: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    check_that_lost_rights_end_sessions(database_admin, rds, database_server, new_tenant(), new_tenant())


def test_a_second_account_from_one_host_loses_its_sessions_alone(
    database_admin: MariaDbAdmin, rds: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    """Of the user that stays, those from elsewhere go on."""
    tenant = new_tenant()
    own = tenant.database_user
    run(database_admin, f"CREATE USER `{own.name}`@`10.9.8.7` IDENTIFIED BY 'x' REQUIRE SSL")
    with closing(session(database_server, own.name, own.secret, tenant.database)) as at_work:
        assert ensure(rds, tenant) == {ACCOUNT}
        assert not ended(at_work)


def test_a_connection_that_is_over_by_itself_is_as_good(
    database_admin: MariaDbAdmin, rds: MariaDbAdmin, new_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of connections is older than the call that ends one of them."""
    tenant = new_tenant()
    run(database_admin, f"GRANT DELETE ON {tenant.audit_database}.* TO `{tenant.database_user.name}`@`%`")
    monkeypatch.setattr(sessions, "in_schema", lambda *_: ("SELECT 4294967290, 'localhost'", ()))
    assert ensure(rds, tenant) == {GRANTS}


def test_without_the_procedure_such_an_administrator_is_refused(
    database_admin: MariaDbAdmin, rds: MariaDbAdmin, database_server: Server, new_tenant: MakeTenant
) -> None:
    """An intruder who stays connected is never taken for gone."""
    tenant = new_tenant()
    own = tenant.database_user
    run(database_admin, "DROP PROCEDURE mysql.rds_kill")
    try:
        with (
            closing(session(database_server, own.name, own.secret, tenant.database)),
            pytest.raises(BackendRefusedError),
        ):
            rds.drop_users(tenant.database)
    finally:
        run(database_admin, PROCEDURE)
    assert rds.user_exists(own.name) is False
    with pytest.raises(BackendRefusedError):
        rds.prove(own, tenant.database)


def test_who_may_not_number_the_log_is_refused(master: MariaDbAdmin) -> None:
    """A rebuild of the platform then says what somebody else has to run (tests/e2e/recovery/test_rebuild.py has who may)."""
    far = 10**15
    with pytest.raises(BackendRefusedError):
        master.count_on_from(far)
    domain, position = master.log_position()
    assert 0 < numbering.number_in(position, domain) < far
