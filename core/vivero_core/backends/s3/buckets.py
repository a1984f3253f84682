"""Detects and corrects drift of a bucket: owner, ACL, policy, versioning, retention."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from vivero_core.backends import name_checks
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents
from vivero_core.backends.s3.errors import NO_BUCKET, NO_LOCK, NO_POLICY, NO_VERSIONING
from vivero_core.backends.s3.protocol import Ownership
from vivero_core.backends.s3.transport import Answer, Call, Transport

PROBE: Final = ".vivero-proof-"
"""What the keys of our own probes begin with: one that a crash left is no data."""
_PROBES_AT_MOST: Final = "100"


@dataclass(frozen=True, slots=True)
class State:
    """A bucket, without its contents.

    Attributes:
        access: its owner and who else has a right in it.
        policy: its policy, None without one.
        versioned: whether it keeps what is deleted, and can be told not to.
        retention: whether it forbids for some time to delete what is new.
    """

    access: documents.Access
    policy: bytes | None
    versioned: bool
    retention: bool


class Buckets:
    """Of one server, as its administrator."""

    def __init__(self, transport: Transport, admin: Credentials, ownership: Ownership) -> None:
        self._transport = transport
        self._admin = admin
        self._ownership = ownership

    def ensure(self, bucket: str, owner: str) -> list[Correction]:
        """What had to be written."""
        state = self.state(name_checks.bucket(bucket))
        if state is None:
            self._ownership.create(bucket, name_checks.bucket(owner))
            return [Correction.BUCKET]
        return [
            *self._ensure_access(bucket, name_checks.bucket(owner), state),
            *self._ensure_contents_can_go(bucket, state),
        ]

    def state(self, bucket: str) -> State | None:
        """None only when the server says that there is no such bucket."""
        acl = self._get(bucket, "acl", NO_BUCKET)
        if acl is None:
            return None
        policy = self._get(bucket, "policy", NO_BUCKET, NO_POLICY)
        versioning = self._get(bucket, "versioning", NO_BUCKET, *NO_VERSIONING)
        versioned = versioning is not None and documents.text(versioning.body, "Status") == "Enabled"
        # A server that knows versions locks none but versioned buckets.
        may_be_locked = versioned or versioning is None
        lock = self._get(bucket, "object-lock", NO_BUCKET, *NO_LOCK) if may_be_locked else None
        return State(
            access=documents.access(acl.body),
            policy=policy.body if policy is not None else None,
            versioned=versioned and lock is None,  # of a locked one it can never be taken off
            retention=lock is not None and documents.has_content(lock.body, "DefaultRetention"),
        )

    def exists(self, bucket: str) -> bool:
        return self._get(bucket, "acl", NO_BUCKET) is not None

    def holds_data(self, bucket: str) -> bool:
        call = Call("GET", f"/{bucket}", query={"versions": "", "max-keys": _PROBES_AT_MOST})
        listed = self._transport.signed(call, self._admin)
        if listed.code == NO_BUCKET:
            return False
        listed.raise_for(f"look into {bucket}")
        return any(not key.startswith(PROBE) for key in documents.keys(listed.body))

    def _ensure_access(self, bucket: str, owner: str, state: State) -> list[Correction]:
        corrections = []
        if state.access != self._ownership.wanted(owner):
            self._ownership.give(bucket, owner, state.access)
            corrections.append(Correction.BUCKET_ACCESS)
        if state.policy is not None:
            # A policy opens the bucket to others; whose it is needs none.
            self._do(Call("DELETE", f"/{bucket}", query={"policy": ""}))
            corrections.append(Correction.BUCKET_POLICY)
        return corrections

    def _ensure_contents_can_go(self, bucket: str, state: State) -> list[Correction]:
        corrections = []
        if state.retention:
            self._put(bucket, "object-lock", documents.NO_RETENTION)
            corrections.append(Correction.BUCKET_RETENTION)
        if state.versioned:
            self._put(bucket, "versioning", documents.SUSPENDED)
            corrections.append(Correction.BUCKET_VERSIONING)
        return corrections

    def _get(self, bucket: str, what: str, *absent: str) -> Answer | None:
        """None only when the server says one of the codes for what is not there."""
        answer = self._transport.signed(Call("GET", f"/{bucket}", query={what: ""}), self._admin)
        if answer.code in absent:
            return None
        answer.raise_for(f"read the {what} of {bucket}")
        return answer

    def _put(self, bucket: str, what: str, body: bytes) -> None:
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        self._do(Call("PUT", f"/{bucket}", body, {what: ""}, {"Content-MD5": digest}))

    def _do(self, call: Call) -> None:
        self._transport.done(call, self._admin)
