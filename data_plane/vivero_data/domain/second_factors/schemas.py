"""The second factor of logins as the API and the pages see it."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from vivero_web.errors import ConflictError, InvalidInputError, NotAllowedError, NotSignedInError
from vivero_web.fields import TypedPassword

CODE_MAX: Final = 64
Code = Annotated[
    str,
    msgspec.Meta(max_length=CODE_MAX, description="Six digits of the authenticator app, or one of the recovery codes."),
]


class SecondFactor(msgspec.Struct, frozen=True):
    """Whether logins of the caller need a code."""

    active: Annotated[bool, msgspec.Meta(description="Whether a login needs a code.")]
    since: Annotated[datetime | None, msgspec.Meta(description="Since when.")] = None
    recovery_codes: Annotated[int, msgspec.Meta(description="How many recovery codes are left.")] = 0


class LoginRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the logins of everybody."""

    second_factor_required: Annotated[
        bool,
        msgspec.Meta(
            description="Whether people who have not set up two-step login can do nothing else before. API keys go on."
        ),
    ]


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator app needs; not active until a code of it has come back."""

    secret: Annotated[str, msgspec.Meta(description="In base 32, in groups of four.")]
    uri: Annotated[str, msgspec.Meta(description="The same as `otpauth:` address, which a QR code shows.")]


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Each lets in once without the app; this answer is the only one that has them."""

    recovery_codes: Annotated[list[str], msgspec.Meta(description="Keep them where the phone is not.")]


class PasswordProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caller's password: a session alone may not change how logins are proven."""

    current_password: TypedPassword

    def __repr__(self) -> str:
        """Without it: a repr ends in logs."""
        return "PasswordProof(…)"


class CodeProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator app."""

    code: Code


class SecondFactorRequiredError(NotAllowedError):
    """The workspace requires two-step login, and the caller has to set it up first."""

    slug = "second-factor-required"
    title = "This workspace requires two-step login"

    def __init__(self) -> None:
        super().__init__(
            "Set up two-step login first: on the page Security of your account, or at `/api/v1/me/second-factor`."
        )


class OwnFactorFirstError(ConflictError):
    """Who requires it of others has it themselves: one owner is left who can turn it off."""

    def __init__(self) -> None:
        super().__init__("Set up two-step login for yourself before you require it of everybody.")


class CodeNeededError(NotSignedInError):
    """The password is right; a code of the authenticator app is needed as well."""

    slug = "code-needed"
    title = "A code of your authenticator app is needed"

    def __init__(self, challenge: str = "") -> None:
        """`challenge`: proves for a few minutes that the password was right, so that a page need not keep it."""
        self.challenge = challenge
        super().__init__("Send the code of your authenticator app, or a recovery code, as `code`.")


class WrongCodeError(NotSignedInError):
    """The password is right, and the code is not, or was used before."""

    slug = "wrong-code"
    title = "The code is wrong"

    def __init__(self) -> None:
        super().__init__("The code is wrong, too old, or was used before. Wait for the next one.")


class CodeRefusedError(InvalidInputError):
    """A code in a form of somebody who is signed in."""

    def __init__(self) -> None:
        found = InvalidInputError.of("code", "is not the present code of the app; check the clock of your phone")
        super().__init__(found.detail, errors=found.errors)


class ActiveAlreadyError(ConflictError):
    """To move it to another phone it is ended first."""

    def __init__(self) -> None:
        super().__init__("Two-step login is active already; end it first.")


class NotActiveError(ConflictError):
    """There is nothing to end, confirm or renew."""

    def __init__(self) -> None:
        super().__init__("Two-step login is not active.")
