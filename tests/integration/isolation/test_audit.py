"""A workspace's own database login, tried on its audit log: it is added to and read, and nothing else happens to it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.logins import Connection, connected
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server

MakeTenant = Callable[[], Any]

ADD = "INSERT INTO {log} (actor, action, subject, request_id) VALUES ('{who}', 'record.update', 'Contacts/1', 'r')"
DENIED = frozenset({1044, 1045, 1142, 1143, 1227, 1356, 1370, 1419})
"""The server's numbers for a right that is missing: on a schema, files, a table, a column, the server, what a view is of,
a routine; of a server with a binary log, SUPER for a trigger."""


def connect(server: Server, tenant: Any) -> Connection:  # noqa: ANN401  the login that `new_tenant` makes
    return connected(server, tenant.database_user, tenant.database, local_infile=True, read_timeout=10)


def run(connection: Connection, statement: str) -> tuple[tuple[Any, ...], ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchall())


def entries(connection: Connection, log: str) -> tuple[tuple[Any, ...], ...]:
    return run(connection, f"SELECT * FROM {log}")  # noqa: S608  a name of our making


@pytest.fixture
def tenant(new_tenant: MakeTenant) -> Any:  # noqa: ANN401
    return new_tenant()


@pytest.fixture
def log(tenant: Any) -> str:  # noqa: ANN401
    return f"`{tenant.audit_database}`.audit_log"


@pytest.fixture
def login(tenant: Any, log: str, database_server: Server) -> Iterator[Connection]:  # noqa: ANN401
    """With two entries, and a table and a view of its own to try things with."""
    with closing(connect(database_server, tenant)) as connection:
        for who in ("mallory", "ada"):
            run(connection, ADD.format(log=log, who=who))
        for own in ("TABLE mine LIKE {}", "TABLE mine2 AS SELECT * FROM {}", "VIEW seen AS SELECT * FROM {}"):
            run(connection, f"CREATE {own.format(log)}")
        run(connection, "INSERT INTO mine SELECT * FROM mine2")
        yield connection


REFUSED = [
    "UPDATE {log} SET actor = 'nobody'",
    "UPDATE {log} l JOIN mine m USING (id) SET l.actor = m.subject",
    "UPDATE seen SET actor = 'nobody'",
    "DELETE FROM {log}",
    "DELETE l FROM {log} l JOIN mine m USING (id)",
    "DELETE FROM seen",
    "REPLACE INTO {log} SELECT * FROM mine",
    "INSERT INTO {log} SELECT * FROM mine ON DUPLICATE KEY UPDATE actor = 'nobody'",
    "INSERT INTO seen SELECT * FROM mine ON DUPLICATE KEY UPDATE actor = 'nobody'",
    "LOAD DATA INFILE '/etc/hostname' REPLACE INTO TABLE {log}",
    "SELECT * FROM {log} INTO OUTFILE '/tmp/vivero-audit'",
    "TRUNCATE {log}",
    "DROP TABLE {log}",
    "DROP TABLE mine, {log}",
    "DROP DATABASE `{audit}`",
    "ALTER DATABASE `{audit}` CHARACTER SET latin1",
    "CREATE OR REPLACE TABLE {log} (id INT)",
    "CREATE OR REPLACE VIEW {log} AS SELECT * FROM mine",
    "ALTER TABLE {log} DROP COLUMN actor",
    "ALTER TABLE {log} ADD COLUMN hidden INT",
    "ALTER TABLE {log} MODIFY actor CHAR(1) NOT NULL",
    "ALTER TABLE {log} ENGINE=MyISAM",
    "ALTER TABLE {log} AUTO_INCREMENT = 1000",
    "ALTER TABLE {log} DISCARD TABLESPACE",
    "ALTER TABLE {log} PARTITION BY HASH (id) PARTITIONS 2",
    "ALTER TABLE {log} EXCHANGE PARTITION p0 WITH TABLE mine",
    "ALTER TABLE {log} RENAME TO taken",
    "RENAME TABLE {log} TO taken",
    "RENAME TABLE {log} TO `{audit}`.old, mine TO {log}",
    "RENAME TABLE mine TO `{audit}`.other",
    "ALTER TABLE mine RENAME TO `{audit}`.other",
    "CREATE TABLE `{audit}`.other (id INT)",
    "CREATE TABLE `{audit}`.other LIKE {log}",
    "CREATE TEMPORARY TABLE {log} (id INT)",
    "CREATE SEQUENCE `{audit}`.other",
    "CREATE INDEX other ON {log} (actor)",
    "DROP INDEX audit_log_at ON {log}",
    "CREATE TRIGGER `{audit}`.stop BEFORE INSERT ON {log} FOR EACH ROW SET NEW.actor = 'nobody'",
    "CREATE TRIGGER stop BEFORE INSERT ON {log} FOR EACH ROW SET NEW.actor = 'nobody'",
    "CREATE VIEW `{audit}`.other AS SELECT 1",
    "CREATE PROCEDURE `{audit}`.other() SELECT 1",
    "CREATE EVENT `{audit}`.other ON SCHEDULE EVERY 1 SECOND DO SELECT 1",
    "LOCK TABLES {log} WRITE",
    "LOCK TABLES {log} READ",
    "LOCK TABLES seen WRITE",
    "FLUSH TABLES {log} FOR EXPORT",
    "GRANT DELETE ON `{audit}`.* TO CURRENT_USER",
    "GRANT UPDATE ON {log} TO CURRENT_USER",
    "SET STATEMENT sql_log_bin = 0 FOR DELETE FROM {log}",
    "ANALYZE DELETE FROM {log}",
    "EXECUTE IMMEDIATE 'DELETE FROM {log}'",
    "BEGIN NOT ATOMIC DELETE FROM {log}; END",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_changes_entries_or_puts_them_aside_is_refused(
    tenant: Any,  # noqa: ANN401
    log: str,
    login: Connection,
    statement: str,
) -> None:
    before = entries(login, log)
    with pytest.raises(pymysql.MySQLError) as caught:
        run(login, statement.format(log=log, audit=tenant.audit_database))
    assert caught.value.args[0] in DENIED, "refused for another reason: that proves nothing"
    assert entries(login, log) == before


@pytest.mark.parametrize(
    "statement",
    [
        "ANALYZE TABLE {log}",
        "OPTIMIZE TABLE {log}",
        "CHECK TABLE {log}",
        "REPAIR TABLE {log}",
        "CREATE TABLE child (id BIGINT UNSIGNED, FOREIGN KEY (id) REFERENCES {log} (id) ON DELETE CASCADE)",
        "CREATE TRIGGER mine_goes AFTER DELETE ON mine FOR EACH ROW DELETE FROM {log}; DELETE FROM mine",
        "INSERT IGNORE INTO {log} SELECT id, at, 'nobody', action, subject, NULL, NULL, '', '' FROM mine",
        "SELECT * FROM {log} FOR UPDATE",
        "CREATE OR REPLACE VIEW seen AS SELECT * FROM {log} WHERE actor <> 'mallory'; DELETE FROM seen",
        "SET foreign_key_checks = 0; SET unique_checks = 0; INSERT IGNORE INTO {log} SELECT * FROM mine",
    ],
)
def test_whatever_else_is_tried_leaves_the_entries(
    database_admin: MariaDbAdmin, log: str, login: Connection, statement: str
) -> None:
    """Some of it the server takes; what stands in the log is the same after it, for who reads it and for the data plane."""
    before = entries(login, log)
    for one in statement.format(log=log).split("; "):
        try:
            run(login, one)
        except pymysql.MySQLError:
            continue
    run(login, "ROLLBACK")
    with database_admin._session("look") as cursor:  # noqa: SLF001  the administrator sees it as it is
        cursor.execute(f"SELECT * FROM {log}")  # noqa: S608  a name of our making
        assert cursor.fetchall() == before
    run(login, ADD.format(log=log, who="ada"))
    assert len(entries(login, log)) == len(before) + 1


def test_a_file_of_the_client_replaces_nothing(log: str, login: Connection, tmp_path: Path) -> None:
    before = entries(login, log)
    (tmp_path / "entries").write_text("1\t2026-01-01\tnobody\n")
    with pytest.raises(pymysql.MySQLError):
        run(login, f"LOAD DATA LOCAL INFILE '{tmp_path / 'entries'}' REPLACE INTO TABLE {log} (id, at, actor)")
    assert entries(login, log) == before


def test_it_is_added_to_and_read_in_the_transaction_of_a_change(log: str, login: Connection) -> None:
    before = len(entries(login, log))
    for end, more in (("ROLLBACK", 0), ("COMMIT", 1)):
        run(login, "BEGIN")
        run(login, "UPDATE mine SET actor = 'ada'")
        run(login, ADD.format(log=log, who="ada"))
        run(login, end)
        assert len(entries(login, log)) == before + more


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {log}",
        ADD,
        "DELETE FROM {log}",
        "DROP TABLE {log}",
        "SHOW TABLES FROM `{audit}`",
        "USE `{audit}`",
        "CREATE VIEW theirs AS SELECT * FROM {log}",
        "CREATE TABLE child (id BIGINT UNSIGNED, FOREIGN KEY (id) REFERENCES {log} (id))",
    ],
)
def test_another_workspace_sees_nothing_of_it(
    tenant: Any,  # noqa: ANN401
    log: str,
    new_tenant: MakeTenant,
    database_server: Server,
    statement: str,
) -> None:
    with closing(connect(database_server, new_tenant())) as other:
        with pytest.raises(pymysql.MySQLError) as caught:
            run(other, statement.format(log=log, audit=tenant.audit_database, who="eve"))
        assert caught.value.args[0] in DENIED
        seen = "SELECT 1 FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{}'"
        assert run(other, seen.format(tenant.audit_database)) == ()
