import base64
import hashlib
import re
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import FakePlans
from vivero_control.web.staff_shell import HOME


def test_the_landing_page_shows_the_plans_and_the_way_in(visitor: TestClient[Any]) -> None:
    answer = visitor.get("/")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "max-age=300, public"
    for words in ("€2,000", "€5,000", "€15,000", "10,000 records", "Unlimited users", 'href="/signup"'):
        assert words in answer.text
    assert answer.text.count("<h1") == 1


def test_pricing_compares_what_the_plans_say(visitor: TestClient[Any]) -> None:
    text = visitor.get("/pricing").text
    for words in ("from €15,000", "500,000", "Unlimited", "500 GiB", "Self-hosting", "Audit log", "for 30 days"):
        assert words in text


@pytest.mark.parametrize("path", ["/", "/pricing", "/signup"])
def test_a_plan_that_is_not_offered_is_on_no_public_page(
    visitor: TestClient[Any], staff: TestClient[Any], path: str
) -> None:
    assert "Pilot" not in visitor.get(path).text
    assert "Pilot" in staff.get(f"{HOME}/northwind").text


def test_without_the_cluster_the_pages_stand_and_say_so() -> None:
    with browser(plans=FakePlans(away=True)) as client:
        assert client.get("/").status_code == 200
        pricing = client.get("/pricing")
        assert pricing.status_code == 200
        assert "cannot be read right now" in pricing.text
        assert "30 days" in client.get("/signup").text


def test_an_unknown_page_is_a_page_with_the_request_id(visitor: TestClient[Any]) -> None:
    answer = visitor.get("/no/such/page")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "01JD3K9Q2MZT1VXA" in answer.text


def test_a_wrong_method_is_a_page(visitor: TestClient[Any]) -> None:
    answer = visitor.post("/pricing")
    assert answer.status_code == 405
    assert "does not take that" in answer.text


def test_programs_get_a_problem(visitor: TestClient[Any]) -> None:
    answer = visitor.get("/no/such/page", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_at_a_host_says_why(visitor: TestClient[Any]) -> None:
    for which, status, words in (
        ("starting", 503, "is being prepared"),
        ("suspended", 503, "is suspended"),
        ("ended", 503, "trial of this workspace has ended"),
        ("unknown", 404, "no workspace here"),
        ("away", 503, "does not answer right now"),
        ("unsure", 503, "do not know yet which workspace"),
        ("busy", 429, "Too many requests"),
    ):
        answer = visitor.get(f"/-/host/{which}")
        assert answer.status_code == status
        assert words in answer.text
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("which", ["starting", "away", "suspended", "ended", "unknown", "unsure", "busy"])
def test_the_page_at_a_host_needs_nothing_from_that_host(visitor: TestClient[Any], which: str) -> None:
    answer = visitor.get(f"/-/host/{which}")
    assert not re.search(r"<script[^>]*src|/static/|\bon[a-z]+=|\sstyle=", answer.text)
    assert set(re.findall(r'(?:src|href)="([^":]*:?)', answer.text)) == {"data:"}
    assert not re.search(r'url\((?!"?data:|%23)', answer.text), "a picture's own parts begin with #"
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    for element in ("style", "script"):
        found = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", answer.text, re.DOTALL)
        digests = [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in found]
        assert policy.get(f"{element}-src", "") == " ".join(digests)
    assert policy["default-src"] == "'none'"
    assert policy.get("connect-src", "'self'") == "'self'"
    assert len(answer.content) < 24 * 1024


def test_only_a_workspace_that_comes_by_itself_is_looked_at_again(visitor: TestClient[Any]) -> None:
    for which in ("starting", "away"):
        page = visitor.get(f"/-/host/{which}")
        assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.text
        assert '<script data-seconds="3">' in page.text
        assert page.headers["retry-after"] == "3"
    suspended = visitor.get("/-/host/suspended").text
    assert "http-equiv" not in suspended
    assert "<script" not in suspended


def test_whoever_sent_a_form_is_told_that_it_did_not_arrive(visitor: TestClient[Any]) -> None:
    """A look at the form's address by itself would send nothing, and might be refused."""
    page = visitor.post("/-/host/away")
    assert "did not arrive" in page.text
    assert "http-equiv" not in page.text
    assert page.headers["retry-after"] == "3"
    assert "did not arrive" not in visitor.post("/-/host/suspended").text


def test_every_file_a_page_names_is_served(visitor: TestClient[Any]) -> None:
    files = set(re.findall(r'"(/static/[^"]+)"', visitor.get("/").text + visitor.get("/staff/login").text))
    assert len(files) >= 5
    for file in files:
        assert visitor.get(file).status_code == 200
