"""One-time links by mail: the secret in the link, the mails that carry it, and how many of them may be asked for.

The secret is in the fragment of an address. Browsers keep what follows the `#` for themselves: it is in no log of a
proxy and in no Referer. The page at the address takes it out of the address bar and posts it (macro `link_secret` of
the kit's forms, `ui/src/js/secret.js`); who has no script pastes the link there. Only the secret's digest is stored,
and it works once.

The mails go to addresses that nobody may have confirmed. So they contain no text of a stranger, which would make us the
sender of anybody's advertisement: a host, an e-mail address and our own sentences. And they are limited, or we would be
the tool that fills somebody's mailbox; `Limiter.count_all` takes what `to_recipient`, `by_caller` and `of_invitations`
return.
"""

import textwrap
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from vivero_web.errors import InvalidInputError
from vivero_web.fields import SECRET_MAX, Email, NewPassword
from vivero_web.limiter import Limit, Limiter
from vivero_web.mail import Mail
from vivero_web.text import email_problem
from vivero_web.tokens import digest

RESET_VALID_FOR: Final = timedelta(hours=1)
INVITATION_VALID_FOR: Final = timedelta(days=7)
PAGE: Final = "/set-password"
"""Where mailed links of both programs lead."""


class ForgottenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The address of who has forgotten the password."""

    email: Email


class ChosenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, proven by what was mailed: the link, or what follows its `#`."""

    code: Annotated[
        str, msgspec.Meta(max_length=SECRET_MAX, description="The link that was mailed, or what follows its `#`.")
    ]
    password: NewPassword

    def __repr__(self) -> str:
        """Without either: a repr ends in logs."""
        return "ChosenPassword(…)"


def one_time_link(page: str, secret: str) -> str:
    """The link to `page`, an address of ours and never what a request says it is.

    A `new_secret` and a signed token have only characters that a fragment takes.
    """
    return f"{page}#{secret}"


def secret_in(typed: str) -> str:
    """The secret in what somebody pasted: the whole link, or what follows its `#`."""
    return typed.rpartition("#")[2].strip()


REFUSAL: Final = "Too many mails were asked for."
_HOUR: Final = 60 * 60

_TO_RECIPIENT: Final = Limit("mails-to", 3, _HOUR, REFUSAL)
"""People lose a mail or two."""
_BY_CALLER: Final = Limit("mails-by", 20, _HOUR, REFUSAL)
"""An office shares one address of the network."""
_INVITATIONS: Final = Limit("invitations", 100, 24 * _HOUR, REFUSAL)
"""A company that starts invites everybody in a day or two."""


def to_recipient(email: str) -> tuple[Limit, str]:
    """By what was typed, whether anybody has that address or not; the cache gets its digest."""
    return _TO_RECIPIENT, digest(email.strip().lower()).hex()


def by_caller(caller: str) -> tuple[Limit, str]:
    """By client address, for requests without a login."""
    return _BY_CALLER, caller


async def admit(limiter: Limiter, email: str, caller: str) -> str:
    """Count a mail that anybody may ask for, and return its address without the space around it.

    Raises:
        InvalidInputError: it is no e-mail address.
        TooManyRequestsError: too many were asked for, by this caller or to this address.
    """
    tidied = email.strip()
    if problem := email_problem(tidied):
        raise InvalidInputError.of("email", problem)
    await limiter.count_all(by_caller(caller), to_recipient(tidied))
    return tidied


def of_invitations() -> tuple[Limit, str]:
    """All invitations of a program together."""
    return _INVITATIONS, "all"


_WIDTH: Final = 78


def password_reset(key: str, *, to: str, place: str, link: str) -> Mail:
    """For a forgotten password; most likely the account's owner asked. `place` is the host to log in at."""
    return _mail(
        key,
        to,
        f"Reset your password for {place}",
        f"somebody asked to reset the password of {to} at {place}. To choose a new one, open this page within"
        f" {_lasting(RESET_VALID_FOR)}:",
        link,
        "It works once, and logs you out everywhere else. If it was not you, do nothing: the password stays as it is.",
    )


def password_changed(key: str, *, to: str, place: str) -> Mail:
    """After a reset: an owner who did not do it has to know."""
    return _mail(
        key,
        to,
        f"Your password for {place} was changed",
        f"the password of {to} at {place} was reset by a link that we had sent to this address. All sessions were"
        " ended.",
        "If it was not you, somebody reads your mail: secure your mailbox first, then reset the password once more on"
        " the login page.",
    )


def second_factor_changed(key: str, *, to: str, place: str, on: bool, by: str = "") -> Mail:
    """After two-step login was turned on or off; `by` is who else did it, an address of our own people."""
    turned = f"turned {'on' if on else 'off'}"
    return _mail(
        key,
        to,
        f"Two-step login at {place} was {turned}",
        f"two-step login of {to} at {place} was {turned}{f' by {by}' if by else ''}. A login there needs"
        f" {'a code of your authenticator app' if on else 'the password alone'} from now on. All other sessions were"
        " ended.",
        "If you do not know why, tell an administrator at once, and choose another password.",
    )


def email_change(key: str, *, to: str, place: str, link: str) -> Mail:
    """To a new address, which nobody has confirmed."""
    return _mail(
        key,
        to,
        f"Confirm your e-mail address for {place}",
        f"somebody wants to use {to} for their account at {place}. To confirm it, open this page within"
        f" {_lasting(RESET_VALID_FOR)}:",
        link,
        "If it was not you, do nothing: no account gets your address.",
    )


def email_changed(key: str, *, to: str, place: str, new: str) -> Mail:
    """To the old address: an owner who did not do it has to know."""
    return _mail(
        key,
        to,
        f"Your e-mail address for {place} was changed",
        f"your account at {place} has the address {new} from now on, and {to} is not used there any more.",
        "If it was not you, tell an administrator of the workspace at once.",
    )


def webhook_disabled(key: str, *, to: str, place: str) -> Mail:
    """After days of failures: what it tells of is not told any more."""
    return _mail(
        key,
        to,
        f"A webhook of {place} was switched off",
        f"a webhook that you have made at {place} has failed for five days, so it was switched off. Its page in the"
        " workspace lists the attempts, and what went wrong with each.",
        "Once its receiver answers again, switch it on there: what waits is sent then.",
    )


def invitation(  # noqa: PLR0913  what it says
    key: str, *, to: str, group: str, place: str, inviter: str, link: str
) -> Mail:
    """To a new member, who chooses the password; `group` is in our own words."""
    return _mail(
        key,
        to,
        f"You are invited to {place}",
        f"{inviter} has added you to {group} at {place}. To choose your password and log in, open this page"
        f" within {_lasting(INVITATION_VALID_FOR)}:",
        link,
        f"You then log in with {to}. If you do not know what this is about, do nothing.",
    )


def _mail(key: str, to: str, subject: str, *paragraphs: str) -> Mail:
    return Mail(
        key=key, to=to, subject=subject, text="\n\n".join(map(_wrapped, ("Hello,", *paragraphs, "Vivero"))) + "\n"
    )


def _wrapped(paragraph: str) -> str:
    """A paragraph in lines; an address has its own line, whole, or a click would not lead there."""
    if "://" in paragraph and " " not in paragraph:
        return f"    {paragraph}"
    return textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _lasting(time: timedelta) -> str:
    return f"{time.days} days" if time.days else "one hour"
