"""Every kind of object that a tenant's own login can make, dumped from one schema and loaded into another by its own login.

On a MariaDB of the tests' own: what comes back is the same as the server shows it, and belongs to whoever it was loaded for.
"""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
from integration.operator.binlog_source import Source, Tenant, provision, source
from vivero_core.backends.mariadb import programs
from vivero_core.backends.mariadb.program import Program, ProgramError
from vivero_core.model import naming
from vivero_dev.debian import extracted
from vivero_dev.instance import cache_root
from vivero_operator.operations import dumps
from vivero_operator.operations.dumps import Fingerprint
from vivero_operator.operations.errors import RefusedError, StepFailedError

OLD, NEW = Tenant("objectsold"), Tenant("objectsnew")
LONG = "SET @a = 'ü🌱';\n" * 5_000
ALL_BYTES = "".join(f"{number:02x}" for number in range(256))
TABLES = [
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT, word VARCHAR(50), UNIQUE KEY (word))",
    "INSERT INTO t (n, word) VALUES (1, 'one'), (2, 'it''s \\\\ \"two\" 🌱')",
]
PROGRAMS = {
    "a view": ["CREATE VIEW v AS SELECT id, 'x🌱\n''y\\\\' AS text FROM t WHERE n > 0 WITH CHECK OPTION"],
    "views of views": [
        "CREATE VIEW zz AS SELECT 1 AS one",
        "CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW aa AS SELECT * FROM zz",
        "CREATE VIEW mm AS SELECT aa.one, t.* FROM {old}.aa JOIN `{old}`.t ON t.id = aa.one",
    ],
    "a view with everything": [
        (
            "CREATE VIEW v AS WITH x AS (SELECT id FROM t) SELECT x.id, (SELECT MAX(n) FROM t WHERE t.id = x.id) AS m,"
            " CASE WHEN x.id > 1 THEN 1 ELSE CAST(x.id AS CHAR CHARSET latin1) END AS c, NOW() + INTERVAL x.id DAY AS d,"
            " ROW_NUMBER() OVER (PARTITION BY x.id ORDER BY x.id DESC) AS r FROM x GROUP BY x.id HAVING COUNT(*) > 0 LIMIT 3"
        )
    ],
    "a view that was made with other quotes": [
        "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
        """CREATE VIEW "quo""ted" AS SELECT "word" || 'back\\' AS "a `b" FROM "{old}"."t" """,
    ],
    "triggers in their order": [
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = COALESCE(NEW.n, 7)",
        (
            "CREATE OR REPLACE TRIGGER a_last BEFORE INSERT ON {old}.t FOR EACH ROW FOLLOWS tr"
            " SET NEW.n = NEW.n + LENGTH('🌱') /* it's \\ {old}.t */"
        ),
        "CREATE TRIGGER {old}.`a first` BEFORE INSERT ON t FOR EACH ROW PRECEDES tr BEGIN -- don't\n SET NEW.n = 3; END",
        "CREATE TRIGGER gone AFTER DELETE ON t FOR EACH ROW INSERT INTO `{old}` . t (n) VALUES (OLD.n)",
    ],
    "a procedure": [
        (
            "CREATE PROCEDURE p (IN a INT, INOUT b VARCHAR(9), OUT c DECIMAL(5,2)) COMMENT 'it''s \\\\ \"q\"' SQL SECURITY INVOKER"
            " BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION ROLLBACK; INSERT INTO `{old}`.t (n) VALUES (a);"
            " SELECT 'a;;\nDELIMITER ;;', {old}.t.id FROM {old} . t; END"
        )
    ],
    "a long one": [f"CREATE PROCEDURE p () BEGIN {LONG} END"],
    "functions": [
        "CREATE FUNCTION f (a INT, b VARCHAR(10)) RETURNS VARCHAR(20) CHARSET latin1 DETERMINISTIC RETURN CONCAT(b, a)",
        "CREATE FUNCTION counted () RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM {old}.t)",
        "CREATE FUNCTION writes () RETURNS INT BEGIN INSERT INTO t (n) VALUES (9); RETURN 1; END",
        (
            "CREATE AGGREGATE FUNCTION total (x INT) RETURNS INT BEGIN DECLARE m INT DEFAULT 0;"
            " DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN m; LOOP FETCH GROUP NEXT ROW; SET m = m + x; END LOOP; END"
        ),
        "CREATE VIEW by_function AS SELECT f(n, word) AS f FROM t",
    ],
    "a procedure that was made with other quotes": [
        "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
        """CREATE PROCEDURE "ans""i" () BEGIN SELECT "n" || 'back\\' FROM "{old}"."t"; END""",
        """CREATE TRIGGER "t q" AFTER DELETE ON "t" FOR EACH ROW BEGIN INSERT INTO "{old}"."t" ("word") VALUES ('\\'); END""",
    ],
    "a package": [
        "SET sql_mode = ORACLE",
        "CREATE PACKAGE pk AS PROCEDURE x(a INT); END",
        "CREATE PACKAGE BODY pk AS PROCEDURE x(a INT) AS BEGIN INSERT INTO {old}.t (n) VALUES (a); END; END",
    ],
    "what was made under another collation": [
        "ALTER DATABASE {old} COLLATE utf8mb4_bin",
        "SET collation_connection = latin1_german2_ci",
        "CREATE PROCEDURE p (a VARCHAR(10)) SELECT a, COLLATION('x')",
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.word = CONCAT(NEW.word, 'ü')",
        "ALTER DATABASE {old} COLLATE utf8mb4_general_ci",
    ],
    "names with anything in them": [
        "CREATE VIEW `a``b.c %s 'd\" ü` AS SELECT 1 AS `x``y`",
        "CREATE PROCEDURE `p``q; --` () SELECT 1",
        "CREATE TRIGGER `t.r\\` BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
    ],
}
DATA = {
    "a sequence, and a column that takes its numbers": [
        "CREATE SEQUENCE s START WITH 5 INCREMENT 3 MAXVALUE 100 CYCLE",
        "CREATE TABLE d (id INT PRIMARY KEY DEFAULT NEXTVAL(s), word VARCHAR(9))",
        "INSERT INTO d (word) VALUES ('a'), ('b')",
    ],
    "generated, invisible and expression columns, checks": [
        (
            "CREATE TABLE d (id INT PRIMARY KEY, a INT, v INT AS (a * 2) VIRTUAL, s VARCHAR(40) AS (CONCAT(a, '🌱''\\\\')) STORED,"
            " hidden INT INVISIBLE DEFAULT 3, e INT DEFAULT (1 + 2), j JSON DEFAULT (JSON_OBJECT('a', 'b')), u UUID DEFAULT UUID(),"
            " at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (s), CHECK (a < 100),"
            " CONSTRAINT `it's` CHECK (e <> 9)) COMMENT 'it''s \\\\ a \"table\" ü'"
        ),
        "INSERT INTO d (id, a, hidden) VALUES (1, 2, 4), (2, NULL, NULL)",
    ],
    "all bytes, zero dates and every type": [
        "SET sql_mode = ''",
        (
            "CREATE TABLE d (id INT PRIMARY KEY, b LONGBLOB, v VARBINARY(300), bits BIT(9), d DATE, dt DATETIME(3), t TIME(6), y YEAR,"
            " f DOUBLE, de DECIMAL(38, 10), e ENUM('a''b', 'ü'), st SET('x', 'y'), p POINT, i INET6, txt LONGTEXT COLLATE utf8mb4_bin)"
        ),
        (
            f"INSERT INTO d VALUES (1, x'{ALL_BYTES}', x'{ALL_BYTES}', b'101010101', '0000-00-00', '2026-00-00', '-838:59:59.999999',"  # noqa: S608  constants
            " 1901, 1.7976931348623157e308, 12345678901234567890.0123456789, 'a''b', 'x,y', POINT(1.5, -2), '::1',"
            " 'a\\0b\\n\\r\\t\\Z\\\\ ''🌱')"
        ),
    ],
    "keys of every kind, partitions, collations": [
        (
            "CREATE TABLE d (id INT PRIMARY KEY AUTO_INCREMENT, t INT, g POINT NOT NULL, words TEXT, FULLTEXT KEY (words),"
            " SPATIAL KEY (g), KEY (words(10) DESC), CONSTRAINT up FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE)"
            " AUTO_INCREMENT = 50 COLLATE utf8mb4_unicode_520_ci ROW_FORMAT = DYNAMIC"
        ),
        "INSERT INTO d (t, g, words) VALUES (1, POINT(1, 1), 'some words')",
        (
            "CREATE TABLE parts (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (YEAR(at))"
            " (PARTITION a VALUES LESS THAN (2026), PARTITION b VALUES LESS THAN MAXVALUE)"
        ),
        "INSERT INTO parts VALUES (1, '2025-01-01'), (2, '2027-01-01')",
    ],
    "tables with versions and periods": [
        "CREATE TABLE d (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
        "INSERT INTO d VALUES (1, 1), (2, 2)",
        "UPDATE d SET v = 9 WHERE id = 1",
        "DELETE FROM d WHERE id = 2",
        "CREATE TABLE p (id INT, a DATE, b DATE, PERIOD FOR p (a, b), UNIQUE (id, p WITHOUT OVERLAPS))",
        "INSERT INTO p VALUES (1, '2020-01-01', '2021-01-01')",
    ],
}


