"""What a file's columns hold, decided by all of their values; pure.

Each batch of a column is matched as one text, so that a pattern costs one call and not one a cell.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from vivero_data.domain.collections.schemas import MAX_CHOICES
from vivero_data.domain.field_types.choice import Choice
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.field_types.text import Text
from vivero_data.domain.field_types.url import Url
from vivero_data.domain.imports.cells import CURRENCIES, CURRENCY, NUMERIC, PAIRS, SPACE, TEMPORAL, WORDS
from vivero_data.domain.imports.schemas import Guessed
from vivero_data.lib.notation import Dates, Notation, Numbers

_MOST_CHOICES: Final = 12
_ROWS_A_CHOICE: Final = 5  # fewer rows for each value are no list to choose from
_SAMPLES: Final = 3
_SAMPLE: Final = 120  # characters of one
_ENOUGH: Final = 10_000  # proofs of a notation in a column, beyond which none is counted
_LOOKED: Final = 8  # batches after which a column of texts is not searched for numbers and dates any more

MARKS: Final = (Numbers.COMMA, Numbers.POINT)
"""The notations that are told apart; both take spaces and apostrophes between groups."""

_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_YEAR: Final = r"(?:[1-9]\d{3}|\d{2})"
_DATES: Final = {
    Dates.DOTS: rf"{_DAY}\.{_MONTH}\.{_YEAR}",
    Dates.DAY_FIRST: rf"{_DAY}(?:/{_MONTH}/|-{_MONTH}-){_YEAR}",
    Dates.MONTH_FIRST: rf"{_MONTH}(?:/{_DAY}/|-{_DAY}-){_YEAR}",
    Dates.ISO: rf"[1-9]\d{{3}}(?:-{_MONTH}-|/{_MONTH}/|\.{_MONTH}\.){_DAY}",
}
_CLOCK: Final = r"(?:T|,?[ \t]+)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?[ \t]*(?:Z|[+-]\d{2}:?\d{2})?"
_WORDS: Final = "|".join(re.escape(word) for word in WORDS if not word.isdigit())


def _number(mark: Numbers, decimals: str = "*") -> str:
    """A number in a notation; one that begins with a needless 0 is a code."""
    decimal, group = ("[.]", "[,") if mark is Numbers.POINT else (",", "[.")
    group += r"'\u2019 \u00a0\u2009\u202f]"
    indian = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if mark is Numbers.POINT else ""
    whole = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+{indian}|0|[1-9]\d{{0,15}}"
    digits = rf"(?:(?:{whole})(?:{decimal}\d{decimals})?|{decimal}\d+)(?:[eE][+-]?\d{{1,2}})?"
    return rf"[+\-\u2212]?(?:{CURRENCY}{SPACE}?[+\-\u2212]?)?{digits}(?:{SPACE}?{CURRENCY})?"


def _money(code: str, mark: Numbers) -> str:
    """An amount with its currency in front or behind."""
    sign = f"(?:{CURRENCIES[code]}|{code})"
    amount = _number(mark, "{0}" if code == "JPY" else "{0,2}").replace(CURRENCY, sign)
    return rf"(?=[^\n]*{sign}){amount}"


def _column(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Matches a text in which every line is like the pattern."""
    return re.compile(rf"(?:[ \t]*(?:{pattern})[ \t]*\n)*+", flags)


