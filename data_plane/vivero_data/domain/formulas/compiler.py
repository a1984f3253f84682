"""A formula's tree as one SQL expression over the columns of a record, with the type of its values."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from vivero_data.domain.field_types.formula import LONGEST
from vivero_data.domain.field_types.options import Result
from vivero_data.domain.formulas.functions import FUNCTIONS, UNSTORED
from vivero_data.domain.formulas.operators import OPERATORS
from vivero_data.domain.formulas.tree import Constant, FormulaError, Node, Reference
from vivero_data.domain.formulas.values import EXACT, Piece, number, quoted, text, truth

WHOLE_DIGITS: Final = 16
DECIMALS: Final = 8
"""Digits before and behind the decimal mark of a number that a column holds."""

Scope = Callable[[Reference], Piece]
"""The column of a field as a piece of SQL; FormulaError if there is none, or it cannot be used."""


class Formula(msgspec.Struct, frozen=True):
    """A formula that was compiled."""

    result: Result
    sql: str


def compiled(node: Node, scope: Scope) -> Formula:
    """The formula over the columns that the scope knows. What its column cannot hold is empty.

    Raises:
        FormulaError: its types do not fit, or it is always empty.
    """
    piece = _piece(node, scope)
    if piece.type is None:
        raise FormulaError(node.at, "The formula is always empty")
    if piece.type is Result.NUMBER:
        sql = piece.sql if piece.scale <= DECIMALS else f"ROUND({piece.sql},{DECIMALS})"
        most = Decimal(10) ** WHOLE_DIGITS
        fits = piece.bound < most - 1
        sql = sql if fits else f"IF(ABS({sql})<{most:f},{sql},NULL)"
    elif piece.type is Result.TEXT:
        sql = f"NULLIF({piece.sql},'')"
        sql = sql if piece.longest <= LONGEST else f"IF(CHAR_LENGTH({piece.sql})<={LONGEST},{sql},NULL)"
    else:
        sql = piece.sql
    return Formula(piece.type, sql)


def _piece(node: Node, scope: Scope) -> Piece:
    if isinstance(node, Constant):
        return _constant(node)
    if isinstance(node, Reference):
        return scope(node)
    parts = [_piece(part, scope) for part in node.parts]
    if node.name in OPERATORS:
        return _with_constant(node.name, OPERATORS[node.name](node.at, *parts), parts)
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise FormulaError(node.at, _unknown(node.name))
    if len(parts) < function.least or (function.most is not None and len(parts) > function.most):
        said = f"{node.name}({function.takes}) takes {function.amount} values, found {len(parts)}"
        raise FormulaError(node.at, said)
    return function.build(node.at, *parts)


def _with_constant(name: str, piece: Piece, parts: list[Piece]) -> Piece:
    """A negative number is as written out as a positive one."""
    said = parts[0].constant
    negative = name == "-" and len(parts) == 1 and isinstance(said, Decimal)
    return msgspec.structs.replace(piece, constant=-said) if negative and isinstance(said, Decimal) else piece


def _unknown(name: str) -> str:
    if name in UNSTORED:
        return f"{name} changes by itself, but a formula is calculated only when its record is saved"
    return f"There is no function {name[:40]}"


def _constant(node: Constant) -> Piece:
    said = node.value
    if isinstance(said, bool):
        piece = truth(node.at, "1" if said else "0")
    elif isinstance(said, Decimal):
        exponent = said.as_tuple().exponent
        scale = -exponent if isinstance(exponent, int) else 0
        # With a decimal mark: a product of whole numbers would be a BIGINT, which overflows with an error.
        piece = number(node.at, f"{said:f}" if scale else f"{said:f}.0", abs(said), max(scale, 0))
    else:
        piece = text(node.at, quoted(said), len(said))
    return msgspec.structs.replace(piece, constant=said)


def column(at: int, name: str, holds: Result, longest: int, *, whole: bool) -> Piece:
    """A column as a piece of SQL; `whole` for a BIGINT."""
    if holds is Result.TEXT:
        return text(at, f"IFNULL({name},_utf8mb4 x'') {EXACT}", longest)
    if holds is Result.NUMBER and whole:
        return number(at, f"CAST({name} AS DECIMAL(20,0))", 2**63)
    if holds is Result.NUMBER:
        return number(at, name, Decimal(10) ** WHOLE_DIGITS, DECIMALS)
    return Piece(at=at, type=holds, sql=name)
