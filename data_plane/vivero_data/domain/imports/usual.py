"""A batch of a column in the spelling that most files have, read by a few calls and not by some for each cell; pure.

Such a reader gives what reading cell by cell gives, or None, if one of the cells is spelled in another way.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.email import ADDRESS, Email
from vivero_data.domain.field_types.long_text import LENGTH
from vivero_data.domain.field_types.money import decimals_of
from vivero_data.domain.field_types.number import DECIMALS
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.field_types.text import Text
from vivero_data.lib.notation import Notation, Numbers

Reader = Callable[[Sequence[str]], list[Any] | None]
"""From cells, none of them empty, to a field's column values."""

_WHOLE: Final = "(?:0|[1-9][0-9]{0,14})"
_GROUPED: Final = r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,4}"
_SURE: Final = 2  # decimals that are no group of thousands in any notation


def usual_reader(field: Field, notation: Notation) -> Reader | None:
    """How to read a column in a notation; None for types whose columns have few values, each often."""
    of_type: Mapping[FieldType, Reader | None] = {
        FieldType.TEXT: lambda cells: _texts(cells, Text.characters),
        FieldType.LONG_TEXT: lambda cells: _texts(cells, LENGTH),
        FieldType.EMAIL: _addresses,
        FieldType.INTEGER: _integers,
        FieldType.NUMBER: _decimals(notation.numbers, DECIMALS),
        FieldType.MONEY: _decimals(notation.numbers, min(decimals_of(field), DECIMALS)),
    }
    return of_type.get(field.type)


def _texts(cells: Sequence[str], longest: int) -> list[str] | None:
    """Texts that begin with neither a space nor an apostrophe, and are printable throughout: so in one line."""
    lines = "".join(["\n" + cell for cell in cells])
    strange = "\n " in lines or "\n'" in lines
    if strange or max(map(len, cells)) > longest or not "".join(cells).isprintable():
        return None
    return list(cells)


def _addresses(cells: Sequence[str]) -> list[str] | None:
    texts = _texts(cells, Email.characters)
    return texts if texts is not None and all(map(ADDRESS.fullmatch, texts)) else None


_INTEGERS: Final = re.compile(r"(?:-?(?:0|[1-9][0-9]{0,17})\n)*+")


def _integers(cells: Sequence[str]) -> list[int] | None:
    return None if _lines(cells, _INTEGERS) is None else list(map(int, cells))


def _decimals(numbers: Numbers | None, most: int) -> Reader | None:
    """Numbers of at most so many decimals."""
    mark = _MARKS.get(numbers)
    if mark is None:
        return None
    most = min(most, _SURE) if numbers is None else most
    whole = f"(?:{_GROUPED}|{_WHOLE})" if mark == "," else _WHOLE
    fraction = f"(?:[{mark}][0-9]{{1,{most}}})?" if most else ""
    pattern = re.compile(rf"(?:-?{whole}{fraction}\n)*+")

    def read(cells: Sequence[str]) -> list[Decimal] | None:
        lines = _lines(cells, pattern)
        if lines is None:
            return None
        if mark == ",":
            lines = lines.replace(".", "").replace(",", ".")
        return list(map(Decimal, lines.split()))

    return read


_MARKS: Final[Mapping[Numbers | None, str]] = {None: ".", Numbers.POINT: ".", Numbers.COMMA: ","}


def _lines(cells: Sequence[str], pattern: re.Pattern[str]) -> str | None:
    """Each cell as a line, if all of them are as the pattern says."""
    lines = "\n".join([*cells, ""])
    return lines if lines.count("\n") == len(cells) and pattern.fullmatch(lines) else None
