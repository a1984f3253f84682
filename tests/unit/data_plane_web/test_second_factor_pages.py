"""Two-step login on the pages, without a script."""

from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import NOW, PASSWORD, World
from vivero_data.domain.users.schemas import Role, User
from vivero_web.second_factors import SecondFactor

SECURITY, FACTOR = "/account/security", "/account/second-factor"


def test_it_is_set_up_and_turned_off(browser: Browser) -> None:
    assert "Set it up" in browser.open(SECURITY)
    assert "Is not your current password." in browser.send(FACTOR, 422, current_password="x")
    page = browser.send(FACTOR, 200, current_password=PASSWORD)
    assert "<svg viewBox" in page
    assert "PB4H QPHY" not in browser.open(SECURITY)
    page = browser.send(f"{FACTOR}/confirm", 422, code="000000")
    assert "<svg viewBox" in page, "it can be tried again"
    page = browser.send(f"{FACTOR}/confirm", 200, code="123456")
    assert page.count("abcd-efgh-ijkl") == 20, "shown, and to be copied"
    page = browser.open(SECURITY)
    assert "10 recovery codes left" in page
    assert "abcd-efgh" not in page
    assert "open>" in browser.send(f"{FACTOR}/recovery-codes", 422, current_password="x")
    assert "abcd-efgh" in browser.send(f"{FACTOR}/recovery-codes", 200, current_password=PASSWORD)
    assert browser.send(f"{FACTOR}/off", current_password=PASSWORD) == SECURITY
    assert "Two-step login is off." in browser.open(SECURITY)


def test_a_login_has_a_second_step(browser: Browser, world: World) -> None:
    world.factor = SecondFactor(active=True, since=NOW, recovery_codes=10)
    page = browser.send("/login", 200, email="ada@example.com", password=PASSWORD, next="/files", kept__text="typed")
    assert "Enter your code" in page
    assert PASSWORD not in page
    form = form_of(page, "/login/code")
    assert (form["next"], form["kept-text"]) == ("/files", "typed")
    page = browser.send("/login/code", 401, **{**form, "code": "000000"})
    assert "The code is wrong" in page
    assert form_of(page, "/login/code")["kept-text"] == "typed"
    page = browser.send("/login/code", 200, **{**form, "code": "123456"})
    assert "typed" in page, "what was typed before is sent now"
    assert "Log in to" in browser.send("/login/code", 401, challenge="old", code="123456")
    assert browser.send("/login/code", challenge="challenge", code="123456", next="https://evil.example") == "/"


def test_an_administrator_turns_that_of_another_off(browser: Browser, world: World) -> None:
    world.users[2] = User(2, "bob@example.com", "Bob", Role.MEMBER, active=True, created_at=NOW)
    assert "Two-step login" not in browser.open("/users/2")
    world.factor = SecondFactor(active=True, since=NOW, recovery_codes=10)
    assert "/users/2/second-factor" in browser.open("/users/2")
    assert browser.send("/users/2/second-factor") == "/users/2"
    assert not world.factor.active


def test_an_owner_requires_it_of_everybody(browser: Browser, world: World) -> None:
    form = "/settings/logins"
    assert form_of(browser.open("/settings"), form) == {}
    assert "for yourself" in browser.send(form, 409, second_factor_required="true")
    world.factor = SecondFactor(active=True, since=NOW, recovery_codes=10)
    assert browser.send(form, second_factor_required="true") == "/settings"
    assert form_of(browser.open("/settings"), form) == {"second_factor_required": "true"}
    page = browser.open(SECURITY)
    assert "Move it to another phone" in page
    assert "Turn it off, or" not in page
    browser.send(form)
    assert not world.login_rules.second_factor_required
    world.role = Role.ADMIN
    assert "/settings/logins" not in browser.open("/settings")
    browser.send(form, 403, second_factor_required="true")


def test_who_lacks_it_sees_nothing_else(browser: Browser, world: World) -> None:
    browser.customers()
    assert "Customers" in browser.open(SECURITY)
    world.lacking = True
    page = browser.open(SECURITY)
    assert "nothing else opens before" in page
    assert "Customers" not in page
    assert "<svg viewBox" in browser.send(FACTOR, 200, current_password=PASSWORD)
