"""Two-step login on the staff's pages, without a script."""

from typing import Any
from uuid import UUID

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, CODE, SUPPORT, FakeMembers, FakeSecondFactors, FakeStaff
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_control.web.staff_shell import HOME, LOGIN, PEOPLE, SECURITY

FACTOR = f"{SECURITY}/second-factor"


def send(client: TestClient[Any], path: str, status: int, **form: str) -> str:
    answer = client.post(path, data=form, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def test_it_is_set_up_and_turned_off(staff: TestClient[Any]) -> None:
    assert "Set it up" in staff.get(SECURITY).text
    assert "This is not your password." in send(staff, FACTOR, 422, current_password="x")
    page = send(staff, FACTOR, 200, current_password="right")
    assert "<svg viewBox" in page
    page = send(staff, f"{FACTOR}/confirm", 422, code="000000")
    assert "This is not the present code of the app." in page
    assert "<svg viewBox" in page, "it can be tried again"
    answer = staff.post(f"{FACTOR}/confirm", data={"code": CODE})
    assert answer.text.count("abcd-efgh-ijkl") == 20, "shown, and to be copied"
    assert f"{SESSION_COOKIE}=" in answer.headers["set-cookie"], "the session of before has ended"
    page = staff.get(SECURITY).text
    assert "10 recovery codes left" in page
    assert "abcd-efgh" not in page
    assert "open>" in send(staff, f"{FACTOR}/recovery-codes", 422, current_password="x")
    assert "mnop-qrst" in send(staff, f"{FACTOR}/recovery-codes", 200, current_password="right")
    assert "This is not your password." in send(staff, f"{FACTOR}/off", 422, current_password="x")
    answer = staff.post(f"{FACTOR}/off", data={"current_password": "right"})
    assert "Two-step login is off." in answer.text
    assert answer.url.path == SECURITY


def test_everybody_is_led_there(visitor: TestClient[Any]) -> None:
    assert f'href="{SECURITY}"' in logged_in(visitor, SUPPORT).get(HOME).text


def test_a_login_has_a_second_step() -> None:
    with browser(staff=FakeStaff(coded=True)) as client:
        page = send(client, LOGIN, 200, email=ADMIN.email, password="right", next=PEOPLE)
        assert "Enter your code" in page
        assert 'value="proven"' in page
        assert f'value="{PEOPLE}"' in page
        wrong = send(client, f"{LOGIN}/code", 401, challenge="proven", code="000000", next=PEOPLE)
        assert "The code is wrong" in wrong
        assert 'value="proven"' in wrong, "it can be tried again"
        late = send(client, f"{LOGIN}/code", 401, challenge="old", code=CODE, next=PEOPLE)
        assert "That took too long." in late
        assert "Staff login" in late
        form = {"challenge": "proven", "code": CODE, "next": PEOPLE}
        answer = client.post(f"{LOGIN}/code", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, PEOPLE)
        assert f"{SESSION_COOKIE}={ADMIN.id}" in answer.headers["set-cookie"]


@pytest.mark.parametrize("active", [True, False])
def test_who_is_required_to_is_told(*, active: bool) -> None:
    with browser(second_factors=FakeSecondFactors(active=active, required=True)) as client:
        page = logged_in(client).get(SECURITY).text
    assert ("required of everybody" in page) is not active
    assert ("Move it to another phone" in page) is active


def test_an_admin_ends_that_of_another() -> None:
    members = FakeMembers()
    with browser(members=members) as client:
        logged_in(client)
        there, missing = (f"{PEOPLE}/{UUID(int=number)}" for number in (2, 5))
        assert "End their two-step login" in client.get(there).text
        assert "End their two-step login" not in client.get(missing).text
        answer = client.post(f"{there}/second-factor")
    assert "Their two-step login is off" in answer.text
    assert [what for what, *_ in members.orders] == ["reset-second-factor"]
