"""The operators of formulas, as SQL."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from vivero_data.domain.field_types.options import Result
from vivero_data.domain.formulas.tree import FormulaError
from vivero_data.domain.formulas.values import (
    NAMES,
    PRODUCTS,
    SCALE,
    SUMS,
    Piece,
    alike,
    as_number,
    as_text,
    bounded,
    number,
    text,
    truth,
)

_LARGEST_LOG: Final = "46.051701859880914"  # the natural logarithm of PRODUCTS
_DATES: Final = "use DATEADD to add to a date, and DATEDIFF for the time between two"


def _numbers(parts: list[Piece]) -> list[Piece]:
    """Raises FormulaError if one is none."""
    for part in parts:
        if part.type in {Result.DATE, Result.DATETIME}:
            raise FormulaError(part.at, f"Expected a number, found {NAMES[part.type]}; {_DATES}")
    return [as_number(part) for part in parts]


def plus(at: int, left: Piece, right: Piece) -> Piece:
    return _sum(at, "+", left, right)


def minus(at: int, *parts: Piece) -> Piece:
    if len(parts) == 1:
        (one,) = _numbers(list(parts))
        return number(at, f"(-{one.sql})", one.bound, one.scale)
    return _sum(at, "-", *parts)


def _sum(at: int, sign: str, *parts: Piece) -> Piece:
    left, right = _numbers(list(parts))
    added = number(at, f"({left.sql}{sign}{right.sql})", left.bound + right.bound, max(left.scale, right.scale))
    return bounded(added, SUMS)


def times(at: int, *parts: Piece) -> Piece:
    left, right = _numbers(list(parts))
    product = number(at, f"({left.sql}*{right.sql})", left.bound * right.bound, left.scale + right.scale)
    return bounded(product, PRODUCTS)


def divided(at: int, *parts: Piece) -> Piece:
    """Empty by zero. The dividend has all its decimals first, for the server adds but four."""
    left, right = _numbers(list(parts))
    least = abs(right.constant) if isinstance(right.constant, Decimal) else Decimal(0)
    least = least or Decimal(1).scaleb(-right.scale)
    divisor = right.sql if right.constant else f"NULLIF({right.sql},0)"
    sql = f"ROUND(CAST({left.sql} AS DECIMAL(33,{SCALE}))/{divisor},{SCALE})"
    return bounded(number(at, sql, left.bound / least + 1, SCALE), PRODUCTS)


def remainder(at: int, *parts: Piece) -> Piece:
    """With the sign of the first number; empty by zero."""
    left, right = _numbers(list(parts))
    bound = min(left.bound, right.bound)
    return number(at, f"MOD({left.sql},NULLIF({right.sql},0))", bound, max(left.scale, right.scale))


def power(at: int, *parts: Piece) -> Piece:
    """By floating point, some 15 digits; empty where there is no real number, or it is too large."""
    left, right = _numbers(list(parts))
    base, exponent = left.sql, right.sql
    sql = (
        f"(CASE WHEN {base}=0 THEN IF({exponent}>0,0,IF({exponent}=0,1,NULL))"
        f" WHEN {base}<0 AND {exponent}<>FLOOR({exponent}) THEN NULL"
        f" WHEN {exponent}*LN(ABS({base}))>{_LARGEST_LOG} THEN NULL"
        f" ELSE CAST(POW({base},{exponent}) AS DECIMAL(33,{SCALE})) END)"
    )
    return bounded(number(at, sql, PRODUCTS * 10, SCALE), PRODUCTS)


def followed(at: int, *parts: Piece) -> Piece:
    """One text behind another; what is empty adds nothing."""
    texts = [as_text(part) for part in parts]
    return text(at, f"CONCAT({','.join(one.sql for one in texts)})", sum(one.longest for one in texts))


def equal(at: int, left: Piece, right: Piece) -> Piece:
    """Whether two values are the same, or both empty; texts are if every character is."""
    return truth(at, f"({same(left, right)})")


def different(at: int, left: Piece, right: Piece) -> Piece:
    return truth(at, f"(NOT ({same(left, right)}))")


def same(left: Piece, right: Piece) -> str:
    if left.type is None or right.type is None:
        return empty(right if left.type is None else left)
    left, right = alike([left, right])
    if left.type is Result.BOOLEAN:
        return f"({left.sql} IS TRUE)=({right.sql} IS TRUE)"
    return f"{left.sql}<=>{right.sql}"


def empty(piece: Piece) -> str:
    if piece.type is None:
        return "1"
    return f"{piece.sql}=''" if piece.type is Result.TEXT else f"{piece.sql} IS NULL"


def _ordered(sign: str) -> Callable[..., Piece]:
    def build(at: int, *parts: Piece) -> Piece:
        """What is empty is neither before nor after anything. Texts go by their characters' numbers."""
        left, right = alike(list(parts))
        if left.type is Result.BOOLEAN:
            raise FormulaError(at, f"{sign} compares numbers, texts and dates; yes and no have no order")
        first, second = (f"NULLIF({one.sql},'')" if one.type is Result.TEXT else one.sql for one in (left, right))
        if None in {left.type, right.type}:
            return truth(at, "0")
        return truth(at, f"(({first}{sign}{second}) IS TRUE)")

    return build


OPERATORS: Final[Mapping[str, Callable[..., Piece]]] = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": divided,
    "%": remainder,
    "^": power,
    "&": followed,
    "=": equal,
    "<>": different,
    **{sign: _ordered(sign) for sign in ("<", "<=", ">", ">=")},
}
