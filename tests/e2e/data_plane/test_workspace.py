"""What a customer does in a day."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.conftest import PHONE, Shoot
from e2e.data_plane.conftest import Workspace
from playwright.sync_api import Page, expect

Check = Callable[[Page], None]
PAGES = (
    "/",
    "/collections",
    "/new-collection",
    "/files",
    "/users",
    "/users/new",
    "/users/1",
    "/audit",
    "/usage",
    "/account",
)


def test_a_wrong_password_says_so_and_keeps_the_address(fresh: Callable[..., Page], platform: dict[str, Any]) -> None:
    page = fresh()
    page.goto(platform["demo_tenant"]["url"] + "/files")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Ffiles$"))
    address = f"nobody-{secrets.token_hex(4)}@example.com"
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong.")
    expect(page.get_by_label("E-mail")).to_have_value(address)


def test_a_link_on_another_site_finds_the_session_again(workspace: Workspace) -> None:
    """The short-lived cookie has run out, and the other is sent only to our own pages."""
    page = workspace.page
    page.context.clear_cookies(name="__Host-session")
    link = f"<a href='{workspace.url}/files'>Our files</a>"
    page.route("https://elsewhere.example/", lambda route: route.fulfill(body=link, content_type="text/html"))
    page.goto("https://elsewhere.example/")
    page.get_by_role("link", name="Our files").click()
    expect(page.get_by_role("heading", name="Files", level=1)).to_be_visible()


def test_records_from_first_to_last(workspace: Workspace) -> None:
    page = workspace.page
    name = workspace.collection(("Company", "Text"), ("Value", "Number"), ("Since", "Date"))
    expect(page.get_by_role("status").first).to_contain_text("Collection created.")
    page.get_by_role("link", name="New record").last.click()
    page.get_by_label("Company").fill("Acme <b>GmbH</b>")
    page.get_by_label("Value").fill("a lot")
    page.get_by_role("button", name="Create record").click()
    expect(page.get_by_text("Must be a number, such as")).to_be_visible()
    expect(page.get_by_label("Company")).to_have_value("Acme <b>GmbH</b>")
    page.get_by_label("Value").fill("1234.5")
    page.get_by_label("Since").fill("2026-11-22")
    page.get_by_role("button", name="Create record").click()
    row = page.get_by_role("row").filter(has_text="Acme")
    expect(row).to_contain_text("Acme <b>GmbH</b>")
    expect(row).to_contain_text("1\u202f234.5")
    expect(row).to_contain_text("22 Nov 2026")
    row.get_by_role("link").click()
    page.get_by_label("Value").fill("99")
    page.get_by_role("button", name="Save changes").click()
    expect(row).to_contain_text("99")
    row.get_by_role("link").click()
    page.get_by_role("link", name="Delete record").click()
    page.get_by_role("button", name="Delete record").click()
    page.wait_for_url(workspace.at(name))
    expect(page.get_by_role("heading", name="No records yet")).to_be_visible()


def test_two_people_change_one_record(workspace: Workspace, enter: Callable[..., Workspace]) -> None:
    name = workspace.collection(("Company", "Text"), ("City", "Text"))
    page = workspace.page
    page.goto(workspace.at(name, "/new"))
    page.get_by_label("Company").fill("Acme")
    page.get_by_role("button", name="Create record").click()
    page.get_by_role("main").get_by_role("link", name="Acme").click()
    page.wait_for_url(re.compile(r"/records/\d+$"))
    other = enter().page
    other.goto(page.url)
    other.get_by_label("City").fill("Lyon")
    other.get_by_role("button", name="Save changes").click()
    other.wait_for_url(workspace.at(name))
    page.get_by_label("City").fill("Köln")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Someone else changed this record while you were editing")).to_be_visible()
    expect(page.get_by_text("Stored now: Lyon")).to_be_visible()
    expect(page.get_by_label("City")).to_have_value("Köln")
    page.get_by_role("button", name="Save anyway").click()
    expect(page.get_by_role("row").filter(has_text="Acme")).to_contain_text("Köln")


def test_sort_filter_search_and_columns(workspace: Workspace) -> None:
    name = workspace.collection(("Company", "Text"), ("Staff", "Whole number"))
    page = workspace.page
    for company, staff in (("Acme", "5"), ("Bloom", "50"), ("Cedar", "500")):
        page.goto(workspace.at(name, "/new"))
        page.get_by_label("Company").fill(company)
        page.get_by_label("Staff").fill(staff)
        page.get_by_role("button", name="Create record").click()
        page.wait_for_url(workspace.at(name))
    page.get_by_role("columnheader", name="Staff").get_by_role("link").click()
    page.get_by_role("columnheader", name="Staff").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Staff")).to_have_attribute("aria-sort", "descending")
    assert companies(page) == ["Cedar", "Bloom", "Acme"]
    page.locator("summary[title=Filter]").click()
    page.get_by_role("button", name="Add condition").click()
    row = page.get_by_role("group", name="Condition 1")
    row.get_by_label("Field", exact=True).select_option("Staff")
    row.get_by_label("Condition", exact=True).select_option(label="is less than")
    row.get_by_label("Value", exact=True).fill("100")
    expect(page.locator("#filter-form").get_by_text("2 records match")).to_be_visible()
    row.get_by_label("Value", exact=True).press("Enter")
    expect(page.get_by_label("Remove the condition Staff is less than 100")).to_be_visible()
    assert companies(page) == ["Bloom", "Acme"]
    page.get_by_role("searchbox", name="Search these records").fill("acm")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Remove the search: contains acm")).to_be_visible()
    assert companies(page) == ["Acme"]


def companies(page: Page) -> list[str]:
    """The first column of the table."""
    return page.locator("tbody tr td.v-lead").all_inner_texts()


def test_a_fields_row_is_added_without_leaving_the_page(workspace: Workspace) -> None:
    page = workspace.page
    workspace.open("/new-collection")
    page.get_by_label("Name", exact=True).fill("Kept")
    page.get_by_role("button", name="Add a field").click()
    added = page.locator("#field-3-name")
    expect(added).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kept")
    page.locator("#field-0-type").select_option(label="Choice")
    expect(page.locator("#field-0-choices")).to_be_visible()
    expect(page.locator("#field-1-choices")).to_be_hidden()
    page.get_by_role("button", name="Remove field 4").click()
    expect(added).to_have_count(0)


def test_a_file_up_and_down_again(workspace: Workspace, tmp_path: Path) -> None:
    page = workspace.page
    name = f"notes {secrets.token_hex(4)} & <co>.bin"
    content = secrets.token_bytes(2_500_000)
    (tmp_path / name).write_bytes(content)
    workspace.open("/files")
    page.locator("input[type=file]").set_input_files(tmp_path / name)
    page.get_by_role("button", name="Upload", exact=True).click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("2.4 MiB")
    with page.expect_download() as download:
        row.get_by_role("link", name=f"Download {name}").click()
    assert download.value.path().read_bytes() == content
    assert download.value.suggested_filename.startswith("notes")
    row.get_by_role("link", name=f"Delete {name}").click()
    page.get_by_role("button", name="Delete file").click()
    expect(page.get_by_text("File deleted.")).to_be_visible()
    expect(row).to_have_count(0)


def test_a_colleague_with_fewer_rights(workspace: Workspace, fresh: Callable[..., Page]) -> None:
    page = workspace.page
    address = f"viewer-{secrets.token_hex(4)}@example.com"
    workspace.open("/users/new")
    page.get_by_role("link", name="Add them with a password").click()
    page.get_by_label("E-mail").fill(address)
    password = page.get_by_label("First password").input_value()
    page.get_by_role("radio", name="Viewer").check()
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("row").filter(has_text=address)).to_contain_text("Viewer")
    colleague = Workspace(fresh(), {**workspace.demo, "email": address, "password": password})
    colleague.log_in()
    expect(colleague.page.get_by_role("link", name="Users")).to_have_count(0)
    answer = colleague.page.goto(workspace.url + "/users")
    assert answer
    assert answer.status == 403
    expect(colleague.page.get_by_role("heading", name="You may not do this")).to_be_visible()
    page.get_by_role("link", name=address).click()
    page.get_by_role("button", name="Deactivate user").click()
    expect(page.get_by_role("row").filter(has_text=address)).to_contain_text("Deactivated")
    colleague.page.goto(workspace.url + "/files")
    expect(colleague.page).to_have_url(re.compile("/login"))


def test_the_audit_log_and_logging_out(workspace: Workspace) -> None:
    name = workspace.collection(("Company", "Text"))
    page = workspace.page
    workspace.open("/audit?action=collection")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Created collection")
    expect(row).to_contain_text(workspace.demo["email"])
    row.locator("summary").click()
    expect(row).to_contain_text("Company · text")
    workspace.tidy()
    workspace.collections.clear()
    workspace.open("/account")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page).to_have_url(workspace.url + "/login")
    page.goto(workspace.url + "/audit")
    expect(page).to_have_url(re.compile("/login"))


def test_a_record_with_the_keyboard_alone(workspace: Workspace) -> None:
    name = workspace.collection(("Company", "Text"), ("City", "Text"))
    page = workspace.page
    workspace.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("ControlOrMeta+k")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type(f"new record in {name}")
    page.keyboard.press("Enter")
    page.wait_for_url(workspace.at(name, "/new"))
    expect(page.get_by_label("Company")).to_be_focused()
    page.keyboard.type("Typed")
    page.keyboard.press("Tab")
    page.keyboard.type("Ghent")
    page.keyboard.press("Enter")
    page.wait_for_url(workspace.at(name))
    expect(page.get_by_role("row").filter(has_text="Typed")).to_contain_text("Ghent")


def test_on_a_phone(enter: Callable[..., Workspace]) -> None:
    workspace = enter(viewport=PHONE, has_touch=True, is_mobile=True)
    name = workspace.collection(("Company", "Text"), ("City", "Text"))
    page = workspace.page
    workspace.open("/")
    page.get_by_role("button", name="Menu").tap()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Collections").tap()
    page.get_by_role("main").get_by_role("link", name=name).tap()
    page.get_by_role("link", name="New record").last.tap()
    page.get_by_label("Company").fill("Pocket")
    page.get_by_role("button", name="Create record").tap()
    expect(page.get_by_role("link", name="Pocket")).to_be_visible()
    for path in ("/", "/collections", "/new-collection", "/files", "/users", "/audit", "/usage", "/account"):
        workspace.open(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the phone"


def test_without_javascript(enter: Callable[..., Workspace]) -> None:
    workspace = enter(java_script_enabled=False)
    name = workspace.collection(("Company", "Text"))
    page = workspace.page
    page.get_by_role("link", name="New record").last.click()
    page.get_by_label("Company").fill("Plain")
    page.get_by_role("button", name="Create record").click()
    expect(page.get_by_role("row").filter(has_text="Plain")).to_be_visible()
    expect(page).to_have_url(workspace.at(name))
    workspace.open("/new-collection")
    page.get_by_role("button", name="Add a field").click()
    expect(page.locator("#field-3-name")).to_be_visible()


def test_what_was_typed_outlives_the_session(enter: Callable[..., Workspace]) -> None:
    workspace = enter(java_script_enabled=False)
    name = workspace.collection(("Company", "Text"))
    page = workspace.page
    page.goto(workspace.at(name, "/new"))
    page.get_by_label("Company").fill("  Zoë & <Söhne>")
    page.context.clear_cookies()
    page.get_by_role("button", name="Create record").click()
    expect(page.get_by_text("You were logged out before this was saved")).to_be_visible()
    page.get_by_label("E-mail").fill(workspace.demo["email"])
    page.get_by_label("Password", exact=True).fill(workspace.demo["password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Send what I typed").click()
    page.wait_for_url(workspace.at(name))
    page.get_by_role("row").filter(has_text="Zoë").get_by_role("link").click()
    expect(page.get_by_label("Company")).to_have_value("  Zoë & <Söhne>")


def test_what_was_typed_outlives_the_program(workspace: Workspace) -> None:
    name = workspace.collection(("Company", "Text"), ("Notes", "Long text"))
    page, path = workspace.page, workspace.at(name, "/new")
    page.goto(path)
    page.get_by_label("Company").fill("Acme & <Söhne>")
    page.get_by_label("Notes").fill("one\ntwo")
    page.route(path, lambda route: route.fulfill(status=503, body="no healthy upstream"))
    page.get_by_role("button", name="Create record").click()
    expect(page.get_by_text("no healthy upstream")).to_be_visible()
    page.unroute(path)
    page.go_back()
    expect(page.get_by_label("Company")).to_have_value("Acme & <Söhne>")
    expect(page.get_by_label("Notes")).to_have_value("one\ntwo")
    page.get_by_role("button", name="Create and add another").click()
    expect(page.get_by_role("status").first).to_contain_text("Record created.")
    expect(page.get_by_label("Company")).to_have_value("")


@pytest.mark.parametrize("width", [1440, 1024, 768, 390])
def test_a_wide_table_scrolls_inside_itself(workspace: Workspace, width: int) -> None:
    fields = [f"{number} Donaudampfschifffahrtsgesellschaft" for number in range(8)]
    name = workspace.collection(*((field, "Text") for field in fields))
    page = workspace.page
    page.goto(workspace.at(name, "/new"))
    for field in fields:
        page.get_by_label(field).fill(f"{field} " * 5)
    page.get_by_role("button", name="Create record").click()
    page.wait_for_url(workspace.at(name))
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"
    for field in fields[1:]:
        assert page.locator(f"th[data-name='{field}']").evaluate("head => head.offsetWidth") > 100
    box = page.get_by_role("region", name=name)
    first = box.locator("tbody td.v-lead").first
    before = first.bounding_box()
    box.hover()
    page.mouse.wheel(200, 0)
    page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())
    assert first.bounding_box() == before


def test_no_serious_barrier_on_any_page(enter: Callable[..., Workspace], accessible: Check, shoot: Shoot) -> None:
    workspace = enter()
    name = workspace.collection(
        ("Company", "Text"), ("Value", "Number"), ("Kind", "Yes or no"), ("Mail", "E-mail address")
    )
    page = workspace.page

    def look(what: str) -> None:
        accessible(page)
        shoot(page, f"workspace-{what}")

    page.goto(workspace.at(name))
    look("empty-collection")
    page.goto(workspace.at(name, "/new"))
    page.get_by_label("Value").fill("wrong")
    page.get_by_role("button", name="Create record").click()
    expect(page.get_by_text("Must be a number, such as")).to_be_visible()
    look("record-errors")
    page.get_by_label("Value").fill("1")
    page.get_by_label("Company").fill("Acme")
    page.get_by_role("button", name="Create record").click()
    page.wait_for_url(workspace.at(name))
    look("records")
    page.get_by_role("main").get_by_role("link", name="Acme").click()
    page.wait_for_url(re.compile(r"/records/\d+$"))
    look("record")
    page.goto(workspace.at(name, "/fields"))
    look("fields")
    for path in PAGES:
        workspace.open(path)
        look(path.strip("/").replace("/", "-") or "home")
    page.goto(workspace.url + "/no/such/page")
    look("not-found")
