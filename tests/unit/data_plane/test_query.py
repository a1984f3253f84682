import re
from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane.builders import collection, field
from vivero_data.domain.field_types.file import File
from vivero_data.domain.field_types.registry import FieldType as T
from vivero_data.domain.records import query
from vivero_data.domain.records.filters import Filter
from vivero_data.domain.records.where import parse_filters, searched
from vivero_data.lib.cursors import Cursor
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

THINGS = collection()
COLUMN = {one.name: f"`f_{one.id}`" for one in THINGS.fields}
_NAMES = File().text_sql("`f_1`").partition("`f_1`")[2]
SAFE_SQL = re.compile(rf"(?:[a-zA-Z_`0-9%<>=(), ]|{re.escape(_NAMES)})+")


def test_filters_become_conditions_with_parameters() -> None:
    text, number = COLUMN["Text"], COLUMN["Integer"]
    clauses = parse_filters(
        THINGS,
        [
            "Text:eq:a:b",
            "Integer:gte:3",
            "Text:contains:50%_\\",
            "Text:starts:A",
            "Text:empty:",
            "Integer:filled",
            "Integer:in:1,2,3",
            "Text:ne:x",
            "created_at:lt:2026-01-01T00:00:00Z",
            "id:gt:7",
        ],
    )
    assert [clause.sql for clause in clauses] == [
        f"{text} = %s",
        f"{number} >= %s",
        f"{text} LIKE %s",
        f"{text} LIKE %s",
        f"{text} IS NULL",
        f"{number} IS NOT NULL",
        f"{number} IN (%s, %s, %s)",
        f"({text} <> %s OR {text} IS NULL)",
        "created_at < %s",
        "id > %s",
    ]
    assert clauses[0].params == ("a:b",)
    assert clauses[2].params == ("%50\\%\\_\\\\%",)
    assert clauses[6].params == (1, 2, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Text",
        "Nothing:eq:1",
        "Text:like:a",
        "Integer:eq:a",
        "Boolean:lt:true",
        "Integer:contains:1",
        "Text:contains:",
        "Choice:eq:blue",
        "Integer:in:" + ",".join("1" * 101),
        "`f_10`:eq:1",
    ],
)
def test_a_bad_filter_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_filters(THINGS, [text])
    assert caught.value.errors[0].field == "filter"


@pytest.mark.parametrize(("operator", "pattern"), [("contains", "%Größe%"), ("starts", "Größe%")])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_search_finds_letters_composed_and_taken_apart(
    operator: str, pattern: str, form: Literal["NFC", "NFD"]
) -> None:
    clause = parse_filters(THINGS, [f"Text:{operator}:{normalize(form, 'Größe')}"])[0]
    assert set(clause.params) == {pattern, normalize("NFD", pattern)}
    assert clause.sql == f"({COLUMN['Text']} LIKE %s OR {COLUMN['Text']} LIKE %s)"


@given(st.text(min_size=1))
def test_a_filter_finds_a_field_of_any_name(text: str) -> None:
    name = tidy(text)
    if not name or name in {"id", "version", "created_at", "updated_at"}:
        return
    things = collection(field(T.LONG_TEXT, 3, name=name))
    clause = parse_filters(things, [str(Filter(normalize("NFD", name), "eq", "a:b,\n\\"))])[0]
    assert (clause.sql, clause.params) == ("`f_3` = %s", ("a:b,\n\\",))


def test_a_search_looks_for_every_word_in_every_text() -> None:
    things = collection(field(T.TEXT, 3), field(T.INTEGER, 4), field(T.LONG_TEXT, 5))
    found = searched(things, "  50% Rose 50% ")
    assert found is not None
    assert found.sql == "((`f_3` LIKE %s OR `f_5` LIKE %s) AND (`f_3` LIKE %s OR `f_5` LIKE %s))"
    assert found.params == ("%50\\%%", "%50\\%%", "%Rose%", "%Rose%")
    assert searched(things, " \n") is None


