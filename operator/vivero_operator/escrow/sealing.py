"""Seals and opens the keys of one tenant: AES-256-GCM, bound to the tenant's id. Pure."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vivero_operator.instance import TenantKeys

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # NIST SP 800-38D; random, and a key seals far fewer than 2^32 times
_PURPOSE: Final = b"vivero escrow v1 "


@dataclass(frozen=True)
class SealingKeys:
    """The platform's keys by their ids: one that seals, and older ones that still open."""

    current: str
    keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def generated(cls) -> "SealingKeys":
        key = secrets.token_bytes(KEY_BYTES)
        return cls(key_id(key), {key_id(key): key})


def key_id(key: bytes) -> str:
    """Names a key without giving it away."""
    return hashlib.sha256(_PURPOSE + key).hexdigest()[:16]


def seal(sealing: SealingKeys, ident: str, keys: TenantKeys) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    content = json.dumps(keys.dump(), sort_keys=True).encode()
    return nonce + AESGCM(sealing.keys[sealing.current]).encrypt(nonce, content, _PURPOSE + ident.encode())


def unseal(sealing: SealingKeys, key: str, ident: str, sealed: bytes) -> TenantKeys | None:
    """The keys; None if the sealing key is unknown, or the record is another tenant's or was modified."""
    known = sealing.keys.get(key)
    if known is None or len(sealed) <= _NONCE_BYTES:
        return None
    try:
        content = AESGCM(known).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE + ident.encode())
        return TenantKeys(**json.loads(content))
    except (InvalidTag, ValueError, TypeError):
        return None
