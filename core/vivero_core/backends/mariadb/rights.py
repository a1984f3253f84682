"""Unmanaged accounts and rights, on a tenant's schema or under a tenant's name. Pure.

Left alone are rights that are not about one tenant: global ones, and those
on a pattern such as `vt%` (an administrator's, a backup's). Names come from
the server's tables and may contain any character: they are quoted, not refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from vivero_core.backends import name_checks
from vivero_core.backends.mariadb.statements import Statement, identifier

Kind = Literal["SCHEMA", "TABLE", "PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY", "PROXY"]


@dataclass(frozen=True, slots=True)
class Account:
    """A user or a role, as the tables of the schema mysql name it; a role has no host."""

    user: str
    host: str


@dataclass(frozen=True, slots=True)
class Right:
    """A row about one right.

    Attributes:
        holder: who has it.
        kind: what on.
        database: the schema; for a proxy, the host of the account that it may act as.
        name: the table or routine; for a proxy, the user that it may act as.
    """

    holder: Account
    kind: Kind
    database: str
    name: str


# Where a right is written down: table, its kind (text, or a column that says it), the columns of schema and name.
_TABLES: Final = (
    ("db", "'SCHEMA'", "Db", "''"),
    ("tables_priv", "'TABLE'", "Db", "Table_name"),
    ("columns_priv", "'TABLE'", "Db", "Table_name"),
    ("procs_priv", "Routine_type", "Db", "Routine_name"),
    ("proxies_priv", "'PROXY'", "Proxied_host", "Proxied_user"),
)
# A backslash before a character that is no wildcard means nothing to the server, and a `%` after the whole name covers it.
_SCHEMA: Final = "TRIM(TRAILING '%%' FROM REPLACE(Db, CHAR(92), ''))"
_PROXIES: Final = "proxies_priv"
_OF_TABLES: Final = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE VIEW", "SHOW VIEW",
    "TRIGGER",
)  # fmt: skip
_OF_ROUTINES: Final = ("EXECUTE", "ALTER ROUTINE")
_OF_SCHEMAS: Final = (*_OF_TABLES, *_OF_ROUTINES, "CREATE ROUTINE", "CREATE TEMPORARY TABLES", "LOCK TABLES", "EVENT")
_NAMED: Final[dict[Kind, tuple[str, ...]]] = {
    "SCHEMA": _OF_SCHEMAS,
    "TABLE": _OF_TABLES,
    "PROCEDURE": _OF_ROUTINES,
    "FUNCTION": _OF_ROUTINES,
    "PACKAGE": _OF_ROUTINES,
    "PACKAGE BODY": _OF_ROUTINES,
}
"""What RDS' master user has, and so anybody on RDS can have got."""
_PUBLIC: Final = Account("PUBLIC", "")
"""The role that everybody has; the server knows it by its bare name alone."""


def accounts_of(database: str) -> Statement:
    """(user, host, what is stored, the server's default lifetime of passwords) of all accounts in the tenant's name."""
    columns = "User, Host, Priv, @@default_password_lifetime"
    pattern = f"{name_checks.database(database)}%"
    return f"SELECT {columns} FROM mysql.global_priv WHERE User LIKE %s", (pattern,)  # noqa: S608  texts of our own


def rights_on(database: str, owner: str | None) -> Statement:
    """(user, host, kind, schema, name) of every right on the tenant's schemas or accounts that is not one of its own users'.

    Without an owner those of its users, too.
    """
    others = "" if owner is None else " AND NOT (User IN (%s, %s, %s) AND Host = '%%')"
    users = name_checks.loading_user(database), name_checks.viewing_user(database)
    excluded = () if owner is None else (name_checks.database_user(owner), *users)
    parts: list[str] = []
    values: list[str] = []
    for table, kind, schema, name in _TABLES:
        column, about = (
            ("Proxied_user", (f"{database}%",)) if table == _PROXIES else (_SCHEMA, name_checks.schemas(database))
        )
        where = f"({' OR '.join(f'{column} LIKE %s' for _ in about)}){others}"
        parts.append(f"SELECT User, Host, {kind}, {schema}, {name} FROM mysql.{table} WHERE {where}")  # noqa: S608  texts of our own
        values += [*about, *excluded]
    return " UNION ALL ".join(parts), tuple(values)


def revoke(right: Right) -> Iterable[Statement]:
    """The server takes ALL and GRANT OPTION together only when it is everywhere; one row needs two statements."""
    if right.kind == "PROXY":
        yield f"REVOKE PROXY ON {quoted(Account(right.name, right.database))} FROM {quoted(right.holder)}", ()
        return
    for privileges in ("ALL PRIVILEGES", "GRANT OPTION"):
        yield _revoke(privileges, right)


def revoke_by_name(right: Right) -> Iterable[Statement]:
    """For an administrator that has not every privilege there is, as on RDS: it may not say ALL."""
    for privileges in (", ".join(_NAMED[right.kind]), "GRANT OPTION"):
        yield _revoke(privileges, right)


def _revoke(privileges: str, right: Right) -> Statement:
    scope = f"{identifier(right.database)}.{identifier(right.name) if right.name else '*'}"
    sort = "" if right.kind in ("SCHEMA", "TABLE") else f"{right.kind} "
    return f"REVOKE {privileges} ON {sort}{scope} FROM {quoted(right.holder)}", ()


def erase(right: Right) -> Iterable[Statement]:
    """For a row whose holder is no account: the server revokes nothing from it, yet a row without a user is everybody's."""
    for table, _, schema, name in _TABLES:
        if (right.kind == "PROXY") is (table == _PROXIES):
            where = f"User = %s AND Host = %s AND {schema} = %s AND {name} = %s"
            values = (right.holder.user, right.holder.host, right.database, right.name)
            yield f"DELETE FROM mysql.{table} WHERE {where}", values  # noqa: S608  texts of our own


RELOAD: Final[Statement] = ("FLUSH PRIVILEGES", ())


def drop(account: Account, *, role: bool) -> Statement:
    """Remove an account in a tenant's name."""
    kind = "ROLE" if role else "USER"
    return f"DROP {kind} IF EXISTS {quoted(account)}", ()


def quoted(account: Account) -> str:
    if account == _PUBLIC:
        return account.user
    return identifier(account.user) if not account.host else f"{identifier(account.user)}@{identifier(account.host)}"
