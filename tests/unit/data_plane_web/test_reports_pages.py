"""The pages of reports: the list, one with its chart and table, and the form with its preview."""

import html
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from unit.data_plane.builders import collection, field
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import World
from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.reports.definition import check
from vivero_data.domain.reports.schemas import Definition, Function, Grouping, Kind, Measure, Order, Period
from vivero_data.domain.users.schemas import Role
from vivero_data.web import report_form
from vivero_data.web.reports import figures
from vivero_web.errors import InvalidInputError

THINGS = collection()
NEW = {
    "name": "Value each year",
    "collection": "Customers",
    "group__0": "year:Since",
    "group__1": ":Status",
    "measure__0": "sum:Value",
    "kind": "stacked_bar",
    "order": "group",
    "limit": "20",
    "shared": "true",
}


def chart_in(page: str) -> Any:  # noqa: ANN401  JSON
    found = re.search('data-chart="([^"]*)"', page)
    assert found
    return json.loads(html.unescape(found[1]))


def test_a_report_is_made_shown_changed_and_deleted(browser: Browser, world: World) -> None:
    browser.customers()
    assert "No reports yet" in browser.open("/reports")
    place = browser.send("/reports/new", **NEW)
    page = browser.open(place)
    assert "Report created." in page
    chart = chart_in(page)
    assert (chart["kind"], chart["stacked"], chart["dated"]) == ("stacked_bar", True, True)
    assert chart["categories"][0] == "Earlier"
    assert [one["name"] for one in chart["series"]][-1] == "Others"
    assert {len(one["values"]) for one in chart["series"]} == {len(chart["categories"])}
    assert "charts-" in page
    assert "Value each year" in browser.open("/reports")
    edit = browser.open(f"{place}/edit")
    sent = form_of(edit, place)
    before = world.reports[int(place.rpartition("/")[2])]
    browser.send(place, **sent)
    assert world.reports[before.id] == before, "a form that nobody touched changes nothing"
    browser.send(place, **{**sent, "kind": "table", "name": "Per year"})
    page = browser.open(place)
    assert "data-chart" not in page
    assert "charts-" not in page, "where no chart is, its script is not loaded"
    assert browser.send(f"{place}/delete") == "/reports"
    browser.open(place, 404)


def test_words_of_people_are_never_markup(browser: Browser, world: World) -> None:
    browser.customers()
    evil = "</script><img src=x onerror=alert(1)>\"'"
    world.collections["Customers"] = collection_named(world, evil)
    place = browser.send("/reports/new", **{**NEW, "group__1": f":{evil}"})
    page = browser.open(place)
    assert "<img src=x" not in page
    assert any(evil in one["name"] for one in chart_in(page)["series"])


def collection_named(world: World, name: str) -> Collection:
    found = world.collections["Customers"]
    fields = [structs.replace(one, name=name) if one.name == "Company" else one for one in found.fields]
    return structs.replace(found, fields=tuple(fields))


def test_the_preview_follows_the_form(browser: Browser) -> None:
    browser.customers()
    page = browser.open("/reports/new")
    assert chart_in(page)
    assert 'hx-get="/reports/preview"' in page
    shown = browser.open("/reports/preview?collection=Customers&group-0=:Status&measure-0=average:Value&kind=pie")
    assert chart_in(shown)["kind"] == "pie"
    assert "<html" not in shown
    refused = browser.open("/reports/preview?collection=Customers&group-0=:Notes&measure-0=count:&kind=bar")
    assert "Cannot be Notes" in refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Must not be empty."),
        ({"kind": "pivot", "group__1": ""}, "Must be 2 for pivot."),
        ({"limit": "many"}, "Must be a whole number."),
        ({"limit": "9999"}, "limit"),
        ({"kind": "cake"}, "kind"),
        ({"field__0": "Value", "operator__0": "gt", "value__0": "1.234"}, "may mean two numbers"),
        ({"field__0": "Nothing", "operator__0": "gt", "value__0": "1"}, "Names no field"),
    ],
)
def test_a_form_that_does_not_fit_comes_back_as_it_was(browser: Browser, changes: dict[str, str], words: str) -> None:
    browser.customers()
    page = browser.send("/reports/new", 422, **{**NEW, **changes})
    assert words in html.unescape(page)
    assert form_of(page, "/reports/new")["description"] == ""
    assert ('value="Value each year"' in page) is ("name" not in changes)


def test_a_viewer_reads_and_is_offered_nothing_more(browser: Browser, world: World) -> None:
    browser.customers()
    place = browser.send("/reports/new", **NEW)
    world.role = Role.VIEWER
    page = browser.open(place)
    assert "/edit" not in page
    assert "/delete" not in page
    assert "/reports/new" not in browser.open("/reports")
    browser.open("/reports/new", 403)
    browser.send("/reports/new", 403, **NEW)
    browser.send(place, 403, **NEW)
    browser.send(f"{place}/delete", 403)


