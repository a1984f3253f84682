"""Codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds, as every app has them). Pure."""

import base64
import hmac
import secrets
from typing import Final
from urllib.parse import quote, urlencode

DIGITS: Final = 6
SECONDS: Final = 30
SECRET_BYTES: Final = 20  # as RFC 4226 recommends
_DRIFT: Final = 1  # steps by which a phone's clock may be wrong either way


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of a step, the number of 30 seconds since 1970."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """The step that a code is of, if that is at most one away; None if it is wrong."""
    present, typed = int(now // SECONDS), code.encode()
    steps = range(present - _DRIFT, present + _DRIFT + 1)
    # All are compared, so that the time tells nothing.
    matching = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), typed)]
    return matching[0] if matching else None


def shown(secret: bytes) -> str:
    """The secret as apps take it when it is typed: groups of four in base 32."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def uri(secret: bytes, issuer: str, account: str) -> str:
    """What the QR code says."""
    query = urlencode({"secret": shown(secret).replace(" ", ""), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"
