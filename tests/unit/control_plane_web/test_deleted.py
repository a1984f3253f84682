"""The staff's page about deleted tenants that can be brought back."""

from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, DELETED, FakeDeleted
from vivero_control.domain.deleted.service import UndeleteRefusedError
from vivero_control.web import staff_shell

PAGE = staff_shell.DELETED
ONE = DELETED[0]
WHY = {"reason": "The customer changed their mind."}


def test_the_page_says_until_when_each_can_come_back_and_escapes_it(staff: TestClient[Any]) -> None:
    text = staff.get(PAGE).text
    for row in DELETED:
        assert row.erased_at.strftime("%Y-%m-%dT%H:%M") in text
        assert f'href="{PAGE}?undelete={row.id}"' in text
    assert "<script>alert" not in text
    assert f'href="{PAGE}"' in staff.get("/staff/tenants").text, "it is in the navigation"


def test_nothing_to_bring_back_is_said() -> None:
    with browser(deleted=FakeDeleted(())) as client:
        assert "Nothing to undelete" in logged_in(client).get(PAGE).text


def test_the_dialog_is_for_the_one_that_was_chosen(staff: TestClient[Any]) -> None:
    assert f'action="{PAGE}/{ONE.id}/undelete"' in staff.get(f"{PAGE}?undelete={ONE.id}").text
    for none in ("", "?undelete=zzzzzzzzzz"):
        assert "/undelete" not in staff.get(f"{PAGE}{none}").text


def test_it_is_ordered_in_the_name_of_who_is_logged_in_and_leads_to_the_tenant() -> None:
    deleted = FakeDeleted()
    with browser(deleted=deleted) as client:
        answer = logged_in(client).post(f"{PAGE}/{ONE.id}/undelete", data=WHY, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/staff/tenants/{ONE.name}?done=undelete"
    assert deleted.orders == [(ONE.id, WHY["reason"], ADMIN.email)]


def test_without_a_reason_it_is_not_done_and_the_dialog_says_so() -> None:
    deleted = FakeDeleted()
    with browser(deleted=deleted) as client:
        answer = logged_in(client).post(f"{PAGE}/{ONE.id}/undelete", data={"reason": " "})
    assert answer.status_code == 422
    assert "Say why, in a few words." in answer.text
    assert deleted.orders == []


def test_what_is_taken_meanwhile_is_said_in_the_dialog() -> None:
    refusal = UndeleteRefusedError("The address “gone-1” belongs to the tenant “other” by now.")
    with browser(deleted=FakeDeleted(refusal=refusal)) as client:
        answer = logged_in(client).post(f"{PAGE}/{ONE.id}/undelete", data=WHY)
    assert answer.status_code == 409
    assert "belongs to the tenant" in answer.text
    assert WHY["reason"] in answer.text


@pytest.mark.parametrize("ident", ["zzzzzzzzzz", "x", "9" * 40])
def test_an_unknown_one_is_a_page(staff: TestClient[Any], ident: str) -> None:
    assert staff.post(f"{PAGE}/{ident}/undelete", data=WHY).status_code == 404


def test_an_order_sent_from_elsewhere_or_without_a_login_is_refused() -> None:
    deleted = FakeDeleted()
    with browser(deleted=deleted) as client:
        answer = client.post(f"{PAGE}/{ONE.id}/undelete", data=WHY, follow_redirects=False)
        assert answer.headers["location"].startswith("/staff/login")
        elsewhere = logged_in(client).post(
            f"{PAGE}/{ONE.id}/undelete", data=WHY, headers={"sec-fetch-site": "cross-site"}
        )
        assert elsewhere.status_code == 403
    assert deleted.orders == []
