"""Another e-mail address, without a script."""

from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import PASSWORD, World
from vivero_data.domain.users.schemas import Role

FORM, CONFIRM = "/account/email", "/confirm-email"


def test_an_address_is_asked_for_and_confirmed(browser: Browser, world: World) -> None:
    world.role = Role.MEMBER
    assert f'action="{FORM}"' in browser.open("/account")
    page = browser.send(FORM, 422, email="new@example.com", current_password="x")
    assert 'id="email-password-error"' in page
    assert 'id="current_password-error"' not in page
    assert 'value="new@example.com"' in page
    assert browser.send(FORM, email="new@example.com", current_password=PASSWORD) == "/account"
    assert world.asked == ["new@example.com"]
    world.links.add("s" * 43)
    assert "data-send-at-once" in browser.open(CONFIRM)
    assert "Ask for a new one." in browser.send(CONFIRM, 422, code="old")
    assert browser.send(CONFIRM, code="s" * 43) == "/login"
    assert "Log in with the new one." in browser.open("/login")


def test_an_owner_is_told_nothing_of_it(browser: Browser) -> None:
    assert FORM not in browser.open("/account")