class Place:
    """Both tenants' schemas, and their own logins."""

    def __init__(self, server: Source, folder: Path) -> None:
        self.server, self.folder = server, folder

    def clear(self) -> None:
        for tenant in (OLD, NEW):
            self.server.run(f"DROP DATABASE {tenant.data}", f"CREATE DATABASE {tenant.data} COLLATE utf8mb4_general_ci")
        self.run(*TABLES)

    def run(self, *statements: str, tenant: Tenant = OLD, user: str | None = None) -> list[tuple[Any, ...]]:
        filled = [one.replace("{old}", OLD.data) for one in statements]
        return self.server.run(*filled, schema=tenant.data, user=user or self.user(tenant))

    def user(self, tenant: Tenant) -> str:
        return naming.database_users(tenant.id)[0]

    def dump(self, tenant: Tenant, **options: Any) -> Iterator[bytes]:  # noqa: ANN401  of `dumped`
        file = self.folder / f"{tenant.id}.cnf"
        file.write_text(f'[client]\nsocket="{self.server.socket}"\nuser="{self.user(tenant)}"\n')
        return dumps.dumped(file, tenant.data, **options)

    def fingerprint(self, tenant: Tenant) -> tuple[str, str]:
        found = Fingerprint()
        for _ in found.through(self.dump(tenant)):
            pass
        return found.rows, found.tables

    def load(self, dump: Iterator[bytes]) -> None:
        """As the program of a restore does it, in the order of the dump."""
        made = []
        with closing(self.connection(NEW)) as connection:
            for one in dumps.statements(dump):
                if isinstance(one, Program):
                    made.append(one)
                else:
                    connection.query(dumps.with_sequences_of(one, OLD.data, NEW.data))
        with closing(self.connection(NEW)) as connection, connection.cursor() as cursor:
            programs.make(cursor, made, NEW.data)

    def connection(self, tenant: Tenant) -> "pymysql.Connection[Any]":
        return pymysql.connect(
            unix_socket=self.server.socket,
            user=self.user(tenant),
            database=tenant.data,
            charset="utf8mb4",
            autocommit=True,
        )

    def definers(self) -> set[str]:
        tables = ("VIEWS", "TABLE_SCHEMA"), ("TRIGGERS", "TRIGGER_SCHEMA"), ("ROUTINES", "ROUTINE_SCHEMA")
        return {
            str(definer)
            for table, column in tables
            for (definer,) in self.server.run(
                f"SELECT DEFINER FROM INFORMATION_SCHEMA.{table} WHERE {column} = '{NEW.data}'"  # noqa: S608  our names
            )
        }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("programs")
    with source(folder, "log_bin_trust_function_creators = ON\n") as server:
        for tenant in (OLD, NEW):
            provision(server, tenant)
        yield Place(server, folder)


