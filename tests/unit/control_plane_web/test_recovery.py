"""A forgotten password of staff, without a script."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.fakes import ADMIN

FORGOTTEN, CHOOSE = "/staff/forgotten-password", "/set-password"
LINK = "https://vivero.localhost:8443/set-password#good"
PASSWORD = "walnut orchard at dusk"


def test_the_answer_is_the_same_whoever_has_the_address(visitor: TestClient[Any]) -> None:
    assert f'href="{FORGOTTEN}"' in visitor.get("/staff/login").text
    known = visitor.post(FORGOTTEN, data={"email": ADMIN.email})
    unknown = visitor.post(FORGOTTEN, data={"email": "bob@vivero.example"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace("ada@", "bob@") == unknown.text


@pytest.mark.parametrize(("email", "times", "status", "words"), [
    ("nobody", 1, 422, "Enter an e-mail address"),
    (ADMIN.email, 4, 429, "Too many mails were asked for"),
])  # fmt: skip
def test_what_is_no_address_or_too_often_is_said(
    visitor: TestClient[Any], email: str, times: int, status: int, words: str
) -> None:
    answers = [visitor.post(FORGOTTEN, data={"email": email}) for _ in range(times)]
    assert answers[-1].status_code == status
    assert words in answers[-1].text


def test_the_page_of_a_link_says_what_it_leads_into_and_whom_to_ask(visitor: TestClient[Any]) -> None:
    refused = visitor.post(CHOOSE, data={"code": LINK, "password": "short"})
    for page in (visitor.get(CHOOSE).text, refused.text):
        assert "For the staff of Vivero at vivero.localhost." in page
        assert "if you were invited, ask who invited you" in page


def test_a_pasted_link_sets_the_password(visitor: TestClient[Any]) -> None:
    page = visitor.get(CHOOSE).text
    assert re.search(r'<div data-link-secret>.*?<input[^>]*name="code"', page, re.DOTALL)
    short = visitor.post(CHOOSE, data={"code": LINK, "password": "short"})
    assert short.status_code == 422
    assert 'id="password-error"' in short.text
    assert f'type="hidden" name="code" value="{LINK}"' in short.text
    answer = visitor.post(CHOOSE, data={"code": LINK, "password": PASSWORD}, follow_redirects=False)
    assert answer.status_code == 303
    assert "Your password is set." in visitor.get(answer.headers["location"]).text


def test_a_spent_link_says_so_beside_its_field(visitor: TestClient[Any]) -> None:
    answer = visitor.post(CHOOSE, data={"code": "another", "password": PASSWORD})
    assert answer.status_code == 422
    assert re.search(r'id="code-error".*?used before', answer.text, re.DOTALL)
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("path", [FORGOTTEN, CHOOSE])
def test_a_form_from_elsewhere_is_refused(visitor: TestClient[Any], path: str) -> None:
    assert visitor.post(path, data={}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
