"""A file is imported from the pages, without a script: chosen, looked at, decided, followed and taken back."""

import pytest
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fake_imports import FakeImports
from unit.data_plane_web.fakes import World
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.imports.schemas import ColumnOrder, ImportState, Mode
from vivero_data.domain.users.schemas import Role
from vivero_data.lib.notation import Dates, Numbers

STOCK = "Company;Value;Since;Extra\nAcme;1.234;01/02/2026;x\nBolt;5.678;03/04/2026;y\n".encode("cp1252")


def uploaded(browser: Browser, into: str = "", content: bytes = STOCK, status: int = 303) -> str:
    answer = browser.client.post(
        "/imports/new" + (f"?into={into}" if into else ""),
        files={"file": ("Stock.csv", content, "text/csv")},
        follow_redirects=False,
    )
    assert answer.status_code == status, answer.text
    return answer.headers["location"] if status == 303 else answer.text


def test_import_is_offered_where_data_begins(browser: Browser) -> None:
    assert "/imports/new" in browser.open("/")
    assert "/imports/new" in browser.open("/collections")
    browser.customers()
    assert "/imports/new?into=Customers" in browser.open("/collections/Customers")
    assert "Import into Customers" in browser.open("/imports/new?into=Customers")
    browser.open("/imports/new?into=Nowhere", status=404)


def test_a_file_is_looked_at_before_anything_is_written(browser: Browser, world: World) -> None:
    at = uploaded(browser)
    page = browser.open(at)
    assert "2 rows" in page
    assert "1.234 · 5.678" in page
    form = form_of(page, at)
    assert (form["name"], form["field-1"], form["type-1"], form["notation-1"]) == ("Stock", "Value", "number", "")
    # What is left open has to be decided; what was decided stays.
    page = browser.send(at, 422, **{key.replace("-", "__"): value for key, value in {**form, "name": "Our stock", "notation-1": "1.234,50"}.items()})  # fmt: skip
    assert "Choose how its dates are written" in page
    assert "Choose how its numbers are written" not in page
    form = form_of(page, at)
    assert (form["name"], form["notation-1"]) == ("Our stock", "1.234,50")
    form |= {"notation-2": "29/11/2026", "type-0": "choice", "action": "import"}
    del form["use-3"]
    browser.send(at, **{key.replace("-", "__"): value for key, value in form.items()})
    order = world.import_orders[int(at.rpartition("/")[2])]
    assert (order.name, order.mode, order.dry_run) == ("Our stock", Mode.INSERT, False)
    assert order.mapping == {
        "Company": ColumnOrder("Company", FieldType.CHOICE),
        "Value": ColumnOrder("Value", FieldType.NUMBER, Numbers.COMMA),
        "Since": ColumnOrder("Since", FieldType.DATE, None, Dates.DAY_FIRST),
        "Extra": ColumnOrder("", FieldType.TEXT),
    }


def test_columns_go_to_the_fields_that_there_are(browser: Browser, world: World) -> None:
    browser.customers()
    at = uploaded(browser, "Customers")
    form = form_of(browser.open(at), at)
    assert (form["field-0"], form["field-1"], form["field-3"]) == ("Company", "Value", "")
    sent = {**form, "notation-1": "1,234.50", "notation-2": "11/29/2026", "mode": "upsert", "key": "Company"}
    assert "Choose a field, or leave the column out." in browser.send(at, 422, **{key.replace("-", "__"): value for key, value in sent.items()})  # fmt: skip
    sent |= {"field-3": "-", "action": "dry_run"}
    browser.send(at, **{key.replace("-", "__"): value for key, value in sent.items()})
    order = world.import_orders[int(at.rpartition("/")[2])]
    assert (order.mode, order.key, order.dry_run, order.name) == (Mode.UPSERT, "Company", True, None)
    assert order.mapping["Extra"] == ColumnOrder("")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"Name\n", b"a\0b\n"])
def test_a_file_that_cannot_be_read_is_refused_in_words(browser: Browser, content: bytes) -> None:
    assert "Import a file" in uploaded(browser, content=content, status=422)


def test_a_form_without_a_file_is_refused(browser: Browser) -> None:
    answer = browser.client.post("/imports/new", files={"other": ("x.csv", b"x", "text/csv")})
    assert answer.status_code == 422


def test_who_may_not_write_records_imports_nothing(browser: Browser, world: World) -> None:
    browser.customers()
    at = uploaded(browser, "Customers")
    world.role = Role.VIEWER
    assert "/imports" not in browser.open("/") + browser.open("/collections") + browser.open("/collections/Customers")
    for path in ("/imports", "/imports/new", "/imports/new?into=Customers", at):
        browser.open(path, status=403)
    browser.send(at, 403)
    browser.send(f"{at}/undo", 403)
    world.role = Role.MEMBER
    browser.open("/imports/new", status=403)
    browser.open("/imports/new?into=Customers")


def test_an_import_says_how_far_it_is_and_what_came_of_it(browser: Browser, world: World) -> None:
    browser.customers()
    imports = FakeImports(world)
    one = imports.add(world.next_id(), "Customers", state=ImportState.RUNNING, total=2000, done=500)
    at = f"/imports/{one.id}"
    page = browser.open(at)
    assert "500 of 2,000" in page.replace("\u202f", ",")
    assert f'hx-get="{at}"' in page
    imports.change(one.id, state=ImportState.DONE, done=2000, inserted=1990, updated=3, failed=7)
    page = browser.open(at)
    for words in ("1,990 records added", "3 records changed", "7 rows refused", f"{at}/errors", f'action="{at}/undo"'):
        assert words in page.replace("\u202f", ","), words
    assert "hx-get" not in page[page.index('id="import"') : page.index("</main>")]
    assert browser.open(f"{at}/errors").startswith("row,field,reason")
    assert browser.send(f"{at}/undo") == at
    assert "Taking the import back" in browser.open(at)
    imports.change(one.id, state=ImportState.UNDONE, kept=2)
    assert "2 records stayed" in browser.open(at)
    imports.change(one.id, state=ImportState.FAILED, problem="The trial plan includes 5 records.")
    assert "The trial plan includes 5 records." in browser.open(at)
    assert "file.csv" in browser.open("/imports")


def test_a_page_that_waits_is_loaded_anew_when_there_is_something_to_decide(browser: Browser) -> None:
    at = uploaded(browser)
    answer = browser.client.get(at, headers={"hx-request": "true"})
    assert answer.headers["hx-refresh"] == "true"


def test_what_a_table_shows_is_exported_in_the_format_that_is_chosen(browser: Browser, world: World) -> None:
    inputs = browser.customers()
    browser.send("/collections/Customers/new", **{inputs["Company"]: "=Acme"})
    page = browser.open("/collections/Customers?filter=Company:contains:Acme&sort=Company")
    for kind in ("csv", "xlsx", "json"):
        assert f"/collections/Customers/export?format={kind}&amp;" in page
    answer = browser.client.get("/collections/Customers/export?format=csv&filter=Company:contains:Acme&sort=Company")
    assert answer.status_code == 200
    assert "'=Acme" in answer.text
    assert "Customers.csv" in answer.headers["content-disposition"]
    query, columns = world.exported
    assert (query.sort, query.cursor, columns[0]) == ("Company", None, "Company")
    assert "Acme" in query.where
    assert browser.client.get("/collections/Customers/export?format=pdf").status_code == 422
