"""The overview of a workspace for who manages it, and the page on which it is renamed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane.builders import tenant
from unit.control_plane_web.billing_fakes import (
    OWNER,
    FakeBilling,
    FakeDeletion,
    FakeManaged,
    FakeUsage,
    FromWorkspace,
    bought,
)
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import HOSTILE, NOW, FakePlans, FakeTenants, row
from vivero_control.domain.accounts.service import Role
from vivero_control.domain.billing.schemas import SubscriptionStatus
from vivero_control.domain.tenants.policies import timestamp
from vivero_control.domain.tenants.schemas import OwnHostOrder, Rename
from vivero_control.web.account_lines import days_left

Owner = Callable[..., TestClient[Any]]


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=3), 3),
        (timedelta(days=2, seconds=1), 3),
        (timedelta(seconds=1), 1),
        (timedelta(0), 0),
        (timedelta(days=-5), 0),
    ],
)
def test_a_day_of_the_trial_that_has_begun_counts(left: timedelta, days: int) -> None:
    assert days_left(tenant(trialEndsAt=timestamp(NOW + left)), NOW) == days
    assert days_left(tenant(plan="starter"), NOW) is None


def test_the_overview_says_what_is_paid_or_how_long_the_trial_lasts(owner: Owner) -> None:
    trial = tenant(trialEndsAt=timestamp(NOW + timedelta(hours=1)))
    with owner(billing=FakeBilling(FakePlans(), workspace=trial)) as client:
        page = client.get("/account").text
        assert all(words in page for words in ("One day is left", "Choose a plan", 'href="/account/plan"'))
    with owner(billing=FakeBilling(FakePlans(), bought(SubscriptionStatus.PAST_DUE))) as client:
        page = client.get("/account").text
        assert all(words in page for words in ("€2,000 a month", "Pay the invoice", "Next period"))


@pytest.mark.parametrize("path", ["/account", "/account/plan", "/account/domains", "/account/settings"])
def test_every_page_has_the_sections_and_says_which_it_is(owner: Owner, path: str) -> None:
    with owner(billing=FakeBilling(FakePlans(), workspace=tenant(displayName=HOSTILE))) as client:
        page = client.get(path).text
        assert page.count('aria-current="page"') == 1
        assert f'href="{path}" aria-current="page"' in page
        assert "<script>alert" not in page
        assert "noindex" in page


def test_a_workspace_is_renamed_by_who_manages_it(owner: Owner) -> None:
    tenants = FakeTenants((row("acme"),))
    with owner(tenants=tenants) as client:
        assert 'value="Acme"' in client.get("/account/settings").text
        wrong = client.post("/account/settings/name", data={"display_name": "!?"})
        assert (wrong.status_code, 'value="!?"' in wrong.text, "at least one letter" in wrong.text) == (422, True, True)
        answer = client.post("/account/settings/name", data={"display_name": "Söhne & Co"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/settings?done=renamed")
        assert "has a new name" in client.get("/account/settings?done=renamed").text
    ((name, order, actor),) = tenants.orders
    assert (name, actor) == ("acme", OWNER)
    assert isinstance(order, Rename)
    assert order.display_name == "Söhne & Co"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/name")])
def test_who_has_no_session_renames_nothing(method: str, path: str) -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as visitor:
        answer = visitor.request(
            method, f"/account/settings{path}", data={"display_name": "Mine"}, follow_redirects=False
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert tenants.orders == []


def test_a_name_of_ones_own_is_added_and_removed(owner: Owner) -> None:
    tenants = FakeTenants((row("acme"),))
    workspace = tenant(hosts=["app.example.com", "xn--bcher-kva.example.de"])
    with owner(tenants=tenants, billing=FakeBilling(FakePlans(), workspace=workspace)) as client:
        page = client.get("/account/domains").text
        for words in (
            "bücher.example.de",
            "_vivero.app.example.com",
            "vivero-verification=",
            "Waiting for DNS",
            "every 20s",
        ):
            assert words in page, words
        for typed in ("", "https://app.example.com", HOSTILE):
            wrong = client.post("/account/domains", data={"host": typed})
            assert (wrong.status_code, 'id="host-error"' in wrong.text) == (422, True)
            assert "<script>alert" not in wrong.text
        for path, host, done in (("", "b.example.com", "added"), ("/remove", "app.example.com", "removed")):
            answer = client.post(f"/account/domains{path}", data={"host": host}, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/account/domains?done={done}")
    assert [(order.host, actor) for _, order, actor in tenants.orders if isinstance(order, OwnHostOrder)] == [
        ("b.example.com", OWNER),
        ("app.example.com", OWNER),
    ]


def test_the_overview_shows_meters_or_says_that_they_are_not_known(owner: Owner) -> None:
    with owner(workspace_usage=FakeUsage(records=9_000)) as client:
        page = client.get("/account").text
        assert all(words in page for words in ("9,000", "of 10,000", "5 GiB", "used, no limit", "begins again every"))
    silent = FakeUsage()
    silent.known = None
    with owner(workspace_usage=silent) as client:
        page = client.get("/account").text
        assert ("Not known just now" in page, "v-meter" in page) == (True, False)
    closed = tenant(suspended={"reason": "Unpaid", "message": ""})
    with owner(billing=FakeBilling(FakePlans(), workspace=closed)) as client:
        assert "A closed workspace is not asked" in client.get("/account").text


def test_the_owner_types_the_address_and_deletes_the_workspace(owner: Owner) -> None:
    deletion = FakeDeletion()
    with owner(workspace_deletion=deletion) as client:
        assert "kept for 14 days" in client.get("/account/settings").text
        for typed in ("", "acm", "brisa"):
            wrong = client.post("/account/settings/delete", data={"confirm": typed})
            assert (wrong.status_code, "Type acme" in wrong.text, f'value="{typed}"' in wrong.text) == (422, True, True)
        assert deletion.done == []
        sent = client.post("/account/settings/delete", data={"confirm": " Acme"}, follow_redirects=False)
        assert (sent.status_code, sent.headers["location"]) == (303, "/account/workspaces?done=deleted")
    assert deletion.done == [("delete", "acme")]


def test_what_comes_before_a_deletion_stands_in_place_of_the_form(owner: Owner) -> None:
    deletion = FakeDeletion(first="A plan is paid for this workspace.")
    with owner(workspace_deletion=deletion) as client:
        page = client.get("/account/settings").text
        assert ("A plan is paid for this workspace." in page, "/account/settings/delete" in page) == (True, False)
        refused = client.post("/account/settings/delete", data={"confirm": "acme"})
        assert (refused.status_code, "A plan is paid for this workspace." in refused.text) == (409, True)
    assert deletion.done == []


def test_a_manager_deletes_nothing(owner: Owner) -> None:
    deletion = FakeDeletion()
    managed = FakeManaged(FakeBilling(FakePlans()), role=Role.MANAGER)
    with owner(workspace_deletion=deletion, managed=managed) as client:
        assert "Delete the workspace" not in client.get("/account/settings").text
        assert client.post("/account/settings/delete", data={"confirm": "acme"}).status_code == 403
    assert deletion.done == []


def test_a_person_takes_out_what_is_known_of_them_and_of_no_one_else(owner: Owner) -> None:
    with owner() as client:
        page = client.get("/account/data").text
        assert 'href="/account/data/file"' in page
        assert "/workspace-export" in page
        answer = client.get("/account/data/file?email=ada@brisa.example")
        assert answer.json()["email"] == OWNER
        assert "attachment" in answer.headers["content-disposition"]
    with owner(accounts=FromWorkspace()) as client:
        assert 'href="/account/data/file"' not in client.get("/account/data").text
        assert client.get("/account/data/file").status_code == 403
