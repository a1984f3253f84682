"""What the operator asks of a Valkey server; every call blocks, is bounded in time and safe to repeat."""

from typing import Protocol

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Survey


class CacheAdmin(Protocol):
    """Makes, proves and removes the cache user of a tenant, whose keys and channels start with `<user>:`.

    `ensure_user` compares first and writes only a difference; it returns
    True when it wrote. All raise `BackendError` and `InvalidNameError`.
    """

    def ensure_user(self, user: Credentials) -> bool: ...

    def prove(self, user: Credentials) -> float:
        """As the tenant: set, get and delete a key under the prefix; milliseconds it took."""
        ...

    def user_exists(self, user: str) -> bool: ...

    def ping(self) -> None:
        """Returns when the server answers its administrator."""
        ...

    def survey(self) -> Survey:
        """What the server holds of each tenant: its user, password and rules."""
        ...

    def drop_user(self, user: str) -> bool:
        """Remove the user, end its connections; True when it existed."""
        ...

    def delete_keys(self, user: str) -> int:
        """Remove every key under the user's prefix, a page at a time; how many there were."""
        ...
