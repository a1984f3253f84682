"""A restore in place on a real server whose log is archived: both sides of the switch can be gone back to, exactly.

The programs of the operation and the administrator's statements are the real ones; only the Job and the pods are missing.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from integration.conftest import Login
from integration.operator.archive_rig import KEY, Rig, archived
from integration.operator.backups import sealed_file
from integration.operator.binlog_source import Tenant
from integration.operator.test_replay import Told, of_source
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import programs
from vivero_core.backends.mariadb.client import MariaDbAdmin, Server
from vivero_core.backends.mariadb.program import Program
from vivero_core.backends.mariadb.replacement import SETTLED, Replacement
from vivero_core.model import naming
from vivero_core.sealing import unseal
from vivero_data.db.schema import SCHEMA_FILE, split
from vivero_dev.debian import extracted
from vivero_dev.instance import cache_root
from vivero_operator.operations import backup, moment
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, Account, BackupOrder, MomentOrder, Target
from vivero_operator.operations.orders import Login as DatabaseLogin
from vivero_operator.operations.program import Files

pytestmark = pytest.mark.usefixtures("neighbour_stays")

NOTES = """\
CREATE TABLE c_1 (id BIGINT PRIMARY KEY AUTO_INCREMENT, f_1 VARCHAR(200), f_2 LONGBLOB, parent BIGINT,
 twice BIGINT AS (parent * 2) STORED, UNIQUE KEY by_name (f_1), CONSTRAINT up FOREIGN KEY (parent) REFERENCES c_1 (id));
CREATE TABLE c_2 (id BIGINT PRIMARY KEY, note BIGINT NOT NULL,
 CONSTRAINT note FOREIGN KEY (note) REFERENCES c_1 (id) ON DELETE CASCADE);
INSERT INTO c_1 (f_1, f_2, parent) VALUES ('first 🌱', X'00FF1B5C27', NULL), ('second', NULL, 1);
INSERT INTO c_2 VALUES (1, 1), (2, 2);
INSERT INTO files (id, name, size, media_type, state, created_by) VALUES ('kept', '', 1, 't/p', 'stored', 'a@b.co'),
 ('deleted', '', 1, 't/p', 'stored', 'a@b.co'), ('lost', '', 1, 't/p', 'stored', 'a@b.co');
