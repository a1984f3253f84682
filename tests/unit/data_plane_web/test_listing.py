from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.records.filters import Filter, parse_filter
from vivero_data.lib.lists import join_list, split_list
from vivero_data.web.listing import (
    MAX_FILTERS,
    Address,
    address,
    next_sort,
    parse_filters,
    segment,
    sorted_by,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT.filter(bool)), max_size=6))
def test_an_address_survives_its_own_spelling(pairs: list[tuple[str, str]]) -> None:
    spelled = str(Address("/collections/x", tuple(pairs)))
    assert parse_qsl(urlsplit(spelled).query, keep_blank_values=True) == pairs


def test_changes_leave_the_rest_alone() -> None:
    here = address(
        "/c",
        [("sort", "a"), ("filter", "x:eq:1"), ("filter", "y:eq:2"), ("evil", "1"), ("cursor", "")],
        "sort",
        "filter",
        "cursor",
    )
    assert str(here) == "/c?sort=a&filter=x%3Aeq%3A1&filter=y%3Aeq%3A2"
    assert here.put("sort", "-a").get("sort") == "-a"
    assert here.put("sort", "").get("sort") == ""
    assert here.drop_pair("filter", "x:eq:1").all("filter") == ["y:eq:2"]
    assert here.add("filter", "z:eq:3").all("filter") == ["x:eq:1", "y:eq:2", "z:eq:3"]
    assert str(here.drop("sort", "filter")) == "/c"


@given(TEXT)
def test_a_segment_cannot_end_itself(text: str) -> None:
    assert not set(segment(text)) & set("/?#&")
    assert unquote(segment(text)) == text


@pytest.mark.parametrize(
    ("now", "shown", "then"),
    [("", "none", "a"), ("a", "ascending", "-a"), ("-a", "descending", ""), ("b", "none", "a")],
)
def test_a_columns_head_cycles(now: str, shown: str, then: str) -> None:
    assert sorted_by(now, "a") == shown
    assert next_sort(now, "a") == then


@given(TEXT.filter(bool), st.sampled_from(["eq", "gt"]), TEXT)
def test_a_filter_survives_its_own_spelling(field: str, operator: str, value: str) -> None:
    condition = Filter(field, operator, value)
    assert parse_filter(str(condition)) == condition


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_a_list_survives_its_own_spelling(values: list[str]) -> None:
    assert split_list(join_list(values)) == values


def test_a_backslash_is_itself_before_other_signs() -> None:
    assert split_list(r"C:\new,\\,a\,b") == [r"C:\new", "\\", "a,b"]


@given(st.lists(st.text(), max_size=40))
def test_any_filters_are_bounded(texts: list[str]) -> None:
    assert len(parse_filters(texts)) <= MAX_FILTERS


@pytest.mark.parametrize("text", ["", "a", ":eq:1", "a::1", "a\\:eq"])
def test_what_is_no_filter(text: str) -> None:
    assert parse_filter(text) is None
