"""Webhooks on the staff's pages, without a script."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, SUPPORT
from unit.control_plane_web.webhook_fakes import SECRET, FakeWebhooks, attempts
from vivero_control.domain.webhooks.schemas import EventType
from vivero_control.web.staff_shell import WEBHOOKS
from vivero_control.web.webhooks import LABELS

FORM = {"url": "https://hooks.example.com/new", "event-paid": "true", "event-suspended": "true"}


def send(client: TestClient[Any], path: str, status: int, **form: str) -> str:
    answer = client.post(f"{WEBHOOKS}{path}", data=form, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def test_a_webhook_is_made_and_its_secret_shown_once() -> None:
    webhooks = FakeWebhooks()
    with browser(webhooks=webhooks) as client:
        page = send(logged_in(client), "/new", 200, **FORM)
        assert SECRET in page
        made = webhooks.known[4]
        assert (made.url, made.events) == (FORM["url"], (EventType.SUSPENDED, EventType.PAID))
        assert webhooks.orders == [("make", 4, ADMIN.email)]
        for path in ("", "/4"):
            shown = client.get(f"{WEBHOOKS}{path}").text
            assert SECRET not in shown
            assert FORM["url"] in shown


def test_it_is_changed_switched_off_rotated_and_deleted() -> None:
    webhooks = FakeWebhooks()
    with browser(webhooks=webhooks) as client:
        logged_in(client)
        send(client, "/1", 303, **FORM)
        assert webhooks.known[1].url == FORM["url"]
        send(client, "/1", 303, active="false")
        assert not webhooks.known[1].active
        assert "Switch on" in client.get(f"{WEBHOOKS}/1").text
        assert SECRET in send(client, "/2/secret", 200)
        assert "Nothing more is sent there" in client.post(f"{WEBHOOKS}/1/delete").text
        assert client.get(f"{WEBHOOKS}/1").status_code == 404


def test_the_log_is_paged_an_answer_is_text_and_a_message_is_sent_again() -> None:
    webhooks = FakeWebhooks()
    with browser(webhooks=webhooks) as client:
        logged_in(client)
        first = client.get(f"{WEBHOOKS}/2").text
        assert "<script>alert" not in first
        assert "&lt;script&gt;" in first
        behind = re.search(rf'href="({WEBHOOKS}/2\?cursor=\d+)"', first)
        assert behind
        assert attempts()[-1].message in client.get(behind[1]).text
        message = attempts()[0].message
        assert "is sent again" in client.post(f"{WEBHOOKS}/2/resend", data={"message": message}).text
        assert webhooks.orders == [("resend", 2, ADMIN.email)]
        assert "Switch it on first" in send(client, "/3/resend", 409, message=message)
        send(client, "/2/resend", 404, message="msg_of_another")


@pytest.mark.parametrize("path", ["/new", "/2"])
def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_stays(path: str) -> None:
    with browser(webhooks=FakeWebhooks()) as client:
        logged_in(client)
        page = send(client, path, 422, **{**FORM, "url": "https://10.0.0.1/in"})
        assert "This address is not on the Internet." in page
        assert 'value="https://10.0.0.1/in"' in page
        assert re.search(r'<input[^>]*name="event-paid"[^>]* checked', page)
        assert not re.search(r'<input[^>]*name="event-deleted"[^>]* checked', page)
        assert "Choose at least one." in send(client, path, 422, url=FORM["url"])


def test_who_has_enough_is_told_and_without_any_the_page_says_how() -> None:
    with browser(webhooks=FakeWebhooks((), full=True)) as client:
        logged_in(client)
        assert "There are 20 webhooks." in send(client, "/new", 409, **FORM)
        assert "No webhooks" in client.get(WEBHOOKS).text


def test_they_are_for_admins(visitor: TestClient[Any]) -> None:
    support = logged_in(visitor, SUPPORT)
    for path in ("", "/new", "/1"):
        assert support.get(f"{WEBHOOKS}{path}").status_code == 403
    assert support.post(f"{WEBHOOKS}/1/delete").status_code == 403
    assert f'href="{WEBHOOKS}"' not in support.get("/staff/tenants").text


@pytest.mark.parametrize("event", EventType)
def test_every_event_has_words(event: EventType) -> None:
    with browser(webhooks=FakeWebhooks()) as client:
        assert LABELS[event] in logged_in(client).get(f"{WEBHOOKS}/new").text
