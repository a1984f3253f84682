"""API keys as text: `<mark><prefix>_<secret><checksum>`, in letters and digits; each program has a mark of its own.

The prefix is shown and finds the key; only a digest of the whole is stored. The checksum is made with the program's
signing key: what was mistyped, made up or is another program's is refused before the database is asked, and counts
against its sender's address, not against what a plan includes.
"""

import hmac
import re
import secrets
import string
from typing import Final

from vivero_web.tokens import keyed_digest

PREFIX_LENGTH: Final = 8
_SECRET_LENGTH: Final = 32  # 190 bits
_CHECKSUM_LENGTH: Final = 6
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_AFTER_MARK: Final = f"([0-9A-Za-z]{{{PREFIX_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}"


def new_prefix() -> str:
    """Of a new key; shown in lists and in the audit log."""
    return _random(PREFIX_LENGTH)


class KeyTokens:
    """Makes and checks the tokens of one program."""

    def __init__(self, key: bytes, mark: str) -> None:
        """`mark`: how its tokens begin, so that people and scanners of secrets recognise them."""
        self._key = key
        self.mark = mark
        self._whole = re.compile(f"({re.escape(mark)}{_AFTER_MARK})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})")

    def new(self, prefix: str) -> str:
        body = f"{self.mark}{prefix}_{_random(_SECRET_LENGTH)}"
        return body + self._checksum(body)

    def prefix_of(self, token: str) -> str | None:
        """The prefix of a token that this program made; it may have ended since. None of anything else."""
        found = self._whole.fullmatch(token)
        if found is None or not hmac.compare_digest(self._checksum(found[1]), found[3]):
            return None
        return found[2]

    def _checksum(self, body: str) -> str:
        number, digits = int(keyed_digest(self._key, body), 16), ""
        for _ in range(_CHECKSUM_LENGTH):
            number, digit = divmod(number, len(_ALPHABET))
            digits += _ALPHABET[digit]
        return digits


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