"""


PROGRAMS = """\
CREATE DEFINER = {own} VIEW c_names AS SELECT f_1, twice_of(id) AS twice FROM c_1;
CREATE TRIGGER c_shout BEFORE INSERT ON c_1 FOR EACH ROW SET NEW.f_1 = CONCAT(NEW.f_1, '!');
CREATE PROCEDURE c_add() INSERT INTO c_1 (f_1) VALUES ('by procedure');
CREATE SEQUENCE c_numbers START WITH 10 INCREMENT 5;
"""


class Scene:
    """A workspace's schema on the server, the files of an operation, and the seconds that matter."""

    def __init__(self, rig: Rig, login: Login, platform: dict[str, Any], folder: Path) -> None:
        self.rig, self.folder = rig, folder
        self.tenant, self.neighbour = rig.tenants[:2]
        self.live, self.user = self.tenant.data, Credentials(naming.database_users(self.tenant.id)[0], "password")
        at = platform["backup"]
        self.bucket = Account(at["endpoint"], "us-east-1", login.bucket, login.account.name, login.account.secret)
        self.own = ObjectStore(self.bucket, at["ca"])
        self.own_account = f"`{self.user.name}`@`%`"
        self.said = ""
        password = secrets.token_hex(16)
        self.sql(f"CREATE USER administrator IDENTIFIED BY '{password}' REQUIRE SSL", schema=None)
        self.sql("GRANT ALL ON *.* TO administrator WITH GRANT OPTION", schema=None)
        server = Server("127.0.0.1", rig.port, rig.authority.read_text())
        self.admin = MariaDbAdmin(server, Credentials("administrator", password))
        self._prepare_files(platform)

    def _prepare_files(self, platform: dict[str, Any]) -> None:
        (self.folder / "backup").mkdir()
        for name, value in (platform["backup"] | {"region": "us-east-1"}).items():
            (self.folder / "backup" / name).write_text(value)
        trusted = self.rig.authority.read_text() + Path(platform["ca"]).read_text()
        (self.folder / "ca.crt").write_text(trusted)

    def sql(self, *statements: str, schema: str | None = "") -> list[tuple[Any, ...]]:
        return self.rig.server.run(*statements, schema=self.live if schema == "" else schema)

    def provision(self) -> None:
        """As the operator and the first pod of the workspace do it."""
        for tenant in self.rig.tenants:
            self.admin.ensure_database(tenant.data)
        self.admin.ensure_user(self.user, self.live, 10)
        self.sql(*split(SCHEMA_FILE.read_text(encoding="utf-8")), *split(NOTES))
        # In another's name, as an administrator makes them.
        self.sql(
            "CREATE FUNCTION twice_of(a BIGINT) RETURNS BIGINT DETERMINISTIC RETURN 2 * a",
            *split(PROGRAMS.format(own=self.own_account)),
        )
        self.own.put("kept", sealed_file(KEY, "kept", b"kept"))
        self.rig.store.put(f"{self.tenant.id}/files/deleted/etag", sealed_file(KEY, "deleted", b"deleted"))
        self.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", schema=self.neighbour.data)

    def told(self) -> Told:
        """All that the live schema holds."""
        return _of_live(of_source(self.rig.server, self.tenant), self.tenant)

    def programs(self) -> list[Program]:
        """Its views, triggers and routines, whoever they belong to."""
        with self.admin._session("look") as cursor:  # noqa: SLF001
            return programs.read(cursor, self.live)

    def settled(self) -> int:
        """A second in which nothing is committed any more, and whatever was committed is in it."""
        time.sleep(1.2)
        second = int(time.time())
        time.sleep(1.2)
        return second

    def load(self, second: int) -> dict[str, Any]:
        """The operation's Job; of an archive that the archiver has begun."""
        self.order(second)
        files = Files(self.folder)
        self.said = moment.replay(files).message
        moment.load(files)
        moment.copy_files(files)
        return moment.verify(files).result

    def order(self, second: int) -> None:
        """What the Job finds."""
        self.rig.wait_until_archived(second)
        loader = Credentials(naming.loading_user(self.tenant.id), secrets.token_hex(16))
        self.admin.begin_replacement(self.live, self.user, loader, 5)
        login = DatabaseLogin("127.0.0.1", self.rig.port, loader.name, loader.secret)
        target = Target(
            schemas={self.live: naming.next_database_name(self.tenant.id)},
            audit=self.tenant.audit,
            database=login,
            storage=self.bucket,
            file_key=KEY.hex(),
            left_out=(self.tenant.audit,),
        )
        server = self.rig.environment["VIVERO_SERVER_UID"]
        order = MomentOrder(self.tenant.id, server, second, self.bucket, target, KEY.hex())
        (self.folder / ORDER_FILE).write_text(order.dump())
        self._client_file(login)

    def back_up(self, uid: str) -> None:
        """As a TenantBackup's Job does it."""
        self.order_backup(uid)
        for step in (backup.copy_files, backup.dump, backup.verify):
            step(Files(self.folder))

    def order_backup(self, uid: str) -> None:
        """What the Job finds."""
        order = BackupOrder(self.tenant.id, uid, self.tenant.schemas, True, self.bucket, KEY.hex())  # noqa: FBT003  a field
        (self.folder / ORDER_FILE).write_text(order.dump())
        self._client_file(DatabaseLogin("127.0.0.1", self.rig.port, self.user.name, self.user.secret))

    def _client_file(self, login: DatabaseLogin) -> None:
        text = login.option_file().replace("/run/operation", str(self.folder))
        (self.folder / CLIENT_FILE).write_text(text)

    def switch(self, uid: str) -> int:
        assert self.admin.prepare_replacement(self.live) is None
        told = Replacement(uid, uid, "then")
        while self.admin.announce_replacement(self.live, told).age < SETTLED:
            time.sleep(0.2)
        assert self.admin.replace(self.live, self.user)
        return self.admin.announce_replacement(self.live, told).second

    def restored(self, second: int) -> Told:
        """What the archive brings back of the live schema in a server of its own."""
        self.rig.wait_until_archived(second)
        found = self.rig.restored(self.tenant, second, self.folder / f"to-{second}-{secrets.token_hex(2)}")
        return _of_live(found, self.tenant)


def _of_live(found: Told, tenant: Tenant) -> Told:
    """Without the audit log, which only grows."""
    return {name: content for name, content in found.items() if name.partition(".")[0] == tenant.data}


