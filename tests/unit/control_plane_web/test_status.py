"""The public status page, its feed, and the staff's pages about it."""

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, HOSTILE, SUPPORT
from unit.control_plane_web.status_fakes import NOW, FakeStatus, incident, measured
from vivero_control.domain.status.schemas import Component, IncidentState
from vivero_control.web import staff_shell
from vivero_control.web.status import percent

PAGE = "/status"
STAFF = staff_shell.STATUS
ATOM = "{http://www.w3.org/2005/Atom}"
ANNOUNCED = {"title": "Slow", "text": "We look.\r\nMore soon.", "state": "identified", "on_api": "true"}


def test_the_page_says_how_it_is_and_was(visitor: TestClient[Any]) -> None:
    answer = visitor.get(PAGE)
    assert answer.status_code == 200
    for words in (
        "Some of it does not work",
        "Signup",
        "Degraded",
        "Outage",
        "Backups are behind",
        "A new database server",
        "Planned maintenance of Workspaces, API",
        "A disk was full.\nIt has room again.",
        "19 Nov 2026: 41 min outage",
        "13 Oct 2026: 11 h 40 min not measured",
        'href="/status/feed.atom"',
    ):
        assert words in answer.text, words
    assert answer.text.count("<h1") == 1
    assert 'href="/status"' in visitor.get("/").text


def test_a_part_of_a_day_that_was_not_measured_is_left_empty() -> None:
    day = NOW.date() - timedelta(days=1)
    with browser(status=FakeStatus([measured(day, missing=720), measured()], ())) as client:
        text = client.get(PAGE).text
    (bar,) = re.findall(r"<title>21 Nov 2026: 12 h not measured</title>(.*?)</g>", text)
    assert 'height="16"' in bar
    assert "Uptime 100.00 %" in text, "what is not known is no outage"


def test_what_is_not_whole_is_not_shown_as_whole() -> None:
    assert [percent(share) for share in (1.0, 0.99999, 0.0, None)] == ["100.00 %", "99.99 %", "0.00 %", "not known"]


def test_without_the_database_it_shows_what_was_known_and_says_so() -> None:
    with browser(status=FakeStatus(away=True)) as client:
        answer = client.get(PAGE)
        assert client.get("/status/feed.atom").status_code == 200
    assert answer.status_code == 200
    assert "Our own database does not answer" in answer.text
    assert "Backups are behind" in answer.text


def test_with_nothing_known_it_claims_nothing() -> None:
    with browser(status=FakeStatus(away=True, knows=False)) as client:
        answer = client.get(PAGE)
        assert client.get("/status/feed.atom").status_code == 503
    assert answer.status_code == 200
    assert "We do not know at the moment" in answer.text
    assert "No incident was announced" not in answer.text
    with browser(status=FakeStatus((), ())) as client:
        assert "Nothing is measured yet" in client.get(PAGE).text


def test_a_state_of_long_ago_is_none_of_now() -> None:
    old = measured(at=NOW - timedelta(hours=1), component=Component.API)
    with browser(status=FakeStatus([old], ())) as client:
        text = client.get(PAGE).text
    assert "Not measured" in text
    assert "Operational" not in text


def test_the_feed_has_an_entry_for_each_incident_and_takes_any_words(visitor: TestClient[Any]) -> None:
    with browser(status=FakeStatus((), (incident(7, title=HOSTILE), incident(8)))) as client:
        answer = client.get("/status/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    tree = ET.fromstring(answer.content)  # noqa: S314  our own answer
    first, second = tree.findall(f"{ATOM}entry")
    assert first.findtext(f"{ATOM}title") == f"Resolved: {HOSTILE}"
    assert (first.findtext(f"{ATOM}id") or "").endswith("/status#incident-7")
    assert "A disk was full." in (second.findtext(f"{ATOM}content") or "")
    assert tree.findtext(f"{ATOM}updated") == first.findtext(f"{ATOM}updated"), "the newest of them"
    assert 'id="incident-3"' in visitor.get(PAGE).text, "where an entry leads"


def test_hostile_words_stay_words() -> None:
    with browser(status=FakeStatus((), (incident(1, title=HOSTILE),))) as client:
        for path in (PAGE, STAFF, f"{STAFF}/1"):
            assert "<script>alert" not in logged_in(client).get(path).text


@pytest.mark.parametrize("who", [ADMIN, SUPPORT])
def test_all_of_the_staff_announce_and_say_more(who: Any) -> None:  # noqa: ANN401  a StaffView
    status = FakeStatus()
    with browser(status=status) as client:
        logged_in(client, who)
        answer = client.post(f"{STAFF}/new", data=ANNOUNCED, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{STAFF}?done=announced")
        said = client.post(f"{STAFF}/1/updates", data={"state": "monitoring", "text": "Well."}, follow_redirects=False)
        assert said.status_code == 303
        assert "It is on the status page" in client.get(f"{STAFF}?done=announced").text
    ((new, actor),) = status.announced
    assert (new.title, new.text, new.components, actor) == ("Slow", "We look.\nMore soon.", [Component.API], who.email)
    assert new.state is IncidentState.IDENTIFIED
    ((number, update, _),) = status.told
    assert (number, update.state, update.text) == (1, IncidentState.MONITORING, "Well.")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": ""}, "Say in a few words what it is."),
        ({"text": ""}, "Say what is known."),
        ({"state": "on-fire"}, "Choose one of the states."),
        ({"on_api": None}, "Choose at least one."),
        ({"begins_at": "yesterday"}, "Enter a day and a time"),
        ({"state": "planned"}, "Maintenance begins at a moment that you choose"),
    ],
)
def test_a_form_with_errors_says_them_and_keeps_what_was_typed(changed: dict[str, str | None], words: str) -> None:
    status = FakeStatus()
    sent = {key: value for key, value in {**ANNOUNCED, **changed}.items() if value is not None}
    with browser(status=status) as client:
        answer = logged_in(client).post(f"{STAFF}/new", data=sent)
    assert answer.status_code == 422
    assert words in answer.text
    assert "More soon." in answer.text or "text" in changed
    assert status.announced == []


def test_an_update_with_errors_says_them_and_one_of_nothing_is_not_found(staff: TestClient[Any]) -> None:
    assert "Say what is known." in staff.post(f"{STAFF}/1/updates", data={"state": "resolved"}).text
    assert "Choose one of the states." in staff.post(f"{STAFF}/1/updates", data={"text": "x"}).text
    assert staff.get(f"{STAFF}/77").status_code == 404
    assert staff.post(f"{STAFF}/77/updates", data={"state": "resolved", "text": "x"}).status_code == 404


def test_the_staff_page_lists_what_is_measured_and_announced(staff: TestClient[Any]) -> None:
    text = staff.get(STAFF).text
    for words in ("Backups are behind", "Monitoring", "Outage", "Whether the archives", f'href="{STAFF}/new"'):
        assert words in text
    with browser(status=FakeStatus((), ())) as client:
        assert "Nothing was announced" in logged_in(client).get(STAFF).text
    with browser(status=FakeStatus(away=True)) as client:
        assert "The database does not answer" in logged_in(client).get(STAFF).text
