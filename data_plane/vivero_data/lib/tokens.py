"""Access tokens (JWT, HS256, 15 minutes), refresh tokens (random, kept as a hash) and login tickets (EdDSA)."""

import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NoReturn, TypeVar

import jwt
import msgspec
from jwt.types import Options
from vivero_web.challenges import Challenges
from vivero_web.errors import NotSignedInError
from vivero_web.fields import AccessToken
from vivero_web.tokens import TICKET_ISSUER, TICKET_VALID_FOR

from vivero_data.lib.hit_rates import looked_up

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)  # of an unused session
SESSION_LIFETIME: Final = timedelta(days=90)  # of one that is used
_LEEWAY: Final = timedelta(seconds=30)  # clock skew between two machines
_MAX_TOKEN: Final = 4096  # ours have a few hundred characters
_SESSION_BITS: Final = 53  # every reader of JSON has numbers of so many bits exactly
_REMEMBERED: Final = 256  # verified tokens to cache; some 150 KiB


class AccessClaims(msgspec.Struct, frozen=True):
    """The claims of an access token: whose request it is."""

    user_id: int
    session_id: int


def new_session_id() -> int:
    """Of a session that no table numbers."""
    return secrets.randbits(_SESSION_BITS)


TicketId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
T = TypeVar("T")


class TicketClaims(msgspec.Struct, frozen=True):
    """The claims of a login ticket.

    Attributes:
        email: its user's.
        jti: its id, which is used once.
        expires_at: Unix time.
        traceparent: the request that the workspace was signed up by, for traces.
    """

    email: str
    jti: TicketId
    expires_at: int
    traceparent: str | None = None


class SupportClaims(msgspec.Struct, frozen=True):
    """The claims of a ticket for support: who of the platform's staff, what an owner granted, as what, until when.

    Attributes:
        expires_at: Unix time, of the ticket.
        until: Unix time, of the session.
    """

    staff: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    jti: TicketId
    expires_at: int
    grant: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    role: Literal["viewer", "admin"]
    until: int


class Tokens(msgspec.Struct, frozen=True):
    """A signed access token and its refresh token."""

    access_token: AccessToken
    refresh_token: Annotated[
        str, msgspec.Meta(description="Works once; using it twice ends the session. Empty if unchanged.")
    ]
    token_type: Annotated[str, msgspec.Meta(description="Always `Bearer`.")] = "Bearer"  # noqa: S105  the scheme's name
    expires_in: Annotated[int, msgspec.Meta(description="Seconds until the access token ends.")] = int(
        ACCESS_LIFETIME.total_seconds()
    )


class AccessTokens:
    """Signs and reads access tokens of one workspace."""

    def __init__(self, signing_key: str, tenant_id: str) -> None:
        self._key = bytes.fromhex(signing_key)
        self._audience = tenant_id
        self.challenges = Challenges(self._key, f"{tenant_id}/codes")
        # Cached: each request verifies its token twice, for the rate limit and the login, and so does the next one.
        self._checked = lru_cache(_REMEMBERED)(self._check)

    def issue(self, claims: AccessClaims, now: datetime, until: datetime | None = None) -> str:
        """`until`: the end of a session that is not extended; otherwise after ACCESS_LIFETIME."""
        return jwt.encode(
            {
                "sub": str(claims.user_id),
                "sid": claims.session_id,
                "aud": self._audience,
                "iat": now,
                "exp": until or now + ACCESS_LIFETIME,
            },
            self._key,
            algorithm="HS256",
        )

    def read(self, token: str) -> AccessClaims:
        """The claims of a valid token.

        Raises:
            NotSignedInError: expired, forged, or another workspace's.
        """
        if len(token) > _MAX_TOKEN:
            raise NotSignedInError("The access token is not valid.")
        before = self._checked.cache_info().misses
        try:
            claims, expires_at = self._checked(token)
        finally:
            looked_up("access_tokens", found=self._checked.cache_info().misses == before)
        if expires_at <= time.time():
            raise NotSignedInError("The access token has expired.")
        return claims

    def _check(self, token: str) -> tuple[AccessClaims, int]:
        """The claims and the expiry (Unix time); only valid tokens are cached, because invalid ones raise."""
        try:
            body = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=self._audience,
                options={"require": ["sub", "sid", "aud", "iat", "exp"]},
            )
            return AccessClaims(user_id=int(body["sub"]), session_id=int(body["sid"])), int(body["exp"])
        except jwt.ExpiredSignatureError as error:
            raise NotSignedInError("The access token has expired.") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotSignedInError("The access token is not valid.") from error


