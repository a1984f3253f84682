"""DatabaseAdmin over pymysql: blocking, so the operator calls it in threads."""

import time
from typing import Final

from vivero_core.backends import name_checks
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb import as_of, erasure, numbering, programs, repair, replacement, statements, surveys
from vivero_core.backends.mariadb.connections import WORK_SECONDS, Connections, Server
from vivero_core.backends.mariadb.errors import SYSTEM, USER_LIMIT_REACHED, code_of
from vivero_core.backends.mariadb.program import Others, Program
from vivero_core.backends.mariadb.replacement import Announced, Replacement
from vivero_core.backends.survey import Inventory, Survey
from vivero_core.backends.tally import Tally, tally
from vivero_core.errors import BackendError, BackendProofError, BackendRefusedError
from vivero_core.model.recoverability import VARIABLES

__all__ = ["MariaDbAdmin", "Server"]

ERASURE_SECONDS: Final = WORK_SECONDS  # a call erases for this long at most, then asks to be called again


class MariaDbAdmin:
    """Implements `DatabaseAdmin` for one server; one for the life of the program, safe for threads."""

    def __init__(self, server: Server, admin: Credentials) -> None:
        self.server = server
        self._connections = Connections(server, admin)
        self._session = self._connections.admins
        self._own_attributes: set[str] = set()

    def close(self) -> None:
        self._connections.close()

    def ensure_database(self, database: str) -> list[Correction]:
        with self._session(f"create database {database}") as cursor:
            return repair.ensure_database(cursor, database)

    def ensure_user(self, user: Credentials, database: str, max_connections: int) -> list[Correction]:
        with self._session(f"set up user {user.name}") as cursor:
            return repair.UserRepair(cursor, user, database, max_connections, self._own_attributes).ensure()

    def prove(self, user: Credentials, database: str) -> float:
        started = time.perf_counter()
        with self._connections.tenants(f"prove database {database}", user, database) as cursor:
            # Temporary: it needs the schema's rights, yet leaves nothing for backups or replicas.
            cursor.execute("CREATE TEMPORARY TABLE vivero_proof (n INT PRIMARY KEY)")
            cursor.execute("INSERT INTO vivero_proof VALUES (42)")
            cursor.execute("SELECT n FROM vivero_proof")
            row = cursor.fetchone()
            cursor.execute("DELETE FROM vivero_proof")
        if row != (42,):
            raise BackendProofError(SYSTEM, f"database {database} did not return what was written")
        return (time.perf_counter() - started) * 1000

    def can_login(self, user: Credentials, database: str) -> bool:
        try:
            with self._connections.tenants(f"log in as {user.name}", user, database):
                return True
        except BackendRefusedError:
            return False
        except BackendError as error:
            if code_of(error.__cause__) == USER_LIMIT_REACHED:
                return True  # the password was right, every connection is in use
            raise

    def database_exists(self, database: str) -> bool:
        return self._finds(f"look for database {database}", statements.find_database(database))

    def holds_data(self, database: str) -> bool:
        return self._finds(f"look for tables in {database}", statements.find_table(database))

    def tables(self, database: str) -> Tally:
        schemas = name_checks.schemas(database)
        with self._session(f"list the tables of {database}") as cursor:
            found = [f"{schema}.{table}" for schema in schemas for table in erasure.tables(cursor, schema)]
        return tally(sorted(found, key=str.encode))

    def user_exists(self, user: str) -> bool:
        return self._finds(f"look for user {user}", statements.find_user(user))

    def tenant_databases(self) -> list[str]:
        with self._session("list databases") as cursor:
            return surveys.schemas(cursor)

    def survey(self) -> Survey:
        with self._session("survey the tenants") as cursor:
            return surveys.survey(cursor)

    def inventory(self) -> Inventory:
        with self._session("list tenants' schemas and users") as cursor:
            return surveys.inventory(cursor)

    def drop_users(self, database: str) -> bool:
        with self._session(f"drop the users of {database}") as cursor:
            return repair.drop_tenant(cursor, database)

    def drop_database(self, database: str) -> bool:
        with self._session(f"drop database {database}", tenants_data=True) as cursor:
            return erasure.drop(cursor, database, ERASURE_SECONDS)

    def begin_replacement(self, database: str, owner: Credentials, user: Credentials, max_connections: int) -> None:
        self._give_back(database, owner)
        with self._session(f"make a schema beside {database}", tenants_data=True) as cursor:
            replacement.begin(cursor, database, user, max_connections, time.monotonic() + ERASURE_SECONDS)

    def prepare_replacement(self, database: str) -> str | None:
        with self._session(f"prepare to replace {database}", tenants_data=True) as cursor:
            return replacement.prepare(cursor, database, time.monotonic() + ERASURE_SECONDS)

    def announce_replacement(self, database: str, told: Replacement) -> Announced:
        with self._session(f"note the replacement of {database}", tenants_data=True) as cursor:
            return replacement.announce(cursor, database, told)

    def replace(self, database: str, owner: Credentials) -> bool:
        doing = f"replace the tables of {database}"
        with self._session(doing, tenants_data=True) as cursor:
            if not replacement.switch(cursor, database):
                return False
            awaited = replacement.awaited(cursor, database)
        self._make(database, owner, awaited)
        with self._session(doing, tenants_data=True) as cursor:
            replacement.settle(cursor, database, time.monotonic() + ERASURE_SECONDS)
        return True

    def discard_replacement(self, database: str, owner: Credentials) -> None:
        self._give_back(database, owner)
        with self._session(f"drop the schema beside {database}", tenants_data=True) as cursor:
            replacement.discard(cursor, database, time.monotonic() + ERASURE_SECONDS)

    def begin_view(self, database: str, user: Credentials, max_connections: int) -> None:
        with self._session(f"make schemas beside {database}", tenants_data=True) as cursor:
            as_of.begin(cursor, database, user, max_connections, time.monotonic() + ERASURE_SECONDS)

    def is_view_older(self, database: str) -> bool:
        with self._session(f"compare what is beside {database} with it", tenants_data=True) as cursor:
            return as_of.is_older(cursor, database)

    def open_view(self, database: str, user: Credentials, max_connections: int) -> str | None:
        with self._session(f"let {user.name} only read", tenants_data=True) as cursor:
            return as_of.open_to_readers(cursor, database, user, max_connections)

    def discard_view(self, database: str) -> None:
        with self._session(f"drop the schemas as of a second beside {database}", tenants_data=True) as cursor:
            as_of.discard(cursor, database, time.monotonic() + ERASURE_SECONDS)

    def _give_back(self, database: str, owner: Credentials) -> None:
        """What a replacement that was given up has dropped of the live schema."""
        with self._session(f"look for what {database} lacks", tenants_data=True) as cursor:
            lost = replacement.taken_away(cursor, database)
        self._make(database, owner, lost)

    def _make(self, database: str, owner: Credentials, found: list[Program]) -> None:
        """As the tenant itself, who may no more than its own."""
        if not found:
            return
        with self._connections.tenants(f"make views, triggers and routines of {database}", owner, database) as cursor:
            programs.make(cursor, found, database)

    def programs_of_others(self, database: str, owner: str) -> Others:
        with self._session(f"look for routines of others in {database}") as cursor:
            return programs.of_others(cursor, name_checks.database(database), owner)

    def ping(self) -> None:
        with self._session("ping"):
            return

    def server_version(self) -> str:
        with self._session("query the server version") as cursor:
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
        return str(row[0]) if row else ""

    def log_settings(self) -> dict[str, str]:
        with self._session("query the settings of the binary log") as cursor:
            names = ", ".join(["%s"] * len(VARIABLES))
            cursor.execute(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})", VARIABLES)
            return {str(name): str(value) for name, value in cursor.fetchall()}

    def log_position(self) -> tuple[int, str]:
        """The domain in which the server counts its transactions, and the last ones of all domains."""
        with self._session("query the position of the binary log") as cursor:
            return numbering.current(cursor)

    def count_on_from(self, number: int) -> None:
        """Give the next transaction this number.

        Raises:
            BackendRefusedError: the administrator may not; it takes the right BINLOG REPLAY.
        """
        with self._session("go on counting transactions") as cursor:
            numbering.proceed(cursor, number)

    def _finds(self, doing: str, statement: statements.Statement) -> bool:
        with self._session(doing) as cursor:
            cursor.execute(*statement)
            return cursor.fetchone() is not None
