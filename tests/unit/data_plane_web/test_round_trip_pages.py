"""A record through its form and back, as Chromium sends it: what nobody touched stays what it was."""

from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.data_plane.strategies import VALUES
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import Filter
from vivero_data.domain.records.schemas import Record

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
    query = urlencode({"field": "Value", "operator": "gt", "value": typed})
    assert "Value may mean two numbers" in browser.open(f"{COLLECTION}?{query}", 422)


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

    def add(**form: str) -> list[str]:
        answer = browser.client.get(f"{COLLECTION}?{urlencode(form)}", follow_redirects=False)
        assert answer.status_code == 303
        return [value for key, value in parse_qsl(urlsplit(answer.headers["location"]).query) if key == "filter"]

    first = add(field="Company", operator=operator, value=text)
    assert first == [str(Filter("Company", operator, text))]
    page = browser.open(f"{COLLECTION}?{urlencode({'filter': first[0]})}")
    view = unescape(page.partition('name="view" value="')[2].partition('"')[0])
    assert not set(view) & set("\r\n"), "browsers would rewrite them"
    assert add(view=view, field="Staff", operator="gt", value="1 000") == [*first, "Staff:gt:1000"]


@pytest.mark.parametrize(
    ("field", "operator", "typed", "value"),
    [
        ("Value", "eq", "1.234,50", "1234.50"),
        ("Value", "in", "1.5, 1 000", "1.5,1000"),
        ("Paid", "eq", "Yes", "true"),
        ("Call", "gt", "2026-11-22T15:41", "2026-11-22T15:41:00Z"),
        ("Company", "in", r"Acme\, Inc., Bloom", r"Acme\, Inc.,Bloom"),
        ("Company", "eq", " a ", " a "),
        ("Since", "empty", "", ""),
    ],
)
def test_a_filter_as_a_person_types_it(browser: Browser, field: str, operator: str, typed: str, value: str) -> None:
    browser.customers()
    query = urlencode({"field": field, "operator": operator, "value": typed})
    answer = browser.client.get(f"{COLLECTION}?{query}", follow_redirects=False)
    assert parse_qsl(urlsplit(answer.headers["location"]).query) == [("filter", f"{field}:{operator}:{value}")]
