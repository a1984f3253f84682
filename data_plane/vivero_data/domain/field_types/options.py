"""What a field's definition says besides its type: one shape for all types; each type takes some of it."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from vivero_web.fields import documented

CURRENCY_PATTERN: Final = "^[A-Z]{3}$"
MAX_DECIMALS: Final = 4


class Colour(StrEnum):
    """A colour of a choice, from those that can be told apart and read in light and dark."""

    GREY = "grey"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What only some types need; what a type does not take is refused."""

    currency: Annotated[
        str,
        documented("Of money: the code of its currency (ISO 4217), such as EUR.", maxLength=3),
    ] = ""
    decimals: (
        Annotated[
            int, msgspec.Meta(ge=0, le=MAX_DECIMALS, description="Of money: decimals; those of the currency if unsaid.")
        ]
        | None
    ) = None
    colours: Annotated[dict[str, Colour], msgspec.Meta(description="Of choices: the colour of each that has one.")] = {}


NONE: Final = Options()
"""Of a type that needs nothing."""
