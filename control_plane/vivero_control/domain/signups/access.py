"""What names a signup and what opens it (ADR 0028): ids, the names made from them, the bearer token, the login ticket.

An id only names: ids stand in addresses, and addresses in the log of every proxy. What opens the workspace is derived
from the id with a key, or signed, so nothing that opens it is stored.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from vivero_core.tracing.context import Context
from vivero_web.errors import WebError
from vivero_web.links import one_time_link
from vivero_web.tokens import TICKET_ISSUER, TICKET_VALID_FOR, keyed_digest

LOGIN_FOR: Final = timedelta(days=1)
"""A ready signup offers its one-time login this long; later the owner uses the password."""


def new_id() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(16)


def _digest(purpose: str, signup_id: str) -> str:
    return hashlib.sha256(f"{purpose}:{signup_id}".encode()).hexdigest()[:32]


def secret_name(signup_id: str) -> str:
    """Name of the Secret with the password's hash. The Tenant refers to it, so it must not reveal the id."""
    return f"signup-{_digest('secret', signup_id)}"


def ticket_id(signup_id: str) -> str:
    """The ticket's jti: the same for every ticket of a signup, so that the workspace accepts only one."""
    return _digest("ticket", signup_id)


def signup_digest(signup_id: str) -> str:
    """The label on the Tenant of a signup, and its name in the audit log."""
    return _digest("label", signup_id)


def may_log_in(created_at: datetime, now: datetime) -> bool:
    return now - created_at < LOGIN_FOR


class BearerTokens:
    """Derived from ids with a key: none is stored, and a repeated request gets the same one again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, signup_id: str) -> str:
        """256 bits in hex. Only the answer to the POST contains it."""
        return keyed_digest(self._key, signup_id)

    def verify(self, bearer: str | None, signup_id: str) -> bool:
        """Whether `bearer` belongs to this signup; takes any text, in constant time."""
        if bearer is None:
            return False
        return hmac.compare_digest(bearer.encode(errors="surrogatepass"), self.issue(signup_id).encode())


class TicketKeyError(WebError):
    """The configured key is not an Ed25519 private key in PEM; raised at start."""


class LoginTickets:
    """One-time logins into a new workspace: EdDSA tokens, signed with the platform's key."""

    def __init__(self, private_key_pem: str) -> None:
        try:
            key = load_pem_private_key(private_key_pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise TicketKeyError("app.ticket_private_key is not a private key in PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise TicketKeyError("app.ticket_private_key is not an Ed25519 key")
        self._key = key

    def login_url(  # noqa: PLR0913  what the ticket says
        self,
        tenant_url: str,
        *,
        tenant_id: str,
        email: str,
        ticket_id: str,
        now: datetime,
        trace: Context | None = None,
    ) -> str:
        """An address that logs the owner in, once, within TICKET_VALID_FOR of `now`; that login belongs to `trace`."""
        ticket = self._signed(tenant_id, email, ticket_id, now, {"traceparent": str(trace)} if trace else None)
        return one_time_link(f"{tenant_url.rstrip('/')}/login/ticket", ticket)

    def support_url(  # noqa: PLR0913  what the ticket says
        self, tenant_url: str, *, tenant_id: str, staff: str, grant: str, role: str, until: datetime, now: datetime
    ) -> str:
        """An address that lets a member of staff in, once, within TICKET_VALID_FOR of `now`, and until `until`."""
        more = {"grant": grant, "role": role, "until": int(until.timestamp())}
        ticket = self._signed(f"{tenant_id}/support", staff, secrets.token_hex(16), now, more)
        return one_time_link(f"{tenant_url.rstrip('/')}/login/support", ticket)

    def question(self, tenant_id: str, purpose: str, now: datetime) -> str:
        """A bearer token with which we ask something of a workspace ourselves; it logs no one in."""
        return self._signed(f"{tenant_id}/{purpose}", TICKET_ISSUER, secrets.token_hex(16), now)

    def _signed(
        self, audience: str, subject: str, ident: str, now: datetime, more: Mapping[str, object] | None = None
    ) -> str:
        claims = {
            "iss": TICKET_ISSUER,
            "aud": audience,
            "sub": subject,
            "jti": ident,
            "iat": int(now.timestamp()),
            "exp": int((now + TICKET_VALID_FOR).timestamp()),
            **(more or {}),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA")
