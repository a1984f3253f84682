"""What the operator asks of an object store; every call blocks, has a timeout and is idempotent.

Buckets are S3's everywhere. Accounts are not in S3: who keeps them, and how a bucket becomes one's, is an adapter (ADR
0039), chosen by the setting `s3_accounts`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.documents import Access
from vivero_core.backends.survey import Fact, Inventory, Survey
from vivero_core.backends.tally import Tally

PREFIX: Final = "vivero-"
"""What the names of tenants' buckets and accounts begin with."""


class StorageAdmin(Protocol):
    """Makes, proves and removes the account and the bucket of a tenant.

    `ensure_…` compare first and write only a difference; they return what
    they wrote. `delete_…` return True when there was something to
    delete. All raise `BackendError` and `InvalidNameError`.
    """

    def new_key(self, account: str) -> Credentials:
        """Another access key and its secret for this account; `ensure_account` with it ends all others."""
        ...

    def ensure_account(self, account: Credentials, access_key: str | None = None) -> list[Correction]:
        """An account without any right beyond its bucket, whose one key has this secret.

        Args:
            account: its name and the secret.
            access_key: the key of that secret, where it is not the account's name.

        Raises:
            BackendKeyGoneError: it has no such key, or the key another secret: only a new one can help.
        """
        ...

    def ensure_bucket(self, bucket: str, owner: str) -> list[Correction]:
        """The bucket, the account's (which has to exist), open to no one else, and keeping nothing deleted."""
        ...

    def ping(self) -> None:
        """Returns when the server answers its administrator."""
        ...

    def survey(self) -> Survey:
        """What the server holds of each tenant: its account, and all about its bucket but the contents.

        With many buckets, each survey reads some of them again.
        """
        ...

    def inventory(self) -> Inventory:
        """Which ids have a "bucket" or a "storage account" here."""
        ...

    def prove(self, account: Credentials, bucket: str) -> float:
        """As the tenant: put, get and delete an object; milliseconds it took."""
        ...

    def bucket_exists(self, bucket: str) -> bool: ...

    def holds_data(self, bucket: str) -> bool:
        """Whether the bucket is there and has at least one object, or a version of one."""
        ...

    def contents(self, bucket: str) -> Tally:
        """The keys of all objects, once for each version."""
        ...

    def delete_bucket(self, bucket: str) -> bool:
        """The bucket with all it holds: objects, versions, unfinished uploads.

        BackendUnfinishedError when that takes longer than a few seconds; the next call continues.
        """
        ...

    def delete_account(self, account: str) -> bool: ...

    def close(self) -> None:
        """Close what is not in use; no call comes after it."""
        ...


class Ownership(Protocol):
    """How a bucket becomes its account's; names are checked by the caller."""

    def create(self, bucket: str, owner: str) -> None: ...

    def wanted(self, owner: str) -> Access:
        """What the access control list says of a bucket that is this account's, and no one else's."""
        ...

    def give(self, bucket: str, owner: str, present: Access) -> None:
        """Make it so."""
        ...


class Accounts(Ownership, Protocol):
    """Who keeps the accounts of an object store; names are checked by the caller."""

    def new_key(self, account: str) -> Credentials: ...

    def ensure(self, account: Credentials, access_key: str | None) -> list[Correction]: ...

    def names(self) -> Iterable[str]: ...

    def facts(self) -> list[Fact]:
        """For a survey, what one look at all accounts tells."""
        ...

    def look(self, account: str) -> object:
        """For a survey, what has to be asked account by account, in any form that prints the same when it is the same."""
        ...

    def buckets(self) -> Mapping[str, str | None]:
        """Every bucket, and whose it is where the list says that."""
        ...

    def delete(self, account: str) -> bool: ...
