"""What can go wrong, as one family: each error knows its HTTP status and what to tell the caller.

Raised by services and clients, turned into problem+json or a page at the
edge (`lib/problem.py`). Details are written for the person who reads them
and never carry a secret.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one input field."""

    field: str
    message: str


class DataPlaneError(Exception):
    """Root of every error of this package.

    Attributes:
        status: HTTP status of the answer.
        slug: last part of the problem's `type`, stable for programs.
        title: short summary, the same for every occurrence.
        detail: this occurrence, for a person.
        errors: the input fields at fault.
        headers: extra response headers, such as Retry-After.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self, detail: str = "", *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class IsolationError(DataPlaneError):
    """What belongs to another workspace is open to this one."""

    slug = "not-isolated"
    title = "This workspace is not isolated"


class InvalidInputError(DataPlaneError):
    """Well formed, but a field's value cannot be accepted."""

    status = 422
    slug = "invalid-input"
    title = "Some of the input cannot be accepted"

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidInputError":
        """One field at fault."""
        return cls.of_all([FieldError(field, message)])

    @classmethod
    def of_all(cls, errors: Sequence[FieldError]) -> "InvalidInputError":
        """Every field at fault."""
        return cls("; ".join(f"{error.field}: {error.message}" for error in errors), errors=errors)


class NotSignedInError(DataPlaneError):
    """No valid credentials came with the request."""

    status = 401
    slug = "not-signed-in"
    title = "You are not signed in"


class NotAllowedError(DataPlaneError):
    """Signed in, but the role does not permit this."""

    status = 403
    slug = "not-allowed"
    title = "Your role does not allow this"


class CrossSiteError(DataPlaneError):
    """A browser sent this on behalf of another site."""

    status = 403
    slug = "cross-site"
    title = "This request came from another site"


class NotFoundError(DataPlaneError):
    """Nothing of that name is here, or not for this caller."""

    status = 404
    slug = "not-found"
    title = "There is nothing here"


class ConflictError(DataPlaneError):
    """It contradicts what is stored: a taken name, a changed record."""

    status = 409
    slug = "conflict"
    title = "This contradicts what is stored"


class PlanLimitError(DataPlaneError):
    """The plan's limit is reached."""

    status = 402
    slug = "plan-limit"
    title = "Your plan's limit is reached"


class TooLargeError(DataPlaneError):
    """The body or file exceeds its bound."""

    status = 413
    slug = "too-large"
    title = "This is too large"


class MediaTypeError(DataPlaneError):
    """The body is of a kind that this address does not read."""

    status = 415
    slug = "unsupported-media-type"
    title = "This kind of content is not understood here"


class TooManyRequestsError(DataPlaneError):
    """Slow down; Retry-After says for how long."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class UnavailableError(DataPlaneError):
    """A backing service does not answer; worth trying again."""

    status = 503
    slug = "unavailable"
    title = "A service we depend on does not answer"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class SettingsError(DataPlaneError):
    """The process cannot start as configured; the message names the variable or file."""


def explained(error: DataPlaneError) -> str:
    """Its detail and what caused it, by kind and number: a library's own words may hold an address or a login."""
    causes, cause = [], error.__cause__
    while cause is not None:
        causes.append(_kind(cause))
        cause = cause.__cause__
    return f"{error.detail} ({', '.join(causes)})" if causes else error.detail


def _kind(cause: BaseException) -> str:
    if isinstance(cause, DataPlaneError):
        return cause.detail.rstrip(".")
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    return type(cause).__name__ if number is None else f"{type(cause).__name__} {number}"