def test_a_report_that_cannot_be_computed_says_why(browser: Browser, world: World) -> None:
    browser.customers()
    place = browser.send("/reports/new", **NEW)
    number = int(place.rpartition("/")[2])
    gone = "Fields that it needs are gone: Since."
    world.reports[number] = structs.replace(world.reports[number], problem=gone)
    assert "Fields that it needs are gone: Since." in browser.open(place)
    assert "Needs a look" in browser.open("/reports")


def test_without_a_collection_there_is_nothing_to_report_on(browser: Browser) -> None:
    assert "Nothing to report on yet" in browser.open("/reports/new")


@pytest.mark.parametrize(
    "definition",
    [
        Definition(),
        Definition(group_by=(Grouping("Date", Period.WEEK), Grouping("id")), kind=Kind.PIVOT, limit=7),
        Definition(measures=tuple(Measure(Function.COUNT, name) for name in ("Text", "Email", "Url", "Date", "Choice"))),
        Definition(where={"field":"Integer","operator":"gte","value":"3"}, order=Order.VALUE),
        Definition(where={"all":[{"field":"Text","operator":"filled"},{"field":"Choice","operator":"in","value":["red","green"]}]}),
        Definition(where={"any":[{"field":"Text","operator":"filled"},{"not":{"field":"Boolean","operator":"eq","value":True}}]}),
    ],
)  # fmt: skip
def test_what_is_stored_survives_the_form(definition: Definition) -> None:
    form = report_form.form_of(definition)
    assert report_form.definition_of(form, THINGS) == definition
    offered = dict(report_form.groupings(THINGS, form)) | dict(report_form.measures(THINGS, form))
    assert {value for name, value in form.items() if name.startswith(("group", "measure"))} <= offered.keys()
    assert report_form.measure_rows(form) >= len(definition.measures)


@pytest.mark.parametrize("one", THINGS.fields, ids=lambda one: one.type)
def test_the_menus_offer_what_fits(one: Field) -> None:
    kind = one.kind
    values = [value for value, _ in report_form.groupings(THINGS, {}) if value.endswith(f":{one.name}")]
    assert len(values) == (5 if kind.dated else 1 if kind.sortable else 0)
    sums = [value for value, _ in report_form.measures(THINGS, {}) if value.endswith(f":{one.name}")]
    assert len(sums) == (5 if kind.summable else 1), "whether it is filled can be counted of each"


@pytest.mark.parametrize("kind", [kind for kind in FieldType if kind.kind.virtual])
def test_what_has_no_column_is_neither_grouped_by_nor_counted(kind: FieldType) -> None:
    things = collection(*THINGS.fields, field(kind, 99, name="Seen"))
    offered = [*report_form.groupings(things, {}), *report_form.measures(things, {})]
    assert not [value for value, _ in offered if value.endswith(":Seen")]
    for definition in (
        Definition(measures=(Measure(Function.COUNT, "Seen"),)),
        Definition(group_by=(Grouping("Seen"),)),
    ):
        with pytest.raises(InvalidInputError, match="cannot be Seen"):
            check(things, definition)


def test_a_stranger_value_of_a_menu_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        report_form.definition_of({"group-0": "fortnight:Date", "measure-0": "count:"}, THINGS)


@pytest.mark.parametrize(
    ("function", "values", "texts"),
    [
        (Function.SUM, ["1207", "697.72", None], ["1\u202f207.00", "697.72", ""]),
        (Function.SUM, ["12345678901234567890123456789012345.12345678"], ["12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890\u202f123\u202f456\u202f789\u202f012\u202f345.12345678"]),
        (Function.AVERAGE, ["44.70111111", "3"], ["44.7", "3.0"]),
        (Function.AVERAGE, ["0.00123456"], ["0.00123"]),
        (Function.AVERAGE, ["0", "-12.345"], ["0.00", "-12.34"]),
        (Function.COUNT, ["0", "12000"], ["0", "12\u202f000"]),
    ],
)  # fmt: skip
def test_figures_below_each_other_have_the_same_decimals(
    function: Function, values: list[str | None], texts: list[str]
) -> None:
    given = [None if value is None else Decimal(value) for value in values]
    assert figures(given, Measure(function, "Value")) == texts


def test_only_what_the_plan_has_is_offered(browser: Browser, world: World) -> None:
    browser.customers()
    assert 'value="pivot"' in browser.open("/reports/new?collection=Customers")
    world.features = ()
    page = browser.open("/reports/new?collection=Customers")
    assert 'value="pivot"' not in page
    assert 'value="table"' in page
