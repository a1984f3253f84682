"""Webhooks' signatures: an HMAC over the moment and the body as it was received, in Stripe's format."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from vivero_control.domain.billing.errors import SignatureError

TOLERANCE: Final = timedelta(minutes=5)
HEADER_MAX: Final = 1024
"""Characters; two secrets while one replaces the other make some 180."""


def sign(secret: str, body: bytes, now: datetime) -> str:
    """The header for a body that is sent now."""
    moment = str(int(now.timestamp()))
    return f"t={moment},v1={_digest(secret, moment, body)}"


def signed_at(header: str, now: datetime) -> str:
    """The moment that a header names, before any of the body is read.

    Raises:
        SignatureError: it names none, or one that is not within the tolerance.
    """
    moment = _values(header, "t")
    if len(moment) != 1 or not (moment[0].isascii() and moment[0].isdigit()) or len(moment[0]) > 11:  # noqa: PLR2004  digits of a second
        raise SignatureError
    if abs(now.timestamp() - int(moment[0])) > TOLERANCE.total_seconds():
        raise SignatureError
    return moment[0]


def check(secret: str, header: str, body: bytes, now: datetime) -> None:
    """Whether one of the header's signatures is of this body.

    Raises:
        SignatureError: none is, or its moment is not within the tolerance.
    """
    wanted = _digest(secret, signed_at(header, now), body).encode()
    given = _values(header, "v1")
    if not any(hmac.compare_digest(one.encode(errors="surrogatepass"), wanted) for one in given):
        raise SignatureError


def _digest(secret: str, moment: str, body: bytes) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _values(header: str, name: str) -> list[str]:
    if len(header) > HEADER_MAX:
        raise SignatureError
    pairs = (part.strip().partition("=") for part in header.split(","))
    return [value for key, _, value in pairs if key == name]
