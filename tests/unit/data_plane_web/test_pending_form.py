"""What was typed survives: an ended session, a service that is away, a mistake, somebody else's change."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import PASSWORD, World
from vivero_data.domain.usage.service import Meter
from vivero_web.errors import UnavailableError

NEW = "/collections/Customers/new"
ROOT = Path(__file__).parents[3]
TEMPLATES = (ROOT / "data_plane/vivero_data/web/templates", ROOT / "ui/vivero_ui/templates")
LOGIN = {"email": "ada@example.com", "password": PASSWORD}
# What forms of ours send, by their path; nothing of it may be lost.
FORMS = {
    "/collections/Größe 50%/new": {"f1": "Zoë & <Söhne>", "f1-was": "x", "f2": "one\r\ntwo"},
    "/collections/Customers/records/1": {"f1": "Acme", "version": "3"},
    "/collections/Customers/columns": {"column-1": "on"},
    "/collections/Customers/delete": {"confirm": "Customers"},
    "/new-collection": {"name": "Books", "field-0-name": "Title", "field-0-choices": "a, b", "action": "create"},
    "/users/new": {"email": "grace@example.com", "name": "Grace", "role": "member"},
    "/users/1": {"name": "Ada", "role": "owner"},
}
AWAY = [UnavailableError(), RuntimeError("secret inside")]
pages = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What browsers send: line ends as two signs.
TEXTS = st.dictionaries(
    st.from_regex(r"f[a-z0-9]{1,9}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")).map(
        lambda text: text.replace("\n", "\r\n")
    ),
    min_size=1,
    max_size=8,
)


def action(page: str) -> str:
    """Where the one form of a page's main part goes."""
    found = re.findall(r'<form method="post" action="([^"]*)"', page.partition("<main")[2])
    assert len(found) == 1
    return unescape(found[0])


@pytest.mark.parametrize("path", FORMS)
def test_a_form_outlives_its_session(browser: Browser, world: World, path: str) -> None:
    world.signed_in = False
    page = browser.send(path, 401, **FORMS[path])
    assert "You were logged out before this was saved" in page
    wrong = browser.send("/login", 401, **{**form_of(page, "/login"), **LOGIN, "password": "wrong"})
    assert "The e-mail address or the password is wrong." in wrong
    again = browser.client.post("/login", data={**form_of(wrong, "/login"), **LOGIN}, follow_redirects=False)
    assert again.status_code == 200
    assert any("__Host-session=" in cookie for cookie in again.headers.get_list("set-cookie"))
    to = action(again.text)
    assert browser.client.build_request("GET", to).url.path == path
    assert form_of(again.text, to) == FORMS[path]


