"""Accounts of AWS: an IAM user for each tenant, whose one inline policy opens its bucket and nothing else.

IAM makes access keys itself and shows a secret once: a tenant's key is issued, stored by the caller, and from then on
compared. Buckets belong to the AWS account, as all it makes do. Users are under a path of their own, so that the operator
needs rights on them alone; what they have besides their keys comes for all users in one call, which many share for a
moment, because IAM counts the calls of a whole AWS account.

IAM is eventually consistent: what was just written may not be there yet for whoever reads it, or for S3.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from vivero_core.backends.addresses import checked_url
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents
from vivero_core.backends.s3.client import S3StorageAdmin
from vivero_core.backends.s3.errors import SYSTEM, UNKNOWN_ACCOUNT, WRONG_SECRET
from vivero_core.backends.s3.protocol import PREFIX
from vivero_core.backends.s3.transport import Call, Endpoint, Transport, translated
from vivero_core.backends.survey import Fact, tenant_of
from vivero_core.backends.ttl_cache import TtlCache
from vivero_core.errors import (
    BackendKeyGoneError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnfinishedError,
)

if TYPE_CHECKING:
    from types_boto3_iam.client import IAMClient
    from types_boto3_iam.type_defs import AccessKeyMetadataTypeDef, UserDetailTypeDef

PATH: Final = "/vivero/"
POLICY: Final = "bucket"
KEYS_AT_MOST: Final = 2
"""IAM's own bound for a user."""
ATTEMPTS: Final = 3
"""Of a call that IAM throttles, with botocore's back-off, three seconds at most; the circuit breaker's follows."""
SIGNED_IN: Final = "us-east-1"
"""IAM has one endpoint for all regions, and this one in its signatures."""
SETTLES_SECONDS: Final = 120.0
"""A new key that no list shows after so long is gone."""
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class User:
    """All that gives a user rights, except its keys.

    Attributes:
        policies: inline, by name, as JSON with sorted keys.
        attached: ARNs of managed policies.
        groups: whose rights it has too.
        boundary: the ARN of what bounds its rights, empty without one; an administrator's, and left alone.
    """

    policies: tuple[tuple[str, str], ...]
    attached: tuple[str, ...]
    groups: tuple[str, ...]
    boundary: str


def policy(bucket: str) -> str:
    """What the data plane does, and not more."""
    arn = f"arn:aws:s3:::{bucket}"
    objects = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    statements = [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn]},
        {"Effect": "Allow", "Action": objects, "Resource": [f"{arn}/*"]},
    ]
    return _canonical({"Version": "2012-10-17", "Statement": statements})


def user(detail: "UserDetailTypeDef") -> User:
    """A user of the list of all."""
    return User(
        policies=tuple(
            sorted((one["PolicyName"], _canonical(one["PolicyDocument"])) for one in detail.get("UserPolicyList", []))
        ),
        attached=tuple(sorted(one["PolicyArn"] for one in detail.get("AttachedManagedPolicies", []))),
        groups=tuple(sorted(detail.get("GroupList", []))),
        boundary=detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
    )


def _canonical(document: object) -> str:
    """Botocore decodes documents; a text that is none is kept as it is."""
    return unquote(document) if isinstance(document, str) else json.dumps(document, sort_keys=True)


