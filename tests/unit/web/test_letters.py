from collections.abc import Callable

import pytest
from vivero_web import links
from vivero_web.links import PAGE, one_time_link
from vivero_web.mail import Mail
from vivero_web.tokens import new_secret

PLACE = "acme.vivero.localhost"
TO = "grace@example.com"
SECRET = new_secret()
LINK = one_time_link(f"https://{PLACE}:8443{PAGE}", SECRET)

MAILS: dict[str, Callable[[], Mail]] = {
    "reset": lambda: links.password_reset("key", to=TO, place=PLACE, link=LINK),
    "invitation": lambda: links.invitation(
        "key", to=TO, group="the staff of Vivero", place=PLACE, inviter="ada@example.com", link=LINK
    ),
    "changed": lambda: links.password_changed("key", to=TO, place=PLACE),
}


@pytest.mark.parametrize("mail", [made() for made in MAILS.values()], ids=list(MAILS))
def test_a_letter_says_where_and_for_whom(mail: Mail) -> None:
    assert PLACE in mail.subject
    assert PLACE in mail.text
    assert TO in mail.text
    assert mail.to == TO
    assert all(len(line) <= 78 or "://" in line for line in mail.text.splitlines())


@pytest.mark.parametrize(("name", "lasts"), [("reset", "one hour"), ("invitation", "7 days")])
def test_the_link_stands_whole_on_a_line_of_its_own(name: str, lasts: str) -> None:
    mail = MAILS[name]()
    assert LINK in [line.strip() for line in mail.text.splitlines()]
    assert lasts in " ".join(mail.text.split())


def test_the_invitation_says_who_invites_and_to_what() -> None:
    words = " ".join(MAILS["invitation"]().text.split())
    assert f"ada@example.com has added you to the staff of Vivero at {PLACE}." in words


def test_a_secret_is_in_no_subject_key_or_log() -> None:
    for made in MAILS.values():
        mail = made()
        assert SECRET not in mail.subject + mail.key + repr(mail)
    assert SECRET not in MAILS["changed"]().text