class _Ed25519(jwt.algorithms.Algorithm):
    """Verifies with a public key in PEM; PyJWT's own needs cryptography to be loaded with it (lean.py)."""

    def prepare_key(self, key: str) -> Any:  # noqa: ANN401  a type of a package that is not loaded
        """Raises ValueError for what is no such key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

        loaded = load_pem_public_key(key.encode())
        if not isinstance(loaded, Ed25519PublicKey):
            raise ValueError("The key is of another kind")  # noqa: TRY004  as for a key that cannot be read
        return loaded

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:  # noqa: ANN401  as above
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  as above

        try:
            key.verify(sig, msg)
        except InvalidSignature:
            return False
        return True

    def sign(self, msg: bytes, key: object) -> NoReturn:
        """The control plane signs."""
        raise NotImplementedError

    @staticmethod
    def to_jwk(key_obj: object, as_dict: bool = False) -> NoReturn:  # noqa: FBT001, FBT002  PyJWT's signature
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: object) -> NoReturn:
        raise NotImplementedError


_ED25519: Final = "EdDSA"
_SIGNATURES: Final = jwt.PyJWS(algorithms=[])
_SIGNATURES.register_algorithm(_ED25519, _Ed25519())
# For a ticket whose signature was verified before; everything else that a token can promise is still looked at.
_TICKET_CLAIMS: Final[Options] = {
    "verify_signature": False,
    "verify_exp": True,
    "verify_nbf": True,
    "verify_iat": True,
    "verify_aud": True,
    "verify_iss": True,
    "verify_sub": True,
    "verify_jti": True,
    "require": ["iss", "aud", "sub", "jti", "iat", "exp"],
}


def read_ticket(ticket: str, public_key: str, tenant_id: str) -> TicketClaims:
    """The claims of a valid login ticket.

    Raises:
        NotSignedInError: expired, forged, too long-lived, or for another workspace.
    """
    return _ticket(ticket, public_key, tenant_id, TicketClaims, {"email": "sub"})


def read_support_ticket(ticket: str, public_key: str, tenant_id: str) -> SupportClaims:
    """The claims of a valid ticket of the platform's staff.

    Raises:
        NotSignedInError: as `read_ticket`; a login ticket is for another audience.
    """
    return _ticket(ticket, public_key, f"{tenant_id}/support", SupportClaims, {"staff": "sub"})


def _ticket(ticket: str, public_key: str, audience: str, kind: type[T], names: Mapping[str, str]) -> T:
    """`names`: claims by the attribute that holds them, where they are called differently."""
    if len(ticket) > _MAX_TOKEN:
        raise NotSignedInError("The login link is not valid.")
    try:
        _SIGNATURES.decode(ticket, public_key, algorithms=[_ED25519])
        body = jwt.decode(ticket, audience=audience, issuer=TICKET_ISSUER, leeway=_LEEWAY, options=_TICKET_CLAIMS)
        claims = msgspec.convert(
            {**body, "expires_at": body["exp"], **{ours: body[theirs] for ours, theirs in names.items()}}, kind
        )
        lifetime = int(body["exp"]) - int(body["iat"])
    except (jwt.PyJWTError, msgspec.ValidationError, KeyError, ValueError, TypeError) as error:
        raise NotSignedInError("The login link has expired or is not valid.") from error
    if lifetime > TICKET_VALID_FOR.total_seconds():
        raise NotSignedInError("The login link is not valid.")
    return claims
