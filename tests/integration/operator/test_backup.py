"""The program of a TenantBackup on the real MariaDB and the real S3 server: what it stores, and what it refuses."""

import re
import secrets
import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from integration.operator.backups import CANARY, Given, erase
from vivero_core.envelope import public_key
from vivero_operator.archiver import segments
from vivero_operator.archiver.chain import Chain, ReadableChain, Span
from vivero_operator.archiver.position import Position, Positions
from vivero_operator.operations import backup, expire
from vivero_operator.operations.archive import backup_store
from vivero_operator.operations.backup import Backup
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.history import Base, History
from vivero_operator.operations.orders import ORDER_FILE, ExpiryOrder, Former
from vivero_operator.operations.program import Files
from vivero_operator.operations.streams import Reader, pieces_of

pytestmark = pytest.mark.usefixtures("neighbour_stays")


def test_what_was_there_is_in_the_backup_and_nothing_of_it_in_plain_text(given: Given) -> None:
    result = given.run("u1")
    text = given.restored("u1")
    assert CANARY in text
    assert "0x00FF1B5C27" in text
    assert not re.search(r"^\s*(USE|CREATE DATABASE)\b", text, re.MULTILINE)
    held = given.all_stored()
    copies = [key for key in held if "/files/one/" in key]
    assert [held[key] for key in copies] == [given.own.get_object(Bucket=given.login.bucket, Key="one")["Body"].read()]
    assert not any(CANARY.encode() in content or b"c_1" in content for content in held.values())
    dump = given.key("u1", "dump.sql")
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
@pytest.mark.parametrize("name", ["dump.sql", "manifest.json"])
def test_a_damaged_backup_is_told(given: Given, damage: Callable[[bytes], bytes], name: str) -> None:
    given.run("u1")
    key = given.key("u1", name)
    given.replace(key, damage(given.stored(key)))
    with pytest.raises(StepFailedError, match="not what was written"):
        backup.verify(given.files("u1"))


def test_the_dump_of_another_backup_is_not_taken_for_this_one(given: Given) -> None:
    given.run("u1")
    given.run("u2")
    name = "dump.sql"
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
    with pytest.raises(StepFailedError, match="reading views, triggers and routines failed: error 1045") as refused:
        Backup(given.files("u1")).dump()
    assert wrong not in str(refused.value)


def test_a_bucket_that_does_not_open_is_told_by_its_name(given: Given) -> None:
    (given.folder / "backup" / "secret_key").write_text("wrong")
    with pytest.raises(StepFailedError, match=r"bucket vivero-backups: list: \w+"):
        backup.copy_files(given.files("u1"))


FORMER = Former("yesterday", "u1")


def test_what_was_not_changed_is_not_written_again(given: Given) -> None:
    given.run("u1")
    before = given.all_stored()
    assert given.run("u2", former=FORMER) == {"unchangedSince": "yesterday"}
    assert given.all_stored() == before, "not a byte"


def _row(given: Given) -> None:
    given.sql("UPDATE c_1 SET name = CONCAT(name, '!')")


def _table(given: Given) -> None:
    given.sql("CREATE TABLE c_2 (id INT)")


def _new_file(given: Given) -> None:
    given.own.put_object(Bucket=given.login.bucket, Key="two", Body=b"more")


def _other_file(given: Given) -> None:
    given.own.put_object(Bucket=given.login.bucket, Key="one", Body=b"sealed by ANOTHER hand..")


def _no_file(given: Given) -> None:
    given.own.delete_object(Bucket=given.login.bucket, Key="one")


def _damage(given: Given) -> None:
    key = given.key("u1", "manifest.json")
    given.replace(key, given.stored(key)[:-1])


@pytest.mark.parametrize("change", [_row, _table, _new_file, _other_file, _no_file, _damage])
def test_whatever_was_changed_is_backed_up(given: Given, change: Callable[[Given], None]) -> None:
    given.run("u1")
    change(given)
    assert given.run("u2", former=FORMER)["prefix"] == given.key("u2", "").rstrip("/")
    assert given.key("u2", "manifest.json") in given.all_stored()


