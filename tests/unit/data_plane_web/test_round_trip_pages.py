"""A record through its form and back, as Chromium sends it: what nobody touched stays what it was."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.data_plane.strategies import VALUES
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import AllOf, Condition, Tree, parse_where
from vivero_data.domain.records.schemas import Record
from vivero_data.lib.json import encode

PATH = "/collections/Customers/records/1"
COLLECTION = "/collections/Customers"
# Customers has every type; its choices are others than those of the strategies.
RECORDS = st.fixed_dictionaries(
    {
        "Company": VALUES[FieldType.TEXT],
        "Notes": st.none() | VALUES[FieldType.LONG_TEXT],
        "Value": st.none() | VALUES[FieldType.NUMBER],
        "Staff": st.none() | VALUES[FieldType.INTEGER],
        "Paid": st.none() | st.booleans(),
        "Since": st.none() | VALUES[FieldType.DATE],
        "Call": st.none() | VALUES[FieldType.DATETIME],
        "Status": st.none() | st.sampled_from(["Lead", "Active"]),
        "Mail": st.none() | VALUES[FieldType.EMAIL],
        "Site": st.none() | VALUES[FieldType.URL],
        "Tags": st.none() | VALUES[FieldType.CHOICES],
        "Price": st.none() | VALUES[FieldType.MONEY],
    }
)
pages = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stored(world: World, values: dict[str, Any]) -> Record:
    record = Record(1, 1, values, NOW, NOW)
    world.records["Customers"] = {1: record}
    world.touched.clear()
    return record


@pages
@given(RECORDS)
def test_a_save_without_a_change_writes_nothing(browser: Browser, world: World, values: dict[str, Any]) -> None:
    if not world.collections:
        browser.customers()
    record, entries = stored(world, values), len(world.entries)
    assert browser.send(PATH, **form_of(browser.open(PATH), PATH)) == COLLECTION
    assert world.records["Customers"][1] is record
    assert len(world.entries) == entries
    assert "Nothing was changed." in browser.open(COLLECTION)


@pages
@given(RECORDS, st.data())
def test_only_what_was_changed_is_stored(browser: Browser, world: World, values: dict[str, Any], data: Any) -> None:  # noqa: ANN401  Hypothesis' own
    names = browser.customers() if not world.collections else browser.inputs()
    stored(world, values)
    form = form_of(browser.open(PATH), PATH)
    name, typed, value = data.draw(
        st.sampled_from(
            [
                ("Company", "  Acme ", "  Acme "),
                ("Notes", "a\r\nb\r\n", "a\nb\n"),
                ("Staff", "", None),
                ("Mail", " \u00e4@b\u00fccher.example ", "\u00e4@b\u00fccher.example"),
            ]
        )
    )
    browser.send(PATH, **{**form, names[name]: typed})
    assert world.records["Customers"][1].values == {**values, name: value}


@pages
@given(RECORDS)
def test_two_people_change_different_fields_and_both_changes_stay(
    browser: Browser, world: World, values: dict[str, Any]
) -> None:
    names = browser.customers() if not world.collections else browser.inputs()
    stored(world, values)
    mine = {**form_of(browser.open(PATH), PATH), names["Company"]: "Mine!"}
    browser.send(PATH, **{**form_of(browser.open(PATH), PATH), names["Notes"]: "Theirs!"})
    browser.send(PATH, **mine)
    assert world.records["Customers"][1].values == {**values, "Company": "Mine!", "Notes": "Theirs!"}


def test_a_default_that_was_left_alone_is_the_services(browser: Browser, world: World) -> None:
    names = browser.customers()
    form = form_of(browser.open(f"{COLLECTION}/new"), f"{COLLECTION}/new")
    browser.send(f"{COLLECTION}/new", **{**form, names["Company"]: "Acme"})
    made = next(iter(world.records["Customers"].values()))
    assert {name: value for name, value in made.values.items() if value is not None} == {"Company": "Acme"}


@pytest.mark.parametrize("typed", ["1.234", "1,234"])
def test_what_may_mean_two_numbers_is_asked_for_again(browser: Browser, world: World, typed: str) -> None:
    names = browser.customers()
    page = browser.send(f"{COLLECTION}/new", 422, **{names["Company"]: "Acme", names["Value"]: typed})
    assert "May mean two numbers: write 1234, or 1.2340" in page
    assert f'value="{typed}"' in page
    assert not world.records["Customers"]
    query = urlencode({"match": "all", "c0-field": "Value", "c0-operator": "gt", "c0-value": typed, "action": "apply"})
    assert "Value may mean two numbers" in browser.open(f"{COLLECTION}/filter?{query}", 422)


def applied(browser: Browser, inputs: list[tuple[str, str]]) -> Tree:
    """The conditions that the filter form leads to."""
    pairs = [*inputs, ("match", "all"), ("action", "apply")]
    answer = browser.client.get(f"{COLLECTION}/filter?{urlencode(pairs)}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    (where,) = [value for key, value in parse_qsl(urlsplit(answer.headers["location"]).query) if key == "where"]
    return parse_where(where)


@pages
@given(
    st.sampled_from(["contains", "eq", "ne", "starts"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip),
)
def test_a_filter_holds_any_text_and_another_leaves_it_alone(
    browser: Browser, world: World, operator: str, text: str
) -> None:
    if not world.collections:
        browser.customers()

    first = applied(browser, [("c0-field", "Company"), ("c0-operator", operator), ("c0-value", text)])
    assert first == Condition("Company", operator, text)
    page = browser.client.get(f"{COLLECTION}?{urlencode({'where': encode(first)})}").text
    sent = form_of(page, f"{COLLECTION}/filter", "get")
    assert not set(sent["shown"]) & set("\r\n"), "browsers would rewrite them"
    if set(text) & set("\r\n"):
        assert "nested deeper or longer than it can be changed here" in page
        return
    second = [("c1-field", "Staff"), ("c1-operator", "gt"), ("c1-value", "1 000")]
    assert applied(browser, [*sent.items(), *second]) == AllOf((first, Condition("Staff", "gt", "1000")))


@pytest.mark.parametrize(
    ("field", "operator", "typed", "value"),
    [
        ("Value", "eq", "1.234,50", "1234.50"),
        ("Value", "in", "1.5, 1 000", ["1.5", "1000"]),
        ("Paid", "eq", "Yes", "true"),
        ("Call", "gt", "2026-11-22T15:41", "2026-11-22T15:41:00Z"),
        ("Company", "in", r"Acme\, Inc., Bloom", ["Acme, Inc.", "Bloom"]),
        ("Company", "eq", " a ", " a "),
        ("Since", "empty", "", None),
    ],
)
def test_a_filter_as_a_person_types_it(browser: Browser, field: str, operator: str, typed: str, value: object) -> None:
    browser.customers()
    found = applied(browser, [("c0-field", field), ("c0-operator", operator), ("c0-value", typed)])
    assert found == Condition(field, operator, value)
