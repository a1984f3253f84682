"""Errors, declared where they are raised: on guards, hooks, dependencies and handlers.

The OpenAPI document (`openapi_operations.py`, `openapi_document.py`) is derived from these,
and from what a route takes; nobody lists the answers of a route by hand.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec import Struct

from vivero_web.errors import WebError

F = TypeVar("F", bound=Callable[..., Any])

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
FILES: Final = "files"
"""The key of a handler's `opt` with the media types that it answers with when a file is asked for in place of JSON."""
_DECLARED: Final = "vivero_declared"


class Declared(Struct, frozen=True):
    """The declaration of a function.

    Attributes:
        errors: that it may raise and that are answered.
        on_writes: only for methods that may change something.
        needs: a sentence about the required role; empty where there is none.
    """

    errors: tuple[type[WebError], ...] = ()
    on_writes: bool = False
    needs: str = ""


NOTHING: Final = Declared()


def raises(*errors: type[WebError], on_writes: bool = False, needs: str = "") -> Callable[[F], F]:
    """Declare the errors of a function or of a class of guards; those that every route may raise need none."""

    def mark(function: F) -> F:
        setattr(function, _DECLARED, Declared(errors, on_writes, needs))
        return function

    return mark


def declared_by(function: Callable[..., Any] | None) -> Declared:
    """What `raises` was told."""
    declared: Declared = getattr(function, _DECLARED, NOTHING)
    return declared
