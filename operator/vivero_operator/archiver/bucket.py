"""The backup bucket as the archiver uses it: objects that are written at once.

Not by boto3, as operations use it: that alone takes 25 MiB, and an archiver runs for each server all the time.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, Protocol

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import documents
from vivero_core.backends.s3.calls import Answer, Body, Call, content_md5
from vivero_core.errors import BackendError

from vivero_operator.archiver.lock import Lock, retention
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.streams import Read

_METADATA: Final = "x-amz-meta-"


class Objects(Protocol):
    """What a chain and a position are written with. Keys are ours: lower-case letters, digits, dashes, slashes."""

    def put_whole(self, key: str, body: Body, metadata: Mapping[str, str]) -> None:
        """Store an object at once, with what others may know of it."""
        ...

    def first(self, prefix: str) -> str | None:
        """The first key below the prefix, in the order of their bytes."""
        ...

    def metadata(self, key: str) -> dict[str, str]:
        """What was stored with an object."""
        ...

    def read_whole(self, key: str) -> bytes:
        """A small object."""
        ...


class Searched(Objects, Protocol):
    """What gaps are found with."""

    def list(self, prefix: str) -> Mapping[str, object]:
        """Everything below the prefix, by key."""
        ...


class Listed(Searched, Protocol):
    """What a chain is read with."""

    def open(self, key: str) -> AbstractContextManager[Read]:
        """Read an object as a stream."""
        ...


class Trimmed(Listed, Protocol):
    """What a chain is shortened with."""

    def delete(self, key: str) -> None:
        """Delete an object; no error if there is none."""
        ...


class Requests(Protocol):
    """What sends requests: S3's `Transport`, or `SmallTransport` where nothing else needs that."""

    def done(self, call: Call, login: Credentials) -> Answer:
        """Send one; a BackendError for whatever is no success."""
        ...

    def close(self) -> None:
        """End its connections."""
        ...


class Bucket:
    """Implements `Searched`. All calls block, and raise StepFailedError."""

    def __init__(self, requests: Requests, name: str, login: Credentials, lock: Lock | None = None) -> None:
        self._requests = requests
        self._name = name
        self._login = login
        self._lock = lock

    def close(self) -> None:
        self._requests.close()

    def put_whole(self, key: str, body: Body, metadata: Mapping[str, str]) -> None:
        headers = {_METADATA + name: value for name, value in metadata.items()} | self._locking(key, body)
        self._done(Call("PUT", f"/{self._name}/{key}", body, headers=headers))

    def _locking(self, key: str, body: Body) -> dict[str, str]:
        kept = retention(self._lock, key, datetime.now(UTC))
        if kept is None:
            return {}
        return {
            "content-md5": content_md5(body),
            "x-amz-object-lock-mode": kept.mode,
            "x-amz-object-lock-retain-until-date": kept.until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def first(self, prefix: str) -> str | None:
        query = {"list-type": "2", "max-keys": "1", "prefix": prefix}
        answer = self._done(Call("GET", f"/{self._name}", query=query))
        return next((entry["Key"] for entry in documents.entries(answer.body, "Contents")), None)

    def list(self, prefix: str) -> dict[str, datetime]:
        """Everything below the prefix, and when it was stored last."""
        found: dict[str, datetime] = {}
        query = {"list-type": "2", "prefix": prefix}
        while True:
            body = self._done(Call("GET", f"/{self._name}", query=query)).body
            entries = documents.entries(body, "Contents")
            found |= {one["Key"]: datetime.fromisoformat(one["LastModified"]) for one in entries}
            if not entries or documents.text(body, "IsTruncated") != "true":
                return found
            query["start-after"] = entries[-1]["Key"]

    def delete(self, key: str) -> None:
        """Delete an object; no error if there is none."""
        self._done(Call("DELETE", f"/{self._name}/{key}"))

    def metadata(self, key: str) -> dict[str, str]:
        answer = self._done(Call("HEAD", f"/{self._name}/{key}"))
        found = ((name, value) for name, value in answer.headers.items() if name.startswith(_METADATA))
        return {name.removeprefix(_METADATA): value for name, value in found}

    def read_whole(self, key: str) -> bytes:
        return self._done(Call("GET", f"/{self._name}/{key}")).body

    def _done(self, call: Call) -> Answer:
        try:
            return self._requests.done(call, self._login)
        except BackendError as error:
            raise StepFailedError(f"bucket {self._name}: {error}") from error