class IamAccounts:
    """Implements `Accounts`."""

    def __init__(self, transport: Transport, admin: Credentials, url: str) -> None:
        self._transport = transport
        self._admin = admin
        self._url = checked_url(url, SYSTEM)
        self._users = TtlCache(self._listed)
        self._own_id = ""
        self._issued: dict[str, tuple[str, float]] = {}  # a key that no list has shown yet, and since when
        self._client: IAMClient | None = None
        self._making = threading.Lock()

    def new_key(self, account: str) -> Credentials:
        """The user is made where it is missing; of two keys, one has to go first: one that does not work, else the older."""
        with _settling(f"issue a key to IAM user {account}"):
            self._create(account)
            keys = self._keys(account)
            for one in sorted(keys, key=_age)[: len(keys) - KEYS_AT_MOST + 1]:
                self._delete_key(account, one["AccessKeyId"])
            made = self._iam.create_access_key(UserName=account)["AccessKey"]
        self._issued[account] = made["AccessKeyId"], time.monotonic()
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def ensure(self, account: Credentials, access_key: str | None) -> list[Correction]:
        name = account.name
        with _settling(f"set up IAM user {name}"):
            written = self._ensure_user(name)
            keys = {one["AccessKeyId"]: one["Status"] for one in self._keys(name)}
            if access_key in keys:
                self._issued.pop(name, None)
            elif self._was_just_issued(name, access_key):
                raise BackendUnfinishedError(SYSTEM, f"IAM does not list the new key of user {name} yet")
            if access_key is None or keys.get(access_key) != "Active":
                raise BackendKeyGoneError(SYSTEM, f"IAM user {name} has no active key {access_key}")
            self._try(account, access_key)
            others = keys.keys() - {access_key}
            for one in others:
                self._delete_key(name, one)
        return [Correction.STORAGE_ACCOUNT] if written or others else []

    def names(self) -> Iterable[str]:
        return self._listed()

    def facts(self) -> list[Fact]:
        users = self._listed()
        self._users.put(users)
        return [(tenant_of(name, PREFIX), astuple(found)) for name, found in users.items()]

    def look(self, account: str) -> object:
        """Its keys."""
        with translated(f"list the keys of IAM user {account}"):
            return sorted((one["AccessKeyId"], one["Status"]) for one in self._keys(account))

    def buckets(self) -> Mapping[str, str | None]:
        """All in tenants' names; whose they are says no list, for all are the AWS account's."""
        found: dict[str, str | None] = {}
        token = ""
        while True:
            query = {"max-buckets": str(_PAGE), "prefix": PREFIX} | ({"continuation-token": token} if token else {})
            body = self._transport.done(Call("GET", "/", query=query), self._admin).body
            found |= dict.fromkeys(documents.buckets(body))
            token = documents.text(body, "ContinuationToken")
            if not token:
                return found

    def delete(self, account: str) -> bool:
        """Keys first, so that nothing is written any more; a user that has anything cannot be deleted."""
        with translated(f"delete IAM user {account}"):
            try:
                found = self._iam.list_user_policies(UserName=account)["PolicyNames"]
            except self._iam.exceptions.NoSuchEntityException:
                return False
            for one in self._keys(account):
                self._delete_key(account, one["AccessKeyId"])
            for name in found:
                self._remove(self._iam.delete_user_policy, UserName=account, PolicyName=name)
            present = self._listed().get(account)
            if present is not None:
                self._take_what_others_gave(account, present)
            self._remove(self._iam.delete_login_profile, UserName=account)
            self._remove(self._iam.delete_user, UserName=account)
        self._users.invalidate()
        return True

    def create(self, bucket: str, owner: str) -> None:  # noqa: ARG002  its user's policy names it
        """The server says success for a bucket of ours that is there already."""
        region = self._transport.endpoint.region
        where = b"" if region == SIGNED_IN else documents.location(region)
        self._transport.done(Call("PUT", f"/{bucket}", where), self._admin)

    def wanted(self, owner: str) -> documents.Access:  # noqa: ARG002  as above
        """The AWS account's, whoever may use it: its canonical id stands in its list of buckets."""
        if not self._own_id:
            call = Call("GET", "/", query={"max-buckets": "1", "prefix": PREFIX})
            self._own_id = documents.owner(self._transport.done(call, self._admin).body)
        return documents.Access(self._own_id, frozenset())

    def give(self, bucket: str, owner: str, present: documents.Access) -> None:
        """Take grants from others. Names of buckets are the whole world's: one of another AWS account is never used."""
        if present.owner != self.wanted(owner).owner:
            raise BackendRefusedError(SYSTEM, f"bucket {bucket} belongs to another AWS account")
        call = Call("PUT", f"/{bucket}", query={"acl": ""}, headers={"x-amz-acl": "private"})
        self._transport.done(call, self._admin)

    def _ensure_user(self, account: str) -> bool:
        """Whether something had to be written."""
        present = self._users.get().get(account)
        wanted = ((POLICY, policy(account)),)
        if present is not None and present == User(wanted, (), (), present.boundary):
            return False
        if present is None:
            self._create(account)
        else:
            self._take_what_others_gave(account, present)
            for name, _ in present.policies:
                if name != POLICY:
                    self._remove(self._iam.delete_user_policy, UserName=account, PolicyName=name)
        if present is None or present.policies != wanted:
            self._iam.put_user_policy(UserName=account, PolicyName=POLICY, PolicyDocument=policy(account))
        self._users.invalidate()
        return True

    def _take_what_others_gave(self, account: str, present: User) -> None:
        for arn in present.attached:
            self._remove(self._iam.detach_user_policy, UserName=account, PolicyArn=arn)
        for group in present.groups:
            self._remove(self._iam.remove_user_from_group, UserName=account, GroupName=group)

    def _delete_key(self, account: str, key: str) -> None:
        self._remove(self._iam.delete_access_key, UserName=account, AccessKeyId=key)

    def _remove(self, call: Callable[..., object], **what: str) -> None:
        """What is gone already is as good: lists lag behind."""
        with suppress(self._iam.exceptions.NoSuchEntityException):
            call(**what)

    def _create(self, account: str) -> None:
        """A list that does not show it yet is no proof that it is missing."""
        with suppress(self._iam.exceptions.EntityAlreadyExistsException):
            self._iam.create_user(UserName=account, Path=PATH)

    def _was_just_issued(self, account: str, access_key: str | None) -> bool:
        key, when = self._issued.get(account, (None, 0.0))
        return key is not None and key == access_key and time.monotonic() - when < SETTLES_SECONDS

    def _try(self, account: Credentials, access_key: str) -> None:
        """Use the key, as the tenant would; what the answer says besides that is not of interest here."""
        call = Call("GET", f"/{account.name}", query={"list-type": "2", "max-keys": "0"})
        answer = self._transport.signed(call, Credentials(access_key, account.secret))
        if answer.code == WRONG_SECRET:
            raise BackendKeyGoneError(SYSTEM, f"key {access_key} of IAM user {account.name} has another secret")
        if answer.code == UNKNOWN_ACCOUNT:
            raise BackendUnfinishedError(SYSTEM, f"S3 does not know the key of IAM user {account.name} yet")

    def _keys(self, account: str) -> "list[AccessKeyMetadataTypeDef]":
        """None of a user that is not there."""
        try:
            return self._iam.list_access_keys(UserName=account)["AccessKeyMetadata"]
        except self._iam.exceptions.NoSuchEntityException:
            return []

    def _listed(self) -> dict[str, User]:
        """Tenants' users by name; of a name at another path only its owner knows what it is for."""
        with translated("list the IAM users"):
            pages = self._iam.get_paginator("get_account_authorization_details").paginate(
                Filter=["User"], PaginationConfig={"PageSize": _PAGE}
            )
            details = [one for page in pages for one in page["UserDetailList"]]
        named = ((one.get("UserName", ""), one) for one in details if one.get("Path") == PATH)
        return {name: user(one) for name, one in named if tenant_of(name, PREFIX)}

    @property
    def _iam(self) -> "IAMClient":
        with self._making:
            if self._client is None:
                self._client = self._new_client()
            return self._client

    def _new_client(self) -> "IAMClient":
        from boto3.session import Session  # noqa: PLC0415  heavy, as in client.py
        from botocore.config import Config  # noqa: PLC0415

        client = Session().client(
            "iam",
            endpoint_url=self._url,
            region_name=SIGNED_IN,
            aws_access_key_id=self._admin.name,
            aws_secret_access_key=self._admin.secret,
            config=Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}),
        )
        client.meta.events.register("before-send.iam", self._transport.client_handler())
        return client


@contextmanager
def _settling(doing: str) -> Iterator[None]:
    """Of a user that was just made IAM may say for a moment that there is none."""
    try:
        with translated(doing):
            yield
    except BackendNotFoundError as error:
        raise BackendUnfinishedError(SYSTEM, f"{doing}: IAM does not show it yet") from error


def _age(key: "AccessKeyMetadataTypeDef") -> tuple[bool, float]:
    return key["Status"] == "Active", key["CreateDate"].timestamp()


class IamStorageAdmin(S3StorageAdmin):
    """For AWS."""

    def __init__(self, endpoint: Endpoint, admin: Credentials, iam_url: str) -> None:
        transport = Transport(endpoint)
        super().__init__(transport, admin, IamAccounts(transport, admin, iam_url))
