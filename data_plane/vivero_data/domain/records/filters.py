"""Filters: a tree of conditions, and the two notations for it; pure.

As JSON, a condition is `{"field": …, "operator": …, "value": …}`, and groups
are `{"all": […]}`, `{"any": […]}` and `{"not": …}`. As text, in the API's
parameter and in the addresses of pages, a condition is `field:operator:value`,
and all of them have to hold. There the value is the rest of the text and may
contain anything; a backslash escapes a colon in the field's name and a comma in
a list's value.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, Union

import msgspec
from vivero_web.errors import InvalidInputError

from vivero_data.domain.field_types.kind import Operator
from vivero_data.lib.json import decode, encode
from vivero_data.lib.lists import split_list

MAX_FILTERS: Final = 20  # as text
MAX_CONDITIONS: Final = 50  # of a tree; each may cost a full table scan
MAX_DEPTH: Final = 8
WHERE_LENGTH: Final = 8_000  # characters; percent-encoded it still fits an address's 16 KiB, or nearly
VALUELESS: Final = frozenset({Operator.EMPTY, Operator.FILLED})
LISTED: Final = frozenset({Operator.IN, Operator.ANY, Operator.ALL})
_PLACE: Final = "where"
_FILTER: Final = re.compile(r"(?P<field>(?:[^:\\]|\\.)+):(?P<operator>[^:]+)(?::(?P<value>.*))?", re.DOTALL)

Tree = Union["Condition", "AllOf", "AnyOf", "Not"]


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A comparison of one field; `value` is a JSON value, a list of them for `in`."""

    field: str
    operator: str
    value: Any = None


class AllOf(msgspec.Struct, frozen=True):
    """Every part holds."""

    all: tuple[Tree, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one part holds."""

    any: tuple[Tree, ...]


class Not(msgspec.Struct, frozen=True, rename={"part": "not"}):
    """The part does not hold; a comparison with an empty field (NULL) does not hold either."""

    part: Tree


def parse_where(text: str) -> Tree:
    """A tree from its JSON.

    Raises:
        InvalidInputError: naming the place in the tree, `where.all[1].value`.
    """
    if len(text) > WHERE_LENGTH:
        raise InvalidInputError.of(_PLACE, f"must have at most {WHERE_LENGTH:,} characters")
    try:
        said = decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidInputError.of(_PLACE, "must be JSON, nested a few times at most") from error
    return parse_tree(said)


def parse_tree(said: Any) -> Tree:  # noqa: ANN401  whatever JSON can say
    """A tree from what its JSON says.

    Raises:
        InvalidInputError: naming the place in the tree, as `parse_where`.
    """
    tree = _tree(said, _PLACE, 1)
    if _conditions_in(tree) > MAX_CONDITIONS:
        raise InvalidInputError.of(_PLACE, f"must have at most {MAX_CONDITIONS} conditions")
    return tree


def as_json(tree: Tree) -> dict[str, Any]:
    """What its JSON says; numbers with all their digits."""
    said: dict[str, Any] = decode(encode(tree))
    return said


def renamed(tree: Tree, of: Callable[[str], str]) -> Tree:
    """The same tree with other names of fields."""
    if isinstance(tree, Condition):
        return msgspec.structs.replace(tree, field=of(tree.field))
    if isinstance(tree, Not):
        return Not(renamed(tree.part, of))
    if isinstance(tree, AllOf):
        return AllOf(tuple(renamed(part, of) for part in tree.all))
    return AnyOf(tuple(renamed(part, of) for part in tree.any))


def _tree(said: Any, place: str, depth: int) -> Tree:  # noqa: ANN401  whatever JSON can say
    if depth > MAX_DEPTH:
        _refuse(place, f"must not be deeper than {MAX_DEPTH}")
    keys = said.keys() if isinstance(said, dict) else frozenset()
    if keys == {"not"}:
        return Not(_tree(said["not"], f"{place}.not", depth + 1))
    if keys == {"all"}:
        return AllOf(_parts(said["all"], f"{place}.all", depth))
    if keys == {"any"}:
        return AnyOf(_parts(said["any"], f"{place}.any", depth))
    if not {"field", "operator"} <= keys <= {"field", "operator", "value"}:
        _refuse(place, "must have all, any or not alone, or field, operator and value")
    for name in ("field", "operator"):
        if not isinstance(said[name], str):
            _refuse(f"{place}.{name}", "must be a text")
    return Condition(**said)


def _parts(said: Any, place: str, depth: int) -> tuple[Tree, ...]:  # noqa: ANN401  as above
    if not isinstance(said, list) or not said:
        _refuse(place, "must be a list with a condition or more")
    return tuple(_tree(part, f"{place}[{index}]", depth + 1) for index, part in enumerate(said))


def _refuse(place: str, message: str) -> NoReturn:
    raise InvalidInputError.of(place, message)


def _conditions_in(tree: Tree) -> int:
    if isinstance(tree, Condition):
        return 1
    if isinstance(tree, Not):
        return _conditions_in(tree.part)
    return sum(map(_conditions_in, tree.all if isinstance(tree, AllOf) else tree.any))


class Filter(msgspec.Struct, frozen=True):
    """A condition as text."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{_escaped(self.field, ':')}:{self.operator}:{self.value}"

    @property
    def condition(self) -> Condition:
        """The same in a tree."""
        if self.operator in VALUELESS:
            return Condition(self.field, self.operator)
        several = self.operator in LISTED
        return Condition(self.field, self.operator, split_list(self.value) if several else self.value)


def parse_filter(text: str) -> Filter | None:
    """A condition from its text; None if it is malformed."""
    found = _FILTER.fullmatch(text)
    return (
        Filter(re.sub(r"\\(.)", r"\1", found["field"], flags=re.DOTALL), found["operator"], found["value"] or "")
        if found
        else None
    )


def _escaped(text: str, sign: str) -> str:
    return text.replace("\\", "\\\\").replace(sign, f"\\{sign}")
