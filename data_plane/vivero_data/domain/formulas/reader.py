"""Reads a formula: its tokens, and from them its tree, by precedence.

As in spreadsheets, a sign binds closer than `^`, and all operators of one precedence group from the left. Everything
is bounded, so no text takes long or deep recursion.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from vivero_data.domain.field_types.options import MAX_FORMULA
from vivero_data.domain.formulas.tree import Call, Constant, FormulaError, Node, Reference, written

_MAX_DEPTH: Final = 40
_MAX_NODES: Final = 400
_MAX_DIGITS: Final = 16
_MAX_DECIMALS: Final = 10

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    |(?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*')
    |(?P<field>\{(?:[^}]|\}\})*\})
    |(?P<word>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<sign><=|>=|<>|!=|[-+*/^%&=<>(),;])""",
    re.VERBOSE | re.ASCII,
)
_PRECEDENCE: Final[Mapping[str, int]] = {
    **dict.fromkeys(("=", "<>", "!=", "<", "<=", ">", ">="), 1),
    "&": 2,
    **dict.fromkeys("+-", 3),
    **dict.fromkeys("*/%", 4),
    "^": 5,
}
_SAME: Final = {"!=": "<>"}


class Token(msgspec.Struct, frozen=True):
    """A piece of a formula: its kind by the names in `_TOKEN`, or `end`."""

    at: int
    kind: str
    text: str


def read(text: str) -> Node:
    """The tree of a formula; a leading `=` is ignored.

    Raises:
        FormulaError: it is none, or too large.
    """
    if len(text) > MAX_FORMULA:
        raise FormulaError(MAX_FORMULA, f"A formula has at most {MAX_FORMULA:,} characters")
    return _Reader([one for one in _tokens(text) if one.kind != "space"]).whole()


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The formula with other names for fields; names that are not in `names` stay, and so does the spacing."""
    pieces = []
    for token in _tokens(text):
        name = _inside(token.text, "}") if token.kind == "field" else ""
        pieces.append(written(names[name]) if name in names else token.text)
    return "".join(pieces)


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise FormulaError(place, _unreadable(text[place]))
        yield Token(place, found.lastgroup or "", found[0])
        place = found.end()
    yield Token(len(text), "end", "")


def _unreadable(character: str) -> str:
    unfinished = {"{": "A } is missing", '"': 'A closing " is missing', "'": "A closing ' is missing"}
    return unfinished.get(character, f"{character} means nothing here; a field is written {{Name}}")


def _inside(text: str, quote: str) -> str:
    """What stands between marks, one of which is doubled where it is meant."""
    return text[1:-1].replace(quote * 2, quote)


class _Reader:
    """Takes tokens from the left."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 1 if tokens[0].text == "=" else 0
        self._nodes = 0

    def whole(self) -> Node:
        node = self._operation(0, 0)
        if self._next.kind != "end":
            raise FormulaError(self._next.at, f"Expected an operator or the end, found {self._next.text[:20]}")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _expect(self, *signs: str, where: str) -> Token:
        if self._next.text not in signs or self._next.kind != "sign":
            found = f"found {self._next.text[:20]}" if self._next.text else "but the formula ends"
            raise FormulaError(self._next.at, f"Expected {' or '.join(signs)} {where}, {found}")
        return self._take()

    def _counted(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise FormulaError(node.at, "The formula has too many parts; put some into a formula field of their own")
        return node

    def _operation(self, above: int, depth: int) -> Node:
        """A value, with all operators that bind closer than `above`."""
        left = self._value(depth)
        while self._next.kind == "sign" and _PRECEDENCE.get(self._next.text, 0) > above:
            sign = self._take()
            right = self._operation(_PRECEDENCE[sign.text], depth + 1)
            left = self._counted(Call(sign.at, _SAME.get(sign.text, sign.text), (left, right)))
        return left

    def _value(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise FormulaError(self._next.at, "The formula is nested too deeply")
        token = self._take() if self._next.kind != "end" else self._next
        match token.kind, token.text:
            case "number", text:
                return self._counted(Constant(token.at, _number(token.at, text)))
            case "text", text:
                return self._counted(Constant(token.at, _inside(text, text[0])))
            case "field", text:
                return self._counted(Reference(token.at, _inside(text, "}")))
            case "sign", "-" | "+":
                value = self._value(depth + 1)
                return self._counted(Call(token.at, "-", (value,))) if token.text == "-" else value
            case "sign", "(":
                node = self._operation(0, depth + 1)
                self._expect(")", where="to close the bracket")
                return node
            case "word", word:
                return self._counted(self._word(token, word.upper(), depth))
        found = f"found {token.text[:20]}" if token.text else "but the formula ends"
        raise FormulaError(token.at, f"Expected a number, a text in quotes, a {{field}} or a function, {found}")

    def _word(self, token: Token, word: str, depth: int) -> Node:
        if self._next.text != "(":
            if word in {"TRUE", "FALSE"}:
                return Constant(token.at, word == "TRUE")
            raise FormulaError(token.at, f"A field is written {{{token.text}}}, a function {token.text.upper()}(…)")
        self._take()
        parts: list[Node] = []
        while self._next.text != ")" or parts:
            parts.append(self._operation(0, depth + 1))
            if self._expect(",", ";", ")", where=f"in {word}").text == ")":
                return Call(token.at, word, tuple(parts))
        self._take()
        return Call(token.at, word, ())


def _number(at: int, text: str) -> Decimal:
    whole, _, decimals = text.partition(".")
    if len(whole.lstrip("0")) > _MAX_DIGITS or len(decimals) > _MAX_DECIMALS:
        raise FormulaError(at, f"A number has at most {_MAX_DIGITS} digits and {_MAX_DECIMALS} decimals")
    return Decimal(text)
