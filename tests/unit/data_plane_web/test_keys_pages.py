"""The pages of one's own API keys, without a script."""

import re

from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import World
from vivero_data.domain.api_keys.schemas import Scope
from vivero_data.domain.users.schemas import Role

KEYS = "/account/keys"


def made(browser: Browser, **form: str) -> str:
    """The page with the secret of a new key."""
    return browser.send(f"{KEYS}/new", 200, **{"name": "Nightly import", "valid_days": "30", **form})


def test_a_key_is_made_and_its_secret_shown_once(browser: Browser, world: World) -> None:
    assert "No API keys" in browser.open(KEYS)
    form = form_of(browser.open(f"{KEYS}/new"), f"{KEYS}/new")
    assert form["valid_days"] == "90"
    page = made(browser, scope__write_records="true")
    (key,) = world.api_keys.values()
    assert (key.name, key.scopes, key.valid_days) == ("Nightly import", [Scope.READ, Scope.WRITE_RECORDS], 30)
    assert f'data-copy="{key.prefix}_{"x" * 38}"' in page
    later = browser.open(KEYS) + browser.open(f"{KEYS}/{key.id}")
    assert "x" * 38 not in later
    assert key.prefix in later
    assert "Read, change records" in later


def test_what_was_typed_stays_when_a_name_is_missing(browser: Browser, world: World) -> None:
    page = browser.send(f"{KEYS}/new", 422, name=" ", valid_days="365", scope__write_files="true")
    assert "Say what the key is for." in page
    assert re.search(r'name="scope-write_files"[^>]* checked', page)
    assert re.search(r'value="365" selected', page)
    assert not world.api_keys


def test_nobody_is_offered_more_than_they_may(browser: Browser, world: World) -> None:
    world.role = Role.VIEWER
    page = browser.open(f"{KEYS}/new")
    assert "Change records" not in page
    made(browser, scope__write_records="true", scope__read_audit_log="true")
    assert [key.scopes for key in world.api_keys.values()] == [[Scope.READ]]


def test_a_key_gets_another_name_and_another_secret_and_ends(browser: Browser, world: World) -> None:
    made(browser)
    (number,) = world.api_keys
    at = f"{KEYS}/{number}"
    assert browser.send(at, name="Weekly import") == KEYS
    assert "Key renamed." in browser.open(KEYS)
    assert "Say what the key is for." in browser.send(at, 422, name="")
    page = browser.send(f"{at}/rotate", 200, overlap_hours="24")
    assert "Copy your API key" in page
    assert "The secret from before is good until" in page
    assert "Two secrets" in browser.open(KEYS)
    assert browser.send(f"{at}/revoke") == KEYS
    assert "Key revoked." in browser.open(KEYS)
    browser.open(at, 404)
    browser.send(f"{at}/revoke", 404)


def test_numbers_that_the_form_does_not_offer_are_those_that_it_proposes(browser: Browser, world: World) -> None:
    made(browser, valid_days="9999999999")
    (key,) = world.api_keys.values()
    assert key.valid_days == 90
    assert "Copy your API key" in browser.send(f"{KEYS}/{key.id}/rotate", 200, overlap_hours="-1")
