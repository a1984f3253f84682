"""The program of a TenantRestore on the real MariaDB and the real S3 server: what it brings back, and what it refuses."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from integration.conftest import Login
from integration.operator.backups import CANARY, FILE, Given, opened_file
from support.logins import rows
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.model import naming
from vivero_core.sealing import SealBrokenError
from vivero_operator.operations import backup, restore
from vivero_operator.operations.archive import Archive, backup_store
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.new_tenant import NewTenant as FilledTenant
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, Account, RestoreOrder
from vivero_operator.operations.orders import Login as DatabaseLogin
from vivero_operator.operations.orders import Target as NewTenant
from vivero_operator.operations.program import Files
from vivero_operator.operations.streams import Measured

pytestmark = pytest.mark.usefixtures("neighbour_stays")


class Target:
    """A new tenant without data, and the files that the operator would mount to fill it."""

    def __init__(self, given: Given, login: Login) -> None:
        self.given, self.login = given, login
        server, user = given.server, login.database_user
        database = DatabaseLogin(server.host, server.port, user.name, user.secret)
        endpoint = given.endpoint
        target = NewTenant(
            schemas={given.login.database: login.database, given.login.audit_database: login.audit_database},
            audit=login.audit_database,
            database=database,
            storage=Account(endpoint, "us-east-1", login.bucket, login.account.name, login.account.secret),
            file_key=secrets.token_hex(32),
        )
        self.order = RestoreOrder(tenant=given.login.id, uid="u1", target=target, file_key=given.order.file_key)
        self.mount()

    def mount(self) -> None:
        folder = self.given.folder
        text = self.order.target.database.option_file().replace("/run/operation", str(folder))
        (folder / CLIENT_FILE).write_text(text)
        (folder / ORDER_FILE).write_text(self.order.dump())

    @property
    def files(self) -> Files:
        return Files(self.given.folder)

    def run(self) -> dict[str, Any]:
        restore.load(self.files)
        restore.copy_files(self.files)
        return restore.verify(self.files).result

    def ask(self, statement: str, schema: str | None = None) -> list[tuple[Any, ...]]:
        at = self.order.target.database
        user = Credentials(at.user, at.password)
        return rows(self.given.server, user, schema or self.login.database, statement)


@pytest.fixture
def target(given: Given, new_tenant: Callable[[], Login]) -> Target:
    """Of a backup that is complete."""
    audit = f"`{given.login.audit_database}`.audit_log"
    given.sql(
        "CREATE TABLE c_2 (id INT PRIMARY KEY AUTO_INCREMENT, at DATETIME(6), note TEXT, parent INT, "
        "twice INT AS (parent * 2) STORED, FOREIGN KEY (parent) REFERENCES c_2 (id))",
        "INSERT INTO c_2 (at, note) VALUES ('2026-11-29 10:00:00.123456', 'a; b\\n-- c\\nUSE d;\\n''quoted'' \\\\ end')",
        "INSERT INTO c_2 (note, parent) VALUES (NULL, 1)",
        "CREATE TABLE files (id CHAR(36) PRIMARY KEY, state VARCHAR(20))",
        "INSERT INTO files VALUES ('one', 'stored'), ('going', 'deleting'), ('lost', 'stored')",
        f"INSERT INTO {audit} (actor, action, subject, request_id) VALUES ('a@b.co', 'login', 'x', 'r')",  # noqa: S608  our names
    )
    given.files("u1", schemas=(given.login.database, given.login.audit_database))
    backup_files = Files(given.folder)
    backup.copy_files(backup_files)
    backup.dump(backup_files)
    return Target(given, new_tenant())


def test_all_of_it_is_back(target: Target) -> None:
    result = target.run()
    assert (result["files"], result["missingFiles"]) == (1, 1)
    assert target.ask("SELECT name, HEX(picture) FROM c_1") == [(CANARY, "00FF1B5C27")]
    assert target.ask("SELECT note FROM c_2 WHERE id = 1") == [("a; b\n-- c\nUSE d;\n'quoted' \\ end",)]
    assert target.ask("SELECT id, parent, twice FROM c_2 ORDER BY id") == [(1, None, None), (2, 1, 2)]
    assert target.ask("SELECT actor, action FROM audit_log", target.login.audit_database) == [("a@b.co", "login")]
    own = target.given.client_of(target.login)
    assert opened_file(own, target.login.bucket, "one", target.order.target.file_key) == FILE
    with pytest.raises(SealBrokenError, match="needs the key"):
        opened_file(own, target.login.bucket, "one", target.given.order.file_key)


def test_what_a_killed_attempt_was_uploading_is_ended(target: Target) -> None:
    own, bucket = target.given.client_of(target.login), target.login.bucket
    own.create_multipart_upload(Bucket=bucket, Key="one")
    assert own.list_multipart_uploads(Bucket=bucket).get("Uploads")
    target.run()
    assert not own.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_in_place_it_is_loaded_beside_and_the_audit_log_stays(target: Target, database_admin: MariaDbAdmin) -> None:
    given, live = target.given, target.given.login.database
    given.sql("UPDATE c_1 SET name = 'overwritten'")
    given.own.delete_object(Bucket=given.login.bucket, Key="one")
    beside = naming.next_database_name(given.login.id)
    loader = Credentials(naming.loading_user(given.login.id), secrets.token_hex(16))
    database_admin.begin_replacement(live, given.login.database_user, loader, 5)
    login = replace(target.order.target.database, user=loader.name, password=loader.secret)
    filled = replace(
        target.order.target,
        schemas={live: beside},
        audit=given.login.audit_database,
        left_out=(given.login.audit_database,),
        database=login,
        storage=given.order.storage,
        file_key=given.order.file_key,
    )
    target.order = replace(target.order, target=filled)
    target.mount()
    target.run()
    assert given.sql("SELECT name FROM c_1") == [("overwritten",)]
    assert target.ask("SELECT name FROM c_1", beside) == [(CANARY,)]
    assert opened_file(given.own, given.login.bucket, "one", given.order.file_key) == FILE
    assert database_admin.prepare_replacement(live) is None
    assert database_admin.replace(live, given.login.database_user)
    assert given.sql("SELECT name FROM c_1") == [(CANARY,)]
    assert given.sql(f"SELECT COUNT(*) FROM `{given.login.audit_database}`.audit_log") == [(1,)]  # noqa: S608  our name


def test_a_second_attempt_ends_the_same(target: Target) -> None:
    target.run()
    target.ask("DELETE FROM c_2 WHERE id = 2")
    target.run()
    assert target.ask("SELECT COUNT(*) FROM c_2") == [(2,)]
    assert target.ask("SELECT COUNT(*) FROM audit_log", target.login.audit_database) == [(1,)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE c_2 SET note = 'x' WHERE id = 2", "the rows of vt"),
        ("INSERT INTO c_1 VALUES (2, 'x', NULL)", "the rows of vt"),
        ("ALTER TABLE c_1 MODIFY name VARCHAR(201)", "the tables of vt"),
        ("CREATE TABLE more (id INT)", "the tables of vt"),
    ],
)
def test_what_is_not_as_in_the_backup_is_told(target: Target, change: str, sentence: str) -> None:
    target.run()
    target.ask(change)
    with pytest.raises(StepFailedError, match=sentence):
        restore.verify(target.files)


PROGRAMS = (
    "CREATE FUNCTION next_of (a INT) RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM {live}.c_2) + a",
    "CREATE VIEW b_first AS SELECT name, next_of(id) AS next FROM c_1",
    "CREATE SQL SECURITY INVOKER VIEW a_second AS SELECT * FROM `{live}`.b_first",
    "CREATE TRIGGER noted BEFORE INSERT ON {live}.c_2 FOR EACH ROW SET NEW.note = CONCAT('🌱 ', NEW.note) /* {live} */",
    "CREATE PROCEDURE add_one () BEGIN INSERT INTO `{live}` . `c_2` (note) VALUES ('by it; DELIMITER ;;'); END",
    "CREATE SEQUENCE numbers START WITH 5 INCREMENT 3",
    "CREATE TABLE counted (id INT PRIMARY KEY DEFAULT NEXTVAL(numbers), word VARCHAR(9))",
    "INSERT INTO counted (word) VALUES ('one')",
)


def test_views_triggers_routines_and_sequences_are_the_new_tenants(target: Target) -> None:
    given = target.given
    given.sql(*(one.format(live=given.login.database) for one in PROGRAMS))
    given.client_file(given.login.database_user.secret)
    given.run("u2", schemas=(given.login.database, given.login.audit_database))
    target.order = replace(target.order, uid="u2")
    target.mount()
    target.run()
    target.ask("CALL add_one()")
    assert target.ask("SELECT note FROM c_2 ORDER BY id DESC LIMIT 1") == [("🌱 by it; DELIMITER ;;",)]
    assert target.ask("SELECT next FROM a_second") == [(4,)]
    target.ask("INSERT INTO counted (word) VALUES ('two')")
    assert target.ask("SELECT word FROM counted ORDER BY id") == [("one",), ("two",)]
    owner = (f"{target.login.database_user.name}@%",)
    for table, of in (("VIEWS", "TABLE"), ("TRIGGERS", "TRIGGER"), ("ROUTINES", "ROUTINE")):
        query = f"SELECT DISTINCT DEFINER FROM INFORMATION_SCHEMA.{table} WHERE {of}_SCHEMA = DATABASE()"  # noqa: S608  our names
        assert target.ask(query) == [owner]
    assert given.sql("SELECT COUNT(*) FROM c_2") == [(2,)], "the old tenant's is what it was"


def replaced(target: Target, lines: Iterable[str]) -> None:
    """The backup is one with these lines as its dump, made by whoever has the key."""
    archive = Archive(backup_store(target.files), target.order.tenant, "u1", target.order.file_key)
    manifest, content = archive.read_manifest(), Measured()
    given = [f"USE `{target.given.login.database}`;", *lines]
    stored = archive.write_dump(content.through((line + "\n").encode() for line in given))
    told = {"bytes": content.size, "sha256": content.sha256, "stored": stored}
    archive.write_manifest(manifest | {"dump": manifest["dump"] | told})


@pytest.mark.parametrize("statement", ["USE `{neighbour}`;", "CREATE DATABASE other;", "\\! touch {folder}/harm"])
def test_a_dump_with_another_statement_is_refused(target: Target, statement: str) -> None:
    before = fingerprint(target.given)
    replaced(target, [statement.format(neighbour=target.login.database, folder=target.given.folder)])
    with pytest.raises(RefusedError, match="the dump"):
        restore.load(target.files)
    assert fingerprint(target.given) == before
    assert not (target.given.folder / "harm").exists()


NAMES_A_NEIGHBOUR = (
    "INSERT INTO `{neighbour}`.`c_1` VALUES (9, 'x', NULL);",
    "INSERT INTO `c_9` SELECT * FROM `{neighbour}`.`c_1`;",
    "INSERT INTO `c_9` VALUES (1); DROP TABLE `{neighbour}`.`c_1`;",
    "INSERT INTO `c_9` SELECT LENGTH(LOAD_FILE('/etc/passwd')) FROM mysql.user;",
    "DROP TABLE IF EXISTS `{neighbour}`.`c_1`;",
    "DROP TABLE IF EXISTS `c_9`, `{neighbour}`.`c_1`;",
    "CREATE TABLE `{neighbour}`.`c_9` (id INT);",
    "CREATE TABLE `c_8` AS SELECT * FROM `{neighbour}`.`c_1`;",
    "CREATE TABLE `c_8` LIKE `{neighbour}`.`c_1`;",
    "CREATE TABLE `c_8` (id INT, FOREIGN KEY (id) REFERENCES `{neighbour}`.`c_1` (id));",
    "/*!40000 ALTER TABLE `{neighbour}`.`c_1` DISABLE KEYS */;",
    "DROP TABLE IF EXISTS `{audit}`.`audit_log`;",
    "SET @a = (SELECT COUNT(*) FROM `{neighbour}`.`c_1`);",
)
"""What begins as mariadb-dump's statements do: the rights of the login end it."""
PASSED_OVER = "LOCK TABLES `{neighbour}`.`c_1` WRITE;"


