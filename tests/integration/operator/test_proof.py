"""The program of a TenantProof beside a real server, its archiver and the real object store: what passes, and what is found."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from integration.conftest import Login
from integration.operator.archive_rig import KEY, WAIT_SECONDS, Rig, archived
from integration.operator.binlog_source import Tenant
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable
from types_boto3_s3.client import S3Client
from vivero_control.db.tables import Base
from vivero_core.envelope import public_key
from vivero_core.model import naming
from vivero_core.model.naming import PLATFORM_ID
from vivero_dev.backing import object_store as dev_store
from vivero_dev.backing.accounts import Account as DevAccount
from vivero_operator.archiver.configuration import PLATFORM_SCHEMA
from vivero_operator.archiver.position import Gap, Positions
from vivero_operator.operations import backup, proof
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, Account, BackupOrder, ProofOrder
from vivero_operator.operations.program import Files
from vivero_operator.operations.replayed import Replayed

pytestmark = pytest.mark.usefixtures("neighbour_stays")

CONTROL_PLANE = "vivero_control"
PROGRAMS = (
    "CREATE TABLE p_versions (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
    "INSERT INTO p_versions VALUES (1, 1), (2, 2)",
    "UPDATE p_versions SET v = 3 WHERE id = 1",
    "DELETE FROM p_versions WHERE id = 2",
    "CREATE SEQUENCE p_numbers START WITH 5 INCREMENT 3",
    "DO NEXTVAL(p_numbers)",
    "CREATE VIEW p_shown AS SELECT id, CONCAT(name, '🌱') AS text FROM c_1 WHERE id > 1 ORDER BY id LIMIT 3",
    "CREATE TRIGGER p_noted BEFORE INSERT ON c_1 FOR EACH ROW SET NEW.name = CONCAT(NEW.name, ' ü')",
    "INSERT INTO c_1 (name) VALUES ('by trigger')",
)


class Proving:
    """A tenant with data on the rig's server, and the files that the operator would mount to prove it."""

    def __init__(self, rig: Rig, login: Login, platform: Mapping[str, Any]) -> None:
        self.rig, self.login, self.tenant = rig, login, rig.tenants[0]
        self.folder = rig.folder / "files"
        at, authority = platform["backup"], Path(platform["backup"]["ca"])
        self.bucket, self.server = str(at["bucket"]), rig.environment["VIVERO_SERVER_UID"]
        self.source = Account(at["endpoint"], "us-east-1", login.bucket, login.account.name, login.account.secret)
        self.kept = dev_store.client(at["endpoint"], DevAccount(at["access_key"], at["secret_key"]), authority)
        self.own = dev_store.client(at["endpoint"], DevAccount(login.account.name, login.account.secret), authority)
        user = naming.database_users(self.tenant.id)[0]
        option_file = f'[client]\nsocket="{rig.server.socket}"\nuser="{user}"\n'
        (self.folder / CLIENT_FILE).write_text(option_file)
        self.sql("CREATE TABLE files (id CHAR(36) PRIMARY KEY, state VARCHAR(20))")
        self.sql("CREATE TABLE c_1 (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(90), KEY (name))")
        self.sql("INSERT INTO c_1 (name) VALUES ('Zürich 🌱'), ('; -- \\n'), (NULL)")
        rig.server.run("CREATE TABLE log (id INT PRIMARY KEY, said TEXT)", schema=self.tenant.audit)
        rig.server.run("INSERT INTO log VALUES (1, 'begun')", schema=self.tenant.audit)

    def sql(self, *statements: str, tenant: Tenant | None = None) -> None:
        self.rig.server.run(*statements, schema=(tenant or self.tenant).data)

    def upload(self, name: str, content: bytes = b"sealed by its workspace") -> None:
        self.own.put_object(Bucket=self.login.bucket, Key=name, Body=content)
        self.sql(f"INSERT INTO files VALUES ('{name}', 'stored')")  # noqa: S608  a name of ours

    def files(self, uid: str) -> Files:
        order = ProofOrder(
            self.tenant.id, uid, self.server, (self.tenant.data, self.tenant.audit), self.source, KEY.hex()
        )
        (self.folder / ORDER_FILE).write_text(order.dump())
        return Files(self.folder)

    def prove(self, uid: str = "p1", meanwhile: Callable[[], None] = lambda: None) -> tuple[str, dict[str, Any]]:
        """What the replay began with, and the result."""
        files = self.files(uid)
        proof.look(files)
        meanwhile()
        said = proof.replay(files).message
        return said, proof.compare(files).result

    def back_up(self, uid: str) -> None:
        self.rig.back_up(self.tenant, uid, self.source)

    def segments(self) -> list[str]:
        """Keys, oldest first."""
        return sorted(self.listed("log/"), reverse=True)

    def listed(self, below: str) -> list[str]:
        found = self.kept.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.tenant.id}/{below}")
        return [one["Key"] for one in found.get("Contents", ())]

    def wait_for_segments(self, number: int) -> list[str]:
        deadline = time.monotonic() + WAIT_SECONDS
        while len(found := self.segments()) < number:
            assert time.monotonic() < deadline, "the archiver does not come along"
            time.sleep(0.2)
        return found

    def taken(self, key: str) -> "Taken":
        return Taken(self.kept, self.bucket, key)


