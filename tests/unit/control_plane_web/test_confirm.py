"""The pages that confirm the address of a signup, and what staff see of it."""

from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import FakeConfirmations


def test_following_the_link_sends_nothing_before_the_button(visitor: TestClient[Any]) -> None:
    page = visitor.get("/confirm").text
    assert "data-link-secret" in page
    assert "data-send-at-once" not in page
    done = visitor.post("/confirm", data={"code": "https://vivero.localhost:8443/confirm#good"})
    assert done.status_code == 200
    assert 'href="https://northwind.vivero.localhost:8443"' in done.text


@pytest.mark.parametrize(
    ("code", "status", "words"), [("spent", 422, "too old"), ("other", 409, "confirmed with this")]
)
def test_a_link_that_confirms_nothing_says_why(visitor: TestClient[Any], code: str, status: int, words: str) -> None:
    answer = visitor.post("/confirm", data={"code": code})
    assert answer.status_code == status
    assert words in answer.text
    assert "/confirm/again" in answer.text


def test_another_link_is_asked_for_without_learning_who_has_signed_up() -> None:
    confirmations = FakeConfirmations()
    with browser(confirmations=confirmations) as visitor:
        assert 'value="acme"' in visitor.get("/confirm/again?workspace=acme").text
        answers = {
            visitor.post("/confirm/again", data={"slug": slug}).text.replace(slug, "…")
            for slug in ("acme", "not-there")
        }
        assert len(answers) == 1
        assert confirmations.asked == ["acme", "not-there"]
        wrong = visitor.post("/confirm/again", data={"slug": "No Such"})
        assert (wrong.status_code, 'value="No Such"' in wrong.text) == (422, True)


def test_who_has_colleagues_there_asks_to_join_them() -> None:
    confirmations = FakeConfirmations()
    with browser(confirmations=confirmations) as visitor:
        assert "/confirm/join" not in visitor.post("/confirm", data={"code": "good"}).text
        page = visitor.post("/confirm", data={"code": "colleague"}).text
        assert 'action="/confirm/join"' in page
        assert 'value="j01n"' in page
        assert visitor.post("/confirm/join", data={"code": "made up"}).status_code == 422
        assert "Your colleague is asked" in visitor.post("/confirm/join", data={"code": "j01n"}).text
        assert confirmations.asked == ["j01n"]


def test_staff_see_whose_address_is_not_confirmed(staff: TestClient[Any]) -> None:
    assert "Not confirmed" in staff.get("/staff/tenants/kestrel").text
    assert "Not confirmed" not in staff.get("/staff/tenants/northwind").text


def test_staff_see_where_a_tenant_came_from(staff: TestClient[Any]) -> None:
    page = staff.get("/staff/tenants/northwind").text
    assert "newsletter" in page
    assert "blog.example" in page
    assert "By no signup" in staff.get("/staff/tenants/kestrel").text
