"""A tenant's data as of a second, on the real server: filled by a login that afterwards only reads, and reaches nothing else."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pymysql
import pytest
from integration.backends.test_mariadb_replacement import Place
from integration.conftest import Login
from support.logins import connected
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.model import naming


class Then(Place):
    """A tenant, and its past beside it."""

    def __init__(self, admin: MariaDbAdmin, server: Server, login: Login) -> None:
        super().__init__(admin, server, login)
        self.data, self.log = naming.as_of_database_names(login.id)
        self.reader = Credentials(naming.viewing_user(login.id), "viewing-password")
        self.revision(login.database_user, self.live, "0006")

    def revision(self, user: Credentials, schema: str, number: str) -> None:
        self.run(
            user,
            schema,
            "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
            f"INSERT INTO alembic_version VALUES ('{number}')",  # noqa: S608  a word of this module
        )

    def begin(self, revision: str | None = "0006") -> None:
        self.admin.begin_view(self.live, self.reader, 5)
        self.fill(self.reader, self.data, "then")
        self.fill(self.reader, self.log, "log")
        if revision is not None:
            self.revision(self.reader, self.data, revision)

    def open(self) -> str | None:
        return self.admin.open_view(self.live, self.reader, 5)

    def refusal(self, statement: str, schema: str = "") -> int:
        with pytest.raises(pymysql.MySQLError) as caught:
            self.run(self.reader, schema or self.data, statement)
        code: int = caught.value.args[0]
        return code


@pytest.fixture
def then(database_admin: MariaDbAdmin, database_server: Server, new_tenant: Callable[[], Login]) -> Then:
    return Then(database_admin, database_server, new_tenant())


DENIED, NO_SCHEMA, TABLE_DENIED = 1045, 1044, 1142


def test_it_is_filled_and_then_read_and_nothing_else_is_in_reach(
    then: Then, database_admin: MariaDbAdmin, database_server: Server, new_tenant: Callable[[], Login]
) -> None:
    neighbour = Place(database_admin, database_server, new_tenant())
    then.begin()
    assert then.ensure_user() == [], "while it is filled it is no drift"
    with closing(connected(then.server, then.reader, then.data)) as held:
        assert then.open() is None
        with pytest.raises(pymysql.MySQLError), held.cursor() as cursor:
            cursor.execute("INSERT INTO parents VALUES (2, 'x')")
    assert then.ensure_user() == [], "nor while it is read"
    assert then.run(then.reader, then.data, "SELECT text FROM parents") == [("then",)]
    assert then.run(then.reader, then.log, "SELECT text FROM parents") == [("log",)]
    for statement in (
        "INSERT INTO parents VALUES (2, 'x')",
        "UPDATE parents SET text = 'x'",
        "DELETE FROM parents",
        "DROP TABLE parents",
        "CREATE TABLE more (id INT)",
        "ALTER TABLE parents ADD more INT",
    ):
        assert then.refusal(statement) == TABLE_DENIED, statement
    for schema in (then.live, f"{then.live}audit", neighbour.live):
        assert then.refusal("SELECT 1", schema) == NO_SCHEMA
    for owner in (then.login, neighbour.login):
        with pytest.raises(pymysql.MySQLError):
            then.run(owner.database_user, owner.database, f"SELECT text FROM `{then.data}`.parents")  # noqa: S608  our names
    assert (then.text(then.live), neighbour.text(neighbour.live)) == ("live", "live")


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        (None, "the workspace had no tables at that second"),
        (
            "0005",
            "the schema of that second is of revision 0005, and the program of 0006",
        ),
        ("0006", None),
        ("0007", None),
    ],
)
def test_a_schema_of_an_older_revision_is_not_shown(then: Then, revision: str | None, said: str | None) -> None:
    then.begin(revision)
    assert then.admin.is_view_older(then.live) == (revision == "0005")
    assert then.open() == said
    if revision == "0005":
        then.run(then.reader, then.data, "UPDATE alembic_version SET version_num = '0006'")
        assert then.open() is None, "it was migrated"


def test_begun_again_it_is_empty_and_has_another_password(then: Then) -> None:
    then.begin()
    assert then.open() is None
    then.reader = Credentials(then.reader.name, "another-password")
    then.admin.begin_view(then.live, then.reader, 5)
    assert then.ask("SELECT 1 FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA IN (%s, %s)", then.data, then.log) == []
    former = Credentials(then.reader.name, "viewing-password")
    with pytest.raises(pymysql.MySQLError) as caught:
        then.run(former, then.data, "SELECT 1")
    assert caught.value.args[0] == DENIED


@pytest.mark.parametrize("opened", [False, True])
def test_discarded_it_leaves_nothing_and_the_live_data_as_it_was(then: Then, opened: bool) -> None:  # noqa: FBT001  a parameter
    then.begin()
    if opened:
        then.open()
    with closing(connected(then.server, then.reader, then.data)) as held:
        then.admin.discard_view(then.live)
        with pytest.raises(pymysql.MySQLError):
            held.ping(reconnect=False)
    assert then.schemas() == {then.live, f"{then.live}audit"}
    assert then.users() == {f"{then.live}a"}
    assert then.text(then.live) == "live"
    then.admin.discard_view(then.live)


def test_with_more_rights_than_reading_the_login_goes(then: Then) -> None:
    then.begin()
    then.open()
    then.ask(f"GRANT UPDATE ON `{then.data}`.* TO `{then.reader.name}`@'%%'")
    assert then.ensure_user() == [Correction.UNMANAGED_DATABASE_ACCOUNT]
    assert then.reader.name not in then.users()


def test_anybody_elses_right_on_it_goes_and_its_own_stays(then: Then, new_tenant: Callable[[], Login]) -> None:
    then.begin()
    then.open()
    other: Any = new_tenant()
    then.ask(f"GRANT SELECT ON `{then.data}`.* TO `{other.database_user.name}`@'%%'")
    assert then.ensure_user() == [Correction.UNMANAGED_DATABASE_GRANTS]
    assert then.run(then.reader, then.data, "SELECT text FROM parents") == [("then",)]


def test_the_tenants_erasure_takes_it_along(then: Then) -> None:
    then.begin()
    then.open()
    then.admin.drop_users(then.live)
    then.admin.drop_database(then.live)
    assert (then.schemas(), then.users()) == (set(), set())
