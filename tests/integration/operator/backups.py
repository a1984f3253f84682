"""A tenant with data on the real servers, and its backups: what the tests of both programs share."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from integration.conftest import Login
from support.logins import rows
from types_boto3_s3.client import S3Client
from vivero_core.backends.mariadb.client import Server
from vivero_core.sealing import seal, unseal
from vivero_dev.backing import object_store as dev_store
from vivero_dev.backing.accounts import Account as DevAccount
from vivero_operator.operations import backup
from vivero_operator.operations.orders import CLIENT_FILE, ORDER_FILE, Account, BackupOrder
from vivero_operator.operations.orders import Login as DatabaseLogin
from vivero_operator.operations.program import Files
from vivero_operator.operations.streams import Reader, unpacked

FILE = b"of a customer"
CANARY = "Zürich 🌱 canary-7f3a"


class Given:
    """A tenant with data, the files that the operator would mount, and clients that look at what was stored."""

    def __init__(self, platform: dict[str, Any], login: Login, server: Server, folder: Path) -> None:
        self.login, self.server, self.folder = login, server, folder
        at, authority = platform["backup"], Path(platform["ca"])
        self._authority = authority
        self.bucket = at["bucket"]
        (folder / "ca.crt").write_text(authority.read_text())
        (folder / "backup").mkdir()
        for name, value in (at | {"region": "us-east-1"}).items():
            (folder / "backup" / name).write_text(value)
        self.endpoint = at["endpoint"]
        storage = Account(at["endpoint"], "us-east-1", login.bucket, login.account.name, login.account.secret)
        self.order = BackupOrder(
            login.id, "", (login.database,), logged=True, storage=storage, file_key=secrets.token_hex(32)
        )
        self.client_file(login.database_user.secret)
        self.kept = dev_store.client(at["endpoint"], DevAccount(at["access_key"], at["secret_key"]), authority)
        self.own = self.client_of(login)

    def client_file(self, password: str) -> None:
        name, host = self.login.database_user.name, self.server.host
        text = DatabaseLogin(host, self.server.port, name, password).option_file()
        (self.folder / CLIENT_FILE).write_text(text.replace("/run/operation", str(self.folder)))

    def client_of(self, login: Login) -> S3Client:
        """The object store, as a tenant."""
        return dev_store.client(self.endpoint, DevAccount(login.account.name, login.account.secret), self._authority)

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last one."""
        return rows(self.server, self.login.database_user, self.login.database, *statements)

    def files(self, uid: str, **changed: Any) -> Files:  # noqa: ANN401  fields of an Order
        (self.folder / ORDER_FILE).write_text(replace(self.order, uid=uid, **changed).dump())
        return Files(self.folder)

    def run(self, uid: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401  fields of an Order
        files = self.files(uid, **changed)
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
        sealed = Reader(iter([self.stored(self.key(uid, "dump.sql"))])).read
        plain = unseal(sealed, bytes.fromhex(self.order.file_key), f"backup {self.login.id} {uid} dump.sql")
        return b"".join(unpacked(plain)).decode()

    def upload(self, key: str, content: bytes = FILE) -> None:
        """As the tenant's workspace stores a file."""
        body = b"".join(sealed_file(bytes.fromhex(self.order.file_key), key, content))
        self.own.put_object(Bucket=self.login.bucket, Key=key, Body=body)

    def all_stored(self) -> dict[str, bytes]:
        listing = self.kept.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.login.id}/").get("Contents", ())
        return {one["Key"]: self.stored(one["Key"]) for one in listing}


def sealed_file(file_key: bytes, key: str, content: bytes = FILE) -> Iterator[bytes]:
    """As a workspace with this key stores it."""
    return seal(Reader(iter([content])).read, file_key, key)


def opened_file(client: S3Client, bucket: str, key: str, file_key: str) -> bytes:
    """As a workspace with this key reads it."""
    read = client.get_object(Bucket=bucket, Key=key)["Body"].read
    return b"".join(unseal(read, bytes.fromhex(file_key), key))


def erase(client: S3Client, bucket: str, prefix: str) -> None:
    for one in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
        client.delete_object(Bucket=bucket, Key=one["Key"])
