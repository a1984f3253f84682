"""The rows of the filter form: conditions, and groups of conditions one level deep; parsed and changed on the server; pure.

Inputs are named by place: `c0-field`, `c0-operator`, `c0-value`, `c0-group`; `match` and `match-1` say whether all
conditions of the form, or of a group, must hold or any.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import whole_number

from vivero_data.domain.collections.schemas import Collection, Field, parse, present
from vivero_data.domain.field_types.kind import InvalidValueError, Operator
from vivero_data.domain.records.filters import LISTED, VALUELESS, WHERE_LENGTH, AllOf, AnyOf, Condition, Not, Tree
from vivero_data.domain.records.query import column_of
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list, split_list
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.web.inputs import shown
from vivero_data.web.operators import condition_value

MAX_ROWS: Final = 20
MAX_GROUPS: Final = 5
_INPUT: Final = re.compile(r"c(\d{1,3})-(field|operator|value|group)")
_LINES: Final = re.compile("[\r\n]")  # browsers drop them in an input
_TOP: Final = 0

Match = Literal["all", "any"]


class FilterRow(msgspec.Struct, frozen=True):
    """A condition as it is in the form; `group` is 0 outside of any."""

    field: str
    operator: str
    values: tuple[str, ...] = ()
    group: int = _TOP

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


class FilterForm(msgspec.Struct, frozen=True):
    """All of it; `matches` are of the form itself and of its groups by number."""

    rows: tuple[FilterRow, ...] = ()
    matches: dict[int, Match] = {}

    def match(self, group: int = _TOP) -> Match:
        return self.matches.get(group, "any" if group else "all")

    @property
    def groups(self) -> list[int]:
        """Numbers of the groups, in the order of their first rows."""
        return list(dict.fromkeys(row.group for row in self.rows if row.group))

    def of(self, group: int) -> list[tuple[int, FilterRow]]:
        """A group's rows with their places."""
        return [(place, row) for place, row in enumerate(self.rows) if row.group == group]

    @property
    def full(self) -> bool:
        return len(self.rows) >= MAX_ROWS


def read_form(pairs: Iterable[tuple[str, str]]) -> FilterForm:
    """The form as it was sent; gaps are closed, unknown inputs ignored."""
    found: dict[int, dict[str, list[str]]] = {}
    matches: dict[int, Match] = {}
    for name, text in pairs:
        part = _INPUT.fullmatch(name)
        if part:
            found.setdefault(int(part[1]), {}).setdefault(part[2], []).append(text)
        head, _, group = name.partition("-")
        if head == "match":
            number = whole_number(group) if group else _TOP
            if number is not None and number <= MAX_GROUPS:
                matches[number] = "any" if text == "any" else "all"
    rows = [_row(parts) for _, parts in sorted(found.items())]
    return FilterForm(tuple(rows[:MAX_ROWS]), matches)


def _row(parts: Mapping[str, Sequence[str]]) -> FilterRow:
    def text(name: str) -> str:
        return parts.get(name, [""])[0]

    group = whole_number(text("group")) or _TOP
    return FilterRow(
        text("field"), text("operator"), tuple(parts.get("value", ())), group if group <= MAX_GROUPS else _TOP
    )


def form_of(collection: Collection, tree: Tree | None, notation: Notation = UNSET) -> FilterForm | None:
    """The form that shows a tree; None for one that goes deeper, or is longer, than it can show."""
    if tree is None:
        return FilterForm()
    match, parts = _group(tree)
    rows: list[FilterRow] = []
    matches: dict[int, Match] = {_TOP: match}
    for part in parts:
        if isinstance(part, Condition):
            rows.append(_as_row(collection, part, _TOP, notation))
            continue
        inner, inside = _group(part)
        number = len(matches)
        conditions = [one for one in inside if isinstance(one, Condition)]
        if number > MAX_GROUPS or isinstance(part, Not) or len(conditions) < len(inside):
            return None
        matches[number] = inner
        rows += [_as_row(collection, one, number, notation) for one in conditions]
    broken = any(_LINES.search(value) for row in rows for value in row.values)
    return None if broken or len(rows) > MAX_ROWS else FilterForm(tuple(rows), matches)