@pytest.mark.parametrize("failure", AWAY, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("path", FORMS)
def test_a_form_outlives_what_it_needs(browser: Browser, world: World, path: str, failure: Exception) -> None:
    world.refusal = failure
    page = browser.send(path, 503 if isinstance(failure, UnavailableError) else 500, **FORMS[path])
    assert "What you typed is kept on this page." in page
    assert "secret inside" not in page
    assert form_of(page, action(page)) == FORMS[path]


@pages
@given(TEXTS)
def test_any_text_travels_on_unchanged(browser: Browser, world: World, texts: dict[str, str]) -> None:
    world.refusal, world.signed_in = UnavailableError(), True
    away = browser.send("/users/new", 503, **texts)
    world.refusal, world.signed_in = None, False
    login = browser.send("/users/new", 401, **form_of(away, action(away)))
    resumed = browser.send("/login", 200, **{**form_of(login, "/login"), **LOGIN})
    assert form_of(resumed, action(resumed)) == texts


def test_what_was_typed_is_stored_after_all(browser: Browser, world: World) -> None:
    names = browser.customers()
    form = {**form_of(browser.open(NEW), NEW), names["Company"]: " Zoë & Söhne ", names["Notes"]: "one\r\ntwo"}
    world.signed_in = False
    login = browser.send(NEW, 401, **form)
    resumed = browser.send("/login", 200, **{**form_of(login, "/login"), **LOGIN})
    world.signed_in = True
    assert browser.send(action(resumed), **form_of(resumed, NEW)) == "/collections/Customers"
    (made,) = world.records["Customers"].values()
    assert (made.values["Company"], made.values["Notes"]) == (" Zoë & Söhne ", "one\ntwo")


def secrets_of_forms() -> set[str]:
    """The inputs of every form of ours that takes a password or a one-time link, by their macros."""
    texts = [path.read_text() for folder in TEMPLATES for path in folder.rglob("*.html.j2")]
    passwords = {name for text in texts for name in re.findall(r'field\("(\w*password\w*)"', text)}
    return passwords | {name for text in texts for name in re.findall(r'link_secret\("(\w+)"', text)}


def test_what_lets_somebody_in_is_not_kept(browser: Browser, world: World) -> None:
    names = secrets_of_forms()
    assert len(names) >= 4
    world.signed_in = False
    page = browser.send("/account/password", 401, username="ada@example.com", **dict.fromkeys(names, "secret 17"))
    assert "secret 17" not in page
    assert "ada@example.com" in page


@pytest.mark.parametrize("failure", AWAY, ids=lambda failure: type(failure).__name__)
def test_a_link_that_meets_an_error_is_on_no_page(browser: Browser, world: World, failure: Exception) -> None:
    world.refusal = failure
    status = 503 if isinstance(failure, UnavailableError) else 500
    page = browser.send("/set-password", status, **dict.fromkeys(secrets_of_forms(), "secret 17"))
    assert "secret 17" not in page


def test_a_user_with_a_password_never_becomes_an_invitation(browser: Browser, world: World) -> None:
    world.mail, world.signed_in = True, False
    sent = {**FORMS["/users/new"], "by": "password", "password": PASSWORD}
    login = browser.send("/users/new", 401, **sent)
    resumed = browser.send("/login", 200, **{**form_of(login, "/login"), **LOGIN})
    world.signed_in = True
    page = browser.send("/users/new", 422, **form_of(resumed, "/users/new"))
    assert 'id="password-error"' in page
    assert not [user for user in world.users.values() if user.email == sent["email"]]


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"sec-fetch-site": "cross-site"}, "f1=evil"),
        ({"sec-fetch-site": "same-site"}, "f1=evil"),
        ({"content-type": "text/plain"}, "f1=evil"),
        ({}, ""),
        ({}, "f1=" + "x" * 256 * 1024),
    ],
)
def test_what_is_no_short_form_of_our_own_is_not_kept(
    browser: Browser, world: World, headers: dict[str, str], content: str
) -> None:
    world.signed_in = False
    sent: dict[str, Any] = {"content-type": "application/x-www-form-urlencoded", **headers}
    answer = browser.client.post(NEW, content=content, headers=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/login", ""])
def test_what_was_typed_never_leaves(browser: Browser, target: str) -> None:
    page = browser.send("/login", 200, **LOGIN, next=target, kept__name="typed")
    assert action(page) == "/"


def test_a_login_that_fails_keeps_what_it_brought_and_no_password(browser: Browser, world: World) -> None:
    world.signed_in = False
    login = browser.send(NEW, 401, f1="typed")
    world.login_failure = UnavailableError()
    page = browser.send("/login", 503, **{**form_of(login, "/login"), **LOGIN})
    assert PASSWORD not in page
    assert (action(page), form_of(page, NEW)) == (NEW, {"f1": "typed"})


def test_leaving_without_a_session_is_no_loss(browser: Browser, world: World) -> None:
    world.signed_in = False
    assert browser.send("/logout") == "/login"


def test_a_record_that_was_deleted_meanwhile_can_be_created_anew(browser: Browser, world: World) -> None:
    names = browser.customers()
    browser.send(NEW, **{names["Company"]: "Acme", names["Staff"]: "7"})
    (record,) = world.records["Customers"].values()
    path = f"/collections/Customers/records/{record.id}"
    form = {**form_of(browser.open(path), path), names["Company"]: "Acme & Söhne"}
    world.records["Customers"].clear()
    page = browser.send(path, 409, **form)
    assert "Someone deleted this record while you were editing" in page
    browser.send(NEW, **form_of(page, NEW))
    (made,) = world.records["Customers"].values()
    assert made.values["Company"] == "Acme & Söhne"
    assert made.values["Staff"] == 7


def test_every_form_that_is_refused_shows_what_was_typed(browser: Browser, world: World) -> None:
    names = browser.customers()
    refused = {
        "/users/1": (409, {"name": "Ada, Countess", "role": "viewer"}),
        "/users/new": (
            422,
            {"email": "nobody", "name": "Zoë", "by": "password", "password": "short", "role": "viewer"},
        ),
        "/collections/Customers/delete": (422, {"confirm": "customers"}),
        NEW: (422, {names["Company"]: "Zoë", names["Value"]: "1.234", names["Notes"]: "a\r\nb", names["Paid"]: "true"}),
        "/new-collection": (
            422,
            {"name": "", "description": "d", "field-0-name": "-x", "field-0-type": "url", "field-0-unique": "alike"},
        ),
    }
    for path, (status, form) in refused.items():
        page = browser.send(path, status, **form)
        shown = form_of(page, path)
        assert {name: shown.get(name) for name in form} == form, path
    world.limit = Meter(10_000, 10_000)
    shown = form_of(browser.send(NEW, 402, **refused[NEW][1] | {names["Value"]: "1"}), NEW)
    assert shown[names["Company"]] == "Zoë"


def test_a_condition_that_is_refused_shows_what_was_typed(browser: Browser) -> None:
    names = browser.customers()
    browser.send(NEW, **{names["Company"]: "Acme"})
    row = "match=all&c0-field=Value&c0-operator=gt&c0-value=1.234"
    page = browser.open(f"/collections/Customers/filter?{row}&action=apply", 422)
    assert '<option value="Value" selected>Value</option>' in page
    assert '<option value="gt" selected>' in page
    assert 'name="c0-value" value="1.234"' in page
