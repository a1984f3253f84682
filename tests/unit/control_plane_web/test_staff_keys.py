"""API keys on the staff's pages, without a script."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import SUPPORT
from unit.control_plane_web.key_fakes import TOKEN, FakeStaffApiKeys
from vivero_control.domain.staff.schemas import Scope
from vivero_control.web.staff_keys import LABELS
from vivero_control.web.staff_shell import KEYS, SECURITY


def send(client: TestClient[Any], path: str, status: int, **form: str) -> str:
    answer = client.post(path, data=form, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def test_a_key_is_made_and_its_secret_shown_once(staff: TestClient[Any]) -> None:
    assert f'href="{KEYS}"' in staff.get(SECURITY).text
    page = send(staff, f"{KEYS}/new", 200, name="Report", valid_days="30", **{"scope-sell": "true"})
    assert page.count(TOKEN) == 2, "shown, and to be copied"
    listed = staff.get(KEYS).text
    assert TOKEN not in listed
    assert "Read, sell" in listed
    assert "30 days" in staff.get(f"{KEYS}/9").text


def test_a_key_gets_another_secret_and_is_revoked(staff: TestClient[Any]) -> None:
    assert TOKEN in send(staff, f"{KEYS}/3/rotate", 200, overlap_hours="24")
    page = staff.get(f"{KEYS}/3").text
    assert "Two secrets" in page
    assert TOKEN not in page
    answer = staff.post(f"{KEYS}/3/revoke")
    assert "The key is revoked." in answer.text
    assert "Terraform" not in answer.text
    assert staff.get(f"{KEYS}/3").status_code == 404


def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_stays(staff: TestClient[Any]) -> None:
    page = send(staff, f"{KEYS}/new", 422, name="", valid_days="7", **{"scope-back_up": "true"})
    assert "Say what the key is for." in page
    assert re.search(r'<input[^>]*name="scope-back_up"[^>]* checked', page)
    assert "Say what the key is for." in send(staff, f"{KEYS}/3", 422, name=" ")
    assert "The key is saved." in staff.post(f"{KEYS}/3", data={"name": "Tofu"}).text


def test_who_has_enough_keys_is_told(visitor: TestClient[Any]) -> None:
    del visitor
    with browser(api_keys=FakeStaffApiKeys(full=True)) as client:
        assert "You have 50 API keys" in send(logged_in(client), f"{KEYS}/new", 409, name="One more")


@pytest.mark.parametrize("scope", Scope)
def test_a_form_offers_what_ones_role_allows(scope: Scope, visitor: TestClient[Any]) -> None:
    box, words = f'name="scope-{scope}"', LABELS[scope][1]
    page = logged_in(visitor).get(f"{KEYS}/new").text
    assert box in page
    assert words in page
    page = logged_in(visitor, SUPPORT).get(f"{KEYS}/new").text
    assert (box in page) is (scope not in {Scope.BACK_UP, Scope.SELL})
