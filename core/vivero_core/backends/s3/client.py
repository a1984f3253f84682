"""StorageAdmin for versitygw: accounts through its admin API, buckets through S3.

Its admin API is a handful of signed PATCH requests on the same port. Whether
an account's secret is the desired one is asked as that account (one ListBuckets).
Its role can only be read from a list of all accounts, which costs more with
every tenant: many calls share one for a moment, and of it nothing is kept but
the names of those that differ.

boto3 is imported when a bucket's contents are first erased: it costs 15 MiB
and 0.4 s that a fresh start does not have to pay.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from vivero_core.backends import name_checks
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents, erasure
from vivero_core.backends.s3.buckets import PROBE, Buckets
from vivero_core.backends.s3.errors import SYSTEM, UNKNOWN_ACCOUNT, WRONG_SECRET, translated
from vivero_core.backends.s3.transport import Call, Endpoint, Transport
from vivero_core.backends.survey import Fact, Inventory, Survey, digests, holdings, tenant_in, tenant_of
from vivero_core.backends.ttl_cache import TtlCache
from vivero_core.errors import (
    BackendMisconfiguredError,
    BackendProofError,
    BackendRefusedError,
    BackendUnfinishedError,
)

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PREFIX: Final = "vivero-"
ERASURE_SECONDS: Final = 5.0  # a call erases for this long at most, then asks to be called again
SURVEY_SECONDS: Final = 2.0
"""A survey reads buckets for this long, at three milliseconds each; those read longest ago come first."""


class VersityStorageAdmin:
    """Implements `StorageAdmin`; one for the life of the program, safe for threads."""

    def __init__(self, endpoint: Endpoint, admin: Credentials) -> None:
        if not (admin.name.isascii() and admin.name.isprintable()):
            raise BackendMisconfiguredError(
                SYSTEM, "the access key contains characters that are not allowed in an HTTP header"
            )
        self._transport = Transport(endpoint)
        self._admin = admin
        self._buckets = Buckets(self._transport, admin)
        self._odd_accounts = TtlCache(lambda: _odd(self._listed("/list-users", "Accounts")))
        self._seen: dict[str, tuple[float, str]] = {}  # a bucket, when it was last read, and what it was like
        self._client: S3Client | None = None
        self._making = threading.Lock()

    def close(self) -> None:
        self._transport.close()

    def ensure_account(self, account: Credentials) -> list[Correction]:
        name_checks.bucket(account.name)
        answer = self._transport.signed(Call("GET", "/"), account)
        if answer.code == UNKNOWN_ACCOUNT:
            self._administer(Call("PATCH", "/create-user", documents.account(account)))
        elif answer.code == WRONG_SECRET or (answer.ok and account.name in self._odd_accounts.get()):
            query = {"access": account.name}
            self._administer(Call("PATCH", "/update-user", documents.changes(account), query))
            self._odd_accounts.invalidate()
        else:
            answer.raise_for(f"log in as {account.name}")
            return []
        return [Correction.STORAGE_ACCOUNT]

    def ensure_bucket(self, bucket: str, owner: str) -> list[Correction]:
        name_checks.bucket(bucket)
        name_checks.bucket(owner)
        return self._buckets.ensure(bucket, owner)

    def ping(self) -> None:
        self._buckets.exists("no-such-bucket")  # costs the same however many buckets there are

    def survey(self) -> Survey:
        """Buckets and accounts come as lists; what a bucket is like is read one by one, for there is no list of that.

        Raises:
            BackendUnfinishedError: some buckets were never read yet; call again to continue.
        """
        buckets = self._listed("/list-buckets", "Buckets")
        accounts = self._listed("/list-users", "Accounts")
        self._odd_accounts.put(_odd(accounts))
        owners = {name: one.get("Owner") for one in buckets if tenant_of(name := one.get("Name", ""), PREFIX)}
        self._read(owners)
        facts: list[Fact] = [(tenant_of(name, PREFIX), (owner, self._seen[name][1])) for name, owner in owners.items()]
        facts += [(tenant_in(one.get("Access", ""), PREFIX), sorted(one.items())) for one in accounts]
        return digests(facts)

    def inventory(self) -> Inventory:
        buckets = ((one.get("Name", ""), "bucket") for one in self._listed("/list-buckets", "Buckets"))
        accounts = ((one.get("Access", ""), "storage account") for one in self._listed("/list-users", "Accounts"))
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

    def delete_bucket(self, bucket: str) -> bool:
        if not self.bucket_exists(bucket):
            return False
        with translated(f"erase {bucket}"):
            erasure.empty(self._s3, bucket, ERASURE_SECONDS)
            self._s3.delete_bucket(Bucket=bucket)
        return True

    def delete_account(self, account: str) -> bool:
        """The admin API says success for an unknown account too, so that is asked first."""
        name_checks.bucket(account)
        nobody = Credentials(account, secrets.token_hex(16))
        if self._transport.signed(Call("GET", "/"), nobody).code == UNKNOWN_ACCOUNT:
            return False
        self._administer(Call("PATCH", "/delete-user", query={"access": account}))
        return True

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
            return repr(self._buckets.state(bucket))
        except (BackendRefusedError, BackendUnfinishedError) as error:
            return self._seen[bucket][1] if bucket in self._seen else str(error)

    def _listed(self, path: str, element: str) -> list[dict[str, str]]:
        """A list of the admin API, each entry's fields by name."""
        answer = self._transport.signed(Call("PATCH", path), self._admin)
        answer.raise_for(path.removeprefix("/"))
        return documents.entries(answer.body, element)

    def _administer(self, call: Call) -> None:
        self._transport.signed(call, self._admin).raise_for(call.path.removeprefix("/"))

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
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        send = partial(self._transport.send, tenants_data=ERASURE_SECONDS)
        # The stubs expect handlers to return nothing; this event's return value is its point.
        client.meta.events.register("before-send.s3", cast("Callable[..., None]", send))
        return client


def _odd(accounts: Iterable[dict[str, str]]) -> frozenset[str]:
    """Accounts in a tenant's name that may do more than, or something else than, ours."""
    named = ((one.get("Access", ""), one) for one in accounts)
    return frozenset(name for name, one in named if tenant_of(name, PREFIX) and not documents.is_plain(one))
