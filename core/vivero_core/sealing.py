"""Encryption of files and backups at rest, in chunks, so that nothing has to fit into memory; pure.

Format, version 2 (all numbers big-endian):

    header   4 bytes "VVF2", 8 bytes key id, 24 bytes salt
    chunk    up to 65,536 bytes of content, encrypted, and a tag of 16 bytes; one or more

The file's key is HKDF-SHA256(file_key, salt, info "vivero file" and the file's
id), so every file has its own and none opens another's. A chunk is sealed with
AES-256-GCM under the nonce (4 zero bytes, 7 bytes index, 1 byte: 1 for the last
chunk and 0 for the others) with the header as associated data. The index
detects chunks that were moved or repeated, the last byte detects truncation and
extension; a key never sees a nonce twice, because each file has its own salt.

The key id is the beginning of SHA-256("vivero file key" and the key), so that a
file says which key it needs. Files of version 1, "VVF1" and 32 bytes of salt,
have no key id and can still be read.

cryptography is imported by the first file: an idle workspace is 7 MB smaller without it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from vivero_core.errors import ViveroError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK: Final = 65_536
TAG: Final = 16
_MAGIC: Final = b"VVF2"
_MAGIC_WITHOUT_KEY: Final = b"VVF1"
_KEY_ID: Final = 8
_SALT: Final = 24
HEADER: Final = len(_MAGIC) + _KEY_ID + _SALT
_KEY: Final = 32

Read = Callable[[int], bytes]


class SealBrokenError(ViveroError):
    """The object fails authentication: truncated, modified, moved, or of another file."""


def sealed_size(size: int) -> int:
    """Bytes in the bucket for `size` bytes of content."""
    chunks = max(1, -(-size // CHUNK))
    return HEADER + size + chunks * TAG


def sealed_part(part: range, size: int) -> range:
    """The byte range in the bucket with the chunks that contain `part` (not empty) of `size` bytes of content."""
    chunks = _chunks(part)
    start, stop = (HEADER + number * (CHUNK + TAG) for number in (chunks.start, chunks.stop))
    return range(start, min(stop, sealed_size(size)))


def seal(read: Read, file_key: bytes, file_id: str) -> Iterator[bytes]:
    """Encrypts what `read` returns, until it returns nothing."""
    header = _MAGIC + _key_id(file_key) + os.urandom(_SALT)
    cipher = _cipher(file_key, header, file_id)
    yield header
    index, chunk = 0, _exactly(read, CHUNK)
    while True:
        following = _exactly(read, CHUNK) if len(chunk) == CHUNK else b""
        yield cipher.encrypt(_nonce(index, last=not following), chunk, header)
        if not following:
            return
        index, chunk = index + 1, following


def unseal(read: Read, file_key: bytes, file_id: str) -> Iterator[bytes]:
    """Decrypts a sealed file; each chunk is authenticated before it is yielded, and truncation raises.

    Raises:
        SealBrokenError: at the first chunk that fails authentication.
    """
    header = _exactly(read, HEADER)
    cipher = _cipher(file_key, header, file_id)
    index, chunk = 0, _exactly(read, CHUNK + TAG)
    while True:
        following = _exactly(read, CHUNK + TAG) if len(chunk) == CHUNK + TAG else b""
        yield _open(cipher, header, index, chunk, last=not following)
        if not following:
            return
        index, chunk = index + 1, following


def unseal_part(  # noqa: PLR0913, PLR0917  a file, its key, and what of it
    header: bytes, read: Read, file_key: bytes, file_id: str, part: range, size: int
) -> Iterator[bytes]:
    """A part of a file's `size` bytes: `read` returns the bytes of `sealed_part`, `header` is the first HEADER ones.

    Each piece is authentic, as are its place and which chunk is the file's last.

    Raises:
        SealBrokenError: at the first chunk that fails authentication.
    """
    cipher, last = _cipher(file_key, header, file_id), _chunks(range(size)).stop - 1
    for index in _chunks(part):
        content = _open(cipher, header, index, _exactly(read, CHUNK + TAG), last=index == last)
        begin = index * CHUNK
        yield content[max(0, part.start - begin) : part.stop - begin]


def _chunks(part: range) -> range:
    """The numbers of the chunks that hold it."""
    return range(part.start // CHUNK, -(-part.stop // CHUNK))


def _open(cipher: AESGCM, header: bytes, index: int, chunk: bytes, *, last: bool) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  see the module's docstring

    try:
        return cipher.decrypt(_nonce(index, last=last), chunk, header)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError("The stored file was changed or cut short.") from error


def _cipher(file_key: bytes, header: bytes, file_id: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415  as above

    salt = _salt(header, file_key)
    info = b"vivero file" + file_id.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=_KEY, salt=salt, info=info).derive(file_key))


def _salt(header: bytes, file_key: bytes) -> bytes:
    magic, rest = header[: len(_MAGIC)], header[len(_MAGIC) :]
    if len(header) != HEADER or magic not in {_MAGIC, _MAGIC_WITHOUT_KEY}:
        raise SealBrokenError("The stored file has no valid beginning.")
    if magic == _MAGIC_WITHOUT_KEY:
        return rest
    name, salt = rest[:_KEY_ID], rest[_KEY_ID:]
    if name != _key_id(file_key):
        raise SealBrokenError(f"The stored file needs the key {name.hex()}, and this is {_key_id(file_key).hex()}.")
    return salt


def _key_id(file_key: bytes) -> bytes:
    """Names a key without giving it away."""
    return hashlib.sha256(b"vivero file key" + file_key).digest()[:_KEY_ID]


def _nonce(index: int, *, last: bool) -> bytes:
    return bytes(4) + index.to_bytes(7, "big") + bytes([last])


def _exactly(read: Read, size: int) -> bytes:
    """`size` bytes, fewer only at the end, from a source that may return fewer at a time."""
    parts, missing = [], size
    while missing and (part := read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
