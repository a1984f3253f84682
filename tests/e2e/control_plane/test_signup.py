import re
from collections.abc import Callable

import pytest
from e2e.conftest import Shoot, opened
from e2e.control_plane.conftest import Person, sign_up
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PageTimeoutError
from vivero_core.model.naming import slugify

Check = Callable[[Page], None]
# A signup's goal is 3 s; a machine under test load may take longer, a person's patience ends here.
INSIDE_MS = 60_000


def arrive(page: Page, person: Person) -> None:
    """Inside the new workspace; where that takes too long, what the page says meanwhile."""
    try:
        page.wait_for_url(re.compile(rf"^https://{person.slug}\.[^/]+/$"), timeout=INSIDE_MS)
    except PageTimeoutError as error:
        raise AssertionError(f"still at {page.url}: {page.get_by_role('main').inner_text()}") from error


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(
    page: Page, home: str, shoot: Shoot, accessible: Check
) -> None:
    page.goto(f"{home}/signup")
    accessible(page)
    shoot(page, "signup")
    page.get_by_label("Company").fill("Bähr & Söhne <b>")
    page.get_by_label("Work e-mail").fill("ada@")
    page.get_by_label("Password", exact=True).fill("short")
    expect(page.locator("[data-slug-from]")).to_have_text(re.compile(r"^bahr"))
    page.get_by_role("button", name="Start free trial").click()
    expect(page.get_by_label("Work e-mail")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Work e-mail")).to_be_focused()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    expect(page.get_by_label("Company")).to_have_value("Bähr & Söhne <b>")
    expect(page.get_by_label("Password", exact=True)).to_have_value("short")
    accessible(page)
    shoot(page, "signup-errors")


@pytest.mark.parametrize(
    "name",
    [
        "Acme GmbH",
        "Bähr & Söhne KG",
        "ÆØÅ Straße",
        "3M",
        "x",
        "",
        "日本",
        "e\u0301clair ﬁn",
        "a" * 60,
        "--a--b--",
        "İstanbul",
    ],
)
def test_the_previewed_address_is_what_the_server_derives(page: Page, home: str, name: str) -> None:
    page.goto(f"{home}/signup")
    page.get_by_label("Company").fill(name)
    expect(page.locator("[data-slug-from]")).to_have_text(slugify(name) if name else "your-company")


def test_a_taken_and_a_reserved_address_are_said_beside_the_field(
    page: Page, home: str, platform: dict[str, dict[str, str]], person: Person
) -> None:
    taken = platform["demo_tenant"]["url"].removeprefix("https://").partition(".")[0]
    for slug, words in ((taken, "taken"), ("admin", "reserved")):
        page.goto(f"{home}/signup")
        page.get_by_label("Company").fill(person.company)
        page.get_by_label("Work e-mail").fill(person.email)
        page.get_by_label("Password", exact=True).fill(person.password)
        page.get_by_text("Choose another address").click()
        page.get_by_label("Address").fill(slug)
        page.get_by_role("button", name="Start free trial").click()
        expect(page.locator("#slug-error")).to_contain_text(words)


def test_a_signup_shows_its_steps_and_ends_inside_the_workspace(
    page: Page, home: str, person: Person, shoot: Shoot
) -> None:
    sign_up(page, home, person)
    # A fast machine may already be inside; a progress page that is there shows the steps.
    page.wait_for_url(re.compile(rf"/signup/[0-9a-f]{{32}}$|{person.slug}\."))
    if "/signup/" in page.url:
        shoot(page, "progress")
    arrive(page, person)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(person.company).first).to_be_visible()
    names = {cookie["name"] for cookie in page.context.cookies()}
    assert any(name.startswith("__Host-") for name in names)
    assert "ticket" not in page.url


def test_no_address_on_the_way_inside_has_a_secret(page: Page, home: str, person: Person) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_up(page, home, person)
    arrive(page, person)
    (bearer,) = {one["value"] for one in page.context.cookies() if one["name"] == "__Host-signup"}
    assert any(f"{person.slug}." in url for url in asked)
    for url in asked:
        assert bearer not in url
        assert "eyJ" not in url, "a signed token"


def test_the_one_time_login_works_once(browser: Browser, page: Page, home: str, person: Person) -> None:
    # The progress page itself may be over before anyone has seen its address.
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        sign_up(page, home, person)
    progress = f"{home}{answered.value.headers['location']}"
    arrive(page, person)
    (bearer,) = [one["value"] for one in page.context.cookies() if one["name"] == "__Host-signup"]
    with opened(browser) as other:
        stranger = other.new_page()
        stranger.goto(progress)
        expect(stranger.get_by_role("link", name="Go to your workspace")).to_be_visible()
        expect(stranger.get_by_text(person.email)).to_have_count(0)
        cookie = {"name": "__Host-signup", "value": bearer, "url": home, "secure": True}
        other.add_cookies([cookie])  # type: ignore[list-item]  # Playwright's own shape
        stranger.goto(progress)
        expect(stranger.get_by_text("This login link was used already")).to_be_visible()


def test_without_script_a_signup_ends_inside_as_well(browser: Browser, home: str, person: Person) -> None:
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        sign_up(page, home, person)
        page.get_by_role("button", name="Go to your workspace").click(timeout=INSIDE_MS)
        arrive(page, person)
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_without_script_errors_are_said_as_well(browser: Browser, home: str) -> None:
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{home}/signup")
        page.get_by_label("Company").fill("Acme")
        page.get_by_label("Work e-mail").fill("nobody")
        page.get_by_role("button", name="Start free trial").click()
        expect(page.locator("#email-error")).to_be_visible()
        expect(page.get_by_label("Company")).to_have_value("Acme")
