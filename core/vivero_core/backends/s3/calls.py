"""A request to an S3 server and its answer, whoever sends it. Pure."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Final
from xml.etree import ElementTree as ET

from vivero_core.backends.s3.errors import from_answer

_PIECE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An S3 server and how long to wait for it, in seconds."""

    url: str  # https://host:port, without a path
    region: str
    authority: str  # PEM text
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


Body = bytes | IO[bytes]
"""A file is sent from where it stands; it can be sought."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request; the path is absolute and made of checked names."""

    method: str
    path: str
    body: Body = b""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `code` is S3's error code, empty on success."""

    status: int
    body: bytes
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST

    def raise_for(self, doing: str) -> None:
        if not self.ok:
            raise from_answer(doing, self.status, self.code)


def error_code(body: bytes) -> str:
    """The <Code> of an S3 error document; empty when the body is none (HEAD, a proxy's page)."""
    try:
        root = ET.fromstring(body)  # noqa: S314  from the one server whose certificate we checked
    except ET.ParseError:
        return ""
    return root.findtext("Code") or ""


def sha256(body: Body) -> str:
    """In hexadecimal digits; a file stands where it stood."""
    return _digested(body, hashlib.sha256()).hexdigest()


def content_md5(body: Body) -> str:
    """The value of the header Content-MD5; a file stands where it stood."""
    return b64encode(_digested(body, hashlib.md5(usedforsecurity=False)).digest()).decode()


def _digested(body: Body, digest: "hashlib._Hash") -> "hashlib._Hash":
    if isinstance(body, bytes):
        digest.update(body)
        return digest
    begin = body.tell()
    while piece := body.read(_PIECE_BYTES):
        digest.update(piece)
    body.seek(begin)
    return digest
