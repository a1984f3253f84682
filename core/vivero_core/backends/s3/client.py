"""StorageAdmin for versitygw: accounts through its admin API, buckets through S3.

Its admin API is a handful of signed PATCH requests on the same port. Whether
an account is as wanted is asked as that account (one ListBuckets): the admin
API can only list all accounts, secrets included, which costs more with every
tenant and moves what should not move.

boto3 is imported when a bucket's owner or contents are first looked at: it
costs 15 MiB and 0.4 s that a fresh start does not have to pay.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree as ET

from vivero_core.backends import names
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import erasure
from vivero_core.backends.s3.errors import (
    NO_BUCKET,
    NO_POLICY,
    SYSTEM,
    UNKNOWN_ACCOUNT,
    WRONG_SECRET,
    from_answer,
    translated,
)
from vivero_core.backends.s3.transport import Call, Endpoint, Transport
from vivero_core.backends.survey import Survey, digests, tenant_in
from vivero_core.errors import BackendProofError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

ERASURE_SECONDS = 60.0  # a call erases for this long at most, then asks to be called again


class VersityStorageAdmin:
    """Implements `StorageAdmin`; one for the life of the program, safe for threads."""

    def __init__(self, endpoint: Endpoint, admin: Credentials) -> None:
        self._transport = Transport(endpoint)
        self._admin = admin
        self._client: S3Client | None = None
        self._making = threading.Lock()

    def close(self) -> None:
        self._transport.close()

    def ensure_account(self, account: Credentials) -> bool:
        names.bucket(account.name)
        answer = self._transport.signed(Call("GET", "/"), account)
        if answer.ok:
            return False
        if answer.code == UNKNOWN_ACCOUNT:
            # Role `user` owns what it is given and cannot create buckets.
            self._administer(Call("PATCH", "/create-user", _document("Account", account, Role="user")))
        elif answer.code == WRONG_SECRET:
            query = {"access": account.name}
            self._administer(Call("PATCH", "/update-user", _document("MutableProps", account), query))
        else:
            answer.raise_for(f"log in as {account.name}")
        return True

    def ensure_bucket(self, bucket: str, owner: str) -> bool:
        names.bucket(bucket)
        names.bucket(owner)
        present = self._owner(bucket)
        if present is None:
            self._administer(Call("PATCH", f"/{bucket}/create", headers={"x-vgw-owner": owner}))
        elif present != owner:
            self._administer(Call("PATCH", "/change-bucket-owner", query={"bucket": bucket, "owner": owner}))
        elif self._policy(bucket) is None:
            return False
        if present is not None:
            # Whoever put it there opened the bucket to others; the owner needs none.
            self._transport.signed(Call("DELETE", f"/{bucket}", query={"policy": ""}), self._admin).raise_for(
                f"remove the policy of {bucket}"
            )
        return True

    def ping(self) -> None:
        self._owner("nobody-has-this-bucket")  # costs the same however many buckets there are

    def survey(self) -> Survey:
        """Buckets and accounts come as lists; policies one by one, a millisecond each, for there is no list of them."""
        buckets = self._listed("/list-buckets", "Buckets")
        accounts = self._listed("/list-users", "Accounts")
        owned = [(tenant_in(one.get("Name", ""), "vivero-"), one) for one in buckets]
        policies = [(ident, self._policy(one["Name"])) for ident, one in owned if ident is not None]
        return digests([*owned, *policies, *((tenant_in(one.get("Access", ""), "vivero-"), one) for one in accounts)])

    def prove(self, account: Credentials, bucket: str) -> float:
        names.bucket(bucket)
        started = time.perf_counter()
        written = secrets.token_bytes(32)
        path = f"/{bucket}/.vivero-proof-{secrets.token_hex(8)}"
        self._transport.signed(Call("PUT", path, written), account).raise_for(f"write to {bucket}")
        read = self._transport.signed(Call("GET", path), account)
        read.raise_for(f"read from {bucket}")
        self._transport.signed(Call("DELETE", path), account).raise_for(f"remove the probe in {bucket}")
        if read.body != written:
            raise BackendProofError(SYSTEM, f"bucket {bucket} returned something else than was written")
        return (time.perf_counter() - started) * 1000

    def bucket_exists(self, bucket: str) -> bool:
        return self._owner(names.bucket(bucket)) is not None

    def delete_bucket(self, bucket: str) -> bool:
        if not self.bucket_exists(bucket):
            return False
        with translated(f"erase {bucket}"):
            erasure.empty(self._s3, bucket, ERASURE_SECONDS)
            self._s3.delete_bucket(Bucket=bucket)
        return True

    def delete_account(self, account: str) -> bool:
        """The admin API says success for an unknown account too, so that is asked first."""
        names.bucket(account)
        nobody = Credentials(account, secrets.token_hex(16))
        if self._transport.signed(Call("GET", "/"), nobody).code == UNKNOWN_ACCOUNT:
            return False
        self._administer(Call("PATCH", "/delete-user", query={"access": account}))
        return True

    def _listed(self, path: str, element: str) -> list[dict[str, str]]:
        """A list of the admin API, each entry's fields by name."""
        answer = self._transport.signed(Call("PATCH", path), self._admin)
        answer.raise_for(path.removeprefix("/"))
        root = ET.fromstring(answer.body)  # noqa: S314  from the one server whose certificate we checked
        return [
            {_local(field.tag): field.text or "" for field in entry} for entry in root if _local(entry.tag) == element
        ]

    def _policy(self, bucket: str) -> bytes | None:
        """The bucket's policy; None only when the server says that there is none."""
        answer = self._transport.signed(Call("GET", f"/{bucket}", query={"policy": ""}), self._admin)
        if answer.code in (NO_POLICY, NO_BUCKET):
            return None
        answer.raise_for(f"read the policy of {bucket}")
        return answer.body

    def _owner(self, bucket: str) -> str | None:
        """The account that owns the bucket; None only when the server says that there is none."""
        answer = self._transport.signed(Call("GET", f"/{bucket}", query={"acl": ""}), self._admin)
        if answer.code == NO_BUCKET:
            return None
        answer.raise_for(f"read the owner of {bucket}")
        return _owner_in(answer.body)

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
        # The stubs expect handlers to return nothing; this event's return value is its point.
        client.meta.events.register("before-send.s3", cast("Callable[..., None]", self._transport.send))
        return client


def _document(root: str, account: Credentials, **fields: str) -> bytes:
    """The admin API's XML, escaped by the library."""
    element = ET.Element(root)
    for name, value in {"Access": account.name, "Secret": account.secret, **fields}.items():
        ET.SubElement(element, name).text = value
    document: bytes = ET.tostring(element)
    return document


def _local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def _owner_in(acl: bytes) -> str:
    root = ET.fromstring(acl)  # noqa: S314  from the one server whose certificate we checked
    owner = next((element.text for element in root.iter() if element.tag.endswith("ID")), None)
    if not owner:
        raise from_answer("read an owner", 500, "an access list without one")
    return owner
