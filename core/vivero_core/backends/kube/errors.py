"""Errors of the API server, one class for each that callers handle differently."""

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with an object.

    Attributes:
        field: its path, for example `spec.slug`; empty when the rule names none (an admission policy).
        message: the whole sentence, as it stands in the definition when a rule of ours says no.
    """

    field: str
    message: str


class KubeRefusedError(BackendRefusedError):
    """The object, or the right to write it, was refused.

    Attributes:
        causes: one for each field at fault, in the server's order; empty when the server gives none.
    """

    def __init__(self, system: str, message: str, causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(system, message)
        self.causes = causes


class KubeForbiddenError(KubeRefusedError):
    """RBAC, an admission rule or a quota says no (403)."""


class KubeUnauthorizedError(BackendRefusedError):
    """The token or client certificate is not accepted (401)."""


class KubeInvalidError(KubeRefusedError):
    """The object breaks its schema or a rule of it (400, 422, and 500 for an apply that does not fit the schema)."""


_BY_STATUS: Final[dict[int, type[BackendError]]] = {
    400: KubeInvalidError,
    401: KubeUnauthorizedError,
    403: KubeForbiddenError,
    404: KubeNotFoundError,
    409: KubeConflictError,
    410: KubeGoneError,
    422: KubeInvalidError,
    429: KubeThrottledError,
}
_APPLY_UNFIT: Final = "failed to create typed patch object"
"""How a server-side apply begins its 500 for an object that does not fit the schema: no fault of the server."""
_RULES_LEFT_OUT: Final = "<nil>"
"""The field of a remark that rules were not evaluated, because of the causes beside it."""
_BARE: Final = re.compile(
    r"(?:Required value|Forbidden|ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request): "
)
_WITH_VALUE: Final = re.compile(r"(?:Invalid value|Duplicate value): ")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def from_status(code: int, body: dict[str, Any], doing: str) -> BackendError:
    """The error for an answer that is no success; `body` is the API's Status object, or empty."""
    message = f"{doing}: {body.get('message') or f'status {code}'}"
    causes = _causes(body)
    kind = _kind(code, body, causes)
    if issubclass(kind, KubeThrottledError):
        details = body.get("details") or {}
        return kind(SYSTEM, message, float(details.get("retryAfterSeconds") or 1))
    if issubclass(kind, KubeRefusedError):
        return kind(SYSTEM, message, causes)
    return kind(SYSTEM, message)


def _kind(code: int, body: dict[str, Any], causes: tuple[Cause, ...]) -> type[BackendError]:
    reason = body.get("reason")
    if reason == "AlreadyExists":
        return KubeAlreadyExistsError
    if code == 404 and reason != "NotFound":  # noqa: PLR2004  what the next line is about
        # A load balancer's page, or a kind that is not served: it does not mean that the object does not exist.
        return KubeUnavailableError
    if any(cause.field == "metadata.uid" for cause in causes):
        # A patch or an apply for another object of this name says that with 422, where a delete says 409.
        return KubeConflictError
    if str(body.get("message")).startswith(_APPLY_UNFIT):
        return KubeInvalidError
    return _BY_STATUS.get(code, KubeUnavailableError)


def _causes(body: dict[str, Any]) -> tuple[Cause, ...]:
    given = (body.get("details") or {}).get("causes") or []
    causes = [Cause(str(one.get("field") or ""), _sentence(str(one.get("message") or ""))) for one in given]
    return tuple(cause for cause in causes if cause.field != _RULES_LEFT_OUT)


def _sentence(message: str) -> str:
    """What is wrong, without the server's prefix: its kind of error and the value, or the name of a policy.

    A message that is nothing but kind and value stays whole.
    """
    bare = _BARE.match(message)
    if bare is not None:
        return message[bare.end() :]
    valued = _WITH_VALUE.match(message)
    if valued is None:
        return message
    return message[_value_end(message, valued.end()) :].removeprefix(": ") or message


def _value_end(message: str, start: int) -> int:
    """Where the value that begins at `start` ends: a string quoted as in Go, JSON, or a bare word."""
    quoted = _QUOTED.match(message, start)
    if quoted is not None:
        return quoted.end()
    with contextlib.suppress(ValueError):
        end = json.JSONDecoder().raw_decode(message, start)[1]
        if message[end : end + 2] in ("", ": "):
            return end
    colon = message.find(": ", start)
    return len(message) if colon < 0 else colon
