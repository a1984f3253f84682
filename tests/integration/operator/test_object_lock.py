"""What the programs write to a bucket with Object Lock, on the real S3 server: nobody who has its account removes it."""

import io
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from integration.conftest import Login
from integration.operator.backups import Given
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import Server
from vivero_core.backends.s3.calls import Endpoint
from vivero_core.backends.s3.small import SmallTransport
from vivero_core.backends.s3.transport import Transport
from vivero_operator.archiver.bucket import Bucket
from vivero_operator.archiver.lock import DAYS, MODE, Lock
from vivero_operator.operations import erase, expire
from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.orders import ORDER_FILE, Account, EraseOrder, ExpiryOrder
from vivero_operator.operations.program import Files

DAYS_KEPT = 3
LARGE = bytes(range(256)) * (9 * 4096)  # two parts
Write = Callable[[str, bytes], object]


@pytest.fixture
def account(platform: dict[str, Any], locked: Given) -> Account:
    """Whose bucket it is."""
    s3 = platform["s3"]
    return Account(s3["endpoint"], "us-east-1", locked.bucket, s3["access_key"], s3["secret_key"])


@pytest.fixture
def locked(
    platform: dict[str, Any],
    new_tenant: Callable[[], Login],
    database_server: Server,
    in_a_job: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Given]:
    """A tenant whose backups go to a bucket of this test alone."""
    assert in_a_job is None
    s3, name = platform["s3"], f"locked-{secrets.token_hex(5)}"
    at = {"endpoint": s3["endpoint"], "bucket": name, "access_key": s3["access_key"], "secret_key": s3["secret_key"]}
    given = Given(platform | {"backup": at}, new_tenant(), database_server, tmp_path)
    given.kept.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    monkeypatch.setenv(MODE, "GOVERNANCE")
    monkeypatch.setenv(DAYS, str(DAYS_KEPT))
    try:
        yield given
    finally:
        found = given.kept.list_object_versions(Bucket=name)
        for one in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
            given.kept.delete_object(
                Bucket=name, Key=one["Key"], VersionId=one["VersionId"], BypassGovernanceRetention=True
            )
        given.kept.delete_bucket(Bucket=name)


@pytest.fixture(params=["archiver", "operator", "operation", "operation, from a file", "operation, in parts"])
def write(request: pytest.FixtureRequest, account: Account, platform: dict[str, Any]) -> Iterator[Write]:
    """Each way in which something comes into the backup bucket."""
    lock, login = Lock("GOVERNANCE", DAYS_KEPT), Credentials(account.access_key, account.secret_key)
    endpoint = Endpoint(account.endpoint, account.region, Path(platform["ca"]).read_text())
    store = ObjectStore(account, platform["ca"], lock)
    with (
        closing(Bucket(SmallTransport(endpoint), account.bucket, login, lock)) as small,
        closing(Bucket(Transport(endpoint), account.bucket, login, lock)) as bucket,
    ):
        ways: dict[str, Write] = {
            "archiver": lambda key, body: small.put_whole(key, io.BytesIO(body), {"first": "0-1-1"}),
            "operator": lambda key, body: bucket.put_whole(key, body, {}),
            "operation": lambda key, body: store.put_whole(key, body, {}),
            "operation, from a file": lambda key, body: store.put_whole(key, io.BytesIO(body), {}),
            "operation, in parts": lambda key, body: store.put(key, iter([body])),
        }
        yield ways[request.param]


@pytest.mark.parametrize("folder", ["log", "backups/uid", "files/key"])
def test_what_is_written_once_is_kept_whatever_its_writer_does_then(
    locked: Given, write: Write, folder: str, account: Account
) -> None:
    key, began = f"{locked.login.id}/{folder}/0001", datetime.now(UTC)
    write(key, LARGE)
    assert locked.stored(key) == LARGE
    kept = locked.kept.head_object(Bucket=locked.bucket, Key=key)
    assert kept["ObjectLockMode"] == "GOVERNANCE"
    since = kept["ObjectLockRetainUntilDate"] - began
    assert timedelta(days=DAYS_KEPT, seconds=-2) < since < timedelta(days=DAYS_KEPT, minutes=2)

    store = ObjectStore(account, str(locked.folder / "ca.crt"))
    (version,) = store.versions(key)
    store.put_whole(key, b"something else", {})
    store.delete(key)
    assert store.list(key) == {}
    assert store.remove([version]) == (key,)
    with pytest.raises(ClientError):
        locked.kept.delete_object(Bucket=locked.bucket, Key=key, VersionId=version.version)
    body = locked.kept.get_object(Bucket=locked.bucket, Key=key, VersionId=version.version)["Body"]
    assert body.read() == LARGE


def test_what_is_written_again_and_again_is_not_kept(locked: Given, write: Write) -> None:
    for key in ("servers/uid/position", f"{locked.login.id}/trimmed", "platform/newest"):
        write(key, b"x")
        assert "ObjectLockMode" not in locked.kept.head_object(Bucket=locked.bucket, Key=key)


def test_a_backup_is_whole_and_expires_and_an_erasure_says_until_when_copies_are_kept(locked: Given) -> None:
    locked.sql("CREATE TABLE c_1 (id INT PRIMARY KEY)", "INSERT INTO c_1 VALUES (1)")
    locked.upload("one")
    locked.run("u1")
    assert "INSERT INTO `c_1` VALUES" in locked.restored("u1")

    order = ExpiryOrder(locked.login.id, None, ("u1",), 0, 0, locked.order.file_key)
    (locked.folder / ORDER_FILE).write_text(order.dump())
    expire.expire(Files(locked.folder))
    assert locked.all_stored() == {}

    told = EraseOrder(locked.login.id, "e1", None, 0, {"id": locked.login.id, "erasure": "e1", "orderedBy": "x"})
    (locked.folder / ORDER_FILE).write_text(told.dump())
    results = [step(Files(locked.folder)).result for step in erase.STEPS.values()]
    until = datetime.fromisoformat(str(results[-1]["copies_until"]))
    assert timedelta(days=DAYS_KEPT - 1) < until - datetime.now(UTC) < timedelta(days=DAYS_KEPT, minutes=5)
