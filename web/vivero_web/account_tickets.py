"""What lets the owner of a workspace into the pages about its plan: a ticket that the workspace signs, and that works once.

The workspace makes one for an owner who asks, and sends the browser to the control plane with it behind the `#`. The
control plane reads which tenant it is of, and checks it with the key in that Tenant's status. A ticket is
`payload.signature`, both base64url; the payload is JSON.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Struct

VALID_FOR: Final = timedelta(minutes=2)
"""From the click to the page; a browser needs a second."""
LEEWAY: Final = timedelta(seconds=30)
"""Clocks of two machines."""
_AUDIENCE: Final = "vivero-control-plane/account"
_MAX_TICKET: Final = 1024
"""Characters; ours have some 280."""

Sign = Callable[[bytes], bytes]
"""The signature of a message."""
Check = Callable[[bytes, bytes], bool]
"""Whether the first is the signature of the second."""


class AccountTicket(Struct, frozen=True, forbid_unknown_fields=True):
    """What it says.

    Attributes:
        aud: what it is for; no other signed thing of the workspace says this.
        tenant: the id of the tenant that vouches for its owner.
        jti: names this ticket alone.
        expires: Unix time.
    """

    aud: str
    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    jti: Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
    expires: int


def issue(tenant_id: str, jti: str, now: datetime, sign: Sign) -> str:
    """A ticket that works once, within VALID_FOR."""
    claims = AccountTicket(_AUDIENCE, tenant_id, jti, int((now + VALID_FOR).timestamp()))
    payload = _encoded(msgspec.json.encode(claims))
    return f"{payload}.{_encoded(sign(payload.encode()))}"


def read(ticket: str, now: datetime, key_of: Callable[[str], Check | None]) -> AccountTicket | None:
    """What a valid ticket says; None for anything else.

    `key_of` finds the check of a tenant's signatures by the tenant's id; None where there is no such tenant.
    """
    payload, _, signature = ticket.partition(".")
    if len(ticket) > _MAX_TICKET or not ticket.isascii():
        return None
    try:
        claims = msgspec.json.decode(_decoded(payload), type=AccountTicket)
        signed = _decoded(signature)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return None
    left = claims.expires - now.timestamp()
    if claims.aud != _AUDIENCE or not -LEEWAY.total_seconds() < left <= (VALID_FOR + LEEWAY).total_seconds():
        return None
    check = key_of(claims.tenant)
    return claims if check is not None and check(signed, payload.encode()) else None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
