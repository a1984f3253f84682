"""What the page for a code holds in place of the password: a signed word that it was right, good for ten minutes."""

import hmac
from datetime import datetime, timedelta
from typing import Final

import jwt
import msgspec

from vivero_web.errors import NotSignedInError
from vivero_web.tokens import digest

_LIFETIME: Final = timedelta(minutes=10)
_ALGORITHM: Final = "HS256"
_MAX_TOKEN: Final = 4096  # ours have a few hundred characters


class Challenge(msgspec.Struct, frozen=True):
    """Whose password was right, and a mark of which password."""

    account: str
    password: str

    def is_about(self, password_hash: str) -> bool:
        """Whether the password is still that one."""
        return hmac.compare_digest(self.password, _mark(password_hash))


class ChallengeEndedError(NotSignedInError):
    """It is too old, or what it was about has changed."""

    def __init__(self) -> None:
        super().__init__("That took too long. Enter your password once more.")


class Challenges:
    """Signs and reads those of one program; opens nothing by itself."""

    def __init__(self, key: bytes, audience: str) -> None:
        """`audience`: no other token that this key signs is for it."""
        self._key = key
        self._audience = audience

    def issue(self, account: str, password_hash: str, now: datetime) -> str:
        claims = {"sub": account, "pwd": _mark(password_hash), "aud": self._audience, "exp": now + _LIFETIME}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Challenge:
        """What a valid one says.

        Raises:
            ChallengeEndedError: expired, forged, or another program's.
        """
        try:
            body = jwt.decode(
                token[:_MAX_TOKEN],
                self._key,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                options={"require": ["sub", "pwd", "aud", "exp"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise ChallengeEndedError from error
        return Challenge(str(body["sub"]), str(body["pwd"]))


def _mark(password_hash: str) -> str:
    return digest(password_hash).hex()
