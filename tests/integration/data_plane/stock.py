"""Tenants that a test is done with, made as new for the next one: tables cost more to create and drop than a test takes.

A tenant is as new when its tables, users and rights are those of a new one, whatever the test did, and nothing is in
them. One that is not goes out of use, and a new one is made.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from integration.conftest import Login, to_its_end
from pymysql.cursors import Cursor
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_data.db import schema

_COUNTED: Final = re.compile(r" AUTO_INCREMENT=\d+")
_FIRST_ROWS: Final = tuple(one for one in schema.split(schema.SCHEMA_FILE.read_text()) if one.startswith("INSERT"))

Tables = dict[str, str]
"""The statement that makes each table, by its qualified name."""


@dataclass(frozen=True)
class Shape:
    """What a tenant has in MariaDB beside rows; without the id that differs between tenants."""

    tables: Tables
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
            self._new = self._shape(login, self._tables(login))

    def give_back(self, login: Login) -> None:
        """Its programs have ended."""
        if self._new is not None and self._is_as_new(login, self._new):
            self._free.append(login)

    def _is_as_new(self, login: Login, new: Shape) -> bool:
        self.admin.execute("SELECT 1 FROM information_schema.PROCESSLIST WHERE USER LIKE %s", (_users(login),))
        if self.admin.fetchone():
            return False
        found = self._tables(login)
        # Those of collections.
        added = [name for name in found if name.replace(login.id, "") not in new.tables]
        left = {name: made for name, made in found.items() if name not in added}
        if any(not found[name].startswith("CREATE TABLE") for name in added) or self._shape(login, left) != new:
            return False
        if added:
            self.admin.execute(f"DROP TABLE {', '.join(added)}")
        for name, made in left.items():
            # Counters start again with TRUNCATE alone; it costs as much as a new table.
            self.admin.execute(f"{'TRUNCATE' if _COUNTED.search(made) else 'DELETE FROM'} {name}")
        self.admin.execute(f"USE `{login.database}`")
        for statement in _FIRST_ROWS:
            self.admin.execute(statement)
        to_its_end(self.storage.delete_bucket, login.bucket)
        self.storage.ensure_bucket(login.bucket, login.account.name)
        self.cache.delete_keys(login.cache_user.name)
        return True

    def _shape(self, login: Login, tables: Tables) -> Shape:
        made = {name.replace(login.id, ""): _COUNTED.sub("", statement) for name, statement in tables.items()}
        return Shape(made, self._grants(login))

    def _tables(self, login: Login) -> Tables:
        found = {}
        for database in (login.database, login.audit_database):
            self.admin.execute(f"SHOW TABLES FROM `{database}`")
            for (name,) in list(self.admin.fetchall()):
                self.admin.execute(f"SHOW CREATE TABLE `{database}`.`{name}`")
                found[f"`{database}`.`{name}`"] = str(self.admin.fetchall()[0][1])
        return found

    def _grants(self, login: Login) -> tuple[str, ...]:
        self.admin.execute("SELECT User, Host FROM mysql.user WHERE User LIKE %s ORDER BY User, Host", (_users(login),))
        found: list[str] = []
        for user, host in list(self.admin.fetchall()):
            self.admin.execute("SHOW GRANTS FOR %s@%s", (user, host))
            found += (row[0].replace(login.id, "") for row in self.admin.fetchall())
        return tuple(sorted(re.sub(r"IDENTIFIED BY PASSWORD '[^']*'", "", one) for one in found))


def _users(login: Login) -> str:
    """The pattern of the names of its users."""
    return login.database.replace("_", r"\_") + "%"
