"""One-time links: a secret that nobody chooses, in the fragment of an address.

A browser keeps what follows the `#` for itself: it stands in no log of a proxy
and in no Referer. The page at the address takes it out of the address bar and
posts it (macro `link_secret` of the kit's forms, `ui/src/js/secret.js`); who
has no script pastes the link there. Of what is mailed only the secret's digest
is stored, and it is good once.
"""

from datetime import timedelta
from typing import Annotated, Final

import msgspec

from vivero_web.fields import SECRET_MAX, Email, NewPassword

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
