"""Support access: the owner's page, and the console's."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import FakeSupportAccess

OWNERS, STAFFS = "/account/support", "/staff/tenants/northwind/support"
Owner = Callable[..., TestClient[Any]]


def test_an_owner_grants_and_ends_it(owner: Owner) -> None:
    support = FakeSupportAccess()
    with owner(support_access=support) as client:
        assert "Support cannot enter this workspace" in client.get(OWNERS).text
        page = client.post(f"{OWNERS}/grant", data={"hours": "24", "role": "admin"}).text
        assert "Support can enter the workspace now." in page
        assert "As an administrator" in page
        assert support.granted is not None
        assert (support.granted.role, (support.granted.ends_at - support.granted.granted_at).days) == ("admin", 1)
        assert "The access has ended." in client.post(f"{OWNERS}/end").text
    assert support.granted is None


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"hours": "73", "role": "viewer"}, "Choose for how long."),
        ({"hours": "", "role": "viewer"}, "Choose for how long."),
        ({"hours": "4", "role": "owner"}, "Choose what support may see."),
    ],
)
def test_what_is_not_offered_is_not_granted(owner: Owner, form: dict[str, str], words: str) -> None:
    support = FakeSupportAccess()
    with owner(support_access=support) as client:
        answer = client.post(f"{OWNERS}/grant", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert support.granted is None


def test_staff_enter_while_it_is_granted(owner: Owner) -> None:
    support = FakeSupportAccess()
    with owner(support_access=support) as client:
        client.post(f"{OWNERS}/grant", data={"hours": "1", "role": "viewer"})
    with browser(support_access=support) as client:
        assert "The owner lets you in" in logged_in(client).get(STAFFS).text
        assert "Say why" in client.post(STAFFS, data={"reason": ""}).text
        answer = client.post(STAFFS, data={"reason": "They asked why a view is empty."})
    assert 'href="https://northwind.vivero.localhost:8443/login/support#t1ck3t"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert support.reasons == ["They asked why a view is empty."]


def test_without_leave_there_is_no_way_in() -> None:
    with browser() as client:
        assert "The owner grants no access" in logged_in(client).get(STAFFS).text
        answer = client.post(STAFFS, data={"reason": "x"})
    assert answer.status_code == 409
    assert "/login/support#" not in answer.text