def test_the_moment_in_the_log_is_told(given: Given) -> None:
    assert re.fullmatch(r"\d+-\d+-\d+", given.run("u1")["gtid"])


def test_what_has_expired_is_gone_from_the_bucket(given: Given) -> None:
    given.run("u1")
    _other_file(given)
    given.run("u2")
    given.own.put_object(Bucket=given.login.bucket, Key="two", Body=b"more")
    given.run("u3")
    order = ExpiryOrder(given.login.id, None, ("u1", "u2"), 0, 0, given.order.file_key)
    (given.folder / ORDER_FILE).write_text(order.dump())
    assert expire.expire(Files(given.folder)).message == (
        "Backups removed: 2, segments of the log: 0, copies of files: 1"
    )
    held = given.all_stored()
    assert not [key for key in held if "/u1/" in key or "/u2/" in key]
    assert sorted(key.split("/")[2] for key in held if "/files/" in key) == ["one", "two"]
    backup.verify(given.files("u3"))
    (given.folder / ORDER_FILE).write_text(order.dump())
    expire.expire(Files(given.folder))
    assert given.all_stored() == held, "done again it does nothing"


def test_the_log_before_a_base_is_gone_from_the_bucket_and_goes_on(given: Given) -> None:
    """What the archiver would have stored: the backup holds the first three of four segments."""
    domain, _, number = given.run("u1")["gtid"].rpartition("-")
    store, key = backup_store(Files(given.folder)), bytes.fromhex(given.order.file_key)
    server, now = f"test-{secrets.token_hex(6)}", int(time.time())
    positions = Positions(store, server)
    positions.begin(f"{domain}-1")
    positions.save(Position(until=now + 60))

    def append(place: int) -> None:
        gtid, at = f"{domain}-{int(number) + place}", now - 100 + place
        head = f'{{"gtid": "{gtid}", "at": {at}, "bytes": 4}}\n'.encode()
        content = [*segments.description(b"log"), head, b"rows"]
        Chain(store, given.login.id).append(public_key(key), content, Span(gtid, gtid, at, at))

    try:
        for place in (-2, -1, 0, 1):
            append(place)
        order = ExpiryOrder(given.login.id, server, (), now, now + 30, given.order.file_key)
        (given.folder / ORDER_FILE).write_text(order.dump())
        assert expire.expire(Files(given.folder)).message == (
            "Backups removed: 0, segments of the log: 3, copies of files: 0"
        )
        append(2)
        assert [one.number for one in ReadableChain(store, given.login.id, key).segments()] == [4, 5]
        history, base = History(store, given.login.id, server, key), Base("u1", now, f"{domain}-{number}")
        assert (history.reach([base]).begins, history.reach([base]).ends) == (now, now + 60)
        (file,) = history.log_files(now, given.folder, after=int(number))
        assert file.read_bytes().endswith(b"rows" * 2)
    finally:
        erase(given.kept, given.bucket, f"servers/{server}/")


def test_no_tenants_account_opens_the_backup_bucket(given: Given) -> None:
    given.run("u1")
    for ask in (
        lambda: given.own.list_objects_v2(Bucket=given.bucket),
        lambda: given.own.get_object(Bucket=given.bucket, Key=given.key("u1", "manifest.json")),
        lambda: given.own.delete_object(Bucket=given.bucket, Key=given.key("u1", "manifest.json")),
        # Last: a body that the server has refused without reading it spoils the connection for the next request.
        lambda: given.own.put_object(Bucket=given.bucket, Key="mine", Body=b"x"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask()


def test_what_is_read_while_nothing_is_left_is_empty() -> None:
    assert list(pieces_of(Reader(iter([b"", b"a", b"", b"bc"])).read)) == [b"abc"]