_PATTERNS: Final = {
    "whole": _column(r"[+\-\u2212]?(?:0|[1-9]\d{0,17})"),
    "yes_or_no": _column(_WORDS, re.IGNORECASE),
    "email": _column(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+"),
    "url": _column(r"https?://[^\s/]\S*"),
    **{f"number {mark}": _column(_number(mark)) for mark in MARKS},
    **{f"money {code} {mark}": _column(_money(code, mark)) for code in CURRENCIES for mark in MARKS},
    **{f"date {order}": _column(pattern) for order, pattern in _DATES.items()},
    **{f"moment {order}": _column(pattern + _CLOCK) for order, pattern in _DATES.items()},
}
# What only one notation can write.
_PROOFS: Final[Mapping[Numbers | Dates, re.Pattern[str]]] = {
    Numbers.COMMA: re.compile(
        r"(?m)^[^\n\d,]{0,6}(?:\d{1,3}(?:[.'\u2019 \u00a0\u202f]\d{3})+,\d*|\d+,(?:\d{1,2}|\d{4,})|0,\d+)[^\n\d,.]{0,5}$"
    ),
    Numbers.POINT: re.compile(
        r"(?m)^[^\n\d.]{0,6}(?:\d{1,3}(?:[,'\u2019 \u00a0\u202f]\d{3})+\.\d*|\d+\.(?:\d{1,2}|\d{4,})|0\.\d+)[^\n\d,.]{0,5}$"
    ),
    Dates.DOTS: re.compile(r"(?m)^[ \t]*\d{1,2}\.\d{1,2}\.\d{2}"),
    Dates.DAY_FIRST: re.compile(r"(?m)^[ \t]*(?:1[3-9]|2\d|3[01])([/-])\d{1,2}\1\d{2}"),
    Dates.MONTH_FIRST: re.compile(r"(?m)^[ \t]*\d{1,2}([/-])(?:1[3-9]|2\d|3[01])\1\d{2}"),
}


class ColumnGuess:
    """What is known of one column."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.filled = 0
        self.longest = 0
        self.lines = False
        self.samples: list[str] = []
        self.distinct: set[str] = set()
        self.possible = set(_PATTERNS)
        self.proofs = dict.fromkeys(_PROOFS, 0)
        self._batches = 0

    def add(self, cells: Iterable[str]) -> None:
        """Learn from the cells of a batch."""
        filled = [cell for cell in cells if cell and not cell.isspace()]
        if not filled:
            return
        self.filled += len(filled)
        self.longest = max(self.longest, *map(len, filled))
        if len(self.samples) < _SAMPLES:
            shown = (cell[:_SAMPLE] for cell in filled[:50])
            self.samples = list(dict.fromkeys([*self.samples, *shown]))[:_SAMPLES]
        if len(self.distinct) <= MAX_CHOICES and self.longest <= Choice.characters:
            self.distinct.update(filled)
        text = "\n".join([*filled, ""])
        self._batches += 1
        if text.count("\n") != len(filled) or "\r" in text:
            self.lines = True
            self.possible.clear()
        self.possible = {name for name in self.possible if _PATTERNS[name].fullmatch(text)}
        if self.possible or self._batches <= _LOOKED or any(self.proofs.values()):
            for proof in self._contested():
                self.proofs[proof] += sum(1 for _ in _PROOFS[proof].finditer(text))

    def _contested(self) -> list[Numbers | Dates]:
        """The notations of which another proof may decide something.

        While all values fit some pattern, what only one notation can write is of none that does not fit.
        """
        fitting = [one for one in _PROOFS if not self.possible or _fits(self, one)]
        if "whole" in self.possible:  # proves nothing
            return []
        return [one for one in fitting if self.proofs[one] < _ENOUGH]


def decided(columns: Sequence[ColumnGuess]) -> list[Guessed]:
    """What every column is taken for: one that could be read in two ways is read as those beside it, if they agree."""
    numbers, dates = _habit(columns, MARKS), _habit(columns, _SLASHED)
    if numbers is None and any(_proven(column, Dates.DOTS) for column in columns):
        numbers = Numbers.COMMA  # who writes 31.12.2026 writes 1.234,50
    return [_decided(column, numbers, dates) for column in columns]


N = TypeVar("N", Numbers, Dates)
_SLASHED: Final = (Dates.DAY_FIRST, Dates.MONTH_FIRST)


def _habit(columns: Sequence[ColumnGuess], kinds: Sequence[N]) -> N | None:
    """The notation that columns prove, if they do not contradict each other."""
    proven = [one for one in kinds if any(_proven(column, one) for column in columns)]
    return proven[0] if len(proven) == 1 else None


def _proven(column: ColumnGuess, one: Numbers | Dates) -> bool:
    """Whether all values of a column fit this notation, and some no other."""
    return _fits(column, one) and column.proofs.get(one, 0) > 0


def _fits(column: ColumnGuess, one: Numbers | Dates) -> bool:
    """Whether all values can be of this notation."""
    words = ("number",) if isinstance(one, Numbers) else ("date", "moment")
    return any(f"{word} {one}" in column.possible for word in words)


def _decided(column: ColumnGuess, number_habit: Numbers | None, date_habit: Dates | None) -> Guessed:
    kind = _type(column)
    numbers, no_mark = _one(column, MARKS, number_habit)
    dates, no_order = _one(column, tuple(Dates), date_habit)
    left = ""
    if kind in NUMERIC and no_mark and "whole" not in column.possible:
        left = "numbers"
    elif kind in TEMPORAL and no_order:
        left = "dates"
    choices = tuple(sorted(column.distinct)) if kind is FieldType.CHOICE else ()
    notation = Notation(numbers, dates)
    return Guessed(
        column.name,
        kind,
        notation,
        column.filled,
        column.longest,
        tuple(column.samples),
        choices,
        _currency(column),
        left,
    )


def _currency(column: ColumnGuess) -> str:
    """The currency of all amounts; empty if they have none, or several."""
    return next((code for code in CURRENCIES for mark in MARKS if f"money {code} {mark}" in column.possible), "")


def _type(column: ColumnGuess) -> FieldType:  # noqa: PLR0911  one line a type
    possible = column.possible
    if not column.filled:
        return FieldType.TEXT
    if "yes_or_no" in possible and _is_one_pair(column):
        return FieldType.BOOLEAN
    if "whole" in possible:
        return FieldType.INTEGER
    if any(name.startswith("number") for name in possible):
        return FieldType.MONEY if _currency(column) else FieldType.NUMBER
    if any(name.startswith("date") for name in possible):
        return FieldType.DATE
    if any(name.startswith("moment") for name in possible):
        return FieldType.DATETIME
    if "email" in possible and column.longest <= 254:  # noqa: PLR2004  of an address
        return FieldType.EMAIL
    if "url" in possible and column.longest <= Url.characters:
        return FieldType.URL
    return _text_type(column)


def _is_one_pair(column: ColumnGuess) -> bool:
    words = {word.strip().casefold() for word in column.distinct}
    return any(words <= set(pair) for pair in PAIRS)


def _text_type(column: ColumnGuess) -> FieldType:
    few = len({value.strip() for value in column.distinct}) <= _MOST_CHOICES
    if (
        few
        and not column.lines
        and column.longest <= Choice.characters
        and column.filled >= _ROWS_A_CHOICE * len(column.distinct)
    ):
        return FieldType.CHOICE
    return FieldType.LONG_TEXT if column.lines or column.longest > Text.characters else FieldType.TEXT


def _one(column: ColumnGuess, kinds: Sequence[N], habit: N | None) -> tuple[N | None, bool]:
    """The notation of this kind, and whether it is open."""
    fits = [one for one in kinds if _fits(column, one)]
    if len(fits) == 1:
        return fits[0], False
    if not fits:
        # Some values are none; the others may still prove how they are written.
        most = max(kinds, key=lambda one: column.proofs.get(one, 0))
        return (most if column.proofs.get(most, 0) else habit), False
    proven = [one for one in fits if column.proofs.get(one, 0)]
    if len(proven) == 1:
        return proven[0], False
    return (habit, False) if habit in fits else (None, True)
