"""Webhooks on the pages, without a script."""

from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import NOW, FakeWebhooks, World
from vivero_data.domain.users.schemas import Role
from vivero_data.domain.webhooks.schemas import Attempt, Event

HOOKS = "/webhooks"
URL = "https://hooks.example.com/in"
CREATED = {"event-record.created": "true"}


def test_a_webhook_is_made_changed_and_deleted(browser: Browser, world: World) -> None:
    browser.customers()
    assert "No webhooks" in browser.open(HOOKS)
    assert 'value="Customers"' in browser.open(f"{HOOKS}/new")
    page = browser.send(f"{HOOKS}/new", 200, url=URL, collection="Customers", **CREATED)
    (hook,) = world.webhooks.values()
    assert (hook.url, hook.collection, hook.events) == (URL, "Customers", [Event.CREATED])
    assert f'data-copy="whsec_{"s" * 44}"' in page
    at = f"{HOOKS}/{hook.id}"
    assert "sssss" not in browser.open(HOOKS) + browser.open(at)
    assert browser.send(at, url=f"{URL}2", **{"event-record.deleted": "true"}) == at
    assert world.webhooks[hook.id].events == [Event.DELETED]
    assert browser.send(at, active="false") == at
    assert world.webhooks[hook.id].active is False
    assert "Switch on" in browser.open(at)
    assert "Copy the secret" in browser.send(f"{at}/secret", 200)
    assert browser.send(f"{at}/delete") == HOOKS
    browser.open(at, 404)


def test_what_is_wrong_stands_beside_its_field(browser: Browser, world: World) -> None:
    page = browser.send(f"{HOOKS}/new", 422, url="http://example.com", **CREATED)
    assert "begins with https://" in page
    assert 'value="http://example.com"' in page
    assert "Choose at least one." in browser.send(f"{HOOKS}/new", 422, url=URL)
    hook = FakeWebhooks(world).add(URL, [Event.CREATED])
    assert "not on the Internet" in browser.send(f"{HOOKS}/{hook.id}", 422, url="https://10.0.0.1/", **CREATED)


def test_attempts_say_what_came_of_them(browser: Browser, world: World) -> None:
    hook = FakeWebhooks(world).add(URL, [Event.CREATED], active=False, failing_since=NOW)
    world.attempts = [
        Attempt(2, NOW, "msg_1", Event.CREATED, 2, 204, ""),
        Attempt(1, NOW, "msg_1", Event.CREATED, 1, None, "No answer (ConnectTimeoutError).", NOW),
    ]
    page = browser.open(f"{HOOKS}/{hook.id}")
    for words in ("204 – delivered", "No answer (ConnectTimeoutError).", "switched off after days", "2 attempts"):
        assert words in page


def test_who_may_not_manage_collections_sees_none(browser: Browser, world: World) -> None:
    world.role = Role.MEMBER
    assert f'href="{HOOKS}"' not in browser.open("/account")
    browser.open(HOOKS, 403)
    browser.send(f"{HOOKS}/new", 403, url=URL, **CREATED)
