"""Which index makes a slow list fast: by what it compares and sorts by."""

import pytest
from unit.data_plane.builders import collection, field
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_data.domain.records.advice import covered, surely_fast, wanted_index
from vivero_data.domain.records.filters import AllOf, AnyOf, Condition, Not
from vivero_data.domain.records.query import parse_sort
from vivero_data.domain.records.schemas import RecordQuery
from vivero_data.domain.records.where import parse_filters
from vivero_data.lib.json import encode

THINGS = collection(*(field(kind, number, indexed=kind is not T.URL) for number, kind in enumerate(T, 10)))
RED, AFTER = Condition("Choice", "eq", "red"), Condition("Date", "gte", "2026-01-01")
ANY = AnyOf((Condition("Text", "eq", "a"), AFTER))


def columns(query: RecordQuery) -> list[str]:
    return [f"{key.column.field.name}{'-' if key.descending else ''}" for key in wanted_index(THINGS, query)]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (RecordQuery(sort="Url"), ["Url"]),
        (RecordQuery(sort="Text,-Integer"), ["Text", "Integer-"]),
        (RecordQuery(filters=("Integer:eq:7",)), ["Integer"]),
        (RecordQuery(filters=("Integer:eq:7", "Date:gte:2026-01-01"), sort="-Text"), ["Integer", "Text-"]),
        (RecordQuery(where=encode(AllOf((RED, AFTER, ANY)))), ["Choice", "Date"]),
        (RecordQuery(where=encode(AllOf((RED, AFTER))), sort="-Choice"), ["Choice"]),
        (RecordQuery(where=encode(AnyOf((RED, AFTER)))), []),
        (RecordQuery(where=encode(Not(RED))), []),
        (RecordQuery(filters=("Long_Text:eq:a",)), []),
        (RecordQuery(filters=("Text:contains:a",), search="b"), []),
        (RecordQuery(filters=("Text:starts:a",)), ["Text"]),
        (RecordQuery(filters=("created_at:gt:2026-01-01T00:00:00Z",), sort="id"), ["created_at"]),
        (RecordQuery(filters=("Url:eq:https://a.example/", "Email:eq:a@b.example"), sort="Text"), ["Url"]),
    ],
)
def test_an_index_has_what_is_compared_and_then_the_order(query: RecordQuery, wanted: list[str]) -> None:
    assert columns(query) == wanted


def test_an_index_that_begins_so_is_enough() -> None:
    keys = wanted_index(THINGS, RecordQuery(sort="Text,-Integer"))
    text, integer = (key.column.sql.strip("`") for key in keys)
    assert covered(keys, [[("id", False)], [(text, False), (integer, True), ("f_99", False)]])
    assert covered(keys, [[(text, True), (integer, False)]]), "read from its end"
    for index in (
        [],
        [("id", False)],
        [(text, False)],
        [(integer, True), (text, False)],
        [(text, False), (integer, False)],
    ):
        assert not covered(keys, [index])
    assert covered(keys, [[(text, False), (integer, False)]], equal=1), "all have the same first column"


def test_a_list_in_the_order_of_an_index_is_fast() -> None:
    assert surely_fast(parse_sort(THINGS, ""), [])
    assert surely_fast(parse_sort(THINGS, "-Text"), [])
    assert not surely_fast(parse_sort(THINGS, "Url"), [])
    assert not surely_fast(parse_sort(THINGS, "version"), [])
    assert not surely_fast(parse_sort(THINGS, "Text,Integer"), [])
    assert not surely_fast(parse_sort(THINGS, ""), parse_filters(THINGS, ["Text:eq:a"]))
