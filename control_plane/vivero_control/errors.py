"""What the control plane refuses or cannot do: one root; each class says its HTTP status and title.

Services raise these; lib/problem.py turns them into problem+json, the pages
into words. A message is for the person who called: no secret, no internals.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from vivero_core.errors import ViveroError


class FieldError(msgspec.Struct, frozen=True):
    """One input field and a sentence that says what to change."""

    field: str
    message: str


class ControlPlaneError(ViveroError):
    """Root of the control plane's errors.

    Attributes:
        status: HTTP status.
        title: the same for every error of the class, for programs and logs.
        detail: a sentence about this one, for people.
        errors: the fields that are wrong, if it is about input.
        headers: to send along, for example Retry-After.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class InvalidInputError(ControlPlaneError):
    """Fields of the input break a rule; `errors` names each."""

    status = 422
    title = "Invalid input"

    @classmethod
    def of(cls, *errors: FieldError) -> "InvalidInputError":
        return cls("Some fields need your attention: " + ", ".join(sorted({e.field for e in errors})), errors=errors)


class ConflictError(ControlPlaneError):
    """It contradicts what is there now."""

    status = 409
    title = "Conflict"


class NotFoundError(ControlPlaneError):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    title = "Not found"


class NotAuthenticatedError(ControlPlaneError):
    """No valid login."""

    status = 401
    title = "Not authenticated"


class NotPermittedError(ControlPlaneError):
    """Logged in, but not allowed to do this."""

    status = 403
    title = "Not permitted"


class TooManyRequestsError(ControlPlaneError):
    """Slow down; `Retry-After` says for how long."""

    status = 429
    title = "Too many requests"

    @classmethod
    def after(cls, seconds: float, detail: str = "Too many requests from your address.") -> "TooManyRequestsError":
        wait = max(1, int(seconds + 0.999))
        return cls(f"{detail} Try again in {wait} seconds.", headers={"Retry-After": str(wait)})


class UnavailableError(ControlPlaneError):
    """A system behind us does not answer at the moment."""

    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str = "A part of the platform does not answer. Try again in a moment.") -> None:
        super().__init__(detail, headers={"Retry-After": "5"})
