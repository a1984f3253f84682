"""The pages on which a plan that is bought is changed or canceled: what is shown before, what is sent, what is refused."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.billing_fakes import OWNER, FakeBilling, FakeChanges, FakeUsage, bought
from unit.control_plane_web.conftest import SERVICES, browser
from unit.control_plane_web.fakes import FakePlans
from vivero_control.domain.accounts.sessions import COOKIE
from vivero_control.domain.billing.errors import ChangeNotPossibleError, ProviderRefusedError, ProviderUnavailableError
from vivero_control.domain.billing.schemas import SubscriptionStatus
from vivero_web.errors import WebError

Client = TestClient[Any]


@pytest.fixture
def owner() -> Callable[..., tuple[Client, FakeChanges]]:
    def made(refusal: WebError | None = None, **known: Any) -> tuple[Client, FakeChanges]:  # noqa: ANN401  fields of Subscription
        billing = FakeBilling(FakePlans(), bought(SubscriptionStatus.ACTIVE, **known))
        changes = FakeChanges(billing, refusal)
        client = browser(billing=billing, plan_changes=changes)
        client.cookies.set(COOKIE, "acme")
        return client, changes

    return made


def hidden(page: str) -> dict[str, str]:
    """What the form of a page brings along."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_a_change_is_looked_at_before_it_is_made(owner: Callable[..., tuple[Client, FakeChanges]]) -> None:
    client, changes = owner()
    with client:
        assert "See the cost of Professional, €5,000 a month" in client.get("/account/plan").text
        page = client.get("/account/change", params={"plan": "professional", "interval": "month"}).text
        assert "Change now and pay €3,000" in page
        assert "\N{MINUS SIGN}€2,000" in page
        answer = client.post("/account/change", data=hidden(page), follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/plan?done=changed")
        assert "Your plan is changed" in client.get("/account/plan?done=changed").text
    assert changes.done == [("change", "professional", "month", OWNER)]


def test_what_is_sent_has_to_be_what_was_shown(owner: Callable[..., tuple[Client, FakeChanges]]) -> None:
    client, changes = owner()
    with client:
        shown = hidden(client.get("/account/change", params={"plan": "professional", "interval": "month"}).text)
        for name, value, status in (
            ("cents", "1", 409),
            ("at", "1", 409),
            ("at", "", 422),
            ("at", "9" * 13, 422),
            ("cents", "٣", 422),
            ("plan", "enterprise", 422),
            ("interval", "week", 422),
        ):
            assert client.post("/account/change", data=shown | {name: value}).status_code == status, (name, value)
    assert changes.done == []


def test_a_smaller_plan_begins_later_and_says_what_it_has_less_of(
    owner: Callable[..., tuple[Client, FakeChanges]],
) -> None:
    client, changes = owner(plan="professional", amount_cents=500_000)
    with client:
        page = client.get("/account/change", params={"plan": "starter", "interval": "month"}).text
        assert "Until then your plan stays as it is" in page
        assert "Plan the change" in page
        answer = client.post("/account/change", data=hidden(page), follow_redirects=False)
        assert answer.headers["location"] == "/account/plan?done=planned"
    assert changes.done == [("change", "starter", "month", OWNER)]


def test_a_planned_change_is_shown_and_taken_back(owner: Callable[..., tuple[Client, FakeChanges]]) -> None:
    client, changes = owner(plan="professional", next_plan="starter")
    with client:
        page = client.get("/account/plan").text
        assert "Starter begins" in page
        assert "Price from then on" in page
        assert "See the cost" not in page
        client.post("/account/keep", follow_redirects=False)
    assert changes.done == [("keep", OWNER)]


def test_a_plan_is_canceled_with_a_reason_and_that_is_taken_back(
    owner: Callable[..., tuple[Client, FakeChanges]],
) -> None:
    client, changes = owner()
    with client:
        assert "stays open until" in client.get("/account/cancel").text
        empty = client.post("/account/cancel", data={"reason": "", "comment": "kept <words>"})
        assert (empty.status_code, "kept &lt;words&gt;" in empty.text) == (422, True)
        client.post("/account/cancel", data={"reason": "unused", "comment": " No time. "}, follow_redirects=False)
        client.post("/account/resume", follow_redirects=False)
    assert changes.done == [("cancel", "unused", "No time.", OWNER), ("resume", OWNER)]
    client, _ = owner(ends_with_period=True)
    with client:
        page = client.get("/account/plan").text
        assert ("Do not cancel" in page, "Cancel the plan" in page, "See the cost" in page) == (True, False, False)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (ChangeNotPossibleError("Not now."), 409),
        (ProviderRefusedError("card_declined"), 409),
        (ProviderUnavailableError(), 503),
    ],
)
def test_a_refusal_is_said_on_the_page(
    owner: Callable[..., tuple[Client, FakeChanges]], refusal: WebError, status: int
) -> None:
    client, _ = owner(refusal)
    with client:
        for answer in (
            client.get("/account/change", params={"plan": "professional", "interval": "month"}),
            client.post("/account/keep"),
            client.post("/account/resume"),
            client.post("/account/cancel", data={"reason": "unused"}),
        ):
            assert (answer.status_code, refusal.detail in answer.text) == (status, True)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "change"), ("GET", "cancel"), ("POST", "change"), ("POST", "keep")]
)
def test_who_has_no_session_is_sent_to_ask_for_a_link(method: str, path: str) -> None:
    with browser() as visitor:
        answer = visitor.request(method, f"/account/{path}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")


@pytest.mark.parametrize(("records", "told"), [(50_000, False), (50_001, True)])
def test_what_must_go_before_a_smaller_plan_is_said(
    owner: Callable[..., tuple[Client, FakeChanges]],
    records: int,
    told: bool,  # noqa: FBT001  a column of the table
) -> None:
    client, _ = owner(plan="professional", amount_cents=500_000)
    SERVICES["workspace_usage"] = FakeUsage(records=records)
    with client:
        page = client.get("/account/change", params={"plan": "starter", "interval": "month"}).text
        assert ("Records: 50,001 are used, 1 more than it includes" in page) is told
        assert ("has no room for all that is stored" in page) is told
