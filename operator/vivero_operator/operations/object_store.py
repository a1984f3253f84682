"""A bucket as a program of an operation uses it: streams in, streams out, and what is there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from vivero_core.backends.s3.calls import Body, content_md5

from vivero_operator.archiver.lock import Lock, Mode, retention
from vivero_operator.operations.errors import DamagedError, StepFailedError
from vivero_operator.operations.orders import Account
from vivero_operator.operations.streams import Read, Reader

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, ObjectIdentifierTypeDef

_SMALL: Final = 1 << 24
_PART: Final = 8 * 1024 * 1024
_NO_LOCK: Final = frozenset(
    {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest", "NotImplemented"}
)
"""What stores say of an object that no lock keeps."""
_CONFIG: Final = Config(
    s3={"addressing_style": "path"},
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=10,
    read_timeout=60,
    # What is written is read back and compared; servers other than AWS know few of the newer checksums.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


@dataclass(frozen=True)
class StoredObject:
    """An object of a listing."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class StoredVersion:
    """A version of an object, or the mark that one was deleted."""

    key: str
    version: str
    marker: bool = False


class _Locking(TypedDict, total=False):
    ObjectLockMode: Mode
    ObjectLockRetainUntilDate: datetime


def holds(listing: Mapping[str, StoredObject], key: str, size: int) -> bool:
    """Whether a listing has an object of this key and size."""
    return key in listing and listing[key].size == size


class Uploading(Protocol):
    """Where uploads are begun, and may be left unfinished."""

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]: ...

    def abort(self, key: str, upload: str) -> None: ...


def end_uploads(store: Uploading, prefix: str) -> None:
    """End what was begun below the prefix by whoever was killed: it takes room that no listing shows."""
    for key, upload in store.uploads(prefix):
        store.abort(key, upload)


class ObjectStore:
    """One bucket. All calls block, and raise StepFailedError."""

    def __init__(self, account: Account, authority: str, lock: Lock | None = None) -> None:
        self._bucket = account.bucket
        self._lock = lock
        self._client: S3Client = Session().client(
            "s3",
            endpoint_url=account.endpoint,
            region_name=account.region,
            aws_access_key_id=account.access_key,
            aws_secret_access_key=account.secret_key,
            verify=authority,
            config=_CONFIG,
        )

    def list(self, prefix: str = "") -> dict[str, StoredObject]:
        """Everything below the prefix, by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        found: dict[str, StoredObject] = {}
        with self._translated("list"):
            for page in pages:
                for one in page.get("Contents", ()):
                    found[one["Key"]] = StoredObject(one["Key"], one["Size"], one["ETag"].strip('"'))
        return found

    def put(self, key: str, pieces: Iterator[bytes]) -> int:
        """Store a stream; how many bytes it had."""
        read = Reader(pieces).read
        part = read(_PART)
        if len(part) < _PART:
            self.put_whole(key, part, {})
            return len(part)
        with self._translated(f"write {key}"):
            upload = self._client.create_multipart_upload(Bucket=self._bucket, Key=key, **self._locking(key))[
                "UploadId"
            ]
            try:
                return self._put_parts(key, upload, part, read)
            except BaseException:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
                raise

    def _put_parts(self, key: str, upload: str, part: bytes, read: Read) -> int:
        size = 0
        parts: list[CompletedPartTypeDef] = []
        while part:
            number = len(parts) + 1
            told = self._client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=part,
                ContentMD5=content_md5(part),
            )
            parts.append({"ETag": told["ETag"], "PartNumber": number})
            size += len(part)
            part = read(_PART)
        self._client.complete_multipart_upload(
            Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
        return size

    def _locking(self, key: str) -> _Locking:
        kept = retention(self._lock, key, datetime.now(UTC))
        return {"ObjectLockMode": kept.mode, "ObjectLockRetainUntilDate": kept.until} if kept else {}

    def put_whole(self, key: str, body: Body, metadata: Mapping[str, str]) -> None:
        """Store an object at once, with what others may know of it."""
        with self._translated(f"write {key}"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                Metadata=metadata,
                ContentMD5=content_md5(body),
                **self._locking(key),
            )

    def delete(self, key: str) -> None:
        """Delete an object; no error if there is none."""
        with self._translated(f"delete {key}"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def first(self, prefix: str) -> str | None:
        """The first key below the prefix, in the order of their bytes."""
        with self._translated("list"):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)
        return next((one["Key"] for one in found.get("Contents", ())), None)

    def metadata(self, key: str) -> dict[str, str]:
        """What was stored with an object."""
        with self._translated(f"look at {key}"):
            return self._client.head_object(Bucket=self._bucket, Key=key)["Metadata"]

    def versions(self, prefix: str) -> Iterator[StoredVersion]:
        """Everything below the prefix, in the order of keys."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        with self._translated("list"):
            for page in pages:
                yield from (StoredVersion(one["Key"], one["VersionId"]) for one in page.get("Versions", ()))
                yield from (
                    StoredVersion(one["Key"], one["VersionId"], marker=True) for one in page.get("DeleteMarkers", ())
                )

    def remove(self, versions: Sequence[StoredVersion]) -> tuple[str, ...]:
        """Remove these, at most a thousand; the keys of those that the store keeps, for example under a lock."""
        named: list[ObjectIdentifierTypeDef] = [{"Key": one.key, "VersionId": one.version} for one in versions]
        with self._translated("remove"):
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": named, "Quiet": True})
        return tuple(one.get("Key", "") for one in answer.get("Errors", ()))

    def locked_until(self, version: StoredVersion) -> datetime | None:
        """Until when the store refuses to remove it; None if it does not."""
        try:
            found = self._client.get_object_retention(Bucket=self._bucket, Key=version.key, VersionId=version.version)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _NO_LOCK:
                return None
            raise StepFailedError(f"bucket {self._bucket}: look at the lock of {version.key}: {error}") from error
        return found["Retention"].get("RetainUntilDate")

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Key and id of each unfinished upload below the prefix."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
        with self._translated("list uploads"):
            return tuple((one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", ()))

    def abort(self, key: str, upload: str) -> None:
        """End an unfinished upload."""
        with self._translated(f"end the upload of {key}"):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)

    def read_whole(self, key: str) -> bytes:
        """A small object."""
        with self.open(key) as read:
            found = read(_SMALL + 1)
        if len(found) > _SMALL:
            raise DamagedError(f"bucket {self._bucket}: {key} has more than {_SMALL} bytes")
        return found

    @contextmanager
    def open(self, key: str, size: int | None = None) -> Iterator[Read]:
        """Read an object as a stream.

        Raises:
            DamagedError: it has another size than this; nothing of it is read then.
        """
        with self._translated(f"read {key}"):
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            body: Any = found["Body"]
            try:
                if size is not None and found["ContentLength"] != size:
                    raise DamagedError(
                        f"{key} is not what was written: {found['ContentLength']} bytes, and {size} were written"
                    )
                yield body.read
            finally:
                body.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown error")
            raise StepFailedError(f"bucket {self._bucket}: {doing}: {code}") from error
        except BotoCoreError as error:
            raise StepFailedError(f"bucket {self._bucket}: {doing}: {type(error).__name__}") from error
