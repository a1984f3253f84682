"""What the programs' secrets that nobody chooses have in common, and what both must know of a login ticket.

The control plane signs tickets (EdDSA) that a workspace reads and spends.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from vivero_web.text import whole_number

TICKET_ISSUER: Final = "vivero-control-plane"
TICKET_VALID_FOR: Final = timedelta(minutes=10)


def new_secret() -> str:
    """256 random bits, in characters that addresses and headers take."""
    return secrets.token_urlsafe(32)


def new_session(now: datetime) -> str:
    """A secret that says when its session began. Kept is the digest of all of it, so no other beginning can be claimed."""
    return f"{int(now.timestamp())}.{new_secret()}"


def seconds_left(session: str, now: datetime, *, unused: int, longest: int) -> int:
    """For how many seconds a session goes on from now, if it is not used again; 0 when it has lasted for `longest`."""
    begun = whole_number(session.partition(".")[0]) or 0
    return max(0, min(unused, begun + longest - int(now.timestamp())))


def digest(secret: str) -> bytes:
    """What is stored of such a secret: random input needs no slow hash. Takes whatever a stranger sends for one."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def derive_key(master: str, purpose: str) -> bytes:
    """32 bytes that reveal nothing about the master key or about another purpose's key."""
    return hmac.digest(master.encode(), purpose.encode(), hashlib.sha256)


def keyed_digest(key: bytes, *parts: str | bytes) -> str:
    """A keyed digest (64 hex) of parts that may be secret or easy to guess; each part's length counts."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        mac.update(len(raw).to_bytes(8, "big") + raw)
    return mac.hexdigest()
