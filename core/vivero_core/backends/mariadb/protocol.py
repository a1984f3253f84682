"""What the operator asks of a MariaDB server; every call blocks, is bounded in time and safe to repeat."""

from typing import Protocol

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Survey


class DatabaseAdmin(Protocol):
    """Makes, proves and removes the schema and the user of a tenant.

    `ensure_…` compare first and write only a difference; they return True
    when they wrote. `drop_…` return True when there was something to drop.
    All raise `BackendError` (see `vivero_core.errors`) and, for a name that
    is not a tenant's, `InvalidNameError`.
    """

    def ensure_database(self, database: str) -> bool: ...

    def ensure_user(self, user: Credentials, database: str, max_connections: int) -> bool:
        """The user with this password, TLS required, this limit, and rights on this schema alone."""
        ...

    def set_locked(self, user: str, *, locked: bool) -> bool:
        """Refuse (or allow again) new logins of the user; running connections stay."""
        ...

    def prove(self, user: Credentials, database: str) -> float:
        """Log in as the tenant over TLS, write, read and remove a row; milliseconds it took."""
        ...

    def can_login(self, user: Credentials, database: str) -> bool:
        """Whether exactly these credentials open this schema; False only for a refusal."""
        ...

    def database_exists(self, database: str) -> bool: ...

    def user_exists(self, user: str) -> bool: ...

    def tenant_databases(self) -> list[str]:
        """Names of all tenants' schemas on this server, sorted."""
        ...

    def survey(self) -> Survey:
        """What the server holds of each tenant: schema, users, every privilege of theirs."""
        ...

    def drop_user(self, user: str) -> bool:
        """Remove the user and end its connections."""
        ...

    def drop_database(self, database: str) -> bool: ...

    def ping(self) -> None:
        """Returns when the server answers its administrator."""
        ...

    def server_version(self) -> str:
        """As the server says it, for example `10.11.14-MariaDB-0+deb12u2`."""
        ...
