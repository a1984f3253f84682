"""What the operator asks of an S3 server with accounts; every call blocks, is bounded in time and safe to repeat."""

from typing import Protocol

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.survey import Survey


class StorageAdmin(Protocol):
    """Makes, proves and removes the account and the bucket of a tenant.

    `ensure_…` compare first and write only a difference; they return True
    when they wrote. `delete_…` return True when there was something to
    delete. All raise `BackendError` and `InvalidNameError`.
    """

    def ensure_account(self, account: Credentials) -> bool:
        """An account without any right beyond the buckets it owns."""
        ...

    def ensure_bucket(self, bucket: str, owner: str) -> bool:
        """The bucket, owned by the account (which has to exist), and open to nobody else by a policy."""
        ...

    def ping(self) -> None:
        """Returns when the server answers its administrator."""
        ...

    def survey(self) -> Survey:
        """What the server holds of each tenant: its account, its bucket's owner and policy."""
        ...

    def prove(self, account: Credentials, bucket: str) -> float:
        """As the tenant: put, get and delete an object; milliseconds it took."""
        ...

    def bucket_exists(self, bucket: str) -> bool: ...

    def delete_bucket(self, bucket: str) -> bool:
        """The bucket with all it holds: objects, versions, unfinished uploads."""
        ...

    def delete_account(self, account: str) -> bool: ...
