"""The SQL of provisioning, and the reading of what the server already has. Pure.

Names are checked and back-quoted here and nowhere else; values travel as
parameters. A name with `_` or `%` would be a wildcard in a GRANT: the check
refuses both. A password never travels: statements carry its hash.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vivero_core.backends import names

Statement = tuple[str, tuple[object, ...]]

# What an application needs on its own schema, its migrations included. Left
# out: GRANT OPTION, routines and events (they run with nobody logged in).
PRIVILEGES = frozenset(
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
GLOBAL = "*.*"
_TLS_OFF = 0  # mysql.global_priv: ssl_type 0 is none, 1 is REQUIRE SSL

_GRANT = re.compile(r"^GRANT (?P<privileges>.+?) ON (?P<scope>\S+) TO (?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class UserState:
    """What the server holds about a user."""

    password_hash: str
    requires_tls: bool
    max_connections: int
    locked: bool


def quoted_database(name: str) -> str:
    return f"`{names.database(name)}`"


def quoted_user(name: str) -> str:
    """The account; the doubled sign is one `%` (any host) once parameters are filled in."""
    return f"`{names.database_user(name)}`@'%%'"


def native_hash(password: str) -> str:
    """What mysql_native_password stores; our passwords are random and long, so its speed gives nothing away."""
    once = hashlib.sha1(password.encode()).digest()  # noqa: S324  the server's format
    return f"*{hashlib.sha1(once).hexdigest().upper()}"  # noqa: S324


def create_database(name: str) -> Statement:
    return f"CREATE DATABASE IF NOT EXISTS {quoted_database(name)} CHARACTER SET utf8mb4", ()


def drop_database(name: str) -> Statement:
    return f"DROP DATABASE IF EXISTS {quoted_database(name)}", ()


def find_database(name: str) -> Statement:
    # With the schema predicate the server looks in one folder instead of all.
    return "SELECT 1 FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = %s", (names.database(name),)


def find_user(name: str) -> Statement:
    return "SELECT Priv FROM mysql.global_priv WHERE User = %s AND Host = '%%'", (names.database_user(name),)


def show_grants(name: str) -> Statement:
    return f"SHOW GRANTS FOR {quoted_user(name)}", ()


SURVEYED = (
    "global_priv",
    "db",
    "tables_priv",
    "columns_priv",
    "procs_priv",
    "proxies_priv",
    "roles_mapping",
)
"""Tables of the schema mysql that say what an account is and may do."""


def survey(table: str) -> Statement:
    """Every row of one of SURVEYED that is about a tenant's user, the user first."""
    return f"SELECT User, t.* FROM mysql.{table} t WHERE User LIKE 'vt%%'", ()  # noqa: S608  a name of our own


def write_user(name: str, password: str, max_connections: int, *, exists: bool) -> Statement:
    """Create the user, or change it in place: its grants and its running connections stay."""
    if not 0 < max_connections <= 100_000:  # noqa: PLR2004  0 would mean no limit
        raise ValueError(f"max_connections has to be from 1 to 100000: {max_connections}")
    verb = "ALTER USER" if exists else "CREATE USER IF NOT EXISTS"
    statement = (
        f"{verb} {quoted_user(name)} IDENTIFIED VIA mysql_native_password USING %s"
        " REQUIRE SSL WITH MAX_USER_CONNECTIONS %s"
    )
    return statement, (native_hash(password), max_connections)


def grant(user: str, database: str) -> Statement:
    return f"GRANT {', '.join(sorted(PRIVILEGES))} ON {quoted_database(database)}.* TO {quoted_user(user)}", ()


def revoke_all(user: str) -> Statement:
    return f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {quoted_user(user)}", ()


def lock_user(name: str, *, locked: bool) -> Statement:
    return f"ALTER USER {quoted_user(name)} ACCOUNT {'LOCK' if locked else 'UNLOCK'}", ()


def drop_user(name: str) -> Statement:
    return f"DROP USER IF EXISTS {quoted_user(name)}", ()


def end_connections(user: str) -> Statement:
    return f"KILL HARD CONNECTION USER {quoted_user(user)}", ()


def user_state(priv: str) -> UserState:
    """Read a row of mysql.global_priv."""
    stored: dict[str, Any] = json.loads(priv)
    return UserState(
        password_hash=str(stored.get("authentication_string", "")),
        requires_tls=int(stored.get("ssl_type", _TLS_OFF)) != _TLS_OFF,
        max_connections=int(stored.get("max_user_connections", 0)),
        locked=bool(stored.get("account_locked", False)),
    )


def wanted_user(password: str, max_connections: int, *, locked: bool) -> UserState:
    return UserState(native_hash(password), requires_tls=True, max_connections=max_connections, locked=locked)


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


def wanted_grants(database: str) -> dict[str, frozenset[str]]:
    return {GLOBAL: frozenset({"USAGE"}), f"{quoted_database(database)}.*": PRIVILEGES}
