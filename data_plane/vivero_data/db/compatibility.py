"""Which program versions may run on a schema: a compatibility window that migrations store in the schema (ADR 0016).

Revisions are four digits, so that strings compare like numbers: a program
need not know a newer revision to recognize that it is newer.
"""

from typing import Any, Final

from vivero_web.errors import WebError

HEAD: Final = "0006"  # newest revision of this program; a test compares it with the migrations
TABLE: Final = """CREATE TABLE IF NOT EXISTS schema_compatibility (
    id TINYINT UNSIGNED NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1),
    oldest_program VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'newest revision it knows'
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci COMMENT='one row'"""
SELECT_OLDEST: Final = "SELECT oldest_program FROM schema_compatibility"


class MigrationError(WebError):
    """The schema could not be brought to this revision."""


class SchemaTooNewError(MigrationError):
    """A newer release has changed the schema so that this program can no longer use it."""


def is_ahead(revision: str) -> bool:
    """Whether a newer program has migrated the schema."""
    return revision > HEAD


def require_compatible(revision: str, oldest: str | None) -> None:
    """Check that this program may run on a schema ahead of it; `oldest` is the oldest program that the schema allows.

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
