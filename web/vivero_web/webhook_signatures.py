"""Webhooks as standardwebhooks.com has them: the text of a secret and the signed headers."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

SECRET_MARK: Final = "whsec_"  # noqa: S105  how they begin
SECRET_BYTES: Final = 32


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def new_message_id() -> str:
    """Of the header webhook-id, by which who gets a message twice knows it again."""
    return f"msg_{secrets.token_hex(16)}"


def secret_text(secret: bytes) -> str:
    """As libraries that check signatures take it."""
    return SECRET_MARK + base64.b64encode(secret).decode()


def signed_headers(message: str, body: str, keys: Sequence[bytes], now: datetime) -> Mapping[str, str]:
    """With a signature by each key, which covers id, time and body; several while a secret is being replaced."""
    timestamp = str(int(now.timestamp()))
    signed = f"{message}.{timestamp}.{body}".encode()
    return {
        "content-type": "application/json",
        "user-agent": "Vivero-Webhooks",
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
