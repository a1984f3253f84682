"""The staff's page about an order for several tenants, and the filters that find them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import ADMIN, FakeTenants
from vivero_control.domain.tenants.bulk import MOST
from vivero_control.domain.tenants.schemas import ExtendTrial, Only, Resume, Suspend
from vivero_control.web.bulk import BULK
from vivero_control.web.staff_shell import HOME

BOTH = {"tenant.northwind": "on", "tenant.brisa": "on"}


def sent(tenants: FakeTenants, **fields: str) -> tuple[int, str]:
    with browser(tenants=tenants) as client:
        answer = logged_in(client).post(BULK, data={**BOTH, **fields})
    return answer.status_code, answer.text


def test_the_list_has_boxes_for_workspaces_and_leads_to_the_preview(staff: TestClient[Any]) -> None:
    text = staff.get(HOME).text
    assert 'name="tenant.northwind"' in text
    assert f'action="{BULK}"' in text


@pytest.mark.parametrize("action", ["suspend", "resume", "extend-trial"])
def test_nothing_is_done_before_it_is_confirmed(action: str) -> None:
    tenants = FakeTenants()
    status, text = sent(tenants, action=action)
    assert status == 200
    assert "Nothing is changed yet." in text
    assert tenants.orders == []
    assert 'name="tenant.northwind" value="3"' in text, "of the very version that was looked at"


def test_a_preview_says_which_are_left_and_why() -> None:
    status, text = sent(FakeTenants(), action="suspend")
    assert status == 200
    assert "It is suspended already." in text
    assert 'name="tenant.brisa" value' not in text


@pytest.mark.parametrize(
    ("fields", "kind", "value"),
    [
        ({"action": "suspend", "kind": "Abuse", "message": "Call us."}, Suspend, "Call us."),
        ({"action": "resume"}, Resume, None),
        (
            {"action": "extend-trial", "trial_ends_on": "2026-12-31"},
            ExtendTrial,
            datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),
    ],
)
def test_a_confirmed_order_is_given_for_each_in_the_name_of_who_is_logged_in(
    fields: dict[str, str], kind: type[Any], value: object
) -> None:
    tenants = FakeTenants()
    status, text = sent(tenants, confirmed="true", reason=" as agreed ", **fields)
    assert status == 200
    assert "Done" in text
    assert [(name, type(order), actor) for name, order, actor in tenants.orders] == [
        ("northwind", kind, ADMIN.email),
        ("brisa", kind, ADMIN.email),
    ]
    for _, order, _ in tenants.orders:
        assert order.reason == "as agreed"
        assert getattr(order, "message", None) == value or getattr(order, "trial_ends_at", None) == value


def test_what_one_refuses_keeps_none_from_theirs() -> None:
    tenants = FakeTenants()
    _, text = sent(tenants, **{"tenant.nobodys": "1"}, action="resume", confirmed="true", reason="as agreed")
    assert len(tenants.orders) == 2
    assert "Left as they are" in text
    assert "There is no tenant “nobodys”." in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "suspend", "kind": "Manual", "reason": "x"}, "Say why"),
        ({"action": "suspend", "kind": "Boredom", "reason": "as agreed"}, "Choose one of the reasons"),
        ({"action": "extend-trial", "trial_ends_on": "soon", "reason": "as agreed"}, "Choose a day"),
    ],
)
def test_an_order_with_errors_comes_back_with_them(fields: dict[str, str], words: str) -> None:
    tenants = FakeTenants()
    status, text = sent(tenants, confirmed="true", **fields)
    assert status == 422
    assert words in text
    assert tenants.orders == []


def test_an_order_for_none_or_for_too_many_or_of_nothing_is_refused(staff: TestClient[Any]) -> None:
    many = {f"tenant.t{number}": "1" for number in range(MOST + 1)}
    for data in ({"action": "resume"}, {"action": "resume", **many}, {"action": "explode", **BOTH}):
        assert staff.post(BULK, data=data).status_code == 422


def test_filters_are_in_the_address_and_unknown_ones_ignored() -> None:
    tenants = FakeTenants()
    with browser(tenants=tenants) as client:
        logged_in(client)
        for word in ("trial-ending", "unconfirmed", "odd"):
            assert client.get(f"{HOME}?only={word}").status_code == 200
    assert [one.only for one in tenants.queries] == [Only.TRIAL_ENDING, Only.UNCONFIRMED, None]
