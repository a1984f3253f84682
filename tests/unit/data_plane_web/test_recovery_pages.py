"""A forgotten password and invitations, without a script."""

import re
from datetime import timedelta

import pytest
from unit.data_plane_web.browser import Browser, form_of
from unit.data_plane_web.fakes import NOW, World
from vivero_data.domain.users.schemas import Invitation
from vivero_data.web.format import invitation_state
from vivero_web.links import INVITATION_VALID_FOR

FORGOTTEN, CHOOSE = "/forgotten-password", "/set-password"
PASSWORD = "walnut orchard at dusk"


@pytest.fixture(autouse=True)
def _mail(world: World) -> None:
    world.mail = True
    world.signed_in = True


def test_the_answer_is_the_same_whoever_has_the_address(browser: Browser, world: World) -> None:
    world.signed_in = False
    assert f'href="{FORGOTTEN}"' in browser.open("/login")
    form = form_of(browser.open(FORGOTTEN), FORGOTTEN)
    known = browser.send(FORGOTTEN, 200, **{**form, "email": "ada@example.com"})
    unknown = browser.send(FORGOTTEN, 200, **{**form, "email": "bob@example.com"})
    assert known.replace("ada@", "bob@") == unknown
    assert world.asked == ["ada@example.com", "bob@example.com"]


def test_what_is_no_address_or_too_often_is_said(browser: Browser) -> None:
    page = browser.send(FORGOTTEN, 422, email="nobody")
    assert re.search(r'id="email-error".*?Enter an e-mail address', page, re.DOTALL)
    for _ in range(3):
        browser.send(FORGOTTEN, 200, email="ada@example.com")
    page = browser.send(FORGOTTEN, 429, email="ada@example.com")
    assert "Too many mails were asked for" in page


def test_a_workspace_without_mail_says_so_everywhere(browser: Browser, world: World) -> None:
    world.mail = False
    assert "sends no mail" in browser.open(FORGOTTEN)
    assert "sends no mail" in browser.send(FORGOTTEN, 409, email="ada@example.com")
    page = browser.open("/users/new")
    assert "sends no mail" in page
    assert 'name="password"' in page
    assert "Invite" not in browser.open("/users").partition("<main")[2]


def test_a_pasted_link_sets_the_password_once(browser: Browser, world: World) -> None:
    world.links.add("s3cret")
    form = form_of(browser.open(CHOOSE), CHOOSE)
    assert set(form) == {"code", "password"}
    link = "https://acme.vivero.localhost:8443/set-password#s3cret"
    page = browser.send(CHOOSE, 422, code=link, password="short")
    assert re.search(r'id="password-error"', page)
    assert "short" not in page
    again = form_of(page, CHOOSE)
    assert again["code"] == link
    assert browser.send(CHOOSE, **{**again, "password": PASSWORD}) == "/login"
    assert "Your password is set." in browser.open("/login")
    assert "Your password is set." not in browser.open("/login")
    spent = browser.send(CHOOSE, 422, code=link, password=PASSWORD)
    assert re.search(r'id="code-error".*?used before', spent, re.DOTALL)


def test_the_page_has_a_field_for_the_script_to_fill(browser: Browser) -> None:
    page = browser.open(CHOOSE)
    assert re.search(r'<div data-link-secret>.*?<input[^>]*name="code"', page, re.DOTALL)
    assert "<script" not in page.replace("<script src=", "").replace('<script type="module" src=', "")


def test_somebody_is_invited_and_the_invitation_withdrawn(browser: Browser, world: World) -> None:
    form = form_of(browser.open("/users/new"), "/users/new")
    assert "password" not in form
    assert browser.send("/users/new", **{**form, "email": "grace@example.com", "role": "member"}) == "/users"
    page = browser.open("/users")
    assert "Invitation on its way" in page
    number = max(world.users)
    assert "Deactivate user" not in browser.open(f"/users/{number}")
    browser.send(f"/users/{number}/invitation", action="repeat")
    assert "Mailed" in browser.open(f"/users/{number}")
    browser.send(f"/users/{number}/invitation", action="withdraw")
    assert "Invitation withdrawn." in browser.open("/users")
    assert number not in world.users


def test_a_password_can_still_be_handed_over(browser: Browser) -> None:
    assert 'href="/users/new?by=password"' in browser.open("/users/new")
    form = form_of(browser.open("/users/new?by=password"), "/users/new")
    assert len(form["password"]) >= 16


@pytest.mark.parametrize(
    ("age", "sent", "state"),
    [
        (timedelta(seconds=1), False, "sending"),
        (timedelta(minutes=3), False, "unsent"),
        (timedelta(minutes=3), True, "sent"),
        (INVITATION_VALID_FOR, True, "expired"),
        (INVITATION_VALID_FOR, False, "expired"),
    ],
)
def test_how_far_an_invitation_is(age: timedelta, state: str, *, sent: bool) -> None:
    made = NOW - age
    assert invitation_state(Invitation(made + INVITATION_VALID_FOR, made if sent else None), NOW) == state
