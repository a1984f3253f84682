"""Typed pieces of SQL, and how one type is taken for another.

Every piece is total: whatever the columns hold, it gives a value or NULL, and never a warning, which strict SQL would
make an error. A number is an exact decimal; a text is never NULL, empty texts are ''; other empty values are NULL.
"""

from decimal import Decimal
from typing import Final

import msgspec

from vivero_data.domain.field_types.options import Result
from vivero_data.domain.formulas.tree import FormulaError

SCALE: Final = 10
"""Decimals of every step."""
SUMS: Final = Decimal(10) ** 22
"""A sum that is not smaller is empty."""
PRODUCTS: Final = Decimal(10) ** 20
"""A product, quotient or power that is not smaller is empty: so a hundred of them can be added without a look."""
MAX_SQL: Final = 30_000
"""Characters of a formula's SQL: steps that may become too large are looked at, for which they are written twice."""
MAX_TEXT: Final = 1_000_000
"""Characters that a step may have at most."""
EXACT: Final = "COLLATE utf8mb4_nopad_bin"
NAMES: Final = {
    None: "nothing",
    Result.NUMBER: "a number",
    Result.TEXT: "a text",
    Result.BOOLEAN: "yes or no",
    Result.DATE: "a date",
    Result.DATETIME: "a date and time",
}
_NULLS: Final = {
    Result.NUMBER: "CAST(NULL AS DECIMAL(32,10))",
    Result.BOOLEAN: "NULL",
    Result.DATE: "CAST(NULL AS DATE)",
    Result.DATETIME: "CAST(NULL AS DATETIME(6))",
}


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """An SQL expression.

    Attributes:
        at: where in the formula it comes from.
        type: of its values; None if it is always empty.
        bound: no number is further from zero.
        scale: decimals of a number.
        longest: characters of a text.
        constant: its value, if it was written out.
    """

    at: int
    type: Result | None
    sql: str
    bound: Decimal = Decimal(0)
    scale: int = 0
    longest: int = 0
    constant: Decimal | str | bool | None = None

    def __post_init__(self) -> None:
        if len(self.sql) > MAX_SQL:
            raise FormulaError(self.at, "This is too much for one formula; put a part into a formula field of its own")
        if self.longest > MAX_TEXT:
            raise FormulaError(self.at, "The text might get too long; shorten it with LEFT first")


def number(at: int, sql: str, bound: Decimal | int, scale: int = 0) -> Piece:
    return Piece(at=at, type=Result.NUMBER, sql=sql, bound=Decimal(bound), scale=scale)


def text(at: int, sql: str, longest: int) -> Piece:
    return Piece(at=at, type=Result.TEXT, sql=sql, longest=longest)


def truth(at: int, sql: str) -> Piece:
    return Piece(at=at, type=Result.BOOLEAN, sql=sql)


def quoted(said: str) -> str:
    """A text as SQL, whatever it holds."""
    return f"_utf8mb4 x'{said.encode().hex()}' {EXACT}"


def as_type(piece: Piece, wanted: Result) -> Piece:
    """The piece as that type: what is always empty fits every one, and a date is its midnight.

    Raises:
        FormulaError: it is of another type.
    """
    if piece.type is wanted:
        return piece
    if piece.type is None:
        sql = "_utf8mb4 x''" if wanted is Result.TEXT else _NULLS[wanted]
        return Piece(at=piece.at, type=wanted, sql=sql)
    if piece.type is Result.DATE and wanted is Result.DATETIME:
        return Piece(at=piece.at, type=wanted, sql=f"CAST({piece.sql} AS DATETIME(6))")
    raise FormulaError(piece.at, f"Expected {NAMES[wanted]}, found {NAMES[piece.type]}")


def as_number(piece: Piece) -> Piece:
    return as_type(piece, Result.NUMBER)


def as_text(piece: Piece) -> Piece:
    """Any value as the text that people would write for it; a date in the ISO form, and UTC."""
    match piece.type:
        case Result.NUMBER:
            digits = f"CAST(CAST({piece.sql} AS DECIMAL(33,{SCALE})) AS CHAR CHARACTER SET utf8mb4)"
            plain = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {digits}))"
            return text(piece.at, f"IFNULL({plain},'') {EXACT}", 35)
        case Result.BOOLEAN:
            return text(piece.at, f"(CASE {piece.sql} WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE '' END {EXACT})", 3)
        case Result.DATE | Result.DATETIME:
            longest = 10 if piece.type is Result.DATE else 16
            shown = f"LEFT(CAST({piece.sql} AS CHAR CHARACTER SET utf8mb4),{longest})"
            return text(piece.at, f"IFNULL({shown},'') {EXACT}", longest)
    return as_type(piece, Result.TEXT)


def holds(piece: Piece) -> str:
    """Whether it is yes; an empty one is not."""
    return f"({as_type(piece, Result.BOOLEAN).sql} IS TRUE)"


def alike(pieces: list[Piece]) -> list[Piece]:
    """The pieces as the one type that they have in common.

    Raises:
        FormulaError: they have none.
    """
    types = {piece.type for piece in pieces} - {None}
    if types == {Result.DATE, Result.DATETIME}:
        wanted: Result | None = Result.DATETIME
    else:
        wanted = next((piece.type for piece in pieces if piece.type), None)
    return pieces if wanted is None else [as_type(piece, wanted) for piece in pieces]


def joined(at: int, sql: str, pieces: list[Piece]) -> Piece:
    """What may be any of some pieces that are alike."""
    return Piece(
        at=at,
        type=pieces[0].type,
        sql=sql,
        bound=max(piece.bound for piece in pieces),
        scale=max(piece.scale for piece in pieces),
        longest=max(piece.longest for piece in pieces),
    )


def bounded(piece: Piece, limit: Decimal) -> Piece:
    """The number with as many decimals as a step has; empty if it is not below the limit."""
    sql = piece.sql if piece.scale <= SCALE else f"ROUND({piece.sql},{SCALE})"
    bound = piece.bound if piece.scale <= SCALE else piece.bound + 1
    if bound > limit:
        sql, bound = f"IF(ABS({sql})<{limit:f},{sql},NULL)", limit
    return number(piece.at, sql, bound, min(piece.scale, SCALE))


def whole(piece: Piece, least: int, most: int) -> str:
    """A number as a BIGINT, without its decimals and within bounds; empty stays empty."""
    return f"CAST(TRUNCATE(LEAST(GREATEST({as_number(piece).sql},{least}),{most}),0) AS SIGNED)"
