"""Which programs may run on the schema: a window of revisions that the migrations keep in the schema itself (ADR 0016).

Revisions are four digits, so that texts compare as numbers do: a program
need not know a newer revision to see that it is newer.
"""

from typing import Any, Final

from sqlalchemy import Connection, inspect, text
from vivero_core.errors import ViveroError

HEAD: Final = "0004"  # newest revision of this program; a test compares it with the migrations
TABLE: Final = """CREATE TABLE IF NOT EXISTS schema_compatibility (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    oldest_program VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'newest revision it knows'
) COMMENT='one row'"""


class SchemaTooNewError(ViveroError):
    """A newer release has changed the schema so that this program can no longer use it."""


def runs_behind(connection: Connection) -> str | None:
    """The schema's revision if a newer program made it and left it open to this one; None if it is not ahead.

    Raises:
        SchemaTooNewError: it is closed to this program.
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
    """Let this program run on a schema that is ahead of it, or say why not; `oldest` is what the schema says.

    Raises:
        SchemaTooNewError: naming the revisions and what to do.
    """
    if oldest is not None and oldest <= HEAD:
        return
    allowed = f"only programs that know revision {oldest} may use it" if oldest else "it does not say who may use it"
    raise SchemaTooNewError(
        f"The schema is at revision {revision} and {allowed}; this program knows revisions up to {HEAD}."
        " Start a newer release, or restore a backup from before the upgrade."
    )


def record_oldest_program(ctx: Any, step: Any, heads: object, run_args: object) -> None:  # noqa: ANN401, ARG001  as Alembic calls it
    """Alembic's hook after each migration (migrations/env.py): writes down its `oldest_program`."""
    if not step.is_upgrade:
        return
    oldest = step.up_revision.module.oldest_program
    ctx.impl.execute(TABLE)
    ctx.impl.execute(
        f"INSERT INTO schema_compatibility (id, oldest_program) VALUES (1, '{oldest}')"  # noqa: S608  a migration's constant
        " ON DUPLICATE KEY UPDATE oldest_program = VALUES(oldest_program)"
    )


def _only(connection: Connection, table: str, column: str) -> str | None:
    """The one value of a table that may not be there."""
    if not inspect(connection).has_table(table):
        return None
    found = connection.scalar(text(f"SELECT {column} FROM {table}"))  # noqa: S608  our own names
    return str(found) if found is not None else None
