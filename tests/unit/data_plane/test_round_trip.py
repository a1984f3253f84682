"""What is printed is read back as the same value: every type, through JSON, filter and cursor."""

import json
from typing import Any

from hypothesis import given
from unit.data_plane.builders import collection, field
from unit.data_plane.strategies import SPELLED, TYPED
from vivero_data.domain.collections.schemas import parse, present
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_data.domain.records import query
from vivero_data.domain.records.filters import Filter
from vivero_data.domain.records.where import parse_filters
from vivero_data.lib import cursors
from vivero_data.lib.cursors import Cursor
from vivero_data.lib.json import decode, encode
from vivero_data.lib.lists import join_list

THINGS = collection()


def as_program(value: object) -> str:
    """A value as a program writes it into an address: a text as it is, a list with commas, all else as JSON has it."""
    if isinstance(value, list):
        return join_list(value)
    printed = encode(value)
    return json.loads(printed) if printed.startswith('"') else printed


@given(TYPED)
def test_through_json(pair: tuple[T, Any]) -> None:
    kind, value = pair
    assert present(field(kind), parse(field(kind), decode(encode(value)))) == value


@given(SPELLED)
def test_through_a_filter(pair: tuple[T, Any]) -> None:
    kind, value = pair
    name, printed = field(kind).name, as_program(value)
    stored = parse(field(kind), decode(encode(value)))
    asked = {"eq": printed, "in": join_list([printed, printed]), "any": printed, "all": printed}
    for operator, text in [(one, asked[one]) for one in kind.kind.operators if one in asked]:
        clause = parse_filters(THINGS, [str(Filter(name, operator, text))])[0]
        assert set(clause.params) == {stored}


@given(TYPED.filter(lambda pair: pair[0].kind.sortable))
def test_through_a_cursor(pair: tuple[T, Any]) -> None:
    kind, value = pair
    sort = query.parse_sort(THINGS, field(kind).name)
    stored = parse(field(kind), decode(encode(value)))
    column = int(stored) if kind is T.BOOLEAN else stored  # as the database returns it
    text = cursors.encode(Cursor(sort.text, 7, cursors.as_text(column)))
    assert query.after(sort, cursors.decode(text, sort.text)).params == (stored, stored, 7)
