"""The staff's page about jobs that were given up."""

from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, LETTERS, FakeDeadLetters
from vivero_control.domain.dead_letters.service import ErasedError
from vivero_control.domain.signups.policies import SlugTakenError
from vivero_control.web.staff_shell import DEAD_LETTERS
from vivero_web.errors import WebError


def test_the_page_lists_what_was_given_up_with_its_error_and_escapes_it(staff: TestClient[Any]) -> None:
    text = staff.get(DEAD_LETTERS).text
    for letter in LETTERS:
        assert letter.what in text
        assert letter.error in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "3 of 3" in text
    assert f'href="{DEAD_LETTERS}"' in text
    assert f'href="{DEAD_LETTERS}"' in staff.get("/staff/tenants").text, "it is in the navigation"


def test_only_what_is_kept_can_be_replayed(staff: TestClient[Any]) -> None:
    text = staff.get(DEAD_LETTERS).text
    for letter in LETTERS:
        assert (f'action="{DEAD_LETTERS}/{letter.id}/replay"' in text) is letter.is_kept


def test_nothing_given_up_is_said() -> None:
    with browser(dead_letters=FakeDeadLetters(())) as client:
        assert "No dead letters" in logged_in(client).get(DEAD_LETTERS).text


def test_a_replay_is_ordered_in_the_name_of_who_is_logged_in_and_said() -> None:
    letters = FakeDeadLetters()
    with browser(dead_letters=letters) as client:
        answer = logged_in(client).post(f"{DEAD_LETTERS}/7/replay", follow_redirects=False)
        assert answer.status_code == 303
        assert "It is tried again now" in client.get(answer.headers["location"]).text
    assert letters.replayed == [(7, ADMIN.email)]


@pytest.mark.parametrize("refusal", [ErasedError(), SlugTakenError("acme")], ids=["erased", "taken"])
def test_what_cannot_be_replayed_says_why_on_the_page(refusal: WebError) -> None:
    with browser(dead_letters=FakeDeadLetters(refusal=refusal)) as client:
        answer = logged_in(client).post(f"{DEAD_LETTERS}/7/replay")
    assert answer.status_code == 409
    assert refusal.detail in answer.text
    assert LETTERS[0].what in answer.text


@pytest.mark.parametrize("letter", ["8", "0", "-1", "x", "9" * 40])
def test_an_unknown_letter_is_a_page(staff: TestClient[Any], letter: str) -> None:
    assert staff.post(f"{DEAD_LETTERS}/{letter}/replay").status_code == 404


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_replay_sent_from_elsewhere_is_refused(site: str) -> None:
    letters = FakeDeadLetters()
    with browser(dead_letters=letters) as client:
        answer = logged_in(client).post(f"{DEAD_LETTERS}/7/replay", headers={"sec-fetch-site": site})
    assert answer.status_code == 403
    assert not letters.replayed


def test_without_a_login_there_is_neither_the_page_nor_a_replay() -> None:
    letters = FakeDeadLetters()
    with browser(dead_letters=letters) as client:
        for answer in (
            client.get(DEAD_LETTERS, follow_redirects=False),
            client.post(f"{DEAD_LETTERS}/7/replay", follow_redirects=False),
        ):
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/staff/login")
    assert not letters.replayed
