"""Whether this program may run on the schema (vivero_web.schema_compatibility, ADR 0016)."""

from typing import Final

from sqlalchemy import Connection, inspect, text
from vivero_core.errors import ViveroError
from vivero_web.schema_compatibility import incompatibility

HEAD: Final = "0027"  # newest revision of this program; a test compares it with the migrations
TABLE: Final = """CREATE TABLE IF NOT EXISTS schema_compatibility (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    oldest_program VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'newest revision it knows'
) COMMENT='one row'"""


class SchemaTooNewError(ViveroError):
    """A newer release has changed the schema so that this program can no longer use it."""


def runs_behind(connection: Connection) -> str | None:
    """The schema's revision if it is ahead of this program and compatible; None if it is not ahead.

    Raises:
        SchemaTooNewError: it is incompatible with this program.
    """
    revision = _only(connection, "alembic_version", "version_num")
    if revision is None or not is_ahead(revision):
        return None
    require_compatible(revision, _only(connection, "schema_compatibility", "oldest_program"))
    return revision


def is_ahead(revision: str) -> bool:
    """Whether a newer program has migrated the schema."""
    return revision > HEAD


def require_compatible(revision: str, oldest: str | None) -> None:
    """Check that this program may run on a schema ahead of it; `oldest` is the oldest program that the schema allows.

    Raises:
        SchemaTooNewError: naming the revisions and what to do.
    """
    problem = incompatibility(revision, oldest, HEAD)
    if problem is not None:
        raise SchemaTooNewError(problem)


def _only(connection: Connection, table: str, column: str) -> str | None:
    """The one value of a table that may not be there."""
    if not inspect(connection).has_table(table):
        return None
    found = connection.scalar(text(f"SELECT {column} FROM {table}"))  # noqa: S608  our own names
    return str(found) if found is not None else None
