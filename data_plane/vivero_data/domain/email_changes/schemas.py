"""Changes of one's own e-mail address."""

from typing import Annotated

import msgspec
from vivero_web.errors import ConflictError
from vivero_web.fields import SECRET_MAX, Email, TypedPassword


class EmailChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caller's new address, proven by their password and by the link that is mailed there."""

    email: Email
    current_password: TypedPassword

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
        return f"EmailChange({self.email!r}, …)"


class ConfirmedEmail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The link that was mailed to the new address."""

    token: Annotated[
        str, msgspec.Meta(max_length=SECRET_MAX, description="The link that was mailed, or what follows its `#`.")
    ]

    def __repr__(self) -> str:
        """Without it: a repr ends in logs."""
        return "ConfirmedEmail(…)"


class OwnersAddressError(ConflictError):
    """The platform knows a workspace's owner by their address, and would add them anew."""

    def __init__(self) -> None:
        super().__init__(
            "An owner's address is changed by whoever runs the platform: it knows owners by their address."
        )
