"""Keys of their own for each purpose, from the one session key."""

import hashlib
import hmac


def derive(master: str, purpose: str) -> bytes:
    """32 bytes that say nothing about the master or about another purpose's key."""
    return hmac.digest(master.encode(), f"vivero-control/{purpose}".encode(), hashlib.sha256)


def fingerprint(key: bytes, *parts: str | bytes) -> str:
    """A keyed digest (64 hex) of parts that may be secret or easy to guess; each part's length counts."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        mac.update(len(raw).to_bytes(8, "big") + raw)
    return mac.hexdigest()
