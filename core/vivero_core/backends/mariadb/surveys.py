"""Survey of a MariaDB server: schemas, accounts and privileges of all tenants, in a handful of statements."""

from collections.abc import Iterator
from typing import Final

from pymysql.cursors import Cursor

from vivero_core.backends.mariadb import accounts
from vivero_core.backends.survey import Fact, Inventory, Survey, digests, holdings, tenant_in, tenant_of
from vivero_core.model.naming import is_tenant_id, tenant_of_database

PREFIX: Final = "vt"
SCHEMA: Final = "schema"
USERS: Final = "database users"

_SCHEMAS: Final = (
    "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME"
    " FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME LIKE 'vt%%'"
)
_ACCOUNTS: Final = "SELECT User, Host, Priv, @@default_password_lifetime FROM mysql.global_priv WHERE User LIKE 'vt%%'"
_USERS: Final = "SELECT DISTINCT User FROM mysql.global_priv WHERE User LIKE 'vt%%'"
# The server's own dictionary, for it does not look into a folder of each schema. What is stored by another engine does
# not count: tenants' tables are InnoDB's.
_FILLED: Final = (
    "SELECT DISTINCT SUBSTRING_INDEX(NAME, '/', 1) FROM INFORMATION_SCHEMA.INNODB_SYS_TABLES WHERE NAME LIKE 'vt%%/%%'"
)
# Who may do what: the table, and the column that names what a right is on.
_RIGHTS: Final = (
    ("db", "REPLACE(Db, CHAR(92), '')"),
    ("tables_priv", "REPLACE(Db, CHAR(92), '')"),
    ("columns_priv", "REPLACE(Db, CHAR(92), '')"),
    ("procs_priv", "REPLACE(Db, CHAR(92), '')"),
    ("proxies_priv", "Proxied_user"),
    ("roles_mapping", "Role"),
)


def schemas(cursor: Cursor) -> list[str]:
    """Names of all tenants' live schemas, sorted."""
    return sorted(name for name in _schemas(cursor) if is_tenant_id(name.removeprefix(PREFIX)))


def survey(cursor: Cursor) -> Survey:
    return digests(_facts(cursor))


def inventory(cursor: Cursor) -> Inventory:
    found = [(tenant_of_database(name), SCHEMA) for name in _schemas(cursor)]
    cursor.execute(_USERS, ())
    found += [(_user_of(str(user)), USERS) for (user,) in cursor.fetchall()]
    return holdings(found)


def _schemas(cursor: Cursor) -> list[str]:
    cursor.execute("SHOW DATABASES LIKE 'vt%%'", ())
    return [str(row[0]) for row in cursor.fetchall()]


def _user_of(name: str) -> str | None:
    """The tenant whose user it is; a letter tells its users apart."""
    return tenant_of(name[:-1], PREFIX) if name.endswith(("a", "b", "r", "v")) else None


def _facts(cursor: Cursor) -> Iterator[Fact]:
    cursor.execute(_FILLED, ())
    filled = {str(name) for (name,) in cursor.fetchall()}
    cursor.execute(_SCHEMAS, ())
    for name, *defaults in cursor.fetchall():
        # How many tables there are is the tenant's business; that there are none any more is a loss.
        yield tenant_of_database(str(name)), (SCHEMA, name, defaults, name in filled)
    cursor.execute(_ACCOUNTS, ())
    for user, host, priv, lifetime in cursor.fetchall():
        stored = accounts.attributes(str(priv), int(lifetime))
        yield tenant_in(str(user), PREFIX), (USERS, user, host, sorted(stored.items()))
    for table, column in _RIGHTS:
        about = f"WHERE User LIKE 'vt%%' OR {column} LIKE 'vt%%'"
        cursor.execute(f"SELECT User, {column}, t.* FROM mysql.{table} t {about}", ())  # noqa: S608  texts of our own
        for row in cursor.fetchall():
            # Of the tenant that has the right, and of the one that it is about.
            for ident in {tenant_in(str(row[0]), PREFIX), tenant_in(str(row[1]), PREFIX)}:
                yield ident, (table, row)
