"""The API server's refusals, one class for each that callers treat differently."""

from typing import Any

from vivero_core.errors import BackendError, BackendNotFoundError, BackendRefusedError, BackendUnavailableError

SYSTEM = "kubernetes"


class KubeUnavailableError(BackendUnavailableError):
    """No connection, no answer in time, or a fault of the server (5xx)."""


class KubeThrottledError(KubeUnavailableError):
    """Too many requests (429).

    Attributes:
        retry_after: seconds the server asks to wait, 1 when it does not say.
    """

    def __init__(self, system: str, message: str, retry_after: float = 1.0) -> None:
        super().__init__(system, message)
        self.retry_after = retry_after


class KubeNotFoundError(BackendNotFoundError):
    """The object, or its kind, is not there (404)."""


class KubeConflictError(BackendError):
    """Someone else wrote meanwhile, a UID or version precondition failed, or a field has another owner (409)."""

    retryable = True


class KubeAlreadyExistsError(KubeConflictError):
    """A create met an object of that name (409 with the reason AlreadyExists)."""


class KubeGoneError(BackendError):
    """The resource version is older than the server remembers (410): list again."""

    retryable = True


class KubeForbiddenError(BackendRefusedError):
    """RBAC, an admission rule or a quota says no (403)."""


class KubeUnauthorizedError(BackendRefusedError):
    """The token or client certificate is not accepted (401)."""


class KubeInvalidError(BackendRefusedError):
    """The object breaks its schema or a rule of it (400, 422)."""


_BY_STATUS: dict[int, type[BackendError]] = {
    400: KubeInvalidError,
    401: KubeUnauthorizedError,
    403: KubeForbiddenError,
    404: KubeNotFoundError,
    409: KubeConflictError,
    410: KubeGoneError,
    422: KubeInvalidError,
}


def from_status(code: int, body: dict[str, Any], doing: str) -> BackendError:
    """The error for an answer that is no success; `body` is the API's Status object, or empty."""
    message = f"{doing}: {body.get('message') or f'status {code}'}"
    if code == 429:  # noqa: PLR2004  the one status with a hint how long to wait
        details = body.get("details") or {}
        return KubeThrottledError(SYSTEM, message, float(details.get("retryAfterSeconds") or 1))
    if body.get("reason") == "AlreadyExists":
        return KubeAlreadyExistsError(SYSTEM, message)
    if code == 404 and body.get("reason") != "NotFound":  # noqa: PLR2004  what the next line is about
        # A load balancer's page, or a kind that is not served: nobody has said that the object is not there.
        return KubeUnavailableError(SYSTEM, message)
    if _names_another_object(body):
        return KubeConflictError(SYSTEM, message)
    return _BY_STATUS.get(code, KubeUnavailableError)(SYSTEM, message)


def _names_another_object(body: dict[str, Any]) -> bool:
    """Whether it failed on metadata.uid: a patch or an apply says that with 422, where a delete says 409."""
    causes = (body.get("details") or {}).get("causes") or []
    return any(cause.get("field") == "metadata.uid" for cause in causes)