@pytest.mark.parametrize("text", ["a b c d e f g h i", "x" * 201])
def test_a_search_is_bounded(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        searched(THINGS, text)
    assert caught.value.errors[0].field == "search"


def test_a_search_without_a_text_to_look_into_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        searched(collection(field(T.INTEGER)), "a")


def test_too_many_filters_are_refused() -> None:
    with pytest.raises(InvalidInputError):
        parse_filters(THINGS, ["Text:filled"] * 21)


@given(
    st.sampled_from([*COLUMN, "id", "x", "` OR 1=1"]),
    st.sampled_from(["eq", "ne", "lt", "contains", "starts", "in", "empty", "'"]),
    st.text(),
)
def test_nothing_typed_becomes_sql(name: str, operator: str, value: str) -> None:
    try:
        clauses = parse_filters(THINGS, [f"{name}:{operator}:{value}"])
    except InvalidInputError:
        return
    for clause in clauses:
        assert SAFE_SQL.fullmatch(clause.sql)
        assert clause.sql.count("%s") == len(clause.params)


def test_the_natural_order_is_by_id() -> None:
    assert query.parse_sort(THINGS, "").order_by == "id ASC"
    assert query.parse_sort(THINGS, "-id").order_by == "id DESC"
    assert query.parse_sort(THINGS, "-Text").order_by == f"{COLUMN['Text']} DESC, id DESC"


def test_an_order_has_several_fields_and_ends_with_the_id() -> None:
    text, number = COLUMN["Text"], COLUMN["Integer"]
    sort = query.parse_sort(THINGS, "Text,-Integer")
    assert sort.order_by == f"{text} ASC, {number} DESC, id DESC"
    assert query.parse_sort(THINGS, "Text,id,Integer").order_by == f"{text} ASC, id ASC"
    cursor = query.cursor_after(sort, 9, ("a", 5))
    assert (cursor.value, cursor.more) == ("a", ("5",))
    clause = query.after(sort, cursor)
    assert clause.params == ("a", "a", 5, "a", 5, 9)
    first, second = f"{text} > %s", f"({text} = %s AND ({number} < %s OR {number} IS NULL))"
    assert clause.sql == f"({first} OR {second} OR ({text} = %s AND {number} = %s AND id < %s))"
    with pytest.raises(InvalidInputError):
        query.after(sort, Cursor("Text,-Integer", 9, "a"))


def test_a_comma_in_a_name_is_escaped() -> None:
    things = collection(field(T.TEXT, 3, name="Last, First"), field(T.TEXT, 4, name="Last"))
    assert query.parse_sort(things, "-Last\\, First").order_by == "`f_3` DESC, id DESC"


@pytest.mark.parametrize(
    "text",
    [
        "Nothing",
        "Long_Text",
        "--Text",
        "Text;",
        ",",
        "Text,",
        "Text,-Text",
        "Text,Integer,Number,Date",
        "Text, -Integer",
    ],
)
def test_an_order_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        query.parse_sort(THINGS, text)
    assert caught.value.errors[0].field == "sort"


def test_a_page_begins_after_the_last_row() -> None:
    column = COLUMN["Integer"]
    up, down = query.parse_sort(THINGS, "Integer"), query.parse_sort(THINGS, "-Integer")
    assert query.after(up, Cursor("Integer", 9, "5")).sql == f"({column} > %s OR ({column} = %s AND id > %s))"
    assert query.after(up, Cursor("Integer", 9, "5")).params == (5, 5, 9)
    beyond = f"({column} < %s OR {column} IS NULL)"
    assert query.after(down, Cursor("-Integer", 9, "5")).sql == f"({beyond} OR ({column} = %s AND id < %s))"
    assert query.after(up, Cursor("Integer", 9)).sql == f"({column} IS NOT NULL OR ({column} IS NULL AND id > %s))"
    assert query.after(down, Cursor("-Integer", 9)).sql == f"({column} IS NULL AND id < %s)"
    assert query.after(query.parse_sort(THINGS, "-id"), Cursor("-id", 9)).sql == "id < %s"


def test_a_field_that_became_required_may_have_nulls_to_come() -> None:
    things = collection(field(T.INTEGER, 3, required=True))
    down = query.parse_sort(things, "-Integer")
    assert "`f_3` IS NULL" in query.after(down, Cursor("-Integer", 9, "5")).sql


def test_a_cursor_with_a_foreign_value_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        query.after(query.parse_sort(THINGS, "Integer"), Cursor("Integer", 9, "x"))
    assert caught.value.errors[0].field == "cursor"
