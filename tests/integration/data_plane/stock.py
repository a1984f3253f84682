"""Tenants that a test is done with, made as new for the next one: tables cost more to create and drop than a test takes.

A tenant is as new when its tables, users and rights are those of a new one, whatever the test did, and nothing is in
them. One that is not goes out of use, and a new one is made.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pymysql
from integration.conftest import Login, to_its_end
from pymysql.cursors import Cursor
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_data.db import schema

_COUNTED: Final = re.compile(r" AUTO_INCREMENT=\d+")
_FIRST_ROWS: Final = tuple(one for one in schema.split(schema.SCHEMA_FILE.read_text()) if one.startswith("INSERT"))

Definitions = dict[str, str]
"""By table."""


@dataclass(frozen=True)
class Shape:
    """What a tenant has in MariaDB beside rows; without the names that differ between tenants."""

    data: Definitions
    audit: Definitions
    grants: tuple[str, ...]


@dataclass
class Stock:
    make: Callable[[], Login]
    """Erased at the end of the run."""
    admin: Cursor
    storage: VersityStorageAdmin
    cache: ValkeyAdmin
    _free: list[Login] = field(default_factory=list)
    _new: Shape | None = None

    def take(self) -> Login:
        return self._free.pop() if self._free else self.make()

    def began(self, login: Login) -> None:
        """Its tables were just installed, or are as new."""
        if self._new is None:
            self._new = self._shape(login)

    def give_back(self, login: Login) -> None:
        """Its programs have ended."""
        if self._new is not None and self._is_as_new(login, self._new):
            self._free.append(login)

    def _is_as_new(self, login: Login, new: Shape) -> bool:
        self.admin.execute("SELECT 1 FROM information_schema.PROCESSLIST WHERE USER LIKE %s", (f"{_users(login)}%",))
        if self.admin.fetchone():
            return False
        self._drop_what_is_added(login.database, new.data)
        if self._shape(login) != new:
            return False
        for database in (login.database, login.audit_database):
            self._empty(database)
        self.admin.execute(f"USE `{login.database}`")
        for statement in _FIRST_ROWS:
            self.admin.execute(statement)
        to_its_end(self.storage.delete_bucket, login.bucket)
        self.storage.ensure_bucket(login.bucket, login.account.name)
        self.cache.delete_keys(login.cache_user.name)
        return True

    def _drop_what_is_added(self, database: str, kept: Definitions) -> None:
        """Collections' tables."""
        added = [
            f"`{database}`.`{name}`"
            for name, kind in self._tables(database)
            if kind == "BASE TABLE" and name not in kept
        ]
        if added:
            self.admin.execute(f"DROP TABLE {', '.join(added)}")

    def _empty(self, database: str) -> None:
        for name, _ in self._tables(database):
            self.admin.execute(f"SHOW CREATE TABLE `{database}`.`{name}`")
            # Counters start again with TRUNCATE alone; it costs as much as a new table.
            counted = _COUNTED.search(str(self.admin.fetchone()))
            self.admin.execute(f"{'TRUNCATE' if counted else 'DELETE FROM'} `{database}`.`{name}`")

    def _shape(self, login: Login) -> Shape:
        return Shape(self._definitions(login.database), self._definitions(login.audit_database), self._grants(login))

    def _definitions(self, database: str) -> Definitions:
        found = {}
        for name, _ in self._tables(database):
            self.admin.execute(f"SHOW CREATE TABLE `{database}`.`{name}`")
            found[name] = _COUNTED.sub("", str(self.admin.fetchone()))
        return found

    def _tables(self, database: str) -> list[tuple[str, str]]:
        self.admin.execute(f"SHOW FULL TABLES FROM `{database}`")
        return list(self.admin.fetchall())

    def _grants(self, login: Login) -> tuple[str, ...]:
        self.admin.execute(
            "SELECT User, Host FROM mysql.user WHERE User LIKE %s ORDER BY User, Host", (f"{_users(login)}%",)
        )
        found: list[str] = []
        for user, host in list(self.admin.fetchall()):
            self.admin.execute("SHOW GRANTS FOR %s@%s", (user, host))
            found += (row[0].replace(login.id, "") for row in self.admin.fetchall())
        return tuple(re.sub(r"IDENTIFIED BY PASSWORD '[^']*'", "", one) for one in found)


def _users(login: Login) -> str:
    """How the names of its users begin."""
    return login.database.replace("_", r"\_")


@contextmanager
def opened(
    platform: dict[str, Any],
    authority: str,
    make: Callable[[], Login],
    storage: VersityStorageAdmin,
    cache: ValkeyAdmin,
) -> Iterator[Stock]:
    at = platform["mariadb"]
    with (
        closing(
            pymysql.connect(
                host=at["host"],
                port=int(at["port"]),
                user=at["admin_user"],
                password=at["admin_password"],
                ssl=client_context(authority),
                autocommit=True,
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SET foreign_key_checks = 0")
        yield Stock(make, cursor, storage, cache)
