"""The staff's pages about who is of the staff: for admins, without a script."""

import re
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, PEOPLE, SUPPORT, FakeMembers, person
from vivero_control.domain.staff.errors import AcceptedError, NoSessionError
from vivero_control.domain.staff.schemas import MemberChanges, NewMember
from vivero_control.web.staff_shell import HOME
from vivero_control.web.staff_shell import PEOPLE as PAGE
from vivero_web.errors import TooManyRequestsError, WebError

STATES = (
    "Active",
    "Active",
    "Deactivated",
    "Invited, being sent",
    "Invited",
    "Invited, not sent",
    "Invitation expired",
)
ORDERS = ("role", "deactivate", "reactivate", "invitation", "withdraw")


def at(number: int) -> str:
    return f"{PAGE}/{UUID(int=number)}"


def test_the_list_says_of_everybody_what_they_are(staff: TestClient[Any]) -> None:
    text = staff.get(PAGE).text
    for member, state in zip(PEOPLE, STATES, strict=True):
        row = re.search(rf'<tr>(?:(?!</tr>).)*href="{PAGE}/{member.id}".*?</tr>', text, re.DOTALL)
        assert row
        assert f"</span>{state}</span>" in row[0]
        assert ("(you)" in row[0]) is (member.email == ADMIN.email)
    assert f"{len(PEOPLE)} people" in text


def test_only_admins_are_led_there(staff: TestClient[Any]) -> None:
    assert f'href="{PAGE}"' in staff.get(HOME).text
    assert f'href="{PAGE}"' not in logged_in(staff, SUPPORT).get(HOME).text


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/new", at(1), at(99)])
def test_support_learns_who_can_and_nothing_else(visitor: TestClient[Any], path: str) -> None:
    answer = logged_in(visitor, SUPPORT).get(path)
    assert answer.status_code == 403
    assert "Only admins see and decide who is of the staff. Your role is support; ask an admin." in answer.text
    assert ADMIN.email not in answer.text


@pytest.mark.parametrize("path", [f"{PAGE}/new", *(f"{at(2)}/{order}" for order in ORDERS)])
def test_nobody_else_orders_anything(path: str) -> None:
    members, data = FakeMembers(), {"email": "new@vivero.example", "role": "admin"}
    with browser(members=members) as client:
        assert client.post(path, data=data, follow_redirects=False).headers["location"] == "/staff/login"
        assert logged_in(client, SUPPORT).post(path, data=data).status_code == 403
        elsewhere = {"sec-fetch-site": "cross-site"}
        assert logged_in(client).post(path, data=data, headers=elsewhere).status_code == 403
    assert not members.orders


def test_an_invitation_is_sent_and_said(visitor: TestClient[Any]) -> None:
    page = logged_in(visitor).get(f"{PAGE}/new").text
    assert re.search(r'value="support"[^>]* checked', page)
    members = FakeMembers()
    with browser(members=members) as client:
        data = {"email": "new@vivero.example", "role": "admin"}
        answer = logged_in(client).post(f"{PAGE}/new", data=data, follow_redirects=False)
        assert answer.status_code == 303
        assert "The invitation is on its way." in client.get(answer.headers["location"]).text
    assert members.orders == [("invite", ADMIN.email, NewMember(email="new@vivero.example", role="admin"))]


@pytest.mark.parametrize(
    ("email", "role", "refusal", "status", "words"),
    [
        (SUPPORT.email, "admin", None, 409, r'id="email-error".*?has this address already'),
        ("new@vivero.example", "owner", None, 422, r'role="alert".*?Choose a role'),
        ("new@vivero.example", "admin", TooManyRequestsError("Too many mails.", 60), 429, r'role="alert".*?Too many'),
    ],
)
def test_what_stands_in_the_way_is_said_and_what_was_typed_stays(
    email: str, role: str, refusal: WebError | None, status: int, words: str
) -> None:
    with browser(members=FakeMembers(refusal=refusal)) as client:
        answer = logged_in(client).post(f"{PAGE}/new", data={"email": email, "role": role})
    assert answer.status_code == status
    assert re.search(words, answer.text, re.DOTALL)
    assert f'value="{email}"' in answer.text
    assert bool(re.search(r'value="admin"[^>]* checked', answer.text)) is (role == "admin")


