"""The public login page, the company's pages and what search engines read."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import SETTINGS
from vivero_control.web.site import COMPANY_PATHS
from vivero_control.web.workspace_login import typed_slug
from vivero_core.model.naming import SLUG_PATTERN, slug_problem

SITE = "https://vivero.localhost:8443"


def test_every_public_page_leads_to_the_login(visitor: TestClient[Any]) -> None:
    for path in ("/", "/pricing", "/login", *COMPANY_PATHS):
        assert 'href="/login"' in visitor.get(path).text, path


@pytest.mark.parametrize("typed", [
    "northwind",
    " NorthWind ",
    "northwind.vivero.localhost",
    "northwind.vivero.localhost:8443",
    "https://northwind.vivero.localhost:8443/collections/Orders?page=2",
])  # fmt: skip
def test_an_address_leads_to_the_login_of_its_workspace(visitor: TestClient[Any], typed: str) -> None:
    answer = visitor.get("/login/address", params={"slug": typed}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "https://northwind.vivero.localhost:8443/login",
    )


@pytest.mark.parametrize("typed", ["", "x", "evil.example", "northwind.evil.example", "a@b", "//evil.example", "www"])
def test_what_is_no_address_leads_nowhere(visitor: TestClient[Any], typed: str) -> None:
    answer = visitor.get("/login/address", params={"slug": typed}, follow_redirects=False)
    assert answer.status_code == 422
    assert 'id="slug-error"' in answer.text


@given(st.text(max_size=80))
def test_whatever_is_typed_the_way_stays_below_our_own_domain(typed: str) -> None:
    slug = typed_slug(typed, "vivero.localhost:8443")
    assert slug_problem(slug) is not None or re.fullmatch(SLUG_PATTERN, slug)


def test_the_answer_is_the_same_whoever_has_the_address(visitor: TestClient[Any]) -> None:
    one, other = (visitor.post("/login/workspaces", data={"email": f"{who}@vivero.example"}) for who in ("ada", "bob"))
    assert one.status_code == other.status_code == 200
    assert "A mail is on its way" in one.text
    assert one.text.replace("ada@", "bob@") == other.text


@pytest.mark.parametrize(("email", "times", "status", "words"), [
    ("nobody", 1, 422, "Enter an e-mail address"),
    ("ada@vivero.example", 4, 429, "Too many mails were asked for"),
])  # fmt: skip
def test_what_is_no_e_mail_or_too_often_is_said(
    visitor: TestClient[Any], email: str, times: int, status: int, words: str
) -> None:
    answers = [visitor.post("/login/workspaces", data={"email": email}) for _ in range(times)]
    assert answers[-1].status_code == status
    assert words in answers[-1].text


def test_the_companys_pages_say_who_it_is(visitor: TestClient[Any]) -> None:
    assert SETTINGS.company is not None
    for path in COMPANY_PATHS:
        assert "Grünwald &amp; Söhne Ltd" in visitor.get(path).text, path
    imprint = visitor.get("/imprint").text
    for words in ("1 Example Street<br>12345 Exampletown", "Jo Example", "Companies House 01234567", "GB123456789"):
        assert words in imprint
    assert "England and Wales" in visitor.get("/terms").text
    assert "30 days" in visitor.get("/terms").text


def test_who_else_processes_data_is_named_or_is_said_to_be_nobody(visitor: TestClient[Any]) -> None:
    page = visitor.get("/sub-processors").text
    for words in ("Höst &amp; Co", "Servers and backups", "Ireland"):
        assert words in page
    assert SETTINGS.company is not None
    alone = SETTINGS.model_copy(update={"company": SETTINGS.company.model_copy(update={"sub_processors": []})})
    with browser(settings=alone) as client:
        assert "uses no other company" in client.get("/sub-processors").text


def test_without_a_company_its_pages_are_not_there_and_nothing_leads_to_them() -> None:
    with browser(settings=SETTINGS.model_copy(update={"company": None})) as client:
        for path in COMPANY_PATHS:
            assert client.get(path).status_code == 404, path
        for path in ("/", "/pricing", "/login"):
            text = client.get(path).text
            assert not [one for one in COMPANY_PATHS if f'href="{one}"' in text], path
        assert "Talk to us" not in client.get("/pricing").text
        assert "/imprint" not in client.get("/sitemap.xml").text


def test_a_price_that_is_agreed_on_leads_to_people(visitor: TestClient[Any]) -> None:
    page = visitor.get("/pricing").text
    assert re.search(r'href="/contact"[^>]*aria-label="Talk to us about Enterprise"', page)
    assert 'aria-label="Start free trial, then Enterprise"' not in page


def test_search_engines_find_the_public_pages_and_no_others(visitor: TestClient[Any]) -> None:
    robots = visitor.get("/robots.txt")
    assert robots.headers["content-type"].startswith("text/plain")
    assert f"Sitemap: {SITE}/sitemap.xml" in robots.text
    assert "Disallow: /staff/" in robots.text
    sitemap = visitor.get("/sitemap.xml")
    assert sitemap.headers["content-type"] == "application/xml; charset=utf-8"
    tree = ET.fromstring(sitemap.text)  # noqa: S314  our own answer
    listed = [one.text or "" for one in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert f"{SITE}/pricing" in listed
    for url in listed:
        assert visitor.get(url.removeprefix(SITE)).status_code == 200, url
