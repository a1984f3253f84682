"""Whether this program may run on the schema (vivero_web.schema_compatibility, ADR 0016)."""

from typing import Final

from vivero_web.errors import WebError
from vivero_web.schema_compatibility import incompatibility

HEAD: Final = "0035"  # newest revision of this program; a test compares it with the migrations
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
    problem = incompatibility(revision, oldest, HEAD)
    if problem is not None:
        raise SchemaTooNewError(problem)
