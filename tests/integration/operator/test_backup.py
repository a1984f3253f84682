"""The program of a TenantBackup on the real MariaDB and the real S3 server: what it stores, and what it refuses."""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
from botocore.exceptions import ClientError
from integration.conftest import Login
from types_boto3_s3.client import S3Client
from vivero_core.backends.mariadb.client import Server
from vivero_core.backends.tls import client_context
from vivero_core.sealing import unseal
from vivero_dev.backing import object_store as dev_store
from vivero_dev.backing.accounts import Account as DevAccount
from vivero_dev.debian import extracted
from vivero_dev.instance import cache_root
from vivero_operator.operations import backup
from vivero_operator.operations.backup import Backup
from vivero_operator.operations.backup_order import CLIENT_FILE, ORDER_FILE, Account, Order, option_file
from vivero_operator.operations.program import Files, StepFailedError
from vivero_operator.operations.streams import Reader, pieces_of, unpacked

CANARY = "Zürich 🌱 canary-7f3a"


class Given:
    """A tenant with data, the files that the operator would mount, and clients that look at what was stored."""

    def __init__(self, platform: dict[str, Any], login: Login, server: Server, folder: Path) -> None:
        self.login, self.server, self.folder = login, server, folder
        at, authority = platform["backup"], Path(platform["ca"])
        self.bucket = at["bucket"]
        (folder / "ca.crt").write_text(authority.read_text())
        (folder / "backup").mkdir()
        for name, value in (at | {"region": "us-east-1"}).items():
            (folder / "backup" / name).write_text(value)
        storage = Account(at["endpoint"], "us-east-1", login.bucket, login.account.name, login.account.secret)
        self.order = Order(login.id, "", (login.database,), storage, secrets.token_hex(32))
        self.client_file(login.database_user.secret)
        self.kept = dev_store.client(at["endpoint"], DevAccount(at["access_key"], at["secret_key"]), authority)
        own = DevAccount(login.account.name, login.account.secret)
        self.own = dev_store.client(at["endpoint"], own, authority)

    def client_file(self, password: str) -> None:
        name, host = self.login.database_user.name, self.server.host
        text = option_file(name, password, host, self.server.port)
        (self.folder / CLIENT_FILE).write_text(text.replace("/run/operation", str(self.folder)))

    def sql(self, *statements: str) -> None:
        user = self.login.database_user
        connection = pymysql.connect(
            host=self.server.host,
            port=self.server.port,
            user=user.name,
            password=user.secret,
            database=self.login.database,
            ssl=client_context(self.server.authority),
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def files(self, uid: str, **changed: Any) -> Files:  # noqa: ANN401  fields of an Order
        (self.folder / ORDER_FILE).write_text(replace(self.order, uid=uid, **changed).dump())
        return Files(self.folder)

    def run(self, uid: str) -> dict[str, Any]:
        files = self.files(uid)
        backup.copy_files(files)
        backup.dump(files)
        return backup.verify(files).result

    def key(self, uid: str, name: str) -> str:
        return f"{self.login.id}/backups/{uid}/{name}"

    def stored(self, key: str) -> bytes:
        return self.kept.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def replace(self, key: str, content: bytes) -> None:
        self.kept.put_object(Bucket=self.bucket, Key=key, Body=content)

    def restored(self, uid: str) -> str:
        """The dump as text."""
        schema = self.login.database
        sealed = Reader(iter([self.stored(self.key(uid, f"{schema}.sql"))])).read
        plain = unseal(sealed, bytes.fromhex(self.order.file_key), f"backup {self.login.id} {uid} {schema}")
        return b"".join(unpacked(plain)).decode()

    def all_stored(self) -> dict[str, bytes]:
        listing = self.kept.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.login.id}/").get("Contents", ())
        return {one["Key"]: self.stored(one["Key"]) for one in listing}


def erase(client: S3Client, bucket: str, prefix: str) -> None:
    for one in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
        client.delete_object(Bucket=bucket, Key=one["Key"])


@pytest.fixture
def given(
    platform: dict[str, Any],
    new_tenant: Callable[[], Login],
    database_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Given]:
    tools = extracted(cache_root(), "mariadb-client") / "usr/bin"
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(backup, "_scratch", lambda: tmp_path / "files.json")
    made = Given(platform, new_tenant(), database_server, tmp_path)
    made.sql(
        "CREATE TABLE c_1 (id INT PRIMARY KEY, name VARCHAR(200), picture LONGBLOB)",
        f"INSERT INTO c_1 VALUES (1, '{CANARY}', x'00ff1b5c27')",  # noqa: S608  a constant
    )
    made.own.put_object(Bucket=made.login.bucket, Key="one", Body=b"sealed by its workspace")
    yield made
    erase(made.kept, made.bucket, f"{made.login.id}/")


def test_what_was_there_is_in_the_backup_and_nothing_of_it_in_plain_text(given: Given) -> None:
    result = given.run("u1")
    text = given.restored("u1")
    assert CANARY in text
    assert "0x00FF1B5C27" in text
    assert not re.search(r"^\s*(USE|CREATE DATABASE)\b", text, re.MULTILINE)
    held = given.all_stored()
    copies = [key for key in held if "/files/one/" in key]
    assert [held[key] for key in copies] == [b"sealed by its workspace"]
    assert not any(CANARY.encode() in content or b"c_1" in content for content in held.values())
    dump = given.key("u1", f"{given.login.database}.sql")
    assert (result["files"], result["bytes"]) == (1, len(held[dump]))
    assert result["prefix"] == given.key("u1", "").rstrip("/")


