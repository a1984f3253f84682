"""The SQL of provisioning, and the reading of grants. Pure.

Names are checked and back-quoted here and in `rights`, and nowhere else;
values travel as parameters. A name with `_` or `%` would be a wildcard in a
GRANT: the check refuses both. A password never travels: statements carry its
hash.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from vivero_core.backends import name_checks

Statement = tuple[str, tuple[object, ...]]

CHARACTER_SET: Final = "utf8mb4"
COLLATION: Final = "utf8mb4_general_ci"
"""Said, not left to the server: its default differs between versions. Our tables name their own."""

# What an application needs on its own schema, its migrations included, and a restore that brings back what it made. Left
# out: GRANT OPTION, and events (they run with nobody logged in).
_ROUTINES: Final = frozenset({"CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE"})
PRIVILEGES: Final = _ROUTINES | frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "CREATE",
        "DROP",
        "ALTER",
        "INDEX",
        "REFERENCES",
        "CREATE TEMPORARY TABLES",
        "LOCK TABLES",
        "CREATE VIEW",
        "SHOW VIEW",
        "TRIGGER",
    }
)
GLOBAL: Final = "*.*"
DEFAULTS: Final = f"CHARACTER SET {CHARACTER_SET} COLLATE {COLLATION}"
_GRANT: Final = re.compile(r"^GRANT (?P<privileges>.+?) ON (?P<scope>\S+) TO (?P<rest>.*)$")


def quoted_database(name: str) -> str:
    """One of a tenant's schemas."""
    return f"`{name_checks.schema(name)}`"


def quoted_user(name: str) -> str:
    """The account; `%%` becomes one `%` (any host) once parameters are filled in."""
    return f"`{name_checks.database_user(name)}`@'%%'"


def identifier(name: str) -> str:
    """A name that a person gave, which may contain any character; `%%` becomes one `%` once parameters are filled in."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def native_hash(password: str) -> str:
    """What mysql_native_password stores; our passwords are random and long, so its speed gives nothing away."""
    once = hashlib.sha1(password.encode()).digest()  # noqa: S324  the server's format
    return f"*{hashlib.sha1(once).hexdigest().upper()}"  # noqa: S324


def create_database(name: str) -> Statement:
    return f"CREATE DATABASE IF NOT EXISTS {quoted_database(name)} {DEFAULTS}", ()


def set_defaults(name: str) -> Statement:
    """Of tables that are made from now on; those that are there stay as they are."""
    return f"ALTER DATABASE {quoted_database(name)} {DEFAULTS}", ()


def drop_database(name: str) -> Statement:
    return f"DROP DATABASE IF EXISTS {quoted_database(name)}", ()


def find_database(name: str) -> Statement:
    """Its default character set and collation."""
    # With the schema predicate the server looks in one folder instead of all.
    columns, table = "DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME", "INFORMATION_SCHEMA.SCHEMATA"
    return f"SELECT {columns} FROM {table} WHERE SCHEMA_NAME = %s", (name_checks.schema(name),)  # noqa: S608  texts of our own


def find_table(database: str) -> Statement:
    tables = "INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE'"
    return f"SELECT 1 FROM {tables} LIMIT 1", (name_checks.database(database),)  # noqa: S608  a text of our own


def find_tables(database: str) -> Statement:
    """The names of its tables; views and sequences hold nothing that takes long to drop."""
    tables = "INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE'"
    return f"SELECT TABLE_NAME FROM {tables}", (name_checks.schema(database),)  # noqa: S608  a text of our own


def drop_table(database: str, table: str) -> Statement:
    """In any order: without a look at what refers to it."""
    name = f"{quoted_database(database)}.{identifier(table)}"
    return f"SET STATEMENT foreign_key_checks = 0 FOR DROP TABLE IF EXISTS {name}", ()


def find_user(name: str) -> Statement:
    return "SELECT 1 FROM mysql.global_priv WHERE User = %s AND Host = '%%'", (name_checks.database_user(name),)


def show_grants(name: str) -> Statement:
    return f"SHOW GRANTS FOR {quoted_user(name)}", ()


def write_user(name: str, password: str, max_connections: int, *, exists: bool) -> Statement:
    """Create the user, or change it in place: its grants and its running connections stay."""
    return _write_user("ALTER USER" if exists else "CREATE USER IF NOT EXISTS", name, password, max_connections)


def replace_user(name: str, password: str, max_connections: int) -> Statement:
    """Replace the user by a new one without any grant; its running connections stay."""
    return _write_user("CREATE OR REPLACE USER", name, password, max_connections)


def _write_user(verb: str, name: str, password: str, max_connections: int) -> Statement:
    if not 0 < max_connections <= 100_000:  # noqa: PLR2004  0 would mean no limit
        raise ValueError(f"max_connections has to be from 1 to 100000: {max_connections}")
    statement = (
        f"{verb} {quoted_user(name)} IDENTIFIED VIA mysql_native_password USING %s REQUIRE SSL"
        " WITH MAX_USER_CONNECTIONS %s MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0"
        " MAX_CONNECTIONS_PER_HOUR 0 MAX_STATEMENT_TIME 0 PASSWORD EXPIRE NEVER ACCOUNT UNLOCK"
    )
    return statement, (native_hash(password), max_connections)


def grant(user: str, database: str) -> Statement:
    schema = quoted_database(name_checks.database(database))
    return f"GRANT {', '.join(sorted(PRIVILEGES))} ON {schema}.* TO {quoted_user(user)}", ()


def revoke_all(user: str) -> Statement:
    return f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {quoted_user(user)}", ()


def grants(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """SHOW GRANTS as {scope: privileges}; whatever is no plain grant (a role, a proxy) is kept as its own scope."""
    found: dict[str, frozenset[str]] = {}
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            found[line] = frozenset({"?"})
            continue
        privileges = set(match["privileges"].split(", "))
        if "WITH GRANT OPTION" in match["rest"]:
            privileges.add("GRANT OPTION")
        found[match["scope"]] = found.get(match["scope"], frozenset()) | privileges
    return found


def own_grants(database: str) -> dict[str, frozenset[str]]:
    """On its own schema."""
    return {GLOBAL: frozenset({"USAGE"}), f"{quoted_database(database)}.*": PRIVILEGES}


def former_grants(database: str) -> dict[str, frozenset[str]]:
    """The same, to the letter, as releases gave it that had no routines."""
    return {**own_grants(database), f"{quoted_database(database)}.*": PRIVILEGES - _ROUTINES}
