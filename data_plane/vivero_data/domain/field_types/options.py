"""What a field's definition says besides its type: one shape for all types; each type takes some of it."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from vivero_web.fields import LARGEST, documented

CURRENCY_PATTERN: Final = "^[A-Z]{3}$"
MAX_DECIMALS: Final = 4
MAX_PREFIX: Final = 20
MAX_DIGITS: Final = 12
MAX_FORMULA: Final = 2000  # characters


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


class Figure(StrEnum):
    """What a rollup says of the records that lead here."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"


class Result(StrEnum):
    """What the values of a formula are: the name of the field type that has such values."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


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
    collection: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=LARGEST, description="Of a link: the number of the collection whose records it leads to."
        ),
    ] = 0
    link: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=LARGEST,
            description="Of a lookup: the number of this collection's link; of a rollup: of another's that leads here.",
        ),
    ] = 0
    field: Annotated[
        int, msgspec.Meta(ge=0, le=LARGEST, description="Of a lookup or rollup: the number of the field that is read.")
    ] = 0
    figure: Annotated[Figure, msgspec.Meta(description="Of a rollup: what is made of the records.")] = Figure.COUNT
    prefix: Annotated[
        str, documented("Of an automatic number: what stands before it, such as INV-.", maxLength=MAX_PREFIX)
    ] = ""
    digits: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=MAX_DIGITS, description="Of an automatic number: at least so many, filled up with zeros."
        ),
    ] = 0
    formula: Annotated[
        str, documented("Of a formula: what it says, such as {Price} * {Amount}.", maxLength=MAX_FORMULA)
    ] = ""
    fields: Annotated[
        dict[str, int],
        msgspec.Meta(description="Of a formula: the numbers of the fields that it names. Written by the workspace."),
    ] = {}
    result: (
        Annotated[Result, msgspec.Meta(description="Of a formula: what its values are. Written by the workspace.")]
        | None
    ) = None
    colours: Annotated[dict[str, Colour], msgspec.Meta(description="Of choices: the colour of each that has one.")] = {}


NONE: Final = Options()
"""Of a type that needs nothing."""