def _group(tree: Tree) -> tuple[Match, Sequence[Tree]]:
    """A tree as a group."""
    if isinstance(tree, AllOf):
        return "all", tree.all
    return ("any", tree.any) if isinstance(tree, AnyOf) else ("all", (tree,))


def _as_row(collection: Collection, condition: Condition, group: int, notation: Notation) -> FilterRow:
    column = column_of(collection, condition.field)
    if column is None or condition.operator in VALUELESS:
        return FilterRow(condition.field, condition.operator, (), group)
    kind, value = column.field.kind, condition.value
    if kind.several and isinstance(value, str):
        value = split_list(value)
    said = value if isinstance(value, list) else [value]
    texts = [str(one) if kind.has_choices else _input(column.field, condition.operator, one, notation) for one in said]
    several = condition.operator in LISTED and not kind.has_choices
    return FilterRow(column.field.name, condition.operator, (join_list(texts),) if several else tuple(texts), group)


def _input(field: Field, operator: str, value: Any, notation: Notation) -> str:  # noqa: ANN401  a condition's value
    """A value as the control of its field shows it."""
    if operator in {Operator.CONTAINS, Operator.STARTS}:
        return str(value)
    try:
        return shown(present(field, parse(field, value)), notation)
    except InvalidValueError:
        return str(value)


def act(collection: Collection, form: FilterForm, action: str) -> FilterForm:
    """The form after one of its buttons: `add`, `add-2` in a group, `group` for a new one, `remove-3`."""
    word, _, number = action.partition("-")
    first = FilterRow(collection.fields[0].name, collection.fields[0].kind.operators[0])
    if word == "remove":
        return msgspec.structs.replace(
            form, rows=tuple(row for place, row in enumerate(form.rows) if str(place) != number)
        )
    if word == "add" and not form.full:
        group = whole_number(number) or _TOP
        return msgspec.structs.replace(form, rows=(*form.rows, msgspec.structs.replace(first, group=group)))
    free = next((one for one in range(1, MAX_GROUPS + 1) if one not in form.groups), None)
    if word == "group" and free and not form.full:
        return msgspec.structs.replace(form, rows=(*form.rows, msgspec.structs.replace(first, group=free)))
    return form


def tree_of(collection: Collection, form: FilterForm, notation: Notation = UNSET) -> Tree | None:
    """The conditions that the form says; a row without a value where one is needed is not finished, and left out.

    Raises:
        InvalidInputError: naming the row at fault, `c0`.
    """
    parts: list[Tree] = []
    seen: set[int] = set()
    for place, row in enumerate(form.rows):
        if row.group == _TOP:
            parts += _conditions(collection, [(place, row)], notation)
        elif row.group not in seen:
            seen.add(row.group)
            inside = tuple(_conditions(collection, form.of(row.group), notation))
            parts += [AnyOf(inside) if form.match(row.group) == "any" else AllOf(inside)] if inside else []
    if not parts:
        return None
    tree = parts[0] if len(parts) == 1 else AnyOf(tuple(parts)) if form.match() == "any" else AllOf(tuple(parts))
    if len(encode(tree)) > WHERE_LENGTH:
        raise InvalidInputError.of("filter", f"must have at most {WHERE_LENGTH:,} characters in all")
    return tree


def _conditions(collection: Collection, rows: Iterable[tuple[int, FilterRow]], notation: Notation) -> list[Tree]:
    found = (_condition(collection, place, row, notation) for place, row in rows)
    return [one for one in found if one]


def _condition(collection: Collection, place: int, row: FilterRow, notation: Notation) -> Condition | None:
    column = column_of(collection, row.field)
    if column is None:
        raise InvalidInputError.of(f"c{place}", "names no field")
    field = column.field
    operator = row.operator if row.operator in field.kind.operators else field.kind.operators[0]
    if operator in VALUELESS:
        return Condition(field.name, operator)
    texts = [text for text in row.values if text.strip()]
    if not texts:
        return None
    if field.kind.has_choices and (operator in LISTED or field.kind.several):
        return Condition(field.name, operator, texts)
    if operator in LISTED:
        texts = [part.strip() for text in texts for part in split_list(text) if part.strip()]
    try:
        values = [condition_value(field, text, notation) for text in texts]
    except InvalidInputError as error:
        raise InvalidInputError.of(f"c{place}", error.errors[0].message) from error
    return Condition(field.name, operator, values if operator in LISTED else values[0])
