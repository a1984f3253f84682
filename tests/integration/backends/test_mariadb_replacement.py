"""Other tables in the place of a tenant's, on the real server: all of them or none, and nobody else's."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pymysql
import pytest
from integration.conftest import Login
from support.logins import connected, rows
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import programs, replacement
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.mariadb.replacement import Replacement
from vivero_core.errors import BackendUnfinishedError
from vivero_core.model import naming

TOLD = Replacement("uid-1", "back", "2026-11-29T10:00:00Z")


class Place:
    """A tenant with two tables that refer to each other, and the user who loads others."""

    def __init__(self, admin: MariaDbAdmin, server: Server, login: Login) -> None:
        self.admin, self.server, self.login, self.live = admin, server, login, login.database
        self.next, self.last = naming.next_database_name(login.id), naming.last_database_name(login.id)
        self.loader = Credentials(naming.loading_user(login.id), "loading-password")
        self.fill(login.database_user, self.live, "live")

    def fill(self, user: Credentials, schema: str, text: str) -> None:
        self.run(
            user,
            schema,
            "CREATE TABLE parents (id INT PRIMARY KEY, text VARCHAR(20))",
            "CREATE TABLE `a``b %s.c` (id INT PRIMARY KEY, CONSTRAINT up FOREIGN KEY (id) REFERENCES parents (id))",
            f"INSERT INTO parents VALUES (1, '{text}')",  # noqa: S608  a word of this module
            "INSERT INTO `a``b %s.c` VALUES (1)",
        )

    def run(self, user: Credentials, schema: str, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last one."""
        return rows(self.server, user, schema, *statements)

    def ask(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """As the administrator."""
        with self.admin._session("look") as cursor:  # noqa: SLF001
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def text(self, schema: str) -> str:
        ((text,),) = self.ask(f"SELECT text FROM `{schema}`.parents JOIN `{schema}`.`a``b %%s.c` USING (id)")  # noqa: S608  our names
        return str(text)

    def schemas(self) -> set[str]:
        return {name for (name,) in self.ask("SHOW DATABASES LIKE %s", f"{self.live}%")}

    def users(self) -> set[str]:
        return {name for (name,) in self.ask("SELECT User FROM mysql.global_priv WHERE User LIKE %s", f"{self.live}%")}

    def load(self, text: str = "loaded") -> None:
        self.begin()
        self.fill(self.loader, self.next, text)

    def begin(self) -> None:
        self.admin.begin_replacement(self.live, self.login.database_user, self.loader, 5)

    def replace(self) -> bool:
        return self.admin.replace(self.live, self.login.database_user)

    def discard(self) -> None:
        self.admin.discard_replacement(self.live, self.login.database_user)

    def ensure_user(self) -> list[Any]:
        return self.admin.ensure_user(self.login.database_user, self.live, 10)


@pytest.fixture
def place(database_admin: MariaDbAdmin, database_server: Server, new_tenant: Callable[[], Login]) -> Place:
    return Place(database_admin, database_server, new_tenant())


def test_the_loaded_tables_take_the_place_of_the_live_ones(place: Place) -> None:
    place.load()
    assert place.text(place.live) == "live"
    assert place.admin.prepare_replacement(place.live) is None
    assert place.replace()
    assert (place.text(place.live), place.text(place.last)) == ("loaded", "live")
    assert place.schemas() == {place.live, place.last, place.login.audit_database}
    assert place.users() == {place.login.database_user.name}
    assert place.ensure_user() == []
    own = place.login.database_user
    with pytest.raises(pymysql.MySQLError, match="1452"):  # the key holds
        place.run(own, place.live, "INSERT INTO `a``b %s.c` VALUES (2)")
    place.run(own, place.live, "DELETE FROM `a``b %s.c`", "DELETE FROM parents", "DROP TABLE `a``b %s.c`, parents")
    assert place.text(place.last) == "live"


def test_a_second_one_replaces_what_the_first_has_kept(place: Place) -> None:
    for number in (1, 2):
        place.load(f"loaded {number}")
        assert place.admin.prepare_replacement(place.live) is None
        assert place.replace()
    assert (place.text(place.live), place.text(place.last)) == ("loaded 2", "loaded 1")


def test_a_repeated_call_is_the_same_one(place: Place) -> None:
    place.load()
    place.admin.prepare_replacement(place.live)
    assert place.replace()
    place.run(place.login.database_user, place.live, "UPDATE parents SET text = 'later'")
    assert place.replace()
    assert (place.text(place.live), place.text(place.last)) == ("later", "live")


def test_it_is_told_to_the_audit_log_once_and_dated_by_it(place: Place) -> None:
    before = int(time.time())
    first = place.admin.announce_replacement(place.live, TOLD)
    assert first.age == 0
    assert before < first.second <= int(time.time()) + 1
    while (again := place.admin.announce_replacement(place.live, TOLD)).age < replacement.SETTLED:
        time.sleep(0.2)
    assert again.second == first.second
    entries = place.ask(f"SELECT actor, action, subject, after_values FROM `{place.login.audit_database}`.audit_log")  # noqa: S608  our names
    assert entries == [("system", replacement.ACTION, "back", '{"from": "2026-11-29T10:00:00Z"}')]


def test_nothing_that_was_loaded_is_nothing_that_is_moved(place: Place) -> None:
    place.load()
    place.replace()
    assert place.admin.prepare_replacement(place.live) is None
    assert not place.replace()
    place.begin()
    assert not place.replace()
    assert place.text(place.live) == "loaded"


def test_what_is_discarded_leaves_the_live_tables_and_the_kept_ones(place: Place) -> None:
    place.load()
    place.replace()
    place.load("again")
    place.discard()
    place.discard()
    assert (place.text(place.live), place.text(place.last)) == ("loaded", "live")
    assert place.schemas() == {place.live, place.last, place.login.audit_database}
    assert place.users() == {place.login.database_user.name}


def test_it_begins_empty_whatever_was_left(place: Place) -> None:
    place.load()
    place.load("again")
    assert place.text(place.next) == "again"


def test_a_transaction_that_is_open_is_waited_for_and_then_moved_whole(place: Place) -> None:
    place.load()
    with connected(place.server, place.login.database_user, place.live) as writer, writer.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE parents SET text = 'open'")
        with pytest.raises(BackendUnfinishedError, match="lock wait timeout"):
            place.replace()
        assert place.text(place.next) == "loaded"
        cursor.execute("COMMIT")
    assert place.replace()
    assert (place.text(place.live), place.text(place.last)) == ("loaded", "open")


def test_while_the_statement_still_runs_nothing_is_done_beside_it(place: Place, platform: dict[str, Any]) -> None:
    """One that takes longer than its caller waits goes on: what it moves must not be taken for something old."""
    place.load()
    administrator = Credentials(platform["mariadb"]["admin_user"], platform["mariadb"]["admin_password"])
    with (
        ThreadPoolExecutor(1) as beside,
        closing(connected(place.server, administrator, place.live)) as earlier,
        connected(place.server, place.login.database_user, place.live) as writer,
        writer.cursor() as cursor,
    ):
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM parents")
        statement = f"RENAME TABLE `{place.live}`.`parents` TO `{place.live}`.`moved`"
        waiting = beside.submit(earlier.query, statement)
        running = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = %s"
        while not (found := place.ask(running, statement)):
            time.sleep(0.05)
        with pytest.raises(BackendUnfinishedError, match="still being moved"):
            place.replace()
        place.ask(f"KILL QUERY {found[0][0]}")
        with pytest.raises(pymysql.MySQLError, match="1317"):
            waiting.result()
    assert place.replace()
    assert (place.text(place.live), place.text(place.last)) == ("loaded", "live")


class TestPrograms:
    """Views, triggers and routines of both sides."""

    def add(self, place: Place, user: Credentials, schema: str, text: str) -> None:
        place.run(
            user,
            schema,
            f"CREATE TRIGGER rung BEFORE INSERT ON {schema}.parents FOR EACH ROW SET NEW.text = '{text}'",
            f"CREATE VIEW shown AS SELECT CONCAT(text, ' {text}') AS text FROM parents WHERE id = 1",  # noqa: S608  our words
            f"CREATE VIEW `only {text}` AS SELECT * FROM shown",  # noqa: S608  our words
            f"CREATE FUNCTION told() RETURNS VARCHAR(20) DETERMINISTIC RETURN '{text}'",
            f"CREATE PROCEDURE add_one() INSERT INTO `{schema}`.parents (id) VALUES (7)",  # noqa: S608  our names
            "SET sql_mode = ORACLE",
            "CREATE PACKAGE pack AS PROCEDURE add_two; END",
            "CREATE PACKAGE BODY pack AS PROCEDURE add_two AS BEGIN INSERT INTO parents (id) VALUES (8); END; END",
        )

    def told(self, place: Place) -> list[str]:
        """All that the live schema has, by what it says."""
        with place.admin._session("look") as cursor:  # noqa: SLF001
            return [one.dump() for one in programs.read(cursor, place.live)]

    def test_those_that_were_loaded_take_the_place_of_the_live_ones(self, place: Place) -> None:
        own = place.login.database_user
        self.add(place, own, place.live, "old")
        place.load()
        self.add(place, place.loader, place.next, "new")
        assert place.admin.prepare_replacement(place.live) is None
        assert place.replace()
        place.run(own, place.live, "CALL add_one()", "SET sql_mode = ORACLE", "CALL pack.add_two()")
        assert place.run(own, place.live, "SELECT id, text FROM parents") == [(1, "loaded"), (7, "new"), (8, "new")]
        assert place.run(own, place.live, "SELECT text, told() FROM `only new`") == [("loaded new", "new")]
        assert [one for one in self.told(place) if "'old'" in one] == []
        definers = place.ask("SELECT DISTINCT definer FROM mysql.proc WHERE db = %s", place.live)
        definers += place.ask(
            "SELECT DISTINCT DEFINER FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_SCHEMA = %s", place.live
        )
        definers += place.ask("SELECT DEFINER FROM INFORMATION_SCHEMA.TRIGGERS WHERE TRIGGER_SCHEMA = %s", place.live)
        assert set(definers) == {(f"{own.name}@%",)}
        (kept,) = place.ask(f"SELECT GROUP_CONCAT(DISTINCT side), COUNT(*) FROM `{place.last}`.{replacement.KEPT}")  # noqa: S608  our names
        assert kept == ("replaced", 7)
        assert place.ensure_user() == []

    def test_a_repeated_call_leaves_what_was_made_since(self, place: Place) -> None:
        own = place.login.database_user
        place.load()
        self.add(place, place.loader, place.next, "new")
        assert place.replace()
        place.run(own, place.live, "DROP PROCEDURE add_one", "CREATE OR REPLACE VIEW shown AS SELECT 1 AS text")
        before = self.told(place)
        assert place.replace()
        assert self.told(place) == before

    @pytest.mark.parametrize("given_up", [True, False])
    def test_one_that_stops_before_the_tables_are_moved(self, place: Place, *, given_up: bool) -> None:
        """It either ends another time, or leaves the live schema as it was."""
        self.add(place, place.login.database_user, place.live, "old")
        before = self.told(place)
        place.load()
        self.add(place, place.loader, place.next, "new")
        assert place.admin.prepare_replacement(place.live) is None
        with closing(connected(place.server, place.loader, place.next)) as reader, reader.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT * FROM `a``b %s.c`")
            with pytest.raises(BackendUnfinishedError, match="lock wait timeout"):
                place.replace()
        assert self.told(place) == [], "they are dropped by now"
        if given_up:
            place.discard()
            assert self.told(place) == before
            assert place.text(place.live) == "live"
        else:
            assert place.replace()
            assert place.run(place.login.database_user, place.live, "SELECT text FROM `only new`") == [("loaded new",)]

    def test_a_later_one_that_is_given_up_brings_back_nothing_of_an_earlier_one(self, place: Place) -> None:
        own = place.login.database_user
        self.add(place, own, place.live, "old")
        place.load()
        assert place.replace()
        assert self.told(place) == []
        place.load()
        place.discard()
        assert self.told(place) == []


class TestObstacles:
    def obstacle(self, place: Place) -> str:
        found = place.admin.prepare_replacement(place.live)
        assert found is not None
        return found

    def test_a_table_of_the_name_that_programs_are_kept_in(self, place: Place) -> None:
        place.load()
        place.run(place.login.database_user, place.live, f"CREATE TABLE {replacement.KEPT} (id INT)")
        assert "whose name is needed" in self.obstacle(place)

    @pytest.mark.parametrize(("oldest", "refused"), [("0009", True), ("0006", False), ("0001", False)])
    def test_a_schema_that_wants_a_newer_program_is_refused(self, place: Place, oldest: str, *, refused: bool) -> None:
        place.load()
        revision = "CREATE TABLE alembic_version (version_num VARCHAR(32)) SELECT '0006' AS version_num"
        compatible = (
            f"CREATE TABLE schema_compatibility (oldest_program VARCHAR(32)) SELECT '{oldest}' AS oldest_program"
        )
        place.run(place.login.database_user, place.live, revision)
        place.run(place.loader, place.next, compatible)
        found = place.admin.prepare_replacement(place.live)
        assert (found is not None) is refused


class TestRights:
    def test_who_loads_may_do_nothing_else(self, place: Place, new_tenant: Callable[[], Login]) -> None:
        place.load()
        neighbour = new_tenant()
        for schema in (place.live, place.login.audit_database, neighbour.database, "mysql"):
            with pytest.raises(pymysql.MySQLError, match="1044"):
                place.run(place.loader, schema, "SELECT 1")
        with pytest.raises(pymysql.MySQLError, match="1044"):
            place.run(place.loader, place.next, f"CREATE DATABASE `{place.last}`")

    def test_the_tenant_itself_may_not_touch_what_is_loaded_or_kept(self, place: Place) -> None:
        place.load()
        place.replace()
        place.load()
        for schema in (place.next, place.last):
            with pytest.raises(pymysql.MySQLError, match="1044"):
                place.run(place.login.database_user, schema, "SELECT 1")

    def test_who_loads_is_no_drift(self, place: Place) -> None:
        place.load()
        assert place.ensure_user() == []
        place.run(place.loader, place.next, "INSERT INTO parents VALUES (2, 'on')")

    @pytest.mark.parametrize("schema", ["{live}", "{audit}", "{last}"])
    def test_with_any_other_right_it_is_drift(self, place: Place, schema: str) -> None:
        place.load()
        where = schema.format(live=place.live, audit=place.login.audit_database, last=place.last)
        place.ask(f"GRANT SELECT ON `{where}`.* TO `{place.loader.name}`@`%%`")
        assert [str(one) for one in place.ensure_user()] != []
        assert place.users() == {place.login.database_user.name}
        assert place.ensure_user() == []

    @pytest.mark.parametrize("schema", ["{next}", "{last}"])
    def test_other_peoples_rights_on_it_are_drift(
        self, place: Place, schema: str, new_tenant: Callable[[], Login]
    ) -> None:
        place.load()
        other, where = new_tenant().database_user.name, schema.format(next=place.next, last=place.last)
        place.ask(f"GRANT SELECT ON `{where}`.* TO `{other}`@`%%`")
        assert [str(one) for one in place.ensure_user()] != []
        assert place.ask("SELECT 1 FROM mysql.db WHERE User = %s AND Db = %s", other, where) == []
        place.run(place.loader, place.next, "INSERT INTO parents VALUES (2, 'on')")


def test_all_of_it_goes_with_the_tenant(place: Place) -> None:
    place.load()
    place.replace()
    place.load()
    assert place.admin.inventory()[place.login.id] == {"schema", "database users"}
    assert place.live in place.admin.tenant_databases()
    assert place.next not in place.admin.tenant_databases()
    place.admin.drop_users(place.live)
    place.admin.drop_database(place.live)
    assert place.schemas() == set()
    assert place.users() == set()
    assert place.login.id not in place.admin.inventory()
