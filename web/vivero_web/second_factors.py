"""Two-step login of both programs: what is sent and answered, recovery codes, how often a code is guessed.

The codes of the authenticator app are in `totp.py`, the app's secret is stored as `sealed.py` does.
"""

import base64
import secrets
from datetime import datetime
from typing import Annotated, Final

import msgspec

from vivero_web.errors import ConflictError, InvalidInputError, NotAllowedError, NotSignedInError
from vivero_web.fields import TypedPassword
from vivero_web.limiter import Limit
from vivero_web.tokens import digest

CODE_MAX: Final = 64
Code = Annotated[
    str,
    msgspec.Meta(max_length=CODE_MAX, description="Six digits of the authenticator app, or one of the recovery codes."),
]
GUESSES: Final = Limit("second-factor", 5, 15 * 60, "Too many wrong codes.")
"""At one account, from wherever: whoever tries codes knows the password already."""
RECOVERY_CODES: Final = 10
_RECOVERY_CODE_BYTES: Final = 16  # nobody guesses 128 bits, and a plain digest is enough


def new_recovery_codes() -> list[str]:
    """RECOVERY_CODES of them, in groups of four letters and digits."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def digest_of_recovery_code(code: str) -> bytes:
    """What is stored of one, however it was typed."""
    return digest(code.replace("-", "").replace(" ", "").lower())


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_CODE_BYTES)).decode().rstrip("=").lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


class SecondFactor(msgspec.Struct, frozen=True):
    """Whether logins of the caller need a code."""

    active: Annotated[bool, msgspec.Meta(description="Whether a login needs a code.")]
    since: Annotated[datetime | None, msgspec.Meta(description="Since when.")] = None
    recovery_codes: Annotated[int, msgspec.Meta(description="How many recovery codes are left.")] = 0


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
    """Everybody needs two-step login, and the caller has to set it up first; `address` is where programs do."""

    slug = "second-factor-required"
    title = "Two-step login is required here"

    def __init__(self, address: str) -> None:
        super().__init__(f"Set up two-step login first: on the page Security of your account, or at `{address}`.")


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
        found = InvalidInputError.of("code", "This is not the present code of the app. Check the clock of your phone.")
        super().__init__(found.detail, errors=found.errors)


class ActiveAlreadyError(ConflictError):
    """To move it to another phone it is ended first."""

    def __init__(self) -> None:
        super().__init__("Two-step login is active already; end it first.")


class NotActiveError(ConflictError):
    """There is nothing to end, confirm or renew."""

    def __init__(self) -> None:
        super().__init__("Two-step login is not active.")
