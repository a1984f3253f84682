"""What may be refused, declared where it is refused: on guards, hooks, dependencies and handlers.

The document of an API (`openapi_operations.py`, `openapi_document.py`) is made of these, and of
what a route takes; nobody lists the answers of a route by hand.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec import Struct

from vivero_web.errors import WebError

F = TypeVar("F", bound=Callable[..., Any])

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DECLARED: Final = "vivero_declared"


class Declared(Struct, frozen=True):
    """What a function says of itself.

    Attributes:
        errors: that it may raise and its caller is told.
        on_writes: only of requests that may change something.
        needs: a sentence about who is let in; empty where nobody is kept out.
    """

    errors: tuple[type[WebError], ...] = ()
    on_writes: bool = False
    needs: str = ""


NOTHING: Final = Declared()


def raises(*errors: type[WebError], on_writes: bool = False, needs: str = "") -> Callable[[F], F]:
    """Have a function, or a class of guards, declare its errors; those that every route may raise need no word."""

    def mark(function: F) -> F:
        setattr(function, _DECLARED, Declared(errors, on_writes, needs))
        return function

    return mark


def declared_by(function: Callable[..., Any] | None) -> Declared:
    """What `raises` was told."""
    declared: Declared = getattr(function, _DECLARED, NOTHING)
    return declared
