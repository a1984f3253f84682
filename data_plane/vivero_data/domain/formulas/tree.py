"""What a formula says, as a tree; and what is wrong with one, with its place."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec


class FormulaError(ValueError):
    """A formula that cannot be used; `at` is the place of the mistake: the number of characters before it."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at

    @property
    def said(self) -> str:
        """The message with its place, as people count."""
        return f"{self} (at character {self.at + 1})"


class Constant(msgspec.Struct, frozen=True):
    """A number, a text, or yes or no."""

    at: int
    value: Decimal | str | bool


class Reference(msgspec.Struct, frozen=True):
    """A field, by the name that was written."""

    at: int
    name: str


class Call(msgspec.Struct, frozen=True):
    """A function in capitals, or an operator; `-` has one part or two."""

    at: int
    name: str
    parts: tuple["Node", ...]


Node = Constant | Reference | Call


def references(node: Node) -> Iterator[Reference]:
    """Every mention of a field."""
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, Call):
        for part in node.parts:
            yield from references(part)


def written(name: str) -> str:
    """A field as a formula mentions it."""
    return f"{{{name.replace('}', '}}')}}}"
