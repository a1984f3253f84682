"""Runs Alembic under the migration lock: `python -m vivero_data migrate`, manually or from `db/schema.py`."""

from typing import Final

import pymysql
from alembic import command
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from vivero_web import migration_lock

from vivero_data.db.compatibility import SELECT_OLDEST, MigrationError, is_ahead, require_compatible
from vivero_data.db.schema_file import config
from vivero_data.settings import Settings

_CONNECT_SECONDS: Final = 10
_LOCK_SECONDS: Final = 120
_LOCK_WAIT: Final = 1205


def migrate(settings: Settings, revision: str = "head") -> None:
    """Upgrade the schema to `revision`; a no-op if it is there already, or ahead and compatible.

    Raises:
        MigrationError: another process holds the lock for too long.
        SchemaTooNewError: a newer program made the schema incompatible with this one.
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
        with engine.connect() as holder, engine.connect() as connection:
            _acquire_lock(holder)
            if _is_ahead(connection):
                return
            alembic = config()
            alembic.attributes["connection"] = connection
            command.upgrade(alembic, revision)
            connection.commit()
    finally:
        engine.dispose()


def _is_ahead(connection: Connection) -> bool:
    """Whether a newer program migrated the schema and it is still compatible with this one."""
    tables = inspect(connection)
    revision = (
        connection.scalar(text("SELECT version_num FROM alembic_version"))
        if tables.has_table("alembic_version")
        else None
    )
    if revision is None or not is_ahead(revision):
        return False
    require_compatible(
        revision, connection.scalar(text(SELECT_OLDEST)) if tables.has_table("schema_compatibility") else None
    )
    return True


def _acquire_lock(holder: Connection) -> None:
    try:
        migration_lock.take(holder, _LOCK_SECONDS)
    except OperationalError as error:
        if error.orig is None or error.orig.args[0] != _LOCK_WAIT:
            raise
        raise MigrationError("Another process is still migrating the schema.") from error
