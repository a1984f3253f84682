"""Whose forms are accepted, and which bodies are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, post
from litestar.testing import TestClient
from vivero_web.problem import Answers
from vivero_web.security import FILE_POLICY, OF_DATA, OF_PAGES, is_same_origin, json_only, same_origin_only


@post("/", guards=[same_origin_only], sync_to_thread=False)
def form() -> str:
    return "done"


@post("/api", guards=[json_only], sync_to_thread=False)
def api() -> str:
    return "done"


def client() -> TestClient[Litestar]:
    app = Litestar([form, api], exception_handlers={Exception: Answers(None).to})
    return TestClient(app, base_url="https://vivero.test:8443")


@pytest.mark.parametrize("policy", [*(one["content-security-policy"] for one in (OF_DATA, OF_PAGES)), FILE_POLICY])
def test_the_policy_allows_nothing_inline_and_nothing_foreign(policy: str) -> None:
    for directive in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert f"{directive} 'none'" in policy.split("; ")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),  # another tenant's host is same-site
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://vivero.test:8443"}, True),
        ({"origin": "http://vivero.test:8443"}, False),
        ({"origin": "https://acme.vivero.test:8443"}, False),
        ({"origin": "https://vivero.test"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://["}, False),
        ({}, False),
        # What the browser itself says beats what could be an old header.
        ({"sec-fetch-site": "cross-site", "origin": "https://vivero.test:8443"}, False),
    ],
)
def test_forms_are_accepted_from_our_own_pages_only(headers: dict[str, str], *, allowed: bool) -> None:
    assert client().post("/", headers=headers).status_code == (201 if allowed else 403)


@given(st.text(), st.text())
def test_no_odd_header_is_ours(origin: str, host: str) -> None:
    assert not is_same_origin("POST", {"origin": origin, "host": host})


def test_reading_needs_no_origin() -> None:
    assert is_same_origin("GET", {})
    assert is_same_origin("HEAD", {"sec-fetch-site": "cross-site"})


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_an_api_reads_json_that_says_so(kind: str, status: int) -> None:
    assert client().post("/api", content=b"{}", headers={"content-type": kind}).status_code == status


def test_no_body_is_of_no_kind() -> None:
    assert client().post("/api").status_code == 201
