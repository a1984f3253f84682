"""What the error codes of an S3 server, and of AWS' other services, mean to a caller."""

from typing import Final

from vivero_core.errors import (
    BackendAuthenticationError,
    BackendError,
    BackendNotFoundError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)

SYSTEM: Final = "s3"

UNKNOWN_ACCOUNT: Final = "InvalidAccessKeyId"
WRONG_SECRET: Final = "SignatureDoesNotMatch"  # noqa: S105  an error's name
NO_BUCKET: Final = "NoSuchBucket"
NO_POLICY: Final = "NoSuchBucketPolicy"
NO_VERSIONING: Final = ("VersioningNotConfigured", "NotImplemented")
NO_LOCK: Final = ("ObjectLockConfigurationNotFoundError", "NotImplemented")


_AUTHENTICATION: Final = {UNKNOWN_ACCOUNT, WRONG_SECRET, "XAdminAccessDenied", "InvalidClientTokenId"}
_NOT_FOUND: Final = {NO_BUCKET, "NoSuchKey", "NotFound", "XAdminUserNotFound", "NoSuchUpload", "NoSuchEntity"}
_THROTTLED: Final = {"Throttling", "ThrottlingException", "RequestLimitExceeded"}
_UNAVAILABLE: Final = {"SlowDown", "ServiceUnavailable", "ServiceFailure", "RequestTimeout", *_THROTTLED}
# The server responds: this one object, bucket, account or group is in use, is written to, or cannot be read.
_UNFINISHED: Final = {
    "BucketNotEmpty",
    "OperationAborted",
    "InternalError",
    "ConcurrentModification",
    "DeleteConflict",
    "EntityTemporarilyUnmodifiable",
    "InvalidUserState",
    "InvalidUserGroupState",
}


def from_answer(doing: str, status: int, code: str, system: str = SYSTEM) -> BackendError:
    """The error for an answer that is no success; the code alone is quoted, never the server's text."""
    message = f"{doing}: {code or 'no code'} (status {status})"
    if code in _UNFINISHED:
        return BackendUnfinishedError(system, message)
    if code in _UNAVAILABLE or status >= 500 or status == 429:  # noqa: PLR2004  HTTP's own borders
        return BackendUnavailableError(system, message)
    if code in _AUTHENTICATION:
        return BackendAuthenticationError(system, message)
    if code in _NOT_FOUND:
        return BackendNotFoundError(system, message)
    return BackendRefusedError(system, message)
