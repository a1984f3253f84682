"""The mails that both programs write: what they say, in plain text, with one frame around it.

They go to addresses that nobody may have confirmed. So nothing in them is a
stranger's free text, which would make us the sender of anybody's advertisement:
a host, an e-mail address and our own sentences.
"""

import textwrap
from datetime import timedelta
from typing import Final

from vivero_web.links import INVITATION_VALID_FOR, RESET_VALID_FOR
from vivero_web.mail import Mail

_WIDTH: Final = 78


def password_reset(key: str, *, to: str, place: str, link: str) -> Mail:
    """Somebody, most likely the account's owner, has forgotten the password. `place` is the host to log in at."""
    return _letter(
        key,
        to,
        f"Reset your password for {place}",
        f"somebody asked to reset the password of {to} at {place}. To choose a new one, open this page within"
        f" {_lasting(RESET_VALID_FOR)}:",
        link,
        "It works once, and logs you out everywhere else. If it was not you, do nothing: the password stays as it is.",
    )


def password_changed(key: str, *, to: str, place: str) -> Mail:
    """After a reset: whoever did not do it has to hear of it."""
    return _letter(
        key,
        to,
        f"Your password for {place} was changed",
        f"the password of {to} at {place} was reset by a link that we had sent to this address. All sessions were"
        " ended.",
        "If it was not you, somebody reads your mail: secure your mailbox first, then reset the password once more on"
        " the login page.",
    )


def invitation(  # noqa: PLR0913  what it says
    key: str, *, to: str, group: str, place: str, inviter: str, link: str
) -> Mail:
    """A new member, who chooses the password, of a `group` in our own words."""
    return _letter(
        key,
        to,
        f"You are invited to {place}",
        f"{inviter} has added you to {group} at {place}. To choose your password and log in, open this page"
        f" within {_lasting(INVITATION_VALID_FOR)}:",
        link,
        f"You then log in with {to}. If you do not know what this is about, do nothing.",
    )


def _letter(key: str, to: str, subject: str, *paragraphs: str) -> Mail:
    return Mail(key=key, to=to, subject=subject, text="\n\n".join(map(_set, ("Hello,", *paragraphs, "Vivero"))) + "\n")


def _set(paragraph: str) -> str:
    """A paragraph in lines; an address has its own line, whole, or a click would not lead there."""
    if "://" in paragraph and " " not in paragraph:
        return f"    {paragraph}"
    return textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _lasting(time: timedelta) -> str:
    return f"{time.days} days" if time.days else "one hour"