@contextmanager
def set_up(tmp_path: Path, platform: dict[str, Any], login: Login, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with archived(tmp_path, platform) as rig, tempfile.TemporaryDirectory() as short:
        # A socket's path has at most 107 bytes.
        monkeypatch.setattr(tempfile, "tempdir", short)
        monkeypatch.setattr(backup, "_scratch", lambda: Path(short) / "files.txt")
        tools = extracted(cache_root(), "mariadb-client") / "usr/bin"
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        scene = Scene(rig, login, platform, Path(short))
        with closing(scene.admin):
            scene.provision()
            yield scene


@pytest.fixture
def scene(
    tmp_path: Path, platform: dict[str, Any], new_tenant: Callable[[], Login], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    with set_up(tmp_path, platform, new_tenant(), monkeypatch) as made:
        yield made


def test_both_sides_of_the_switch_are_exact_and_it_can_be_undone(scene: Scene) -> None:
    then, held_then, programs_then = scene.settled(), scene.told(), scene.programs()
    scene.sql(
        "DELETE FROM c_1 WHERE id = 2",
        "UPDATE c_1 SET f_1 = 'overwritten'",
        "ALTER TABLE c_1 ADD COLUMN f_3 INT DEFAULT 7",
        "INSERT INTO c_1 (f_1) VALUES ('wrong'), ('also wrong')",
        "CREATE TABLE c_9 (id INT PRIMARY KEY, note BIGINT, CONSTRAINT up9 FOREIGN KEY (note) REFERENCES c_1 (id))",
        "DROP TABLE c_2",
        f"CREATE OR REPLACE DEFINER = {scene.own_account} VIEW c_names AS SELECT 'changed' AS f_1",
        f"CREATE DEFINER = {scene.own_account} VIEW c_more AS SELECT * FROM c_names",  # noqa: S608  our name
        "DROP TRIGGER c_shout",
        "CREATE TRIGGER c_whisper BEFORE UPDATE ON c_1 FOR EACH ROW SET NEW.f_1 = LOWER(NEW.f_1)",
        "DROP PROCEDURE c_add",
        "DO NEXTVAL(c_numbers)",
    )
    programs_before = scene.programs()
    held_before = scene.told()
    neighbour, log = (
        of_source(scene.rig.server, scene.neighbour),
        scene.sql("SELECT * FROM audit_log", schema=scene.tenant.audit),
    )

    result = scene.load(then)
    assert scene.told() == held_before, "the live data is untouched while the old one is loaded"
    assert (result["files"], result["missingFiles"]) == (2, 1)
    with scene.own.open("deleted") as read:
        assert b"".join(unseal(read, KEY, "deleted")) == b"deleted", "deleted since, and brought back"
    switched = scene.switch("u1")

    assert scene.told() == held_then
    assert scene.programs() == programs_then
    assert scene.sql("SELECT DISTINCT definer FROM mysql.proc WHERE db = DATABASE()") == [(f"{scene.user.name}@%",)]
    assert scene.sql("SELECT f_1 FROM c_1 JOIN c_2 ON c_1.id = note ORDER BY c_2.id") == [("first 🌱",), ("second",)]
    assert of_source(scene.rig.server, scene.neighbour) == neighbour
    (entry,) = [one for one in scene.sql("SELECT * FROM audit_log", schema=scene.tenant.audit) if one not in log]
    assert entry[2:5] == ("system", "workspace.restore", "u1")
    # The keys of both generations hold, each in its own schema.
    scene.sql("DELETE FROM c_1 WHERE id = 2", "INSERT INTO c_1 (f_1, parent) VALUES ('after', 1)")
    assert scene.sql("SELECT id FROM c_2") == [(1,)]
    after = scene.settled()
    held_after = scene.told()
    scene.sql("INSERT INTO c_1 (f_1) VALUES ('later')")

    assert scene.restored(then) == held_then
    assert scene.restored(switched) == held_before
    assert scene.restored(after) == held_after

    # A base that does not hold what was kept, which the next restore drops.
    scene.back_up("b1")
    scene.load(switched)
    scene.switch("u2")
    assert scene.told() == held_before, "undone"
    assert scene.programs() == programs_before
    undone = scene.settled()
    assert scene.restored(undone) == held_before
    assert scene.restored(after) == held_after
    scene.sql("DELETE FROM c_1")
    scene.load(undone)
    assert "the backup b1" in scene.said
    scene.switch("u3")
    assert scene.told() == held_before


def test_a_second_out_of_reach_and_one_before_the_workspace_leave_the_live_data(scene: Scene) -> None:
    held = scene.told()
    scene.rig.wait_until_archived(scene.settled())  # of an archive that has not begun, nothing can be said yet
    with pytest.raises(RefusedError, match="what can be restored"):
        scene.load(int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()))
    scene.admin.discard_replacement(scene.live, scene.user)
    assert scene.told() == held
    assert scene.sql(f"SHOW DATABASES LIKE '{scene.live}%'", schema=None) == [(scene.live,), (scene.tenant.audit,)]


def test_what_was_loaded_and_changed_is_not_switched_to(scene: Scene) -> None:
    then, held = scene.settled(), scene.told()
    scene.load(then)
    scene.sql("UPDATE c_1 SET f_1 = 'x' WHERE id = 2", schema=naming.next_database_name(scene.tenant.id))
    with pytest.raises(StepFailedError, match="the rows of vt"):
        moment.verify(Files(scene.folder))
    assert scene.told() == held