@pytest.mark.parametrize(
    ("number", "offered"),
    [(1, ()), (2, ("role", "deactivate")), (3, ("role", "reactivate")), *(
        (number, ("role", "invitation", "withdraw")) for number in (4, 5, 6, 7)
    )],
)  # fmt: skip
def test_a_person_offers_what_can_be_done(staff: TestClient[Any], number: int, offered: tuple[str, ...]) -> None:
    text = staff.get(at(number)).text
    assert PEOPLE[number - 1].email in text
    assert tuple(order for order in ORDERS if f'action="{at(number)}/{order}"' in text) == offered
    assert ("This is your own account" in text) is (number == 1)
    assert "Extend trial" in text, "the history is there"


@pytest.mark.parametrize(
    ("number", "order", "data", "kept", "words"),
    [
        (2, "role", {"role": "admin"}, ("change", MemberChanges(role="admin")), "The role is changed"),
        (2, "deactivate", {}, ("change", MemberChanges(active=False)), "logged out everywhere"),
        (3, "reactivate", {}, ("change", MemberChanges(active=True)), "choose a new password is on its way"),
        (5, "invitation", {}, ("invite-again", UUID(int=5)), "The invitation is on its way"),
        (5, "withdraw", {}, ("withdraw", UUID(int=5)), "opens nothing any more"),
    ],
)
def test_an_order_is_given_in_the_name_of_who_is_logged_in_and_said(
    number: int, order: str, data: dict[str, str], kept: tuple[str, object], words: str
) -> None:
    members = FakeMembers()
    with browser(members=members) as client:
        answer = logged_in(client).post(f"{at(number)}/{order}", data=data, follow_redirects=False)
        assert answer.status_code == 303
        assert words in client.get(answer.headers["location"]).text
    assert members.orders == [(kept[0], ADMIN.email, kept[1])]


def test_orders_about_oneself_are_refused_on_the_page(staff: TestClient[Any]) -> None:
    for order in ("role", "deactivate"):
        answer = staff.post(f"{at(1)}/{order}", data={"role": "support"})
        assert answer.status_code == 409
        assert "Ask another admin." in answer.text


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        ("invitation", AcceptedError()),
        ("withdraw", AcceptedError()),
        ("reactivate", TooManyRequestsError("Too many.", 60)),
    ],
)
def test_what_cannot_be_done_says_why_on_the_page(order: str, refusal: WebError) -> None:
    with browser(members=FakeMembers(refusal=refusal)) as client:
        answer = logged_in(client).post(f"{at(5)}/{order}")
    assert answer.status_code == refusal.status
    assert refusal.detail in answer.text
    assert answer.headers.get("retry-after") == refusal.headers.get("Retry-After")


def test_a_role_that_there_is_not_is_refused_and_the_page_stands(staff: TestClient[Any]) -> None:
    answer = staff.post(f"{at(2)}/role", data={"role": "owner"})
    assert answer.status_code == 422
    assert "Choose a role." in answer.text


def test_who_was_deactivated_meanwhile_is_led_to_the_login() -> None:
    with browser(members=FakeMembers(refusal=NoSessionError())) as client:
        answer = logged_in(client).post(f"{at(2)}/deactivate", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/login")


@pytest.mark.parametrize("path", [at(99), f"{PAGE}/nobody", f"{PAGE}/{'9' * 40}"])
def test_an_unknown_person_is_a_page(staff: TestClient[Any], path: str) -> None:
    assert staff.get(path).status_code == 404
    assert staff.post(f"{path}/deactivate").status_code in {404, 303}


def test_odd_addresses_are_escaped() -> None:
    odd = person(9, "<script>alert('x')</script>@example.com")
    with browser(members=FakeMembers((odd,))) as client:
        for path in (PAGE, at(9)):
            text = logged_in(client).get(path).text
            assert "<script>alert" not in text
            assert "&lt;script&gt;" in text
