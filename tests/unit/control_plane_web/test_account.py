"""The pages of a workspace's plan: the link, what was bought, the way to pay, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane.builders import tenant
from unit.control_plane_web.billing_fakes import PAY, PORTAL, FakeAccounts, FakeBilling, FakeLinks, bought
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import SETTINGS, FakePlans
from vivero_control.domain.accounts.sessions import COOKIE
from vivero_control.domain.billing.errors import ProviderUnavailableError
from vivero_control.domain.billing.schemas import SubscriptionStatus
from vivero_control.web.billing_lines import money

ORDER = {"plan": "starter", "interval": "month"}
OFF = SETTINGS.model_copy(update={"billing": None})


def billing(status: SubscriptionStatus | None = None, **known: Any) -> FakeBilling:  # noqa: ANN401  as FakeBilling
    return FakeBilling(FakePlans(), *([bought(status)] if status else []), **known)


def test_without_a_link_the_page_asks_for_one_and_tells_nobody_what_there_is() -> None:
    links = FakeLinks()
    with browser(account_links=links) as visitor:
        page = visitor.get("/account?workspace=acme")
        assert (page.status_code, 'value="acme"' in page.text) == (200, True)
        answers = {
            visitor.post("/account/link", data={"address": slug}).text.replace(slug, "…")
            for slug in ("acme", "nobody-here")
        }
        assert len(answers) == 1
        assert links.asked == ["acme", "nobody-here"]
        visitor.post("/account/link", data={"address": "https://acme.vivero.localhost:8443/records"})
        assert links.asked[-1] == "acme", "a pasted address is understood"
        wrong = visitor.post("/account/link", data={"address": "No Such"})
        assert (wrong.status_code, 'value="No Such"' in wrong.text) == (422, True)
        by_mail = visitor.post("/account/link", data={"address": " olive@acme.example "}).text
        assert "workspaces that <strong" in by_mail
        assert links.asked[-1] == "olive@acme.example"
        assert visitor.post("/account/link", data={"address": "olive@"}).status_code == 422
        visitor.post("/account/link", data={"address": "acme"})
        assert visitor.post("/account/link", data={"address": "acme"}).status_code == 429


def test_a_link_opens_once_and_leads_to_the_plan() -> None:
    with browser() as visitor:
        opened = visitor.post("/account/open", data={"code": "https://x/account/open#good"}, follow_redirects=False)
        assert (opened.status_code, opened.headers["location"]) == (303, "/account")
        cookie = opened.headers["set-cookie"]
        assert all(word in cookie for word in (COOKIE, "HttpOnly", "Secure", "SameSite=lax", "Path=/"))
        spent = visitor.post("/account/open", data={"code": "bad"})
        assert (spent.status_code, "opens nothing" in spent.text or "was used before" in spent.text) == (422, True)


def test_the_workspace_leads_its_owner_to_the_plan_without_a_click() -> None:
    with browser() as visitor:
        page = visitor.get("/account/enter").text
        assert "data-send-at-once" in page
        entered = visitor.post("/account/enter", data={"code": "good.ticket"}, follow_redirects=False)
        assert (entered.status_code, entered.headers["location"]) == (303, "/account")
        assert COOKIE in entered.headers["set-cookie"]
        spent = visitor.post("/account/enter", data={"code": "used.ticket"}, follow_redirects=False)
        assert (spent.status_code, "was used before" in spent.text, COOKIE in spent.headers.get("set-cookie", "")) == (
            422,
            True,
            False,
        )
        assert "data-send-at-once" not in spent.text, "it would send it again for ever"
        assert "data-send-at-once" not in visitor.get("/account/open").text, "mail programs follow links"


@pytest.mark.parametrize("path", ["checkout", "portal"])
def test_who_has_no_session_is_sent_to_ask_for_a_link(path: str) -> None:
    fake = billing()
    with browser(billing=fake) as visitor:
        answer = visitor.post(f"/account/{path}", data=ORDER, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert fake.orders == []


@pytest.mark.parametrize("interval", ["month", "year"])
def test_a_plan_is_paid_at_the_provider(owner: Callable[..., TestClient[Any]], interval: str) -> None:
    fake = billing()
    with owner(billing=fake) as client:
        page = client.get("/account/plan")
        assert "€2,000 a month" in page.text
        assert "€24,000 a year" in page.text
        assert "Enterprise" not in page.text.partition("<footer")[0]
        policy = page.headers["content-security-policy"]
        assert "form-action 'self' https://checkout.stripe.com https://billing.stripe.com" in policy
        answer = client.post("/account/checkout", data={**ORDER, "interval": interval}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, PAY)
    assert fake.orders == [("starter", interval)]


@pytest.mark.parametrize("wrong", [{"plan": "enterprise"}, {"plan": ""}, {"interval": "week"}, {"interval": ""}])
def test_what_is_not_sold_is_refused_in_the_page(owner: Callable[..., TestClient[Any]], wrong: dict[str, str]) -> None:
    fake = billing()
    with owner(billing=fake) as client:
        answer = client.post("/account/checkout", data=ORDER | wrong)
        assert (answer.status_code, "Choose" in answer.text) == (422, True)
    assert fake.orders == []


def test_an_outage_of_the_provider_is_said_and_nothing_is_lost(owner: Callable[..., TestClient[Any]]) -> None:
    with owner(billing=billing(refusal=ProviderUnavailableError())) as client:
        answer = client.post("/account/checkout", data=ORDER)
        assert (answer.status_code, "Nothing was charged" in answer.text) == (503, True)
        assert "on its way" in client.get("/account/plan?paid=true").text


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_each_state_of_a_subscription_has_its_page(
    owner: Callable[..., TestClient[Any]], status: SubscriptionStatus
) -> None:
    with owner(billing=billing(status)) as client:
        page = client.get("/account/plan")
        assert page.status_code == 200
        over = status in {"canceled", "incomplete", "incomplete_expired"}
        assert ("Continue to payment" in page.text) is over, "a second subscription is not offered"
        assert ("Pay the invoice" in page.text) is (status in {"past_due", "unpaid"})
        assert "VIV-0001" in page.text
        portal = client.post("/account/portal", follow_redirects=False)
        assert (portal.status_code, portal.headers["location"]) == (303, PORTAL)


def test_who_comes_back_from_paying_sees_what_came_of_it(owner: Callable[..., TestClient[Any]]) -> None:
    fake = billing(SubscriptionStatus.ACTIVE)
    with owner(billing=fake) as client:
        assert "Your plan has started" in client.get("/account/plan?paid=true").text
        assert fake.refreshed == 1
        assert "Nothing was charged" in client.get("/account/plan?paid=false").text
    with owner(billing=billing()) as client:
        assert "on its way" in client.get("/account/plan?paid=true").text


@pytest.mark.parametrize(
    ("reason", "opens"),
    [("TrialEnded", True), ("Unpaid", True), ("SubscriptionPaused", True), ("Abuse", False), ("Manual", False)],
)
def test_a_closed_workspace_says_whether_a_payment_opens_it(
    owner: Callable[..., TestClient[Any]],
    reason: str,
    opens: bool,  # noqa: FBT001  a column of the table
) -> None:
    closed = tenant(suspended={"reason": reason, "message": ""})
    with owner(billing=billing(workspace=closed)) as client:
        text = client.get("/account").text
        assert ("It opens again" in text) is opens
        assert ("does not open it" in text) is not opens


def test_leaving_ends_the_session(owner: Callable[..., TestClient[Any]]) -> None:
    accounts = FakeAccounts()
    with owner(accounts=accounts) as client:
        client.post("/account/leave", follow_redirects=False)
    assert accounts.closed == ["acme"]


def test_where_nothing_is_sold_there_is_no_page_and_no_way_to_it(owner: Callable[..., TestClient[Any]]) -> None:
    with owner(billing=billing(on=False), settings=OFF) as client:
        for path in ("/account", "/account/open", "/account/enter"):
            assert client.get(path).status_code == 404
        assert client.post("/account/checkout", data=ORDER).status_code == 404
        assert "/account" not in client.get("/").text


def test_staff_see_what_a_tenant_pays() -> None:
    with browser(billing=billing(SubscriptionStatus.PAST_DUE)) as client:
        text = logged_in(client).get("/staff/tenants/northwind").text
        assert ">Billing</h2>" in text
        assert all(word in text for word in ("sub_1", "cus_1", "Payment failed", "VIV-0001", "€2,000"))
    with browser(billing=billing(on=False)) as client:
        assert ">Billing</h2>" not in logged_in(client).get("/staff/tenants/northwind").text


def test_money() -> None:
    assert [money(*one) for one in ((200_000, "EUR"), (50, "EUR"), (-1_205, "USD"), (0, "CHF"))] == [
        "€2,000",
        "€0.50",
        "\N{MINUS SIGN}$12.05",
        "CHF\N{NO-BREAK SPACE}0",
    ]
