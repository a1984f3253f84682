"""One-time logins into a new workspace: an EdDSA token that the workspace verifies and spends."""

from datetime import datetime

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from vivero_web.errors import WebError
from vivero_web.links import one_time_link
from vivero_web.tokens import TICKET_ISSUER, TICKET_VALID_FOR


class TicketKeyError(WebError):
    """The configured key is no Ed25519 private key in PEM; found at start."""


class LoginTickets:
    """Signs tickets with the platform's key."""

    def __init__(self, private_key_pem: str) -> None:
        try:
            key = load_pem_private_key(private_key_pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise TicketKeyError("app.ticket_private_key is no private key in PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise TicketKeyError("app.ticket_private_key is no Ed25519 key")
        self._key = key

    def login_url(self, tenant_url: str, *, tenant_id: str, email: str, ticket_id: str, now: datetime) -> str:
        """An address that logs the owner in, once, within TICKET_VALID_FOR of `now`."""
        claims = {
            "iss": TICKET_ISSUER,
            "aud": tenant_id,
            "sub": email,
            "jti": ticket_id,
            "iat": int(now.timestamp()),
            "exp": int((now + TICKET_VALID_FOR).timestamp()),
        }
        ticket = jwt.encode(claims, self._key, algorithm="EdDSA")
        return one_time_link(f"{tenant_url.rstrip('/')}/login/ticket", ticket)
