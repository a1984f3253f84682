"""The pages on who manages a workspace, and on which of several the pages are about."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from support.programs import routes_of
from unit.control_plane.builders import tenant
from unit.control_plane_web.billing_fakes import (
    OWNER,
    FakeAccounts,
    FakeBilling,
    FakeDeletion,
    FakeManaged,
    FakePeople,
    FromWorkspace,
)
from unit.control_plane_web.conftest import browser, the_app
from unit.control_plane_web.fakes import HOSTILE, FakePlans, FakeTenants, deleted
from vivero_control.domain.accounts.service import NoAccountSessionError, Role, Visit
from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.deleted.service import UndeleteRefusedError
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_web.errors import WebError

Owner = Callable[..., TestClient[Any]]


class Gone(FakeManaged):
    """The workspace of the session is not there for its person."""

    def __init__(self, refusal: WebError) -> None:
        super().__init__(FakeBilling(FakePlans()))
        self.refusal = refusal

    async def visit(self, holder: Holder | None) -> Visit:
        raise self.refusal if holder else NoAccountSessionError


def test_the_owner_names_a_manager_and_removes_one(owner: Owner) -> None:
    people = FakePeople("ada@acme.example")
    with owner(workspace_people=people) as client:
        page = client.get("/account/people").text
        assert all(words in page for words in (OWNER, "(you)", "ada@acme.example", "Remove ada@acme.example"))
        named = client.post("/account/people/name", data={"email": "grace@acme.example"}, follow_redirects=False)
        assert (named.status_code, named.headers["location"]) == (303, "/account/people?done=named")
        for typed, status in (("grace@acme.example", 409), ("grace", 422), ("", 422)):
            wrong = client.post("/account/people/name", data={"email": typed})
            assert (wrong.status_code, f'value="{typed}"' in wrong.text) == (status, True), typed
        client.post("/account/people/remove", data={"email": "ada@acme.example"})
    assert [one.email for one in people.managers] == ["grace@acme.example"]


def test_a_manager_sees_who_there_is_and_names_no_one(owner: Owner) -> None:
    people = FakePeople("ada@acme.example", OWNER)
    managed = FakeManaged(FakeBilling(FakePlans()), role=Role.MANAGER)
    with owner(managed=managed, workspace_people=people) as client:
        page = client.get("/account/people").text
        assert "Only the owner can name" in page
        assert "Name as manager" not in page
        assert page.count("/account/people/remove") == 1, "oneself"
        assert client.post("/account/people/name", data={"email": "grace@acme.example"}).status_code == 403
    assert len(people.managers) == 2


def test_several_workspaces_are_chosen_from(owner: Owner) -> None:
    accounts = FakeAccounts()
    managed = FakeManaged(FakeBilling(FakePlans()), tenant("brisa", displayName=HOSTILE))
    with owner(accounts=accounts, managed=managed) as client:
        assert 'href="/account/workspaces"' in client.get("/account").text
        page = client.get("/account/workspaces").text
        assert (page.count("/account/workspaces/choose"), "<script>alert" in page) == (2, False)
        chosen = client.post("/account/workspaces/choose", data={"tenant": "brisa"}, follow_redirects=False)
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/account")
        assert client.post("/account/workspaces/choose", data={"tenant": "stranger"}).status_code == 404
    assert accounts.chosen == [Holder("brisa", "uid-brisa", OWNER)]


@pytest.mark.parametrize("refusal", [NoAccountSessionError(), TenantNotFoundError("acme")])
def test_who_has_lost_a_workspace_is_led_to_the_others(owner: Owner, refusal: WebError) -> None:
    with owner(managed=Gone(refusal)) as client:
        answer = client.get("/account", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/workspaces")
    with owner(managed=Gone(refusal), accounts=FromWorkspace()) as client:
        assert "Mail me a link" in client.get("/account").text


def test_the_owner_brings_a_deleted_workspace_back_and_no_other_can(owner: Owner) -> None:
    deletion = FakeDeletion(
        deleted(1, owner_email=OWNER, display_name=HOSTILE), deleted(2, owner_email="ada@brisa.example")
    )
    ours, theirs = (one.id for one in deletion.kept)
    with owner(workspace_deletion=deletion) as client:
        page = client.get("/account/workspaces").text
        assert (ours in page, theirs in page, "<script>alert" in page) == (True, False, False)
        assert client.post("/account/workspaces/bring-back", data={"id": theirs}).status_code == 404
        sent = client.post("/account/workspaces/bring-back", data={"id": ours}, follow_redirects=False)
        assert sent.headers["location"] == "/account/workspaces?done=back"
        assert "is brought back" in client.get("/account/workspaces?done=back").text
    with owner(workspace_deletion=deletion, accounts=FromWorkspace()) as client:
        assert ours not in client.get("/account/workspaces").text
        assert client.post("/account/workspaces/bring-back", data={"id": ours}).status_code == 404
    assert deletion.done == [("bring back", ours)]


def test_why_a_workspace_does_not_come_back_is_said(owner: Owner) -> None:
    deletion = FakeDeletion(deleted(1, owner_email=OWNER), refusal=UndeleteRefusedError("The address is taken."))
    with owner(workspace_deletion=deletion) as client:
        answer = client.post("/account/workspaces/bring-back", data={"id": deletion.kept[0].id})
        assert (answer.status_code, "The address is taken." in answer.text) == (409, True)


def test_who_came_from_a_workspace_sees_no_other(owner: Owner) -> None:
    with owner(accounts=FromWorkspace()) as client:
        assert "/account/workspaces" not in client.get("/account").text
        assert "that one alone" in client.get("/account/workspaces").text
        assert client.post("/account/workspaces/choose", data={"tenant": "acme"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "people"), ("POST", "people/name"), ("POST", "people/remove"), ("GET", "workspaces")],
)
def test_who_has_no_session_is_sent_to_ask_for_a_link(method: str, path: str) -> None:
    people = FakePeople("ada@acme.example")
    with browser(workspace_people=people) as visitor:
        answer = visitor.request(method, f"/account/{path}", data={"email": "ada@acme.example"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert len(people.managers) == 1


OPEN_TO_ALL = {"/account/link", "/account/open", "/account/enter", "/account/leave"}
OF_ANY_PERSON = {"/account/workspaces", "/account/workspaces/choose", "/account/workspaces/bring-back"}
"""What these show and take is asked for by the session's address."""


def test_no_page_of_a_workspace_is_for_who_does_not_manage_it(owner: Owner) -> None:
    """Whatever route there is or comes."""
    routes = [one for one in routes_of(the_app()) if one.path.startswith("/account")]
    behind = [one for one in routes if one.method in {"GET", "POST"} and one.path not in OPEN_TO_ALL | OF_ANY_PERSON]
    assert len(behind) > 12
    tenants, people = FakeTenants(), FakePeople("ada@acme.example")
    with owner(managed=Gone(NoAccountSessionError()), tenants=tenants, workspace_people=people) as client:
        for route in behind:
            answer = client.request(
                route.method, route.path, data={"email": "ada@acme.example"}, follow_redirects=False
            )
            led = (answer.status_code, answer.headers.get("location"))
            assert led in {(303, "/account"), (303, "/account/workspaces")}, str(route)
    assert (tenants.orders, len(people.managers)) == ([], 1)