def test_a_dump_that_names_a_neighbours_table_changes_nothing_there(target: Target) -> None:
    names = {"neighbour": target.given.login.database, "audit": target.given.login.audit_database}
    target.ask("CREATE TABLE c_9 (id INT)")
    new = FilledTenant(target.files, target.order.target, target.order.file_key)
    before = fingerprint(target.given)
    for statement in NAMES_A_NEIGHBOUR:
        # 1064: a second statement, which the connection does not take; the others are refused rights.
        with pytest.raises(StepFailedError, match=r"loading vt\w+ failed: error (11\d\d|1044|1064|1227)"):
            new.load([(statement.format(**names) + "\n").encode()], new.data[0])
        assert fingerprint(target.given) == before, statement
    new.load([(PASSED_OVER.format(**names) + "\n").encode()], new.data[0])
    target.given.sql("INSERT INTO c_1 VALUES (99, 'nobody holds a lock', NULL)")


def fingerprint(given: Given) -> dict[str, Any]:
    """What a dump could harm: the data, the logins and the settings of the server.

    The server lists grants in another order once anybody has had it read them again.
    """
    found = {
        name: sorted(given.sql(statement))
        for name, statement in {
            "schemas": "SHOW DATABASES",
            "tables": "SHOW TABLES",
            "rows": "CHECKSUM TABLE c_1, c_2, files",
            "grants": "SHOW GRANTS",
        }.items()
    }
    settings = given.sql("SELECT @@GLOBAL.max_connections, @@GLOBAL.general_log, @@GLOBAL.secure_file_priv")
    return found | {"settings": settings}


def test_another_key_opens_nothing(target: Target) -> None:
    (target.given.folder / ORDER_FILE).write_text(replace(target.order, file_key=secrets.token_hex(32)).dump())
    with pytest.raises(StepFailedError, match="needs the key"):
        restore.load(target.files)


def test_a_backup_of_another_release_is_refused(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivero_operator.operations.archive._READABLE", (2, 4))
    with pytest.raises(RefusedError, match="the format 3, and this release reads 2 and 4"):
        restore.load(target.files)


def test_a_schema_that_is_not_the_tenants_is_refused(target: Target) -> None:
    audit = target.given.login.audit_database
    (target.given.folder / ORDER_FILE).write_text(
        replace(target.order, target=replace(target.order.target, schemas={audit: target.login.audit_database})).dump()
    )
    with pytest.raises(RefusedError, match="is not the tenant's"):
        restore.load(target.files)
