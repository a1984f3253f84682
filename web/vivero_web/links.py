"""One-time links by mail: a secret that nobody chooses, in the fragment of an address.

A browser keeps what follows the `#` for itself: it stands in no log of a proxy
and in no Referer. A script of ours puts it into the page's form; who has none
pastes the link. Only the secret's digest is stored, and it is good once.
"""

from datetime import timedelta
from typing import Annotated, Final

import msgspec

RESET_VALID_FOR: Final = timedelta(hours=1)
INVITATION_VALID_FOR: Final = timedelta(days=7)
PAGE: Final = "/set-password"
"""Where the links of both programs lead."""


class ForgottenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The address of who has forgotten the password."""

    email: Annotated[str, msgspec.Meta(max_length=254)]


class ChosenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, proven by what was mailed: the link, or what follows its `#`."""

    code: Annotated[str, msgspec.Meta(max_length=1024)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]

    def __repr__(self) -> str:
        """Without either: a repr ends in logs."""
        return "ChosenPassword(…)"


def address(origin: str, secret: str) -> str:
    """The link; `origin` is the program's own public address, never what a request says it is."""
    return f"{origin}{PAGE}#{secret}"


def secret_in(typed: str) -> str:
    """The secret in what somebody pasted: the whole link, or what follows its `#`."""
    return typed.rpartition("#")[2].strip()
