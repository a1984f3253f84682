"""The functions of formulas: what they take, what the list of functions says of them, and their SQL."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from vivero_data.domain.formulas.dates import DATE_FUNCTIONS
from vivero_data.domain.formulas.operators import empty, followed, plus, remainder, same
from vivero_data.domain.formulas.signatures import Function
from vivero_data.domain.formulas.tree import FormulaError
from vivero_data.domain.formulas.values import (
    EXACT,
    MAX_TEXT,
    SCALE,
    SUMS,
    Piece,
    alike,
    as_number,
    as_text,
    bounded,
    holds,
    joined,
    number,
    text,
    truth,
    whole,
)


def _if(at: int, condition: Piece, then: Piece, otherwise: Piece | None = None) -> Piece:
    yes, no = alike([then, otherwise or _blank(at)])
    return joined(at, f"IF({holds(condition)},{yes.sql},{no.sql})", [yes, no])


def _switch(at: int, value: Piece, *parts: Piece) -> Piece:
    cases, last = parts[: len(parts) // 2 * 2], parts[-1] if len(parts) % 2 else _blank(at)
    results = alike([*cases[1::2], last])
    whens = (f"WHEN {same(value, case)} THEN {result.sql}" for case, result in zip(cases[::2], results, strict=False))
    return joined(at, f"(CASE {' '.join(whens)} ELSE {results[-1].sql} END)", results)


def _blank(at: int) -> Piece:
    return Piece(at=at, type=None, sql="NULL")


def _all_or_any(word: str) -> Callable[..., Piece]:
    def build(at: int, *parts: Piece) -> Piece:
        return truth(at, f"({f' {word} '.join(map(holds, parts))})")

    return build


def _digits(piece: Piece | None) -> int:
    """Raises FormulaError: it is not written out, or not possible."""
    if piece is None:
        return 0
    said = piece.constant
    if not isinstance(said, Decimal) or said != said.to_integral_value() or not -SCALE <= said <= SCALE:
        raise FormulaError(piece.at, f"Expected a whole number from -{SCALE} to {SCALE}, written out")
    return int(said)


def _round(at: int, value: Piece, digits: Piece | None = None) -> Piece:
    """Half away from zero."""
    value, places = as_number(value), _digits(digits)
    bound = value.bound + Decimal(10) ** max(-places, 0)
    return bounded(number(at, f"ROUND({value.sql},{places})", bound, min(value.scale, max(places, 0))), SUMS)


def _round_down(at: int, value: Piece, digits: Piece | None = None) -> Piece:
    """Towards zero."""
    value, places = as_number(value), _digits(digits)
    return number(at, f"TRUNCATE({value.sql},{places})", value.bound, min(value.scale, max(places, 0)))


def _round_up(at: int, value: Piece, digits: Piece | None = None) -> Piece:
    """Away from zero."""
    value, places = as_number(value), _digits(digits)
    nearly = Decimal(10) ** -places - Decimal(10) ** -SCALE
    further = f"TRUNCATE({value.sql}+SIGN({value.sql})*{nearly:f},{places})"
    return bounded(number(at, further, value.bound + nearly, min(value.scale, max(places, 0))), SUMS)


def _absolute(at: int, value: Piece) -> Piece:
    value = as_number(value)
    return number(at, f"ABS({value.sql})", value.bound, value.scale)


def _floor(at: int, value: Piece) -> Piece:
    value = as_number(value)
    return bounded(number(at, f"CAST(FLOOR({value.sql}) AS DECIMAL(33,0))", value.bound + 1), SUMS)


def _extreme(function: str, beyond: Decimal) -> Callable[..., Piece]:
    def build(at: int, *parts: Piece) -> Piece:
        """Empty ones are left out: they stand for a number beyond all others, which becomes empty again."""
        numbers = [as_number(part) for part in parts]
        given = ",".join(f"IFNULL({one.sql},{beyond:f})" for one in numbers)
        sql = numbers[0].sql if len(numbers) == 1 else f"NULLIF({function}({given}),{beyond:f})"
        return joined(at, sql, numbers)

    return build


def _sum(at: int, *parts: Piece) -> Piece:
    """Empty ones are left out."""
    numbers = [as_number(part) for part in parts]
    filled = [number(one.at, f"IFNULL({one.sql},0)", one.bound, one.scale) for one in numbers]
    total = filled[0]
    for one in filled[1:]:
        total = plus(at, total, one)
    return total


def _value(at: int, said: Piece) -> Piece:
    """The number that a text is, with a point before its decimals; empty if it is none."""
    said = as_text(said)
    fits = f"{said.sql} RLIKE '^ *[-+]?[0-9]{{1,16}}([.][0-9]{{1,{SCALE}}})? *$'"
    return number(at, f"IF({fits},CAST(TRIM({said.sql}) AS DECIMAL(26,{SCALE})),NULL)", 10**16, SCALE)


def _length(at: int, said: Piece) -> Piece:
    return number(at, f"CAST(CHAR_LENGTH({as_text(said).sql}) AS DECIMAL(10,0))", MAX_TEXT)


def _end(side: str) -> Callable[..., Piece]:
    def build(at: int, said: Piece, amount: Piece) -> Piece:
        return text(at, f"{side}({as_text(said).sql},{_amount(amount)})", _shorter(said, amount))

    return build


def _middle(at: int, said: Piece, start: Piece, amount: Piece) -> Piece:
    """An empty start is the first character."""
    first = f"IFNULL({whole(start, 1, MAX_TEXT + 1)},1)"
    return text(at, f"SUBSTRING({as_text(said).sql},{first},{_amount(amount)})", _shorter(said, amount))


def _amount(piece: Piece) -> str:
    return f"IFNULL({whole(piece, 0, MAX_TEXT)},0)"


def _shorter(said: Piece, amount: Piece) -> int:
    longest = as_text(said).longest
    return min(longest, max(int(amount.constant), 0)) if isinstance(amount.constant, Decimal) else longest


def _changed(function: str) -> Callable[..., Piece]:
    def build(at: int, said: Piece) -> Piece:
        said = as_text(said)
        return text(at, f"{function}({said.sql})", said.longest)

    return build


def _replaced(at: int, said: Piece, old: Piece, new: Piece) -> Piece:
    said, old, new = as_text(said), as_text(old), as_text(new)
    longest = said.longest * max(new.longest, 1)
    return text(at, f"REPLACE({said.sql},{old.sql},{new.sql})", longest)


def _found(at: int, wanted: Piece, said: Piece, start: Piece | None = None) -> Piece:
    """The place of the first character, from 1; 0 if it is not there."""
    first = f",IFNULL({whole(start, 1, MAX_TEXT + 1)},1)" if start else ""
    sql = f"CAST(LOCATE({as_text(wanted).sql},{as_text(said).sql} {EXACT}{first}) AS DECIMAL(10,0))"
    return number(at, sql, MAX_TEXT + 1)


_REST: Final = Decimal(10) ** 23  # no number of a step comes near it
FUNCTIONS: Final[Mapping[str, Function]] = {
    "IF": Function("condition, then, [else]", "One of two values; without else it is empty.", _if, 2, 3),
    "SWITCH": Function(
        "value, case, result, …, [else]",
        'The result of the case that it equals: SWITCH({Size}, "S", 1, "M", 2, 0).',
        _switch,
        3,
        None,
    ),
    "AND": Function("condition, …", "Whether all of them hold.", _all_or_any("AND"), 1, None),
    "OR": Function("condition, …", "Whether one of them holds.", _all_or_any("OR"), 1, None),
    "NOT": Function("condition", "Whether it does not hold.", lambda at, one: truth(at, f"(NOT {holds(one)})")),
    "BLANK": Function("", "An empty value.", _blank, 0, 0),
    "ISBLANK": Function("value", "Whether it is empty.", lambda at, one: truth(at, f"({empty(one)})")),
    "ROUND": Function("number, [decimals]", "Rounded, a half away from zero.", _round, 1, 2),
    "ROUNDUP": Function("number, [decimals]", "Rounded away from zero.", _round_up, 1, 2),
    "ROUNDDOWN": Function("number, [decimals]", "Rounded towards zero.", _round_down, 1, 2),
    "INT": Function("number", "The next whole number that is not larger.", _floor),
    "ABS": Function("number", "Without its sign.", _absolute),
    "MOD": Function("number, divisor", "What a division leaves, with the sign of the number.", remainder, 2, 2),
    "MIN": Function("number, …", "The smallest that is not empty.", _extreme("LEAST", _REST), 1, None),
    "MAX": Function("number, …", "The largest that is not empty.", _extreme("GREATEST", -_REST), 1, None),
    "SUM": Function("number, …", "All together; what is empty counts as 0.", _sum, 1, None),
    "VALUE": Function("text", "The number that it is, such as 12.5.", _value),
    "LEN": Function("text", "How many characters it has.", _length),
    "LEFT": Function("text, count", "Its first characters.", _end("LEFT"), 2, 2),
    "RIGHT": Function("text, count", "Its last characters.", _end("RIGHT"), 2, 2),
    "MID": Function("text, start, count", "Characters from a place, which begins at 1.", _middle, 3, 3),
    "UPPER": Function("text", "In capitals.", _changed("UPPER")),
    "LOWER": Function("text", "In small letters.", _changed("LOWER")),
    "TRIM": Function("text", "Without spaces at its ends.", _changed("TRIM")),
    "SUBSTITUTE": Function("text, old, new", "With every old text replaced.", _replaced, 3, 3),
    "CONCAT": Function("value, …", "One behind the other, as & does.", followed, 1, None),
    "FIND": Function("wanted, text, [start]", "Where it stands, from 1; 0 if it does not.", _found, 2, 3),
    **DATE_FUNCTIONS,
}
UNSTORED: Final = frozenset({"TODAY", "NOW", "RAND", "RANDBETWEEN"})
"""Functions of spreadsheets whose value changes by itself, though a formula's is stored."""