class Taken:
    """An object of the backup bucket that is changed or missing within a block, and as it was afterwards."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        found = client.get_object(Bucket=bucket, Key=key)
        self.content, self._metadata = found["Body"].read(), found["Metadata"]

    def put(self, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=self._key, Body=content, Metadata=self._metadata)

    def __enter__(self) -> Self:
        self._client.delete_object(Bucket=self._bucket, Key=self._key)
        return self

    def __exit__(self, *_: object) -> None:
        self.put(self.content)


@pytest.fixture
def proving(
    tmp_path: Path,
    platform: dict[str, Any],
    new_tenant: Callable[[], Login],
    in_a_job: None,  # noqa: ARG001
) -> Iterator[Proving]:
    with archived(tmp_path, platform) as rig:
        yield Proving(rig, new_tenant(), platform)


@pytest.fixture
def control_plane(
    tmp_path: Path,
    platform: dict[str, Any],
    new_tenant: Callable[[], Login],
    in_a_job: None,  # noqa: ARG001
) -> Iterator[Rig]:
    """The control plane's tables on the rig's server, archived into a bucket where no other platform's are."""
    login = new_tenant()
    account = {"bucket": login.bucket, "access_key": login.account.name, "secret_key": login.account.secret}
    with archived(tmp_path, platform | {"backup": platform["backup"] | account}) as rig:
        rig.kill()
        rig.environment[PLATFORM_SCHEMA] = CONTROL_PLANE
        (rig.folder / "keys" / PLATFORM_ID).write_text(public_key(KEY).hex())
        rig.start()
        while Positions(rig.store, rig.environment["VIVERO_SERVER_UID"]).load().platform != CONTROL_PLANE:
            time.sleep(0.2)
        rig.server.run(f"CREATE DATABASE {CONTROL_PLANE}")
        made = [str(CreateTable(one).compile(dialect=mysql.dialect())) for one in Base.metadata.sorted_tables]
        rig.server.run(*made, schema=CONTROL_PLANE)
        yield rig


def test_what_the_archive_restores_is_the_live_data(proving: Proving) -> None:
    proving.upload("one")
    proving.sql(*PROGRAMS)
    proving.sql("CREATE TABLE other (id INT PRIMARY KEY)", tenant=proving.rig.tenants[1])

    def goes_on() -> None:
        proving.sql("DELETE FROM c_1", "DROP TABLE files", "CREATE TABLE later (id INT)", "DROP VIEW p_shown")
        proving.sql("DROP TRIGGER p_noted", "DROP TABLE p_versions", "DROP SEQUENCE p_numbers")

    time.sleep(2)  # the tenant's birth may be dated by the second behind it
    said, result = proving.prove(meanwhile=goes_on)
    assert said.startswith("Log replayed onto nothing")
    assert (result["tables"], result["files"]) == (5, 1)
    assert result["reachableFrom"] <= result["provenAt"] <= result["reachableTo"]
    assert list((proving.rig.folder / "scratch").glob("server")) == [], "it is thrown away"
    assert proving.rig.server.run(f"SHOW TABLES FROM {proving.tenant.data}") == [("c_1",), ("later",)]


def test_each_base_has_its_night(proving: Proving) -> None:
    proving.upload("one")
    proving.back_up("b1")
    proving.sql("INSERT INTO c_1 (name) VALUES ('after the backup')")
    proving.upload("two")
    said = set()
    for number in range(20):
        begun, result = proving.prove(f"p{number}")
        assert result["files"] == 2
        said.add(begun.rpartition(",")[0])
        if len(said) == 2:
            break
    assert said == {"Log replayed onto nothing", "Log replayed onto the backup b1"}


def test_what_was_changed_behind_the_log_is_found(proving: Proving) -> None:
    data = proving.tenant.data
    for change, back, found in (
        ("UPDATE c_1 SET name = 'else' WHERE id = 2", "UPDATE c_1 SET name = '; -- \\n' WHERE id = 2", "c_1 (rows)"),
        ("ALTER TABLE c_1 MODIFY name VARCHAR(91)", "ALTER TABLE c_1 MODIFY name VARCHAR(90)", "c_1 (definition)"),
        ("CREATE TABLE more (id INT)", "DROP TABLE more", "more (not archived)"),
    ):
        proving.sql("SET sql_log_bin = 0", change)
        with pytest.raises(StepFailedError) as failure:
            proving.prove()
        assert str(failure.value) == f"not the same as the live data: {data}.{found}"
        proving.sql("SET sql_log_bin = 0", back)
    proving.prove()


