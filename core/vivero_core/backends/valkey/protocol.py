"""What the operator asks of a Valkey server; every call blocks, has a timeout and is idempotent."""

from typing import Protocol

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Inventory, Survey


class CacheAdmin(Protocol):
    """Makes, proves and removes the cache user of a tenant, whose keys start with `<user>:`.

    `ensure_user` compares first and writes only a difference; it returns
    what it wrote. All raise `BackendError` and `InvalidNameError`.
    """

    def ensure_user(self, user: Credentials) -> list[Correction]:
        """The user with this password and its prefix alone; no other user in the tenant's name, or with its patterns.

        Patterns that cover more than this tenant stay: they are administrators'.
        """
        ...

    def prove(self, user: Credentials) -> float:
        """As the tenant: set, get and delete a key under the prefix; milliseconds it took."""
        ...

    def user_exists(self, user: str) -> bool: ...

    def ping(self) -> None:
        """Returns when the server answers its administrator."""
        ...

    def survey(self) -> Survey:
        """What the server holds of each tenant: its user, password and rules, and others' rules about its keys."""
        ...

    def inventory(self) -> Inventory:
        """Which ids have a "cache user" here."""
        ...

    def drop_user(self, user: str) -> bool:
        """Remove every user in the tenant's name, end their connections; True when there was one."""
        ...

    def delete_keys(self, user: str) -> int:
        """Remove every key under the user's prefix, a page at a time; how many this call found.

        BackendUnfinishedError after a few seconds; the next call continues where this one stopped.
        """
        ...

    def close(self) -> None:
        """Close what is not in use; no call comes after it."""
        ...
