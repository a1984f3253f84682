"""What a file is by its first bytes: a name or a client's word alone is not believed; pure.

Nothing is opened or unpacked here, so that an archive that would grow a thousandfold costs no more than any other file.
"""

from typing import Final

from vivero_data.domain.files.names import safe_media_type

LOOKED_AT: Final = 32
"""Bytes at the beginning of a file."""
UNKNOWN: Final = "application/octet-stream"
_ZIP: Final = "application/zip"
_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", _ZIP),
    (b"PK\x05\x06", _ZIP),
    (b"\x1f\x8b", "application/gzip"),
)
_TOLD: Final = frozenset({*(kind for _, kind in _STARTS), "image/webp"})
_IN_ZIP: Final = (
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/epub+zip",
)
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show in its place: formats that can run nothing, unlike SVG."""


def media_type_of(start: bytes, said: str) -> str:
    """The type by the first LOOKED_AT bytes; else as the client said, unless those bytes would have told that."""
    claimed = safe_media_type(said)
    found = _told(start)
    if found == _ZIP and claimed.startswith(_IN_ZIP):
        return claimed  # documents that are archives
    if found:
        return found
    return UNKNOWN if claimed in _TOLD or claimed.startswith(_IN_ZIP) else claimed


def _told(start: bytes) -> str | None:
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for prefix, kind in _STARTS if start.startswith(prefix)), None)
