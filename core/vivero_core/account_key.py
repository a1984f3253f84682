"""The key by which a workspace vouches for its owner to the control plane; pure.

Ed25519, with HMAC-SHA256(signing key of the tenant, "vivero account key") as the private half. The tenant's pod signs; the
operator, which knows the signing key as well, publishes the public half in the Tenant's status, where the control plane
reads it. So no secret is shared for it, and a new signing key is a new pair.
"""

import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PURPOSE: Final = b"vivero account key"


def public_half(signing_key: str) -> str:
    """Of a tenant's signing key: 64 hexadecimal digits that give nothing away."""
    return _private(signing_key).public_key().public_bytes_raw().hex()


def sign(signing_key: str, message: bytes) -> bytes:
    return _private(signing_key).sign(message)


def is_signed(public: str, signature: bytes, message: bytes) -> bool:
    """Whether the pair with this public half has signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _private(signing_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(signing_key.encode(), _PURPOSE, hashlib.sha256))
