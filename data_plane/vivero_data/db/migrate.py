"""Runs Alembic under the lock: `python -m vivero_data migrate`, by hand or from `db/schema.py`."""

import contextlib
from collections.abc import Iterator
from typing import Final

import pymysql
from alembic import command
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from vivero_data.db.schema import MigrationError, lock_name
from vivero_data.db.schema_file import config
from vivero_data.settings import Settings

_CONNECT_SECONDS: Final = 10
_LOCK_SECONDS: Final = 120


def migrate(settings: Settings, revision: str = "head") -> None:
    """Upgrade the schema to `revision`; does nothing when it is there already.

    Raises:
        MigrationError: another process holds the lock for too long.
    """
    secret = settings.database

    def connect() -> pymysql.Connection:
        return pymysql.connect(
            host=secret.host,
            port=secret.port,
            user=secret.username,
            password=secret.password,
            database=secret.name,
            charset="utf8mb4",
            ssl=settings.tls(),
            connect_timeout=_CONNECT_SECONDS,
        )

    engine = create_engine("mariadb+pymysql://", creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as connection, _locked(connection, secret.name):
            alembic = config()
            alembic.attributes["connection"] = connection
            command.upgrade(alembic, revision)
            connection.commit()
    finally:
        engine.dispose()


@contextlib.contextmanager
def _locked(connection: Connection, schema: str) -> Iterator[None]:
    name = lock_name(schema)
    got = connection.execute(text("SELECT GET_LOCK(:name, :wait)"), {"name": name, "wait": _LOCK_SECONDS})
    if got.scalar() != 1:
        raise MigrationError("Another process is still migrating the schema.")
    try:
        yield
    finally:
        connection.execute(text("DO RELEASE_LOCK(:name)"), {"name": name})
