from collections.abc import Callable
from typing import Any

import httpx
import pytest
from e2e.conftest import Shoot, opened
from playwright.sync_api import Browser, Page, expect

Check = Callable[[Page], None]


def test_the_landing_page_leads_to_the_signup(page: Page, home: str, shoot: Shoot, accessible: Check) -> None:
    page.goto(home)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("€15,000")).to_be_visible()
    accessible(page)
    shoot(page, "landing")
    page.get_by_role("main").get_by_role("link", name="Start free trial").first.click()
    expect(page).to_have_url(f"{home}/signup")
    expect(page.get_by_label("Company")).to_be_focused()


def test_pricing_shows_the_four_plans(page: Page, home: str, shoot: Shoot, accessible: Check) -> None:
    page.goto(f"{home}/pricing")
    for words in ("Trial", "Starter", "Professional", "Enterprise"):
        expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="from €15,000")).to_be_visible()
    accessible(page)
    shoot(page, "pricing")


@pytest.mark.parametrize("path", ["/", "/pricing", "/signup", "/staff/login", "/no-such-page"])
def test_every_page_carries_the_security_headers(api: httpx.Client, path: str) -> None:
    answer = api.get(path, headers={"accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age=" in answer.headers["strict-transport-security"]
    assert answer.headers["x-request-id"] in answer.text or answer.status_code == 200


def test_static_files_are_kept_for_thirty_days_and_compressed(page: Page, home: str) -> None:
    with page.expect_response(lambda response: "/static/app-" in response.url and ".css" in response.url) as waiting:
        page.goto(home)
    headers = waiting.value.headers
    assert headers["cache-control"] == "max-age=2592000, public, immutable"


def test_an_unknown_page_says_what_to_do(page: Page, home: str, shoot: Shoot, accessible: Check) -> None:
    page.goto(f"{home}/no-such-page")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    expect(page.get_by_text("Request")).to_be_visible()
    accessible(page)
    shoot(page, "error-404")


def test_an_unknown_workspace_says_so(page: Page, home: str, shoot: Shoot, accessible: Check) -> None:
    answer = page.goto(home.replace("https://", "https://nobody-here."))
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is no workspace here")).to_be_visible()
    accessible(page)
    shoot(page, "host-unknown")


def test_the_theme_is_remembered(browser: Browser, home: str) -> None:
    with opened(browser, color_scheme="light") as context:
        page = context.new_page()
        page.goto(home)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Dark theme").click()
        page.goto(f"{home}/pricing")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background
        assert page.evaluate("document.documentElement.dataset.theme") == "vivero-dark"


def test_the_public_pages_work_without_script(browser: Browser, home: str) -> None:
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        for path in ("/", "/pricing", "/signup", "/staff/login"):
            page.goto(home + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_plans_on_the_page_are_those_of_the_api(page: Page, home: str, api: httpx.Client) -> None:
    plans: list[dict[str, Any]] = api.get("/api/v1/plans").json()
    listed = plans["items"] if isinstance(plans, dict) else plans
    assert listed
    page.goto(f"{home}/pricing")
    for plan in listed:
        expect(page.get_by_role("heading", name=plan["display_name"], exact=True)).to_be_visible()
