"""What the operator asks of an S3 server with accounts; every call blocks, has a timeout and is idempotent."""

from typing import Protocol

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Inventory, Survey


class StorageAdmin(Protocol):
    """Makes, proves and removes the account and the bucket of a tenant.

    `ensure_…` compare first and write only a difference; they return what
    they wrote. `delete_…` return True when there was something to
    delete. All raise `BackendError` and `InvalidNameError`.
    """

    def ensure_account(self, account: Credentials) -> list[Correction]:
        """An account without any right beyond the buckets it owns."""
        ...

    def ensure_bucket(self, bucket: str, owner: str) -> list[Correction]:
        """The bucket, owned by the account (which has to exist), open to no one else, and keeping nothing deleted."""
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

    def delete_bucket(self, bucket: str) -> bool:
        """The bucket with all it holds: objects, versions, unfinished uploads.

        BackendUnfinishedError when that takes longer than a few seconds; the next call continues.
        """
        ...

    def delete_account(self, account: str) -> bool: ...

    def close(self) -> None:
        """Close what is not in use; no call comes after it."""
        ...