@pytest.fixture
def place(shared: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    tools = extracted(cache_root(), "mariadb-client") / "usr/bin"
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    shared.clear()
    return shared


@pytest.mark.parametrize("made", [*PROGRAMS.values(), *DATA.values()], ids=[*PROGRAMS, *DATA])
def test_it_comes_back_equal_and_belongs_to_whom_it_was_loaded_for(place: Place, made: list[str]) -> None:
    nothing = place.fingerprint(OLD)
    place.run(*made)
    before = place.fingerprint(OLD)
    assert before[1] != nothing[1], "it is in the dump"
    for _ in range(2):  # a second attempt ends the same
        place.load(place.dump(OLD))
        assert place.fingerprint(NEW) == before
    assert place.definers() <= {f"{place.user(NEW)}@localhost"}
    assert place.fingerprint(OLD) == before


def test_what_an_administrator_made_becomes_the_tenants(place: Place) -> None:
    for kind in ("VIEW v AS SELECT * FROM t", "TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 5"):
        place.run(
            f"CREATE DEFINER = root@localhost SQL SECURITY DEFINER {kind}".replace("SQL SECURITY DEFINER TR", "TR"),
            user="root",
        )
    place.run(
        "CREATE DEFINER = root@localhost PROCEDURE p() SELECT 1",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        user="root",
    )
    with pytest.raises(RefusedError, match="procedure p of vtobjectsold belongs to another account"):
        place.fingerprint(OLD)
    with (
        closing(pymysql.connect(unix_socket=place.server.socket, user="root")) as connection,
        connection.cursor() as cursor,
    ):
        others = programs.of_others(cursor, OLD.data, place.user(OLD))
    assert [one.program.name for one in others.routines] == ["p"]
    assert others.events == ("e",)
    place.load(place.dump(OLD, foreign=others.routines))
    assert place.definers() == {f"{place.user(NEW)}@localhost"}
    # One that is another by now is not taken for it.
    stale = replace(others.routines[0], altered="2020-01-01 00:00:00")
    with pytest.raises(RefusedError, match="or was changed since"):
        list(place.dump(OLD, foreign=(stale,)))


def test_a_view_of_what_is_gone_is_kept_and_not_made(place: Place) -> None:
    place.run("CREATE TABLE gone (a INT)", "CREATE VIEW v AS SELECT a FROM gone", "DROP TABLE gone")
    (found,) = [one for one in dumps.statements(place.dump(OLD)) if isinstance(one, Program)]
    assert found.invalid
    place.load(place.dump(OLD))
    assert place.fingerprint(NEW) == place.fingerprint(OLD)
    assert dumps.with_left_out("Loaded", [str(found), "event e"]).endswith(
        "event e (a tenant has none), view v (what it shows is not there)"
    )


def test_history_that_cannot_be_dumped_is_named(place: Place) -> None:
    place.run(
        "CREATE TABLE precise (id INT PRIMARY KEY, a BIGINT UNSIGNED GENERATED ALWAYS AS ROW START,"
        " b BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING"
    )
    with pytest.raises(StepFailedError, match="`precise` with transaction-precise history"):
        place.fingerprint(OLD)


def test_what_changes_while_it_is_dumped_is_no_dump(place: Place) -> None:
    dump = place.dump(OLD)
    next(dump)
    place.run("CREATE VIEW late AS SELECT 1 AS one")
    with pytest.raises(StepFailedError, match="were changed while it was dumped"):
        list(dump)


HOSTILE = [
    ("VIEW", "CREATE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW x AS SELECT * FROM mysql.global_priv"),
    ("PROCEDURE", "CREATE DEFINER=root@localhost PROCEDURE x() DROP DATABASE {old}"),
    ("PROCEDURE", "DROP TABLE {old}.t"),
    ("PROCEDURE", "CREATE PROCEDURE {old}.x() SELECT 1"),
    ("PROCEDURE", "CREATE PROCEDURE x() SELECT 1; DROP TABLE {old}.t"),
    ("TRIGGER", "CREATE TRIGGER x BEFORE INSERT ON {old}.t FOR EACH ROW SET @a = 1"),
    ("FUNCTION", "CREATE FUNCTION x RETURNS INT SONAME 'evil.so'"),
    ("VIEW", "CREATE VIEW x AS SELECT * FROM {old}.t"),
    ("EVENT", "CREATE EVENT x ON SCHEDULE EVERY 1 SECOND DO DROP TABLE {old}.t"),
]


@pytest.mark.parametrize(("kind", "text"), HOSTILE)
def test_a_hostile_dump_makes_nothing_of_it(place: Place, kind: str, text: str) -> None:
    before = place.fingerprint(OLD)
    stored = {"kind": kind, "name": "x", "parts": [text.replace("{old}", OLD.data)]}
    lines = [f"-- Program of `{OLD.data}`: {json.dumps(stored)}\n".encode(), *place.dump(OLD)]
    with pytest.raises(ProgramError, match=f"{kind.lower()} x|program of"):
        place.load(iter(lines))
    assert place.fingerprint(OLD) == before
    assert place.definers() == set()
    assert place.run("SELECT COUNT(*) FROM mysql.event", tenant=NEW, user="root") == [(0,)]


def test_what_it_makes_may_no_more_than_its_tenant(place: Place) -> None:
    """A body is not judged: it runs as the new tenant, which has no right elsewhere."""
    stored = {"kind": "PROCEDURE", "name": "x", "parts": [f"CREATE PROCEDURE x() DROP TABLE {OLD.data}.t"]}
    place.load(iter([f"-- Program of `{OLD.data}`: {json.dumps(stored)}\n".encode()]))
    with pytest.raises(pymysql.MySQLError, match="1142"):
        place.run("CALL x()", tenant=NEW)
    assert place.run("SELECT COUNT(*) FROM t") == [(2,)]
