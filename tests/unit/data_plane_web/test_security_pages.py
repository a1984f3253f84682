"""The page of one's sessions, without a script."""

from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World

SECURITY = "/account/security"


def test_sessions_are_seen_and_ended(browser: Browser, world: World) -> None:
    page = browser.open(SECURITY)
    assert page.count("Firefox on Linux") > page.count("Safari on iPhone") >= 1
    assert page.count("This session") == 1
    assert "/account/sessions/1/end" not in page
    assert browser.send("/account/sessions/2/end") == SECURITY
    assert "Session ended." in browser.open(SECURITY)
    browser.send("/account/sessions/2/end", 404)
    assert browser.send("/account/sessions/end-others") == SECURITY
    page = browser.open(SECURITY)
    assert list(world.sessions) == [1]
    assert "End all others" not in page
