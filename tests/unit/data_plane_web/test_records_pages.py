import re
from html import unescape

import msgspec
import pytest
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import World
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.usage.service import Meter
from vivero_data.domain.users.schemas import Role

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 77 * 77 }} {% raw %}",
    "Robert'); DROP TABLE c_1;--",
    "`../../etc/passwd`",
    "\u202etxt.exe 😀 ﷽",
]


def first_record(world: World) -> Record:
    return next(iter(world.records["Customers"].values()))


def test_a_record_of_every_type_travels_through_the_form_and_back(browser: Browser, world: World) -> None:
    names = browser.customers()
    typed = {
        "Company": "Acme GmbH",
        "Notes": "one\r\ntwo",
        "Value": "1234.50",
        "Staff": "42",
        "Paid": "true",
        "Since": "2026-11-22",
        "Call": "2026-11-22T15:41",
        "Status": "Active",
        "Mail": "a@example.com",
        "Site": "https://example.com/x",
    }
    assert (
        browser.send("/collections/Customers/new", **{names[key]: value for key, value in typed.items()})
        == "/collections/Customers"
    )
    record = first_record(world)
    assert record.values["Notes"] == "one\ntwo"
    assert str(record.values["Value"]) == "1234.5"
    assert record.values["Paid"] is True
    table = browser.open("/collections/Customers")
    assert "Record created." in table
    assert "Record created." not in browser.open("/collections/Customers"), "a notice is shown once"
    assert "1\u202f234.5" in table
    form = browser.open(f"/collections/Customers/records/{record.id}")
    for value in ("Acme GmbH", "1234.5", "2026-11-22", "2026-11-22T15:41", "https://example.com/x"):
        assert f'value="{value}"' in form
    assert re.search(r'<option value="Active" selected>', form)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_on_every_page(browser: Browser, world: World, text: str) -> None:
    names = browser.customers()
    browser.send("/collections/Customers/new", **{names["Company"]: text, names["Notes"]: text})
    number = first_record(world).id
    pages = (
        "/",
        "/collections/Customers",
        f"/collections/Customers/records/{number}",
        f"/collections/Customers/records/{number}/delete",
        "/audit",
    )
    for path in pages:
        page = browser.open(path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "5929" not in page
    assert text in unescape(browser.open(f"/collections/Customers/records/{number}"))


def test_only_web_addresses_become_links(browser: Browser, world: World) -> None:
    names = browser.customers()
    browser.send("/collections/Customers/new", **{names["Company"]: "x", names["Site"]: "https://example.com"})
    record = first_record(world)
    world.role = Role.VIEWER
    assert 'href="https://example.com"' in browser.open(f"/collections/Customers/records/{record.id}")
    evil = msgspec.structs.replace(record, values={**record.values, "Site": "javascript:alert(1)"})
    world.records["Customers"][record.id] = evil
    assert 'href="javascript' not in browser.open(f"/collections/Customers/records/{record.id}")


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(browser: Browser, world: World) -> None:
    names = browser.customers()
    page = browser.send(
        "/collections/Customers/new",
        422,
        **{names["Company"]: " ", names["Staff"]: "many", names["Mail"]: "a@b", names["Notes"]: "kept"},
    )
    assert "3 fields need another look" in page
    for field, message in (
        ("Company", "Is required."),
        ("Staff", "Must be a number, such as"),
        ("Mail", "Must be an e-mail address"),
    ):
        name = names[field]
        assert re.search(rf'id="{name}-error".*?{re.escape(message)}', page, re.DOTALL), field
        assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', page, re.DOTALL), field
    assert 'value="many"' in page
    assert "kept</textarea>" in page
    assert not world.records["Customers"]


def test_a_conflict_shows_what_is_stored_and_keeps_what_was_typed(browser: Browser, world: World) -> None:
    names = browser.customers()
    browser.send("/collections/Customers/new", **{names["Company"]: "Acme", names["Staff"]: "1"})
    number = first_record(world).id
    path = f"/collections/Customers/records/{number}"
    browser.send(path, version="1", **{names["Company"]: "Theirs", names["Staff"]: "1"})
    page = browser.send(path, 409, version="1", **{names["Company"]: "Mine", names["Staff"]: "1"})
    assert "Someone else changed this record" in page
    assert 'value="Mine"' in page
    assert "Stored now: Theirs" in page
    assert 'name="version" value="2"' in page
    assert page.count("Stored now") == 1, "only fields that differ"
    browser.send(path, version="2", **{names["Company"]: "Mine", names["Staff"]: "1"})
    assert first_record(world).values["Company"] == "Mine"


def test_a_mistake_while_editing_keeps_the_version_it_was_based_on(browser: Browser, world: World) -> None:
    names = browser.customers()
    browser.send("/collections/Customers/new", **{names["Company"]: "Acme"})
    path = f"/collections/Customers/records/{first_record(world).id}"
    page = browser.send(path, 422, version="1", **{names["Company"]: "Mine", names["Staff"]: "x"})
    assert 'name="version" value="1"' in page
    browser.send(path, version="1", **{names["Company"]: "Theirs"})
    sent = {**form_of(page, path), names["Staff"]: "2"}
    assert "Someone else changed this record" in browser.send(path, 409, **sent)


def test_a_full_plan_says_so_and_keeps_what_was_typed(browser: Browser, world: World) -> None:
    names = browser.customers()
    world.limit = Meter(10_000, 10_000)
    page = browser.send("/collections/Customers/new", 402, **{names["Company"]: "Acme"})
    assert "they are used up" in page
    assert 'value="Acme"' in page


def test_filters_become_addresses_and_chips(browser: Browser) -> None:
    names = browser.customers()
    for company in ("Acme", "Bloom"):
        browser.send("/collections/Customers/new", **{names["Company"]: company})
    page = browser.open("/collections/Customers?filter=Company:contains:bloom&sort=-Company")
    assert "Bloom" in page
    assert ">Acme<" not in page
    assert "Company contains bloom" in page
    assert 'href="/collections/Customers?sort=-Company" class="v-chip"' in page, "a chip's link removes it"
    row = "match=all&c0-field=Since&c0-operator=gt&c0-value=2026-01-01&action=apply"
    to = browser.client.get(f"/collections/Customers/filter?{row}", follow_redirects=False).headers["location"]
    assert "Since is after 2026-01-01" in browser.open(to)
    assert "No record matches" in browser.open(to)


def test_an_address_that_cannot_be_shown_says_why(browser: Browser) -> None:
    browser.customers()
    page = browser.open("/collections/Customers?sort=Nonsense", 422)
    assert "This view cannot be shown" in page
    assert 'href="/collections/Customers"' in page


def test_pages_go_forward_and_back(browser: Browser, world: World) -> None:
    names = browser.customers()
    world.page_size = 2
    for number in range(5):
        browser.send("/collections/Customers/new", **{names["Company"]: f"Company {number}"})

    def way(page: str, word: str) -> str:
        found = re.search(rf'href="([^"]+)" rel="{word}"', page)
        return unescape(found[1]) if found else ""

    browser.open("/collections/Customers")  # takes the notice
    first = browser.open("/collections/Customers")
    assert not way(first, "prev")
    second = browser.open(way(first, "next"))
    third = browser.open(way(second, "next"))
    assert "Company 4" in third
    assert not way(third, "next")
    assert browser.open(way(third, "prev")) == second
    assert browser.open(way(second, "prev")) == first


def test_columns_are_chosen_and_remembered(browser: Browser, world: World) -> None:
    browser.customers()
    names = {field.name: field.id for field in world.collections["Customers"].fields}
    browser.send("/collections/Customers/new", **{f"f{names['Company']}": "Acme"})
    assert ">Value<" in re.sub(r"\s", "", browser.open("/collections/Customers"))
    assert (
        browser.send("/collections/Customers/columns", **{f"column-{names['Notes']}": "on"}) == "/collections/Customers"
    )
    head = browser.open("/collections/Customers").partition("<thead>")[2].partition("</thead>")[0]
    assert "Company" in head
    assert "Notes" in head
    assert "Value" not in head


def test_deleting_asks_first(browser: Browser, world: World) -> None:
    names = browser.customers()
    browser.send("/collections/Customers/new", **{names["Company"]: "Acme"})
    path = f"/collections/Customers/records/{first_record(world).id}"
    assert "Delete Acme?" in browser.open(f"{path}/delete")
    assert world.records["Customers"]
    browser.send(f"{path}/delete")
    assert not world.records["Customers"]
    assert "Record deleted." in browser.open("/collections/Customers")
    assert "There is no such page" in browser.open(path, 404)


def test_create_and_add_another(browser: Browser) -> None:
    names = browser.customers()
    to = browser.send("/collections/Customers/new", action="another", **{names["Company"]: "Acme"})
    assert to == "/collections/Customers/new"


def test_a_viewer_sees_and_is_told_who_can_change_it(browser: Browser, world: World) -> None:
    names = browser.customers()
    browser.send("/collections/Customers/new", **{names["Company"]: "Acme"})
    path = f"/collections/Customers/records/{first_record(world).id}"
    world.role = Role.VIEWER
    page = browser.open(path)
    assert "An administrator of this workspace can give you another one" in page
    assert "Save changes" not in page
    assert "New record" not in browser.open("/collections/Customers")
    assert "ask an administrator" in browser.open("/collections/Customers/new", 403)
    browser.send(path, 403, version="1")
    browser.send(f"{path}/delete", 403)
    assert world.records["Customers"]
