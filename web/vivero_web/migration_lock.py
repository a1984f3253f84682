"""One process at a time changes a schema: it holds a row of that very schema, on a connection that does nothing else.

Names of GET_LOCK are global on a server: any user can hold any of them. A row is locked by its schema's own user alone. It
needs a connection of its own, because DDL commits what its connection has
begun; and the server lets it go with that connection, whatever ends it.
"""

from typing import Final, Protocol

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS migration_lock (id TINYINT UNSIGNED NOT NULL PRIMARY KEY)"
    " ENGINE=InnoDB COMMENT='its one row is locked by who migrates'"
)
MADE: Final = (
    _TABLE,
    "INSERT IGNORE INTO migration_lock (id) VALUES (1)",
)
"""What has to be there; each may be repeated, and the second waits as TAKE does."""
TAKE: Final = "SELECT id FROM migration_lock WHERE id = 1 FOR UPDATE"
"""In a transaction; held until its end. Waits for innodb_lock_wait_timeout, then error 1205."""
_IDLE_SECONDS: Final = 86_400  # longer than any migration: a server may end connections that idle for a minute


class Holder(Protocol):
    """A connection as SQLAlchemy has them, which neither program loads for this."""

    def exec_driver_sql(self, statement: str) -> object: ...

    def commit(self) -> object: ...


def take(holder: Holder, seconds: int) -> None:
    """Hold the lock until the connection's transaction ends; waits for at most `seconds`, then the driver's error 1205."""
    waits = f"innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}"
    holder.exec_driver_sql(f"SET SESSION {waits}, wait_timeout = {_IDLE_SECONDS}")
    for statement in MADE:
        holder.exec_driver_sql(statement)
    holder.commit()
    holder.exec_driver_sql(TAKE)
