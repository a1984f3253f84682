"""A tenant beside those of a test, and its fingerprint on every server: whatever is restored or erased, it stays the same."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from integration.conftest import Login
from support.logins import rows
from vivero_core.backends.mariadb.client import Server
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_dev.backing import object_store as dev_store
from vivero_dev.backing.accounts import Account

_TABLES = (
    "CREATE TABLE c_1 (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(200), picture LONGBLOB)",
    "CREATE TABLE c_2 (id INT PRIMARY KEY, up INT, CONSTRAINT up FOREIGN KEY (up) REFERENCES c_1 (id))",
    "INSERT INTO c_1 (name, picture) VALUES ('Zürich 🌱', x'00ff1b5c27'), ('; -- ', NULL)",
    "INSERT INTO c_2 VALUES (1, 1), (2, 2)",
)
_AUDIT = "INSERT INTO audit_log (actor, action, subject, request_id) VALUES ('a@b.co', 'login', 'x', 'r')"
_FILES = {"one": b"of a neighbour", "two": b""}


@dataclass(frozen=True)
class Neighbour:
    """With rows, a log of audits, files, keys in the cache, and objects in the backup bucket."""

    platform: dict[str, Any]
    login: Login
    server: Server
    cache: ValkeyAdmin

    def fill(self) -> None:
        self._sql(self.login.database, *_TABLES)
        self._sql(self.login.audit_database, _AUDIT)
        for key, content in _FILES.items():
            self._files.put_object(Bucket=self.login.bucket, Key=key, Body=content)
        for key in self._kept_keys:
            self._kept.put_object(Bucket=self.platform["backup"]["bucket"], Key=key, Body=key.encode())
        for name in ("session", "count"):
            self._cache("SET", f"{self.login.prefix}{name}", name)

    def remove(self) -> None:
        for key in self._kept_keys:
            self._kept.delete_object(Bucket=self.platform["backup"]["bucket"], Key=key)

    def fingerprint(self) -> dict[str, Any]:
        """Of all that is its own: two are the same if nothing of it was touched."""
        login = self.login
        found: dict[str, Any] = {"grants": sorted(self._sql(login.database, "SHOW GRANTS"))}
        for schema in (login.database, login.audit_database):
            tables = sorted(str(row[0]) for row in self._sql(schema, "SHOW TABLES"))
            found[schema] = {
                table: (
                    self._sql(schema, f"SHOW CREATE TABLE `{table}`"),
                    self._sql(schema, f"SELECT * FROM `{table}` ORDER BY 1"),  # noqa: S608  a name of ours
                )
                for table in tables
            }
        found["schemas"] = self._sql(login.database, "SHOW DATABASES")
        found["files"] = self._objects(self._files, login.bucket, "")
        found["backups"] = self._objects(self._kept, self.platform["backup"]["bucket"], f"{login.id}/")
        keys = sorted(self._cache("KEYS", f"{login.prefix}*"))
        found["cache"] = {key: self._cache("GET", key) for key in keys}
        found["cache user"] = self._cache("ACL", "GETUSER", login.cache_user.name)
        return found

    @property
    def _kept_keys(self) -> tuple[str, ...]:
        return f"{self.login.id}/log/fffffffffffe", f"{self.login.id}/backups/b1/manifest.json"

    @cached_property
    def _files(self) -> Any:  # noqa: ANN401  an S3 client
        account = Account(self.login.account.name, self.login.account.secret)
        return dev_store.client(self.platform["s3"]["endpoint"], account, Path(self.platform["ca"]))

    @cached_property
    def _kept(self) -> Any:  # noqa: ANN401  an S3 client
        at = self.platform["backup"]
        return dev_store.client(at["endpoint"], Account(at["access_key"], at["secret_key"]), Path(self.platform["ca"]))

    def _objects(self, client: Any, bucket: str, prefix: str) -> dict[str, str]:  # noqa: ANN401  an S3 client
        listing = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        bodies = {one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listing}
        return {key: hashlib.sha256(body).hexdigest() for key, body in bodies.items()}

    def _cache(self, *command: str) -> Any:  # noqa: ANN401  whatever the command answers
        return self.cache._client.execute_command(*command)  # noqa: SLF001  the operator has no use for it

    def _sql(self, schema: str, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last one, as the tenant sees them."""
        return rows(self.server, self.login.database_user, schema, *statements)
