import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from e2e.conftest import Shoot, opened
from e2e.control_plane.conftest import Person, log_in
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PageError

Check = Callable[[Page], None]
# From the order to the page at the tenant's host: the operator changes the route, Envoy learns of it, and a browser
# that was there before gets a new connection within 30 s.
SETTLED_MS = 90_000


def test_a_wrong_password_says_no_more_than_that(page: Page, home: str, shoot: Shoot, accessible: Check) -> None:
    page.goto(f"{home}/staff/login")
    accessible(page)
    shoot(page, "staff-login")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("E-mail or password is wrong"))
    expect(page.get_by_label("E-mail")).to_have_value("nobody@example.com")


def test_the_table_is_searched_as_one_types_and_its_address_says_so(
    staff: Page, workspace: dict[str, Any], person: Person, shoot: Shoot, accessible: Check
) -> None:
    accessible(staff)
    shoot(staff, "tenants")
    staff.get_by_label("Search tenants").fill(workspace["tenant"]["slug"])
    expect(staff.locator("tbody tr")).to_have_count(1)
    expect(staff.get_by_role("cell", name="Ready")).to_be_visible()
    expect(staff).to_have_url(re.compile(rf"\?q={workspace['tenant']['slug']}"))
    staff.reload()
    expect(staff.locator("tbody tr")).to_have_count(1)
    staff.get_by_label("Search tenants").fill("nobody has this name")
    expect(staff.get_by_role("heading", name="No tenant matches")).to_be_visible()
    assert person.company


def test_the_palette_finds_a_tenant(staff: Page, workspace: dict[str, Any]) -> None:
    staff.keyboard.press("Control+k")
    staff.keyboard.type(workspace["tenant"]["slug"])
    staff.keyboard.press("Enter")
    expect(staff).to_have_url(re.compile(rf"\?q={workspace['tenant']['slug']}"))
    expect(staff.locator("tbody tr")).to_have_count(1)


def test_suspend_shows_why_at_the_host_and_resume_brings_it_back(
    browser: Browser, staff: Page, home: str, workspace: dict[str, Any], shoot: Shoot, accessible: Check
) -> None:
    name, url = workspace["tenant"]["name"], workspace["tenant"]["url"]
    staff.goto(f"{home}/staff/tenants/{name}")
    accessible(staff)
    shoot(staff, "tenant")
    staff.get_by_role("link", name="Suspend").click()
    dialog = staff.get_by_role("dialog", name="Suspend workspace")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_label("Reason").select_option("Unpaid")
    dialog.get_by_label("Message to visitors").fill("Invoice 12 is open.")
    dialog.get_by_label("Why").fill("Third reminder without an answer")
    shoot(staff, "tenant-suspend")
    dialog.get_by_role("button", name="Suspend workspace").click()
    expect(staff.get_by_text("The workspace is suspended.")).to_be_visible()
    expect(staff.get_by_text("Third reminder without an answer")).to_be_visible()
    with opened(browser) as context:
        visitor = context.new_page()
        wait_for_heading(visitor, url, "suspended: unpaid")
        expect(visitor.get_by_text("Invoice 12 is open.")).to_be_visible()
        answer = visitor.reload()
        assert answer is not None
        assert answer.status == 503
        accessible(visitor)
        shoot(visitor, "host-suspended")
        staff.goto(f"{home}/staff/tenants/{name}")
        staff.get_by_role("link", name="Resume").click()
        resume = staff.get_by_role("dialog", name="Resume workspace")
        resume.get_by_label("Why").fill("Paid today")
        resume.get_by_role("button", name="Resume workspace").click()
        expect(staff.get_by_text("The workspace is resumed")).to_be_visible()
        wait_for_heading(visitor, url, "log in")


def wait_for_heading(page: Page, url: str, words: str) -> None:
    """Look at the host until its first heading says so; bounded by SETTLED_MS."""
    for _ in range(SETTLED_MS // 500):
        with suppress(PageError):  # while the route changes, the proxy answers without a page
            page.goto(url)
        heading = page.get_by_role("heading", level=1)
        if heading.count() and words in heading.first.inner_text().lower():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{url} never said {words!r}; it says {page.get_by_role('heading').all_inner_texts()}")


def test_extending_a_trial_and_changing_the_plan(staff: Page, home: str, workspace: dict[str, Any]) -> None:
    address = f"{home}/staff/tenants/{workspace['tenant']['name']}"
    staff.goto(address)
    staff.get_by_role("link", name="Extend trial").click()
    dialog = staff.get_by_role("dialog", name="Extend trial")
    dialog.get_by_label("Why").fill("Agreed on the phone")
    dialog.get_by_role("button", name="Extend trial").click()
    expect(staff.get_by_text("The trial is extended.")).to_be_visible()
    staff.get_by_role("link", name="Change plan").click()
    dialog = staff.get_by_role("dialog", name="Change plan")
    dialog.get_by_label("Plan").select_option("starter")
    dialog.get_by_label("Why").fill("Signed the contract")
    dialog.get_by_role("button", name="Change plan").click()
    expect(staff.get_by_text("The plan is changed.")).to_be_visible()
    expect(staff.get_by_role("definition").filter(has_text="No trial")).to_be_visible()


def test_an_impossible_order_says_so_in_its_dialog(staff: Page, home: str, workspace: dict[str, Any]) -> None:
    staff.goto(f"{home}/staff/tenants/{workspace['tenant']['name']}")
    staff.get_by_role("link", name="Change plan").click()
    dialog = staff.get_by_role("dialog", name="Change plan")
    dialog.get_by_label("Why").fill("No reason at all")
    dialog.get_by_role("button", name="Change plan").click()
    expect(staff.get_by_role("dialog", name="Change plan")).to_contain_text("already")
    expect(staff.get_by_label("Why").last).to_have_value("No reason at all")


def test_a_form_on_another_site_gives_no_order(staff: Page, api: httpx.Client, workspace: dict[str, Any]) -> None:
    """What a hostile page could have the browser send: its cookie, from another origin."""
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in staff.context.cookies())
    order = f"/staff/tenants/{workspace['tenant']['name']}/suspend"
    for origin in ({"sec-fetch-site": "same-site"}, {"origin": workspace["tenant"]["url"]}, {}):
        answer = api.post(order, data={"reason": "because", "kind": "Manual"}, headers={**origin, "cookie": cookie})
        assert answer.status_code == 403
    staff.reload()
    expect(staff.get_by_role("row").filter(has_text=workspace["tenant"]["slug"])).to_contain_text("Ready")


def test_logging_out_ends_the_session(
    browser: Browser, page: Page, platform: dict[str, dict[str, str]], home: str
) -> None:
    page.goto(f"{home}/staff/tenants")
    log_in(page, platform["admin"])
    cookies = page.context.cookies()
    page.locator("summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{home}/staff/login")
    with opened(browser) as context:
        context.add_cookies(cookies)  # type: ignore[arg-type]  # the same shape, typed twice in Playwright
        other = context.new_page()
        other.goto(f"{home}/staff/tenants")
        expect(other.get_by_role("heading", name="Staff login")).to_be_visible()
