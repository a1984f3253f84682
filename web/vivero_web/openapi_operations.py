"""Operations for the OpenAPI document: which errors a route can answer, by what it declares and takes. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler
from litestar.typing import FieldDefinition
from msgspec import Struct

from vivero_web.bodies import BoundedRequest
from vivero_web.declared import WRITES, Declared, declared_by
from vivero_web.errors import (
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    RangeNotSatisfiableError,
    TooManyRequestsError,
    UnavailableError,
    WebError,
)
from vivero_web.rate_limit import is_counted
from vivero_web.request_context import refusal_of

ACCEPT_RANGES: Final = "Accept-Ranges"


class Operation(Struct, frozen=True):
    """One method at one path.

    Attributes:
        path: with placeholders, `/users/{user_id}`.
        method: in capitals.
        framework_spec: its operation object as Litestar generates it: parameters and body.
    """

    path: str
    method: str
    handler: HTTPRouteHandler
    framework_spec: Mapping[str, Any]

    @property
    def reads_body(self) -> bool:
        return "requestBody" in self.framework_spec

    def has_parameters(self, *places: str) -> bool:
        """Whether it takes any in these places, or anywhere."""
        return any(not places or one["in"] in places for one in self.framework_spec.get("parameters", ()))

    def headers(self) -> Mapping[str, str]:
        """Those that its answer has, and what they say."""
        return {one.name: one.description or "" for one in self.handler.resolve_response_headers()}

    def needs_login(self) -> bool:
        """False where one of the alternatives is no login."""
        ways = self.handler.resolve_security()
        return bool(ways) and all(ways)

    def needs(self) -> list[str]:
        """Sentences about the required role."""
        return [declared.needs for declared in self._declared() if declared.needs]

    def errors(self) -> list[type[WebError]]:
        """Every error that it can answer, by status."""
        found = dict.fromkeys([*self._implied(), *self._declared_errors()])
        return sorted(found, key=lambda error: (error.status, error.slug))

    def _implied(self) -> Iterator[type[WebError]]:
        yield from declared_by(refusal_of).errors
        if is_counted(self.path):
            yield TooManyRequestsError
        if self.needs_login():
            yield NotSignedInError
        if self.has_parameters("path"):
            yield NotFoundError
        if self.has_parameters() or self.reads_body:
            yield InvalidInputError
        if self.reads_body:
            yield from declared_by(BoundedRequest.stream).errors
        if self._provided():
            yield UnavailableError  # of any service that it calls
        if ACCEPT_RANGES in self.headers():
            yield RangeNotSatisfiableError

    def _declared_errors(self) -> Iterator[type[WebError]]:
        for declared in self._declared():
            if self.method in WRITES or not declared.on_writes:
                yield from declared.errors

    def _declared(self) -> Iterator[Declared]:
        handler = self.handler
        for function in (*handler.resolve_guards(), handler.resolve_before_request(), *self._provided(), handler.fn):
            yield declared_by(function)

    def _provided(self) -> list[Callable[..., Any]]:
        """What makes its dependencies, and theirs."""
        known, found = self.handler.resolve_dependencies(), {}
        wanted = list(self.handler.parsed_fn_signature.parameters)
        while wanted:
            name = wanted.pop()
            if name in known and name not in found:
                found[name] = known[name].dependency
                wanted += known[name].parsed_fn_signature.parameters
        return list(found.values())


def body_of(handler: HTTPRouteHandler) -> FieldDefinition | None:
    """What a handler reads as JSON."""
    return handler.parsed_fn_signature.parameters.get("data")
