"""Sealing for a tenant by a program that cannot read what it has sealed; pure.

A tenant's file key has a public half: X25519, with HKDF-SHA256(file_key, info "vivero archive key") as the private one.
Who writes to the tenant's archive knows the public half alone. Format (RFC 7748, RFC 5869):

    magic    4 bytes "VVE1"
    writer   32 bytes, the public half of a key made for this one object and forgotten
    content  sealed (vivero_core.sealing) under HKDF-SHA256(shared secret, salt: writer and public half, "vivero envelope")

The file key opens all of it, and its destruction closes all of it for good.
"""

from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vivero_core.sealing import Read, SealBrokenError, seal, unseal

PUBLIC_BYTES: Final = 32
_MAGIC: Final = b"VVE1"


def public_key(file_key: bytes) -> bytes:
    """The public half of a tenant's file key; it gives nothing away."""
    return _private(file_key).public_key().public_bytes_raw()


def seal_for(read: Read, public: bytes, name: str) -> Iterator[bytes]:
    """Encrypt what `read` returns, bound to `name`, for whoever holds the file key of this public half."""
    own = X25519PrivateKey.generate()
    writer = own.public_key().public_bytes_raw()
    yield _MAGIC + writer
    yield from seal(read, _key(own, public, writer + public), name)


def open_sealed(read: Read, file_key: bytes, name: str) -> Iterator[bytes]:
    """What was sealed; each chunk is authenticated before it is yielded.

    Raises:
        SealBrokenError: truncated, modified, of another name, or sealed for another tenant.
    """
    size = len(_MAGIC) + PUBLIC_BYTES
    head = b""
    while len(head) < size and (piece := read(size - len(head))):
        head += piece
    writer = head[len(_MAGIC) :]
    if len(head) != size or not head.startswith(_MAGIC):
        raise SealBrokenError("The sealed object has no valid beginning.")
    own = _private(file_key)
    yield from unseal(read, _key(own, writer, writer + own.public_key().public_bytes_raw()), name)


def _private(file_key: bytes) -> X25519PrivateKey:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"vivero archive key").derive(file_key)
    return X25519PrivateKey.from_private_bytes(derived)


def _key(own: X25519PrivateKey, other: bytes, salt: bytes) -> bytes:
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError as error:  # a point of small order: nobody's key
        raise SealBrokenError("The sealed object names no key that anybody has.") from error
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"vivero envelope").derive(shared)
