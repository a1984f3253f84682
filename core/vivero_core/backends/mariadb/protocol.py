"""What the operator asks of a MariaDB server; every call blocks, has a timeout and is idempotent."""

from typing import Protocol

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.program import Others
from vivero_core.backends.mariadb.replacement import Announced, Replacement
from vivero_core.backends.survey import Inventory, Survey
from vivero_core.backends.tally import Tally


class DatabaseAdmin(Protocol):
    """Makes, proves and removes the schema and the user of a tenant.

    `ensure_…` compare first and write only a difference; they return what
    they wrote. `drop_…` return True when there was something to drop.
    All raise `BackendError` (see `vivero_core.errors`) and, for a name that
    is not a tenant's, `InvalidNameError`.
    """

    def ensure_database(self, database: str) -> list[Correction]:
        """The schema, with our default character set and collation, and beside it that of the audit log with its table."""
        ...

    def ensure_user(self, user: Credentials, database: str, max_connections: int) -> list[Correction]:
        """The user with this password, TLS required, this limit, all rights on this schema, and nothing else about it.

        To its audit log it may add, and read it. All other accounts in the tenant's name go, and everybody else's rights
        on these very schemas. Global rights and those on a pattern that covers more stay: they are administrators'.
        """
        ...

    def prove(self, user: Credentials, database: str) -> float:
        """Log in as the tenant over TLS, write, read and remove a row; milliseconds it took."""
        ...

    def can_login(self, user: Credentials, database: str) -> bool:
        """Whether exactly these credentials open this schema; False only for a refusal."""
        ...

    def database_exists(self, database: str) -> bool: ...

    def holds_data(self, database: str) -> bool:
        """Whether the schema is there and has at least one table."""
        ...

    def tables(self, database: str) -> Tally:
        """The tables of the schema and of its audit log, as `schema.table`."""
        ...

    def user_exists(self, user: str) -> bool: ...

    def tenant_databases(self) -> list[str]:
        """Names of all tenants' schemas on this server, sorted."""
        ...

    def survey(self) -> Survey:
        """What the server holds of each tenant: schema, accounts at any host, rights of theirs and on what is theirs."""
        ...

    def inventory(self) -> Inventory:
        """Which ids have a "schema" or "database users" here."""
        ...

    def drop_users(self, database: str) -> bool:
        """Remove every account in the tenant's name and all rights on its schemas, and end the connections."""
        ...

    def drop_database(self, database: str) -> bool:
        """All schemas of the tenant with all they hold; BackendUnfinishedError when that takes longer than a few seconds."""
        ...

    def begin_replacement(self, database: str, owner: Credentials, user: Credentials, max_connections: int) -> None:
        """An empty schema `vt<id>next`, and a user who may fill it and nothing else. BackendUnfinishedError as above.

        `owner`: the tenant's own login, here and below, which makes the programs of its schema.
        """
        ...

    def prepare_replacement(self, database: str) -> str | None:
        """Make room for what `replace` moves away; why it could not, as a sentence. BackendUnfinishedError as above."""
        ...

    def announce_replacement(self, database: str, told: Replacement) -> Announced:
        """Tell the audit log, behind the last write to the live tables; the same when it is called again."""
        ...

    def replace(self, database: str, owner: Credentials) -> bool:
        """Move the live tables to `vt<id>last` and those of `vt<id>next` into their place, at once; then make its programs.

        Whether it is done, now or by an earlier call; False when nothing was there to be moved. BackendUnfinishedError as
        above.
        """
        ...

    def discard_replacement(self, database: str, owner: Credentials) -> None:
        """Remove `vt<id>next` and its user, and bring back programs that `replace` has dropped before it was given up.

        BackendUnfinishedError as above.
        """
        ...

    def programs_of_others(self, database: str, owner: str) -> Others:
        """Routines and events in this schema that are not this user's, who could not read them."""
        ...

    def begin_view(self, database: str, user: Credentials, max_connections: int) -> None:
        """Two empty schemas `vt<id>asof` and `vt<id>asofaudit`, and a user who may fill them and nothing else.

        BackendUnfinishedError as above.
        """
        ...

    def is_view_older(self, database: str) -> bool:
        """Whether what they hold is of an older revision than the live schema."""
        ...

    def open_view(self, database: str, user: Credentials, max_connections: int) -> str | None:
        """From now on the user may only read them; why a program of today could not, as a sentence."""
        ...

    def discard_view(self, database: str) -> None:
        """Remove both and the user. BackendUnfinishedError as above."""
        ...

    def ping(self) -> None:
        """Returns when the server answers its administrator."""
        ...

    def server_version(self) -> str:
        """As the server says it, for example `10.11.14-MariaDB-0+deb12u2`."""
        ...

    def log_settings(self) -> dict[str, str]:
        """The server's variables that recoverability.py is about."""
        ...

    def close(self) -> None:
        """Close what is not in use; no call comes after it."""
        ...
