"""What the programs' secrets that nobody chooses have in common, and what both must know of a login ticket.

The control plane signs tickets (EdDSA) that a workspace reads and spends.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

TICKET_ISSUER: Final = "vivero-control-plane"
TICKET_VALID_FOR: Final = timedelta(minutes=10)


def new_secret() -> str:
    """256 random bits, in characters that addresses and headers take."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of such a secret: random input needs no slow hash. Takes whatever a stranger sends for one."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
