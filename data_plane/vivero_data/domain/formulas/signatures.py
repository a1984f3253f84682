"""What a function of formulas says of itself."""

from collections.abc import Callable

import msgspec

from vivero_data.domain.formulas.values import Piece


class Function(msgspec.Struct, frozen=True):
    """A function.

    Attributes:
        takes: its parts, for people; what may be left out is in brackets.
        gives: what it is for, as a short sentence.
        build: its SQL, of the place of the call and its parts, which are as many as said.
        least: parts at least.
        most: parts at most; None for any number.
    """

    takes: str
    gives: str
    build: Callable[..., Piece]
    least: int = 1
    most: int | None = 1

    @property
    def amount(self) -> str:
        """How many parts it takes, in words."""
        if self.most is None:
            return f"at least {self.least}"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
