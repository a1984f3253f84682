"""The pages on which an owner or staff pause a plan: what is shown before, what is sent, what is refused, and how a pause ends."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane.builders import NOW
from unit.control_plane_web.billing_fakes import OWNER, FakeBilling, FakePauses, bought
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import FakePlans
from unit.control_plane_web.test_account_change import hidden
from vivero_control.domain.accounts.sessions import COOKIE
from vivero_control.domain.billing.errors import ChangeNotPossibleError, ProviderRefusedError, ProviderUnavailableError
from vivero_control.domain.billing.schemas import Interval, SubscriptionStatus
from vivero_web.errors import WebError

Client = TestClient[Any]
Owner = Callable[..., tuple[Client, FakePauses]]

PLANNED = {"paused_from": NOW + timedelta(days=30), "paused_until": NOW + timedelta(days=61)}
BEGUN = {"paused_from": NOW, "paused_until": NOW + timedelta(days=30)}


@pytest.fixture
def owner() -> Owner:
    def made(
        status: SubscriptionStatus = SubscriptionStatus.ACTIVE,
        refusal: WebError | None = None,
        **known: Any,  # noqa: ANN401  fields of Subscription
    ) -> tuple[Client, FakePauses]:
        pauses = FakePauses(refusal)
        client = browser(billing=FakeBilling(FakePlans(), bought(status, **known)), plan_pauses=pauses)
        client.cookies.set(COOKIE, "acme")
        return client, pauses

    return made


def test_a_pause_is_shown_before_it_is_agreed_on(owner: Owner) -> None:
    client, pauses = owner()
    with client:
        assert "Pause the plan" in client.get("/account/plan").text
        page = client.get("/account/pause").text
        assert "€2,000 a month is charged for the next period" in page
        assert "The workspace is closed for everybody, and its data is kept" in page
        assert page.count('name="months"') == 3
        answer = client.post("/account/pause", data=hidden(page) | {"months": "2"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/plan?done=paused")
        assert "The pause is agreed on" in client.get("/account/plan?done=paused").text
    assert pauses.done == [("pause", 2, OWNER)]


def test_what_is_sent_has_to_be_what_was_shown(owner: Owner) -> None:
    client, pauses = owner()
    with client:
        shown = hidden(client.get("/account/pause").text) | {"months": "1"}
        for name, value, status in (
            ("months", "0", 422),
            ("months", "4", 422),
            ("months", "", 422),
            ("months", "²", 422),
            ("starts", "1", 409),
            ("starts", "", 422),
            ("starts", "9" * 12, 422),
            ("starts", "-" + "9" * 12, 422),
        ):
            assert client.post("/account/pause", data=shown | {name: value}).status_code == status, (name, value)
        for name, value, status in (("at", "9" * 12, 422), ("at", "1", 409), ("cents", "1", 409), ("cents", "", 422)):
            form = {"at": str(int(NOW.timestamp())), "cents": "200000"} | {name: value}
            assert client.post("/account/restart", data=form).status_code == status, (name, value)
    assert pauses.done == []


def test_a_pause_that_is_planned_is_shown_and_taken_back(owner: Owner) -> None:
    client, pauses = owner(**PLANNED)
    with client:
        page = client.get("/account/plan").text
        assert "The pause begins, and the workspace is closed until it is over" in page
        assert ("Do not pause" in page, "End the pause" in page, "Pause the plan" in page) == (True, False, False)
        assert "See the cost" not in page
        answer = client.post("/account/pause/take-back", follow_redirects=False)
        assert answer.headers["location"] == "/account/plan?done=unpaused"
        again = client.get("/account/pause")
        assert (again.status_code, "A pause is agreed on" in again.text) == (409, True)
    assert pauses.done == [("take back", OWNER)]


def test_a_pause_that_has_begun_is_ended_for_what_was_shown(owner: Owner) -> None:
    client, pauses = owner(SubscriptionStatus.PAUSED, **BEGUN)
    with client:
        page = client.get("/account/plan").text
        assert ("Do not pause" in page, "End the pause" in page) == (False, True)
        assert "Cancel the plan" in page
        assert "Choose a plan" not in page, "a second subscription is not offered"
        assert "The workspace stays closed" in client.get("/account/cancel").text
        shown = client.get("/account/restart").text
        assert "End the pause and pay €2,000" in shown
        answer = client.post("/account/restart", data=hidden(shown), follow_redirects=False)
        assert answer.headers["location"] == "/account/plan?done=restarted"
    assert pauses.done == [("restart", OWNER)]


@pytest.mark.parametrize(
    "known", [{"interval": Interval.YEAR}, {"ends_with_period": True}, {"next_plan": "professional"}]
)
def test_what_cannot_be_paused_is_not_offered_and_says_why(owner: Owner, known: dict[str, Any]) -> None:
    client, _ = owner(**known)
    with client:
        assert "Pause the plan" not in client.get("/account/plan").text
        assert client.get("/account/pause").status_code == 409


def test_a_paused_plan_that_is_canceled_offers_its_cancellation_alone(owner: Owner) -> None:
    client, _ = owner(SubscriptionStatus.PAUSED, **BEGUN, ends_with_period=True)
    with client:
        page = client.get("/account/plan").text
        assert ("Do not cancel" in page, "End the pause" in page, "Do not pause" in page) == (True, False, False)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (ChangeNotPossibleError("Not now."), 409),
        (ProviderRefusedError("card_declined"), 409),
        (ProviderUnavailableError(), 503),
    ],
)
def test_a_refusal_is_said_on_the_page(owner: Owner, refusal: WebError, status: int) -> None:
    client, _ = owner(refusal=refusal)
    with client:
        pause = hidden(client.get("/account/pause").text) | {"months": "1"}
        restart = {"at": str(int(NOW.timestamp())), "cents": "200000"}
        for answer in (
            client.post("/account/pause", data=pause),
            client.post("/account/pause/take-back"),
            client.get("/account/restart"),
            client.post("/account/restart", data=restart),
        ):
            assert (answer.status_code, refusal.detail in answer.text) == (status, True)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "pause"), ("POST", "pause"), ("GET", "restart"), ("POST", "restart")]
)
def test_who_has_no_session_is_sent_to_ask_for_a_link(method: str, path: str) -> None:
    with browser() as visitor:
        answer = visitor.request(method, f"/account/{path}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")


@pytest.fixture
def staff() -> Owner:
    def made(
        status: SubscriptionStatus = SubscriptionStatus.ACTIVE,
        refusal: WebError | None = None,
        **known: Any,  # noqa: ANN401  fields of Subscription
    ) -> tuple[Client, FakePauses]:
        pauses = FakePauses(refusal)
        client = browser(billing=FakeBilling(FakePlans(), bought(status, **known)), plan_pauses=pauses)
        return logged_in(client), pauses

    return made


PAGE = "/staff/tenants/northwind"
WHY = "They asked by phone."


def test_staff_pause_a_plan_and_take_it_back(staff: Owner) -> None:
    client, pauses = staff()
    with client:
        page = client.get(PAGE).text
        assert 'data-dialog-open="pause-plan"' in page
        form = {"starts": hidden(page)["starts"], "months": "3", "reason": WHY}
        answer = client.post(f"{PAGE}/pause-plan", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=pause-plan")
        assert "The pause is agreed on" in client.get(f"{PAGE}?done=pause-plan").text
        client.post(f"{PAGE}/take-pause-back", data={"reason": WHY}, follow_redirects=False)
    by = pauses.done[0][2]
    assert pauses.done == [("pause", 3, by, WHY), ("take back", by, WHY)]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"months": "4"}, 422),
        ({"months": ""}, 422),
        ({"starts": "9" * 12}, 422),
        ({"starts": ""}, 422),
        ({"reason": ""}, 422),
        ({"starts": "1"}, 409),
    ],
)
def test_what_staff_send_wrong_is_said_in_the_dialog(staff: Owner, wrong: dict[str, str], status: int) -> None:
    client, pauses = staff()
    with client:
        form = {"starts": hidden(client.get(PAGE).text)["starts"], "months": "3", "reason": WHY} | wrong
        answer = client.post(f"{PAGE}/pause-plan", data=form)
        assert answer.status_code == status
        assert re.search(r'<dialog id="pause-plan"[^>]* open', answer.text)
    assert pauses.done == []


def test_an_outage_is_said_to_staff_in_the_dialog(staff: Owner) -> None:
    client, _ = staff(refusal=ProviderUnavailableError())
    with client:
        form = {"starts": hidden(client.get(PAGE).text)["starts"], "months": "1", "reason": WHY}
        answer = client.post(f"{PAGE}/pause-plan", data=form)
        assert (answer.status_code, "The payment provider does not answer" in answer.text) == (503, True)


def test_staff_see_the_pause_and_do_not_end_one_that_has_begun(staff: Owner) -> None:
    client, _ = staff(**PLANNED)
    with client:
        page = client.get(PAGE).text
        offered = [word in page for word in ('data-dialog-open="take-pause-back"', 'data-dialog-open="pause-plan"')]
        assert offered == [True, False]
        assert "Paused, then renewed" in page
    client, _ = staff(SubscriptionStatus.PAUSED, **BEGUN)
    with client:
        page = client.get(PAGE).text
        assert 'data-dialog-open="take-pause-back"' not in page
        assert "The owner can end the pause on the account page" in page