def test_an_archive_that_was_touched_is_found(proving: Proving) -> None:
    files = proving.files("p1")
    for number in range(3):
        made = len(proving.wait_for_segments(number + 1))
        proving.sql(f"INSERT INTO c_1 (name) VALUES ('{number}')")  # noqa: S608  a number
        proving.wait_for_segments(made + 1)
    proof.look(files)
    middle = proving.segments()[1]
    with proving.taken(middle) as object_:
        with pytest.raises(RefusedError, match=r"lacks segment 2: no second .* can be restored: make a TenantBackup"):
            proof.replay(files)
        proving.back_up("behind")
        again = proving.files("p2")
        proof.look(again)
        proof.replay(again)
        assert "lacks segment 2" in proof.compare(again).message
    place = len(object_.content) // 2
    object_.put(object_.content[:place] + bytes([object_.content[place] ^ 1]) + object_.content[place + 1 :])
    with pytest.raises(StepFailedError, match=r"segment 2 of .* is not what was written"):
        proof.replay(files)
    object_.put(object_.content)
    proof.replay(files)
    proof.compare(files)


def test_files_that_are_nowhere_and_copies_that_are_not_as_they_were_are_found(proving: Proving) -> None:
    proving.upload("one")
    proving.back_up("b1")
    (copy,) = proving.listed("files/")
    of_backup = next(f"p{number}" for number in range(50) if draws_the_backup(proving, f"p{number}"))
    with proving.taken(copy), pytest.raises(StepFailedError, match="files whose copies are missing: one"):
        proving.prove(of_backup)
    object_ = proving.taken(copy)
    object_.put(object_.content[::-1])
    with pytest.raises(StepFailedError, match="files whose copies are not the same: one"):
        proving.prove()
    object_.put(object_.content)
    proving.sql("INSERT INTO files VALUES ('two', 'stored'), ('three', 'deleted')")
    with pytest.raises(StepFailedError, match=r"files that the data names and nobody has: two$"):
        proving.prove()
    proving.own.delete_object(Bucket=proving.login.bucket, Key="one")
    proving.sql("DELETE FROM files WHERE id = 'two'")
    assert proving.prove()[1]["files"] == 1, "of one that was deleted there is the copy"


def draws_the_backup(proving: Proving, uid: str) -> bool:
    replayed = Replayed(proving.rig.store, proving.tenant.id, proving.server, KEY.hex(), proving.rig.folder)
    (base,) = replayed.bases()
    return proof.chosen([base, None], uid) == base


def test_a_gap_is_refused_until_there_is_a_backup_behind_it(proving: Proving) -> None:
    proving.wait_for_segments(1)
    birth = proving.rig.history(proving.tenant).reach([]).begins
    Positions(proving.rig.store, proving.server).add_gap(Gap("1-1-1", birth, birth + 1))
    with pytest.raises(RefusedError, match="no backup leads to the present without a gap"):
        proving.prove()
    proving.back_up("b1")
    said, _ = proving.prove()
    assert said.startswith("Log replayed onto the backup b1")


def test_what_is_not_archived_in_time_has_failed(proving: Proving, monkeypatch: pytest.MonkeyPatch) -> None:
    proving.wait_for_segments(1)
    proving.rig.kill()
    proving.sql("INSERT INTO c_1 (name) VALUES ('nobody archives it')")
    monkeypatch.setattr(proof, "_WAIT_SECONDS", 1.0)
    with pytest.raises(StepFailedError, match="was not archived within 1 s"):
        proving.prove()
    proving.rig.start()


def test_the_control_planes_tables_are_proven_as_well(control_plane: Rig) -> None:
    rig, folder = control_plane, control_plane.folder / "files"
    entry = "INSERT INTO audit (at, actor, action, subject, reason, detail, outcome, address, request_id) VALUES "
    values = "(NOW(6), 'a@b.co', 'suspend', 'tenant/acme', 'because 🌱', '{}', 'done', '', '')"
    (folder / CLIENT_FILE).write_text(f'[client]\nsocket="{rig.server.socket}"\nuser="root"\n')
    rig.server.run(entry + values, schema=CONTROL_PLANE)
    dump = BackupOrder(PLATFORM_ID, "d1", (CONTROL_PLANE,), logged=True, storage=None, file_key=KEY.hex())
    (folder / ORDER_FILE).write_text(dump.dump())
    for step in (backup.copy_files, backup.dump, backup.verify):
        step(Files(folder))
    rig.server.run(entry + values, schema=CONTROL_PLANE)
    server = rig.environment["VIVERO_SERVER_UID"]

    def prove(uid: str) -> tuple[str, dict[str, Any]]:
        order = ProofOrder(PLATFORM_ID, uid, server, (CONTROL_PLANE,), source=None, file_key=KEY.hex())
        (folder / ORDER_FILE).write_text(order.dump())
        proof.look(Files(folder))
        said = proof.replay(Files(folder)).message
        return said, proof.compare(Files(folder)).result

    _, result = next(found for number in range(20) if "the backup d1" in (found := prove(f"p{number}"))[0])
    assert (result["tables"], result["files"]) == (len(Base.metadata.sorted_tables), 0)
    rig.server.run("SET sql_log_bin = 0", "DELETE FROM audit LIMIT 1", schema=CONTROL_PLANE)
    with pytest.raises(StepFailedError, match=rf"not the same as the live data: {CONTROL_PLANE}.audit \(rows\)"):
        prove("p1")
