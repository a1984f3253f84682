"""What the whole world writes, through the pages' forms, tables, filters and links."""

from html import unescape
from unicodedata import normalize
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from support.world import ADDRESSES, NAMES, NUMBERS
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import World
from vivero_data.domain.records.filters import Condition, parse_where
from vivero_data.web.listing import collection_href

COLLECTION = "/collections/Customers"


@pytest.mark.parametrize("language", NAMES)
def test_a_name_is_a_collection_with_a_field_a_choice_and_a_record(
    browser: Browser, world: World, language: str
) -> None:
    name = normalize("NFC", NAMES[language])
    form = {"name": name, "field-0-name": name, "field-1-name": "C", "field-1-type": "choice", "field-1-choices": name}
    href = browser.send("/new-collection", **form)
    assert href == collection_href(name)
    lead, choice = world.collections[name].fields
    assert (lead.name, choice.choices) == (name, (name,))
    browser.send(f"{href}/new", **{f"f{lead.id}": name, f"f{choice.id}": name})
    (record,) = world.records[name].values()
    assert record.values == {name: name, "C": name}
    table = unescape(browser.open(href))
    assert table.count(f">{name}<") >= 3, "head, first cell and choice"
    path = f"{href}/records/{record.id}"
    assert browser.send(path, **form_of(browser.open(path), path)) == href
    assert world.records[name][record.id] is record
    assert f"Go to {name}<" in unescape(browser.open(f"/palette?{urlencode({'q': name})}"))
    answer = browser.client.get(f"{href}/arrange?{urlencode({'search': name})}", follow_redirects=False)
    assert parse_qsl(urlsplit(answer.headers["location"]).query) == [("search", name)]
    row = {"match": "all", "c0-field": name, "c0-operator": "contains", "c0-value": name, "action": "apply"}
    answer = browser.client.get(f"{href}/filter?{urlencode(row)}", follow_redirects=False)
    ((_, where),) = parse_qsl(urlsplit(answer.headers["location"]).query)
    assert parse_where(where) == Condition(name, "contains", name)


@pytest.mark.parametrize(("typed", "number"), NUMBERS)
def test_a_number_is_stored_or_asked_for_again(browser: Browser, world: World, typed: str, number: str | None) -> None:
    names = browser.customers()
    form = {names["Company"]: "x", names["Value"]: typed}
    if number is None:
        page = browser.send(f"{COLLECTION}/new", 422, **form)
        assert form_of(page, f"{COLLECTION}/new")[names["Value"]] == typed
        assert not world.records["Customers"]
        return
    browser.send(f"{COLLECTION}/new", **form)
    (record,) = world.records["Customers"].values()
    path = f"{COLLECTION}/records/{record.id}"
    shown = form_of(browser.open(path), path)
    again = {name: text for name, text in shown.items() if not name.endswith("-was")}
    browser.send(f"{COLLECTION}/new", **again)
    first, second = world.records["Customers"].values()
    assert first.values["Value"] == second.values["Value"], "what is shown is read as the same"


@pytest.mark.parametrize(("typed", "fits"), ADDRESSES)
def test_an_address_is_stored_or_asked_for_again(
    browser: Browser,
    world: World,
    typed: str,
    fits: bool,  # noqa: FBT001  a column of the table
) -> None:
    names = browser.customers()
    form = {names["Company"]: "x", names["Mail"]: typed}
    if fits or typed.strip() != typed:  # the form takes space around it for a slip
        browser.send(f"{COLLECTION}/new", **form)
        (record,) = world.records["Customers"].values()
        assert record.values["Mail"] == typed.strip()
    else:
        assert unescape(browser.send(f"{COLLECTION}/new", 422, **form)).count(f'value="{typed}"') == 1
