import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from msgspec import UNSET, UnsetType, structs
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import HOSTILE, NOW, FakeSignups, signup
from vivero_control.domain.signups.schemas import SignupView, Waiting
from vivero_control.domain.signups.work import Work
from vivero_control.web.signup import BEARER
from vivero_ui.filters import iso
from vivero_web.counts import LocalCounts
from vivero_web.limiter import Limiter

ENTRANCE = re.compile(
    r'<form method="post" action="([^"]+)"[^>]* data-send-at-once.*?name="ticket" value="(\w+)"', re.DOTALL
)
INSIDE = [("https://acme.vivero.localhost:8443/login/ticket", "t1ck3t")]
GOOD = {"company": "Acme GmbH", "email": "ada@acme.example", "password": "seven green bottles", "slug": ""}


def test_the_form_has_its_own_key_each_time(visitor: TestClient[Any]) -> None:
    keys = {re.findall(r'name="key" value="(\w{32})"', visitor.get("/signup").text)[0] for _ in range(3)}
    assert len(keys) == 3


def test_a_good_form_starts_one_signup_and_shows_its_progress() -> None:
    signups = FakeSignups()
    with browser(signups=signups) as client:
        answer = client.post("/signup", data={**GOOD, "key": "k1"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/signup/5f2c")
    assert signups.started[0].slug is None
    assert signups.keys == ["k1"]


def test_where_a_visitor_came_from_goes_with_the_form_and_through_its_errors() -> None:
    signups, came = FakeSignups(), {"utm_source": "news & <b>", "referrer": "blog.example"}
    with browser(signups=signups) as client:
        page = client.get("/signup", params={"utm_source": "news & <b>"}, headers={"referer": "https://blog.example/x"})
        assert '<input type="hidden" name="utm_source" value="news &amp; &lt;b&gt;">' in page.text
        assert '<input type="hidden" name="referrer" value="blog.example">' in page.text
        again = client.post("/signup", data={**GOOD, "company": "", **came})
        assert (again.status_code, again.text.count('value="blog.example"')) == (422, 1)
        client.post("/signup", data={**GOOD, **came}, follow_redirects=False)
    assert signups.started[0].lead.said == came


def test_a_network_that_signs_up_often_gets_a_challenge_with_the_form() -> None:
    signups, work = FakeSignups(), Work(b"k" * 32, Limiter(LocalCounts()), 1, lambda: NOW)
    with browser(signups=signups, work=work) as client:
        client.post("/signup", data=GOOD, follow_redirects=False)
        page = client.post("/signup", data=GOOD)
    assert (page.status_code, len(signups.started)) == (428, 1)
    assert "data-work=" in page.text
    assert "<noscript>" in page.text
    assert f'value="{GOOD["company"]}"' in page.text


def test_a_chosen_slug_is_sent_in_lower_case() -> None:
    signups = FakeSignups()
    with browser(signups=signups) as client:
        client.post("/signup", data={**GOOD, "slug": " Acme-2 "}, follow_redirects=False)
    assert signups.started[0].slug == "acme-2"


def test_the_script_gets_the_next_address_in_a_header(visitor: TestClient[Any]) -> None:
    answer = visitor.post("/signup", data=GOOD, headers={"x-scripted-form": "1"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (201, "/signup/5f2c")


@pytest.mark.parametrize("headers", [{}, {"x-scripted-form": "1"}], ids=["plain", "scripted"])
def test_the_bearer_is_in_a_cookie_that_neither_scripts_nor_other_hosts_nor_logs_see(
    visitor: TestClient[Any], headers: dict[str, str]
) -> None:
    answer = visitor.post("/signup", data=GOOD, headers=headers, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-signup={FakeSignups.bearer};")
    assert {"httponly", "secure", "path=/", "samesite=strict"} <= set(cookie.lower().split("; "))
    assert FakeSignups.bearer not in answer.headers["location"] + answer.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"company": ""}, "company"),
        ({"company": "x" * 81}, "company"),
        ({"company": "a\u202eb"}, "company"),
        ({"email": "ada@"}, "email"),
        ({"password": "short"}, "password"),
        ({"slug": "admin"}, "slug"),
        ({"slug": "taken"}, "slug"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    visitor: TestClient[Any], changes: dict[str, str], field: str
) -> None:
    answer = visitor.post("/signup", data=GOOD | changes)
    assert answer.status_code in {409, 422}
    assert f'id="{field}-error"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    for kept in ("company", "email"):
        assert f'value="{(GOOD | changes)[kept]}"' in answer.text
    assert GOOD["password"] not in answer.text


@pytest.mark.parametrize("name", [HOSTILE, "Robert'); DROP TABLE x;--", "100% _*..", "🌱", '" autofocus onfocus="x'])
def test_hostile_names_come_back_as_text(visitor: TestClient[Any], name: str) -> None:
    text = visitor.post("/signup", data=GOOD | {"company": name, "password": "short"}).text
    assert "<script>alert" not in text
    assert ' onfocus="x' not in text


@given(
    company=st.text(max_size=100), email=st.text(max_size=60), password=st.text(max_size=40), slug=st.text(max_size=50)
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_a_page(visitor: TestClient[Any], company: str, email: str, password: str, slug: str) -> None:
    data = {"company": company, "email": email, "password": password, "slug": slug}
    answer = visitor.post("/signup", data=data, follow_redirects=False)
    assert answer.status_code in {303, 409, 422}


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
def test_a_form_on_another_site_starts_nothing(headers: dict[str, str]) -> None:
    signups = FakeSignups()
    with browser(signups=signups) as client:
        answer = client.post("/signup", data=GOOD, headers=headers)
    assert answer.status_code == 403
    assert not signups.started


def test_a_wrong_content_type_is_a_page_not_a_signup() -> None:
    signups = FakeSignups()
    with browser(signups=signups) as client:
        answer = client.post("/signup", json=["x"])
    assert answer.status_code in {400, 415, 422}
    assert not signups.started


def test_progress_shows_real_times_and_reloads_without_script(visitor: TestClient[Any]) -> None:
    text = visitor.get("/signup/5f2c").text
    for words in ("under 1 s", "Waiting for the first answer", 'data-progress="/signup/5f2c/events"'):
        assert words in text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in text


def test_a_ready_signup_leads_inside_by_a_form_that_needs_no_script() -> None:
    signups = FakeSignups()
    signups.view = signup(7, "ready")
    with browser(signups=signups) as client:
        client.cookies.set(BEARER, signups.bearer)
        answer = client.get("/signup/5f2c", follow_redirects=False)
    assert ENTRANCE.findall(answer.text) == INSIDE
    allowed = answer.headers["content-security-policy"]
    assert "form-action 'self' https://acme.vivero.localhost:8443;" in f"{allowed};"
    assert "default-src 'none'" in allowed


@pytest.mark.parametrize(
    ("bearer", "view"),
    [
        (FakeSignups.bearer, structs.replace(signup(7, "ready"), login_url=UNSET)),
        ("of another signup", signup(7, "ready")),
        ("", signup(7, "ready")),
    ],
    ids=["over", "another's", "none"],
)
def test_a_ready_signup_shows_the_door_to_all_others(bearer: str, view: SignupView) -> None:
    signups = FakeSignups()
    signups.view, signups.stream = view, [view]
    with browser(signups=signups) as client:
        if bearer:
            client.cookies.set(BEARER, bearer)
        answer, events = client.get("/signup/5f2c"), client.get("/signup/5f2c/events").text
    assert "Your workspace is ready" in answer.text
    assert 'href="https://acme.vivero.localhost:8443"' in answer.text
    assert "data-progress" not in answer.text
    assert "t1ck3t" not in answer.text + events
    assert "<form" not in answer.text + events


def test_a_failed_signup_says_why() -> None:
    signups = FakeSignups()
    signups.view = signup(2, "failed")
    with browser(signups=signups) as client:
        text = client.get("/signup/5f2c").text
    assert "could not be built" in text
    assert "The address is taken." in text
    assert "http-equiv" not in text


def test_a_signup_of_which_nothing_was_made_shows_no_steps() -> None:
    signups = FakeSignups()
    none = signup(0, "failed")
    signups.view = structs.replace(none, steps=tuple(structs.replace(one, state="waiting") for one in none.steps))
    with browser(signups=signups) as client:
        text = client.get("/signup/5f2c").text
    assert "The address is taken." in text
    assert ": waiting" not in text


def test_a_workspace_that_was_closed_since_is_not_called_ready() -> None:
    signups = FakeSignups()
    signups.view = structs.replace(signup(5, "ready"), login_url=UNSET)
    with browser(signups=signups) as client:
        text = client.get("/signup/5f2c").text
    assert "closed at the moment" in text
    assert "You can log in" not in text
    assert "under way" not in text
    assert 'href="https://acme.vivero.localhost:8443"' in text


WAITS = Waiting(since=NOW, next_attempt_at=NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    "view",
    [signup(3), structs.replace(signup(0), waiting=WAITS), signup(7, "ready"), signup(5, "ready"), signup(2, "failed")],
    ids=["begun", "waiting", "ready", "closed", "failed"],
)
def test_the_title_says_what_the_heading_says(view: SignupView) -> None:
    signups = FakeSignups()
    signups.view = view
    with browser(signups=signups) as client:
        text = client.get("/signup/5f2c").text
    (heading,) = re.findall(r"<h1[^>]*>([^<]+)</h1>", text)
    assert f"<title>{heading} · Vivero</title>" in text


def test_an_unknown_signup_is_a_page(visitor: TestClient[Any]) -> None:
    assert visitor.get("/signup/unknown").status_code == 404
    assert visitor.get("/signup/unknown/events").status_code == 404


def test_events_carry_the_steps_and_end_inside(visitor: TestClient[Any]) -> None:
    visitor.cookies.set(BEARER, FakeSignups.bearer)
    answer = visitor.get("/signup/5f2c/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = re.findall(r"^event: (\w+)", answer.text, re.MULTILINE)
    assert events == ["steps", "steps", "done"]
    assert ": waiting" in answer.text
    assert ENTRANCE.findall(answer.text) == INSIDE
    assert "data: https://acme.vivero.localhost:8443\r\n" in answer.text


def test_events_of_a_failed_signup() -> None:
    signups = FakeSignups()
    signups.stream = [signup(2, "failed")]
    with browser(signups=signups) as client:
        text = client.get("/signup/5f2c/events").text
    assert re.findall(r"^event: (\w+)", text, re.MULTILINE) == ["steps", "failed"]


@pytest.mark.parametrize("until", [UNSET, NOW + timedelta(hours=21)], ids=["not tried twice", "tried"])
def test_an_order_that_waits_says_since_when_and_what_comes_next(until: datetime | UnsetType) -> None:
    waiting = Waiting(since=NOW - timedelta(hours=3), next_attempt_at=NOW + timedelta(minutes=15), until=until)
    signups = FakeSignups()
    signups.view = structs.replace(signup(0), waiting=waiting, detail="Your order is kept.")
    signups.stream = [signups.view]
    with browser(signups=signups) as client:
        page, events = client.get("/signup/5f2c").text, client.get("/signup/5f2c/events").text
    moments = [one for one in (waiting.since, waiting.next_attempt_at, waiting.until) if one is not UNSET]
    for text in (page, events):
        assert "This takes longer than usual" in text
        assert "Your order is kept." in text
        assert [iso(one) in text for one in moments] == [True] * len(moments)
        assert ("for the last time" in text) is (until is not UNSET)
    assert 'http-equiv="refresh"' in page, "it goes on looking"
