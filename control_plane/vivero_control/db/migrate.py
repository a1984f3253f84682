"""Brings the schema to the newest revision, one process at a time; or leaves a newer one as it is."""

import itertools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from vivero_web import migration_lock

from vivero_control.db.compatibility import HEAD, runs_behind
from vivero_control.db.database import CONNECT_SECONDS, DatabaseUnavailableError, passes, url
from vivero_control.settings import Settings

logger = logging.getLogger(__name__)

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
LOCK_SECONDS: Final = 120
PATIENCE_SECONDS: Final = 60.0  # then the pod's restart is the longer back-off
PAUSE_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 4.0)


def migrate(settings: Settings) -> None:
    """Wait for the server (bounded), take the lock, upgrade.

    Raises:
        DatabaseUnavailableError: it did not answer in time, or another one held the lock too long.
        SchemaTooNewError: a newer program has closed the schema to this one.
    """
    with _engine(settings) as engine:
        _patiently(engine, time.monotonic() + PATIENCE_SECONDS)


def require_usable(settings: Settings) -> None:
    """At the start of a program that does not migrate. A database outage does not prevent the start.

    Raises:
        SchemaTooNewError: a newer program has closed the schema to this one.
    """
    with _engine(settings) as engine:
        try:
            with engine.connect() as connection:
                _tell(runs_behind(connection))
        except DBAPIError as error:
            if not passes(error):
                raise
            logger.warning("schema revision not checked, database unavailable: %s", type(error.orig).__name__)


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = create_engine(
        url(settings, "mariadb+pymysql"),
        connect_args={"ssl": settings.tls(), "connect_timeout": CONNECT_SECONDS},
        hide_parameters=True,
    )
    try:
        yield engine
    finally:
        engine.dispose()


def _tell(ahead: str | None) -> None:
    if ahead is not None:
        logger.warning("schema is newer than this program, and compatible", extra={"revision": ahead, "known": HEAD})


def _patiently(engine: Engine, ends: float) -> None:
    for pause in itertools.chain(PAUSE_SECONDS, itertools.repeat(PAUSE_SECONDS[-1])):
        try:
            with engine.connect() as holder, engine.connect() as connection:
                migration_lock.take(holder, LOCK_SECONDS)
                return _upgrade(connection)
        except DBAPIError as error:
            if not passes(error):
                raise
            if time.monotonic() > ends:
                raise DatabaseUnavailableError from error
            logger.warning("database unavailable, retrying: %s", type(error.orig).__name__)
        time.sleep(pause)
    return None


def _upgrade(connection: Connection) -> None:
    ahead = runs_behind(connection)
    connection.commit()  # Alembic commits only what it began itself
    _tell(ahead)
    if ahead is None:
        command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection | None = None, output: StringIO | None = None) -> Config:
    """For `command.*`; the connection is ours, so no file holds a login. Without one SQL goes to `output`."""
    config = Config(output_buffer=output) if output else Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
