"""What a web program refuses or cannot do, as one family: each error knows its HTTP status and what to tell the caller.

Services and clients raise these; `answers.py` turns them into problem+json
or a page at the edge. A detail is for the person who reads it: no secret, no
internals.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final

import msgspec
from vivero_core.errors import ViveroError

_SOON: Final = 2  # seconds: what does not answer is mostly a restart away


class FieldError(msgspec.Struct, frozen=True):
    """One input field, and what to change."""

    field: Annotated[str, msgspec.Meta(description="Its name, with the place inside a list; `body` for the whole.")]
    message: Annotated[str, msgspec.Meta(description="A sentence for people.")]


class WebError(ViveroError):
    """Root of what is answered with a problem.

    Attributes:
        status: HTTP status of the answer.
        slug: last part of the problem's `type`, stable for programs.
        title: short summary, the same for every occurrence.
        detail: a sentence about this one, for a person.
        errors: the input fields at fault.
        headers: to send along, such as Retry-After.
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

    @property
    def by_field(self) -> dict[str, str]:
        """What is wrong with each field."""
        return {one.field: one.message for one in self.errors}


class InvalidInputError(WebError):
    """Well formed, but fields of it cannot be accepted; `errors` names each."""

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
        return cls("; ".join(f"{error.field}: {error.message.removesuffix('.')}" for error in errors), errors=errors)


class LinkSpentError(InvalidInputError):
    """A one-time link: never made, used, replaced by a newer one or too old; it does not tell which."""

    slug = "link-spent"
    title = "This link opens nothing"

    def __init__(self, field: str = "code") -> None:
        message = "This link was used before, was replaced by a newer one, is too old or not whole. Ask for a new one."
        super().__init__(message, errors=[FieldError(field, message)])


class MalformedError(WebError):
    """Not as the protocol has it, so that nothing in it can be read."""

    status = 400
    slug = "malformed"
    title = "The request is not well formed"


class NotSignedInError(WebError):
    """No valid credentials came with the request."""

    status = 401
    slug = "not-signed-in"
    title = "You are not signed in"


class NotAllowedError(WebError):
    """Signed in, but the role does not permit this."""

    status = 403
    slug = "not-allowed"
    title = "Your role does not allow this"


class CrossSiteError(WebError):
    """A browser sent this on behalf of another site."""

    status = 403
    slug = "cross-site"
    title = "This request came from another site"


class NotFoundError(WebError):
    """Nothing of that name is here, or not for this caller."""

    status = 404
    slug = "not-found"
    title = "There is nothing here"


class ConflictError(WebError):
    """It contradicts what is there now: a taken name, a change in between."""

    status = 409
    slug = "conflict"
    title = "This contradicts what is stored"


class PreconditionFailedError(WebError):
    """What the request depends on, by its If-Match or If-None-Match, is not so."""

    status = 412
    slug = "precondition-failed"
    title = "It is not at the version that you named"


class TooLargeError(WebError):
    """The body or file exceeds its bound."""

    status = 413
    slug = "too-large"
    title = "This is too large"


class AddressTooLongError(WebError):
    """The path or the query exceeds its bound."""

    status = 414
    slug = "address-too-long"
    title = "This address is too long"


class HeadersTooLargeError(WebError):
    """The headers exceed their bound."""

    status = 431
    slug = "headers-too-large"
    title = "The headers are too large"


class UnsupportedMediaTypeError(WebError):
    """The body is of a kind that this address does not read."""

    status = 415
    slug = "unsupported-media-type"
    title = "This kind of content is not understood here"


class RangeNotSatisfiableError(WebError):
    """The part that is asked for begins behind the end; Content-Range says how much there is."""

    status = 416
    slug = "range-not-satisfiable"
    title = "There is no such part"

    def __init__(self, size: int) -> None:
        super().__init__(f"It has {size:,} bytes.", headers={"Content-Range": f"bytes */{size}"})


class TooManyRequestsError(WebError):
    """Slow down; Retry-After says for how many seconds, at least one."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, wait: float) -> None:
        seconds = max(1, math.ceil(wait))
        super().__init__(f"{detail} Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)})


class UnavailableError(WebError):
    """A system behind us does not answer at the moment; worth trying again."""

    status = 503
    slug = "unavailable"
    title = "A service that we depend on does not answer"

    def __init__(self, detail: str = "A part of the platform does not answer. Try again in a moment.") -> None:
        super().__init__(detail, headers={"Retry-After": str(_SOON)})


def explained(error: WebError) -> str:
    """Its detail and what caused it, by kind and number: a library's own words may hold an address or a login."""
    causes, cause = [], error.__cause__
    while cause is not None:
        causes.append(_kind(cause))
        cause = cause.__cause__
    return f"{error.detail} ({', '.join(causes)})" if causes else error.detail


def _kind(cause: BaseException) -> str:
    if isinstance(cause, WebError):
        return cause.detail.rstrip(".")
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    return type(cause).__name__ if number is None else f"{type(cause).__name__} {number}"
