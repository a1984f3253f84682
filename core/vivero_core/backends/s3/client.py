"""StorageAdmin over S3: buckets here, accounts by whichever adapter keeps them.

boto3 is imported when a bucket's contents are first erased: it costs 15 MiB
and 0.4 s that a fresh start does not have to pay.
"""

import secrets
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from vivero_core.backends import name_checks
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import erasure
from vivero_core.backends.s3.buckets import PROBE, Buckets
from vivero_core.backends.s3.errors import SYSTEM
from vivero_core.backends.s3.protocol import PREFIX, Accounts
from vivero_core.backends.s3.transport import Call, Endpoint, Transport, translated
from vivero_core.backends.s3.versity import VersityAccounts
from vivero_core.backends.survey import Inventory, Survey, digests, holdings, tenant_of
from vivero_core.backends.tally import Tally, tally
from vivero_core.errors import (
    BackendMisconfiguredError,
    BackendProofError,
    BackendRefusedError,
    BackendUnfinishedError,
)

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

ERASURE_SECONDS: Final = 5.0  # a call erases for this long at most, then asks to be called again
SURVEY_SECONDS: Final = 2.0
"""A survey reads buckets for this long, at three milliseconds each; those read longest ago come first."""


class S3StorageAdmin:
    """Implements `StorageAdmin`; one for the life of the program, safe for threads."""

    def __init__(self, transport: Transport, admin: Credentials, accounts: Accounts) -> None:
        if not (admin.name.isascii() and admin.name.isprintable()):
            raise BackendMisconfiguredError(
                SYSTEM, "the access key contains characters that are not allowed in an HTTP header"
            )
        self._transport = transport
        self._admin = admin
        self._accounts = accounts
        self._buckets = Buckets(transport, admin, accounts)
        self._seen: dict[str, tuple[float, str]] = {}  # a bucket, when it was last read, and what it was like
        self._client: S3Client | None = None
        self._making = threading.Lock()

    def close(self) -> None:
        self._transport.close()

    def new_key(self, account: str) -> Credentials:
        return self._accounts.new_key(name_checks.bucket(account))

    def ensure_account(self, account: Credentials, access_key: str | None = None) -> list[Correction]:
        name_checks.bucket(account.name)
        return self._accounts.ensure(account, access_key)

    def ensure_bucket(self, bucket: str, owner: str) -> list[Correction]:
        name_checks.bucket(bucket)
        name_checks.bucket(owner)
        return self._buckets.ensure(bucket, owner)

    def ping(self) -> None:
        # Costs the same however many buckets there are. With the prefix, for it may have rights on such names alone.
        self._buckets.exists(f"{PREFIX}no-such-bucket")

    def survey(self) -> Survey:
        """Buckets and accounts come as lists; what a bucket is like is read one by one, for there is no list of that.

        Raises:
            BackendUnfinishedError: some buckets were never read yet; call again to continue.
        """
        owners = {name: owner for name, owner in self._accounts.buckets().items() if tenant_of(name, PREFIX)}
        accounts = self._accounts.facts()
        self._read(owners)
        buckets = [(tenant_of(name, PREFIX), (owner, self._seen[name][1])) for name, owner in owners.items()]
        return digests([*buckets, *accounts])

    def inventory(self) -> Inventory:
        buckets = ((name, "bucket") for name in self._accounts.buckets())
        accounts = ((name, "storage account") for name in self._accounts.names())
        return holdings((tenant_of(name, PREFIX), what) for name, what in (*buckets, *accounts))

    def prove(self, account: Credentials, bucket: str) -> float:
        name_checks.bucket(bucket)
        started = time.perf_counter()
        written = secrets.token_bytes(32)
        path = f"/{bucket}/{PROBE}{secrets.token_hex(8)}"
        self._transport.signed(Call("PUT", path, written), account).raise_for(f"write to {bucket}")
        read = self._transport.signed(Call("GET", path), account)
        read.raise_for(f"read from {bucket}")
        self._transport.signed(Call("DELETE", path), account).raise_for(f"remove the probe in {bucket}")
        if read.body != written:
            raise BackendProofError(SYSTEM, f"bucket {bucket} did not return what was written")
        return (time.perf_counter() - started) * 1000

    def bucket_exists(self, bucket: str) -> bool:
        return self._buckets.exists(name_checks.bucket(bucket))

    def holds_data(self, bucket: str) -> bool:
        return self._buckets.holds_data(name_checks.bucket(bucket))

    def contents(self, bucket: str) -> Tally:
        if not self.bucket_exists(bucket):
            return tally(())
        with translated(f"list {bucket}"):
            return tally(erasure.keys(self._s3, bucket))

    def delete_bucket(self, bucket: str) -> bool:
        if not self.bucket_exists(bucket):
            return False
        with translated(f"erase {bucket}"):
            erasure.empty(self._s3, bucket, ERASURE_SECONDS)
            self._s3.delete_bucket(Bucket=bucket)
        return True

    def delete_account(self, account: str) -> bool:
        return self._accounts.delete(name_checks.bucket(account))

    def _read(self, buckets: Iterable[str]) -> None:
        """Read what buckets are like into `_seen`: those never read first, then those read longest ago."""
        seen = {name: self._seen[name] for name in buckets if name in self._seen}
        self._seen = seen
        deadline = time.monotonic() + SURVEY_SECONDS
        for name in sorted(buckets, key=lambda name: seen[name][0] if name in seen else 0.0):
            if time.monotonic() > deadline:
                if name in seen:
                    return
                raise BackendUnfinishedError(SYSTEM, "many buckets, the first survey continues at the next call")
            seen[name] = (time.monotonic(), self._look_of(name))

    def _look_of(self, bucket: str) -> str:
        """As text; of one that cannot be read, what it was like before: it must not hide the others."""
        try:
            return repr((self._buckets.state(bucket), self._accounts.look(bucket)))
        except (BackendRefusedError, BackendUnfinishedError) as error:
            return self._seen[bucket][1] if bucket in self._seen else str(error)

    @property
    def _s3(self) -> "S3Client":
        # Under a lock: six threads that each make one at the same time cost 80 MiB for a moment.
        with self._making:
            if self._client is None:
                self._client = self._new_client()
            return self._client

    def _new_client(self) -> "S3Client":
        from boto3.session import Session  # noqa: PLC0415  heavy, see above
        from botocore.config import Config  # noqa: PLC0415

        endpoint = self._transport.endpoint
        client = Session().client(
            "s3",
            endpoint_url=endpoint.url,
            region_name=endpoint.region,
            aws_access_key_id=self._admin.name,
            aws_secret_access_key=self._admin.secret,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                # versitygw 1.8 can take the end of a body with a checksum behind it for the next request.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        client.meta.events.register("before-send.s3", self._transport.client_handler(ERASURE_SECONDS))
        return client


class VersityStorageAdmin(S3StorageAdmin):
    """For versitygw, whose admin API is on the same port."""

    def __init__(self, endpoint: Endpoint, admin: Credentials) -> None:
        transport = Transport(endpoint)
        super().__init__(transport, admin, VersityAccounts(transport, admin))
