"""A MariaDB with a binary log and tenants on it who do all that a workspace may do, and more."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pymysql
from support.own_services import OwnServer, own_mariadb
from vivero_core.backends.mariadb import statements as sql
from vivero_core.model import naming
from vivero_dev.certificates import Authority

IDS = tuple(letter * 10 for letter in "abcde")
OPTIONS = """\
[mariadbd]
server_id = 1
gtid_domain_id = 1
log_bin = binlog
binlog_format = ROW
binlog_row_image = FULL
character_set_server = utf8mb4
max_allowed_packet = 64M
performance_schema = OFF
skip_networking = ON
innodb_flush_log_at_trx_commit = 0
"""
Session = tuple[str | None, list[str]]
"""Its default schema, and its statements."""


@dataclass(frozen=True)
class Tenant:
    """Its schemas."""

    id: str

    @property
    def data(self) -> str:
        return naming.database_name(self.id)

    @property
    def audit(self) -> str:
        return naming.audit_database_name(self.id)

    @property
    def schemas(self) -> tuple[str, str]:
        return self.data, self.audit


TENANTS = tuple(map(Tenant, IDS))


class Source:
    """The server under test, by its root."""

    def __init__(self, server: OwnServer, folder: Path) -> None:
        self.socket = str(server.socket)
        self.crash = server.crash
        self._data = folder / "data"

    def play(self, *played: Session, user: str = "root") -> None:
        for schema, statements in played:
            self.run(*statements, schema=schema, user=user)

    def run(self, *statements: str, schema: str | None = None, user: str = "root") -> list[tuple[Any, ...]]:
        """All in one session; the rows of the last."""
        connected = pymysql.connect(
            unix_socket=self.socket, user=user, database=schema, charset="utf8mb4", autocommit=True, ssl_disabled=True
        )
        with closing(connected) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def attempt(self, statements: Sequence[str | bytes], tenant: Tenant) -> list[str | bytes]:
        """Those that the tenant's login was refused, all in one session."""
        refused = []
        connected = pymysql.connect(
            unix_socket=self.socket, user=naming.database_users(tenant.id)[0], database=tenant.data, charset="utf8mb4"
        )
        with closing(connected) as connection:
            connection.autocommit(True)  # noqa: FBT003  its only argument
            for statement in statements:
                try:
                    connection.query(statement)
                except pymysql.MySQLError:
                    refused.append(statement)
        return refused

    def logs(self) -> list[Path]:
        """The files of its binary log, all of which are written to their end."""
        self.run("FLUSH BINARY LOGS")
        return sorted(self._data.glob("binlog.??????"))[:-1]


@contextmanager
def source(folder: Path, options: str = "") -> Iterator[Source]:
    configuration = folder / "mariadb.cnf"
    configuration.write_text(OPTIONS + options)
    with own_mariadb(folder, configuration, Authority(folder / "authority")) as server:
        yield Source(server, folder)


def provision(server: Source, tenant: Tenant) -> None:
    """As the operator does it; the login needs no password here."""
    user = naming.database_users(tenant.id)[0]
    statements = [sql.create_database(name)[0] for name in tenant.schemas]
    grant = sql.grant(user, tenant.data)[0].replace("%%", "localhost")
    statements += [
        f"CREATE USER `{user}`@`localhost`",
        grant,
        f"GRANT SELECT, INSERT ON `{tenant.audit}`.* TO `{user}`@`localhost`",
    ]
    server.run(*statements)


def sessions(name: str, tenant: Tenant = TENANTS[0], other: Tenant = TENANTS[1]) -> list[Session]:
    """The sessions of a file beside this one. `other`: another tenant, whose schema may be the default one."""
    text = Template((Path(__file__).parent / f"{name}.sql").read_text())
    filled = text.substitute(data=tenant.data, audit=tenant.audit, other=other.data)
    found: list[Session] = []
    for part in re.split(r"^-- session", filled, flags=re.MULTILINE)[1:]:
        schema, _, body = part.partition("\n")
        statements = re.sub(r"^-- .*$", "", body, flags=re.MULTILINE).split(";\n")
        found.append((schema.strip() or None, [one.strip() for one in statements if one.strip()]))
    return found
