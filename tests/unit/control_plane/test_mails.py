"""Mails to unconfirmed addresses."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import NOW
from vivero_control.domain.billing.policies import Notice
from vivero_control.domain.notifications import mails
from vivero_control.domain.notifications.mails import PauseDays, WayOn
from vivero_control.domain.signups.people import mailbox
from vivero_core.model.naming import EMAIL_PATTERN
from vivero_web.mail import Mail, compose
from vivero_web.text import email_problem

ACCOUNT, TO, URL = UUID(int=7), "a@example.com", "https://acme.vivero.example"
LINK = "https://vivero.example/confirm#x"
SENDER = "Vivero <no-reply@vivero.example>"
EMAILS = st.from_regex(EMAIL_PATTERN.strip("^$"), fullmatch=True).filter(lambda email: email_problem(email) is None)


def every(*, answered: bool) -> list[Mail]:
    ends = NOW + timedelta(days=7)
    return [
        mails.welcome("welcome", to=TO, url=URL, link=LINK),
        mails.trial_ending("uid", ends_at=ends, days=7, to=TO, url=URL, way=WayOn(answered=answered)),
        mails.trial_ending("uid", ends_at=ends, days=1, to=TO, url=URL, way=WayOn(answered=answered)),
        mails.trial_ended("uid", ends_at=ends, to=TO, url=URL, way=WayOn(answered=answered)),
        mails.enough_trials(ACCOUNT, NOW, to=TO, urls=[URL]),
        mails.confirm_address("reminder", to=TO, url=URL, link=LINK),
        mails.tried_before("id", to=TO, url=URL),
        mails.asks_to_join("id", to=TO, colleague="jane@example.com", link=f"{URL}/users/new?email=jane%40example.com"),
        mails.unconfirmed("uid", to=TO, url=URL, confirm_url=LINK),
        *(
            mail
            for manager in (TO, "jane@example.com")
            for mail in (
                mails.manager_named(manager, to=TO, manager=manager, by="o@acme.example", url=URL, account_url=LINK),
                mails.manager_removed(manager, to=TO, manager=manager, by="o@acme.example", url=URL),
            )
        ),
    ]


def test_each_mail_goes_out_once() -> None:
    made = every(answered=False)
    assert len({mail.key for mail in made}) == len(made)
    for mail in made:
        identity = compose(mail, SENDER)["Message-ID"]
        assert identity == compose(mail, SENDER)["Message-ID"]
        assert identity.endswith("@vivero.example>")


def test_the_end_of_a_trial_is_a_day_and_a_number_of_days() -> None:
    _, week, day, over, *_ = every(answered=False)
    assert "29 November 2026" in week.text
    assert week.subject.endswith("7 days")
    assert day.subject.endswith("tomorrow")
    assert "ended on 29 November 2026" in over.text


@pytest.mark.parametrize("reply_to", [None, "help@vivero.example"])
def test_mails_ask_for_replies_only_with_a_reply_to_address(reply_to: str | None) -> None:
    made = every(answered=reply_to is not None)
    asking = [mail for mail in made if "answer" in mail.text.lower()]
    assert bool(asking) is (reply_to is not None)
    for mail in made:
        assert compose(mail, SENDER, reply_to)["Reply-To"] == reply_to


@pytest.mark.parametrize("answered", [False, True])
def test_where_plans_are_sold_the_mails_of_a_trial_lead_there(answered: bool) -> None:  # noqa: FBT001  both are tried
    way = WayOn(account_url="https://vivero.example/account?workspace=acme", answered=answered)
    for mail in (
        mails.trial_ending("uid", ends_at=NOW, days=7, to=TO, url=URL, way=way),
        mails.trial_ended("uid", ends_at=NOW, to=TO, url=URL, way=way),
    ):
        assert way.account_url in mail.text.split()
        assert "answer this mail" not in mail.text


@pytest.mark.parametrize("notice", Notice)
def test_each_notice_of_a_subscription_is_a_mail(notice: Notice) -> None:
    pause = PauseDays("3 January 2027", "3 March 2027")
    mail = mails.of_subscription(notice, key="sub_1:1", to=TO, url=URL, account_url=f"{URL}/account", pause=pause)
    assert ("3 March 2027" in mail.text) is (notice in {Notice.PAUSE_PLANNED, Notice.PAUSED})
    assert {URL, f"{URL}/account"} <= set(mail.text.split())
    assert notice in mail.key
    assert "Vivero" in mail.subject


@pytest.mark.parametrize("letter", [mails.welcome, mails.confirm_address])
def test_both_mails_with_the_link_say_what_waits_for_it(letter: Callable[..., Mail]) -> None:
    words = letter("key", to=TO, url=URL, link=LINK).text.split()
    assert {URL, LINK, "invitations", "week"} <= set(words)


def test_who_has_tried_before_gets_no_link_but_the_workspace() -> None:
    there, gone = (mails.tried_before("id", to=TO, url=url) for url in (URL, None))
    assert URL in there.text
    assert "https://" not in gone.text
    assert there.key == gone.key
    assert "confirm" not in there.text + gone.text


@pytest.mark.parametrize("urls", [[], [URL], [URL, "https://b.vivero.example"]])
def test_the_limit_notice_lists_workspaces_and_is_sent_once_a_day(urls: list[str]) -> None:
    mail = mails.enough_trials(ACCOUNT, NOW, to=TO, urls=urls)
    assert [line.strip() for line in mail.text.splitlines() if "https://" in line] == urls
    assert "\n\n\n" not in mail.text
    later = NOW.replace(hour=23)
    assert mails.enough_trials(ACCOUNT, later, to=TO, urls=[]).key == mail.key
    assert mails.enough_trials(ACCOUNT, NOW + timedelta(days=1), to=TO, urls=[]).key != mail.key


@given(EMAILS, st.from_regex(r"[a-z0-9._+-]{1,20}", fullmatch=True))
def test_a_mailbox_is_recognized_in_any_spelling_and_tag(email: str, tag: str) -> None:
    one = mailbox(email)
    assert mailbox(one) == one == mailbox(email.upper())
    assert email_problem(one) is None
    local, _, domain = email.rpartition("@")
    if not local.startswith("+"):
        assert mailbox(f"{local}+{tag}@{domain}") == one


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a.da@gmail.com", "ada+2@GoogleMail.com", True),
        ("ada@me.com", "ADA+x@icloud.com", True),
        ("a.d-a_@pm.me", "ada@protonmail.com", True),
        ("ada.l@ya.ru", "ada-l@yandex.com", True),
        ("ada.l@yandex.ru", "adal@yandex.ru", False),
        ("a.da@example.com", "ada@example.com", False),
        ("ada@example.com", "ada@example.org", False),
        ("+ada@example.com", "+eve@example.com", False),
        ("...@gmail.com", "..@gmail.com", False),
        ("ada@mail.example.com", "ada@example.com", False),
    ],
)
def test_different_mailboxes_stay_different(one: str, other: str, same: bool) -> None:  # noqa: FBT001  a table of cases
    assert (mailbox(one) == mailbox(other)) is same
