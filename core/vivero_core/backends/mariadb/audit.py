"""A tenant's audit log: a schema of its own, which the tenant's user may add to and read, and nothing else. Pure.

In the tenant's schema that cannot be had: a grant on a schema is not narrowed for one table of it, and who may drop a
table drops its triggers. The administrator makes the table; the data plane has the same columns in its `db/schema.sql`,
for a workspace that was given no second schema.

A column more is a statement more here that can be repeated, in a release before the data plane that needs it.
"""

from typing import Final

from vivero_core.backends import name_checks
from vivero_core.backends.mariadb import statements
from vivero_core.backends.mariadb.statements import (
    Statement,
    create_database,
    own_grants,
    quoted_database,
    quoted_user,
)

TABLE: Final = "audit_log"
PRIVILEGES: Final = frozenset({"SELECT", "INSERT"})
_WORDS: Final = "CHARACTER SET ascii COLLATE ascii_bin NOT NULL"
_COLUMNS: Final = f"""
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    actor VARCHAR(254) NOT NULL COMMENT 'e-mail, or system',
    action VARCHAR(64) {_WORDS},
    subject VARCHAR(320) NOT NULL,
    before_values MEDIUMTEXT NULL COMMENT 'JSON',
    after_values MEDIUMTEXT NULL COMMENT 'JSON',
    request_id VARCHAR(64) {_WORDS},
    address VARCHAR(45) {_WORDS} DEFAULT '' COMMENT 'who asked, as limits count it; empty for the platform',
    KEY audit_log_at (at),
    KEY audit_log_actor (actor),
    KEY audit_log_action (action),
    KEY audit_log_subject (subject(100))
"""
_OPTIONS: Final = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci"


def find(database: str) -> Statement:
    """The table, of the tenant with this schema."""
    tables = "INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND TABLE_TYPE = 'BASE TABLE'"
    return f"SELECT 1 FROM {tables}", (name_checks.audit_database(database), TABLE)  # noqa: S608  a text of our own


def was_given(database: str) -> Statement:
    """Whether anybody has been given rights on it: they outlive the schema."""
    return "SELECT 1 FROM mysql.db WHERE Db = %s LIMIT 1", (name_checks.audit_database(database),)


def make(database: str) -> tuple[Statement, ...]:
    schema = name_checks.audit_database(database)
    table = f"{quoted_database(schema)}.{TABLE}"
    return create_database(schema), (f"CREATE TABLE IF NOT EXISTS {table} ({_COLUMNS}) {_OPTIONS}", ())


def grant(user: str, database: str) -> Statement:
    schema = quoted_database(name_checks.audit_database(database))
    return f"GRANT {', '.join(sorted(PRIVILEGES))} ON {schema}.* TO {quoted_user(user)}", ()


def wanted_grants(database: str) -> dict[str, frozenset[str]]:
    """All that a tenant's user may: its own schema, and this."""
    return {**own_grants(database), **_of_log(database)}


def former_grants(database: str) -> dict[str, frozenset[str]]:
    """The same, as releases gave it that had no routines."""
    return {**statements.former_grants(database), **_of_log(database)}


def _of_log(database: str) -> dict[str, frozenset[str]]:
    return {f"{quoted_database(name_checks.audit_database(database))}.*": PRIVILEGES}