def test_a_second_backup_copies_only_what_is_new(given: Given) -> None:
    given.run("u1")
    copy = next(key for key in given.all_stored() if "/files/one/" in key)
    first = given.kept.head_object(Bucket=given.bucket, Key=copy)["LastModified"]
    given.own.put_object(Bucket=given.login.bucket, Key="two", Body=b"more")
    assert given.run("u2")["files"] == 2
    assert given.kept.head_object(Bucket=given.bucket, Key=copy)["LastModified"] == first
    given.own.delete_object(Bucket=given.login.bucket, Key="one")
    assert given.run("u3")["files"] == 1
    assert CANARY in given.restored("u1"), "an earlier backup stays"


def test_a_file_that_goes_while_the_dump_is_made_belongs_to_it(given: Given) -> None:
    files = given.files("u1")
    backup.copy_files(files)
    given.own.delete_object(Bucket=given.login.bucket, Key="one")
    given.own.put_object(Bucket=given.login.bucket, Key="late", Body=b"came meanwhile")
    backup.dump(files)
    assert backup.verify(files).result["files"] == 2


def test_an_attempt_that_was_interrupted_is_done_again(given: Given) -> None:
    files = given.files("u1")
    backup.copy_files(files)
    backup.dump(files)
    given.sql("UPDATE c_1 SET name = 'later'")
    assert given.run("u1")["files"] == 1
    assert "later" in given.restored("u1")


def test_more_than_one_part_of_an_upload(given: Given) -> None:
    noise = secrets.token_hex(256 * 1024)
    for number in range(2, 44):
        given.sql(f"INSERT INTO c_1 VALUES ({number}, 'row', x'{noise[number:]}{noise[:number]}')")  # noqa: S608  digits
    assert given.run("u1")["bytes"] > 8 * 1024 * 1024, "more than a part"
    assert given.restored("u1").count("'row'") == 42


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [_flipped, lambda content: content[:-1], lambda content: content[:40], lambda _: b"", lambda content: content * 2],
    ids=["flipped", "cut by a byte", "cut after its header", "empty", "twice"],
)
@pytest.mark.parametrize("name", ["dump", "manifest.json"])
def test_a_damaged_backup_is_told(given: Given, damage: Callable[[bytes], bytes], name: str) -> None:
    given.run("u1")
    key = given.key("u1", name.replace("dump", f"{given.login.database}.sql"))
    given.replace(key, damage(given.stored(key)))
    with pytest.raises(StepFailedError, match="not what was written"):
        backup.verify(given.files("u1"))


def test_the_dump_of_another_backup_is_not_taken_for_this_one(given: Given) -> None:
    given.run("u1")
    given.run("u2")
    name = f"{given.login.database}.sql"
    given.replace(given.key("u2", name), given.stored(given.key("u1", name)))
    with pytest.raises(StepFailedError, match="not what was written"):
        backup.verify(given.files("u2"))


def test_a_copy_that_is_gone_is_told(given: Given) -> None:
    given.run("u1")
    erase(given.kept, given.bucket, f"{given.login.id}/files/")
    with pytest.raises(StepFailedError, match="file one is not in the backup bucket"):
        backup.verify(given.files("u1"))


def test_with_another_key_nothing_opens(given: Given) -> None:
    given.run("u1")
    with pytest.raises(StepFailedError, match="needs the key"):
        backup.verify(given.files("u1", file_key=secrets.token_hex(32)))


def test_a_login_that_is_refused_is_told_without_its_password(given: Given) -> None:
    wrong = secrets.token_hex(16)
    given.client_file(wrong)
    with pytest.raises(StepFailedError, match=r"mariadb-dump of vt\w+ exited with \d+: .*Access denied") as refused:
        Backup(given.files("u1")).dump(given.login.database)
    assert wrong not in str(refused.value)


def test_a_bucket_that_does_not_open_is_told_by_its_name(given: Given) -> None:
    (given.folder / "backup" / "secret_key").write_text("wrong")
    with pytest.raises(StepFailedError, match=r"bucket vivero-backups: list: \w+"):
        backup.copy_files(given.files("u1"))


def test_no_tenants_account_opens_the_backup_bucket(given: Given) -> None:
    given.run("u1")
    for ask in (
        lambda: given.own.list_objects_v2(Bucket=given.bucket),
        lambda: given.own.get_object(Bucket=given.bucket, Key=given.key("u1", "manifest.json")),
        lambda: given.own.put_object(Bucket=given.bucket, Key="mine", Body=b"x"),
        lambda: given.own.delete_object(Bucket=given.bucket, Key=given.key("u1", "manifest.json")),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask()


def test_what_is_read_while_nothing_is_left_is_empty() -> None:
    assert list(pieces_of(Reader(iter([b"", b"a", b"", b"bc"])).read)) == [b"abc"]
