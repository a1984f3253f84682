"""A tenant's data as of a second, beside the live one: two schemas, and a login that fills them and then only reads (ADR 0048).

`vt<id>asof` holds what the tenant's own schema held, `vt<id>asofaudit` its audit log. Nothing ever writes to them again.
"""

from typing import Final

from pymysql.cursors import Cursor

from vivero_core.backends import name_checks
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import erasure, replacement, rights, sessions, statements
from vivero_core.backends.mariadb.rights import Account
from vivero_core.backends.mariadb.statements import quoted_database, quoted_user

FILLING: Final = statements.PRIVILEGES
"""A workspace's own: what was loaded may have to be migrated before anybody looks at it."""
READING: Final = frozenset({"SELECT"})
_ANY_HOST: Final = "%"


def allowed_grants(database: str) -> tuple[dict[str, frozenset[str]], ...]:
    """All that the user may, while it fills the schemas and afterwards."""
    return _grants(database, FILLING), _grants(database, READING)


def _grants(database: str, privileges: frozenset[str]) -> dict[str, frozenset[str]]:
    schemas = name_checks.as_of_databases(database)
    return {
        statements.GLOBAL: frozenset({"USAGE"}),
        **{f"{quoted_database(schema)}.*": privileges for schema in schemas},
    }


def begin(cursor: Cursor, database: str, user: Credentials, max_connections: int, deadline: float) -> None:
    """Two empty schemas, and a user who may fill them.

    Raises:
        BackendUnfinishedError: those from before are still being dropped; call again to continue.
    """
    discard(cursor, database, deadline)
    for schema in name_checks.as_of_databases(database):
        cursor.execute(*statements.create_database(schema))
    _let(cursor, database, user, max_connections, FILLING)


def is_older(cursor: Cursor, database: str) -> bool:
    """Whether what was loaded has to be brought to the revision of the live schema before anybody can look at it."""
    then, now = _revisions(cursor, database)
    return then is not None and now is not None and then < now


def _revisions(cursor: Cursor, database: str) -> tuple[str | None, str | None]:
    """Of what was loaded, and of the live schema."""
    schemas = name_checks.as_of_databases(database)[0], database
    then, now = (replacement.single_value(cursor, one, "alembic_version", "version_num") for one in schemas)
    return then, now


def open_to_readers(cursor: Cursor, database: str, user: Credentials, max_connections: int) -> str | None:
    """From now on the user may only read. Why today's program could not show what was loaded, as a sentence; None if it can."""
    then, now = _revisions(cursor, database)
    if then is None:
        return "the workspace had no tables at that second"
    if now is not None and then < now:
        return f"the schema of that second is of revision {then}, and the program of {now}"
    _let(cursor, database, user, max_connections, READING)
    sessions.end(cursor, _account(database))  # those that were begun with more rights
    return None


def discard(cursor: Cursor, database: str, deadline: float) -> None:
    """Remove both schemas, and the user.

    Raises:
        BackendUnfinishedError: call again to continue.
    """
    cursor.execute(*rights.drop(_account(database), role=False))
    sessions.end(cursor, _account(database))
    for schema in name_checks.as_of_databases(database):
        erasure.drop_schema(cursor, schema, deadline)


def _let(cursor: Cursor, database: str, user: Credentials, max_connections: int, privileges: frozenset[str]) -> None:
    """Make the user anew, with these rights and no others."""
    cursor.execute(*statements.replace_user(user.name, user.secret, max_connections))
    for schema in name_checks.as_of_databases(database):
        granted = f"{', '.join(sorted(privileges))} ON {quoted_database(schema)}.*"
        cursor.execute(f"GRANT {granted} TO {quoted_user(user.name)}", ())


def _account(database: str) -> Account:
    return Account(name_checks.viewing_user(database), _ANY_HOST)
