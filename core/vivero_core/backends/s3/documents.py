"""The XML that versitygw and S3 speak. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.errors import SYSTEM
from vivero_core.errors import BackendUnavailableError

ROLE: Final = "user"  # owns what it is given, and cannot make buckets
_ACCOUNT: Final = {"Role": ROLE, "UserID": "0", "GroupID": "0", "ProjectID": "0"}

SUSPENDED: Final = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
NO_RETENTION: Final = (
    b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
)
"""A lock, once it is there, cannot be taken off; the time that it gives to every new object can."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who a bucket belongs to, and who else may do something in it."""

    owner: str
    others: frozenset[str]


def account(login: Credentials) -> bytes:
    """A new account."""
    return _document("Account", {"Access": login.name, "Secret": login.secret, **_ACCOUNT})


def changes(login: Credentials) -> bytes:
    """All that can be changed about an account, as we want it."""
    return _document("MutableProps", {"Secret": login.secret, **_ACCOUNT})


def is_plain(fields: dict[str, str]) -> bool:
    """Whether an account of the list has the rights of ours and no other."""
    return all(fields.get(name) == value for name, value in _ACCOUNT.items())


def entries(body: bytes, element: str) -> list[dict[str, str]]:
    """Each element of that name directly under the root: its own fields by name."""
    return _fields(parsed(body), element)


def buckets(body: bytes) -> list[str]:
    """Names, of S3's own list of buckets."""
    return [entry["Name"] for found in _all(parsed(body), "Buckets") for entry in _fields(found, "Bucket")]


def owner(body: bytes) -> str:
    """Whose list of buckets it is."""
    found = next((text for one in _all(parsed(body), "Owner") if (text := _text(one, "ID"))), "")
    if not found:
        raise BackendUnavailableError(SYSTEM, "the list of buckets has no owner")
    return found


def location(region: str) -> bytes:
    """Where a new bucket is to be."""
    return _document("CreateBucketConfiguration", {"LocationConstraint": region})


def access(body: bytes) -> Access:
    """An access control list."""
    root = parsed(body)
    owner = next((found.text for found in _all(root, "Owner") for found in _all(found, "ID")), None)
    if not owner:
        raise BackendUnavailableError(SYSTEM, "the access control list has no owner")
    grants = [(_text(grant, "ID") or _text(grant, "URI"), _text(grant, "Permission")) for grant in _all(root, "Grant")]
    return Access(owner, frozenset(f"{who}:{what}" for who, what in grants if (who, what) != (owner, "FULL_CONTROL")))


def text(body: bytes, element: str) -> str:
    """Of the first element of that name, wherever it is; empty when there is none."""
    return _text(parsed(body), element)


def has_content(body: bytes, element: str) -> bool:
    """Whether there is an element of that name with anything in it."""
    return any(len(found) for found in _all(parsed(body), element))


def keys(body: bytes) -> list[str]:
    """Of a list of versions."""
    return [entry["Key"] for element in ("Version", "DeleteMarker") for entry in entries(body, element)]


def parsed(body: bytes) -> ET.Element:
    """The document; an answer that is none comes from something in between."""
    try:
        return ET.fromstring(body)  # noqa: S314  from the one server whose certificate we checked
    except ET.ParseError as error:
        raise BackendUnavailableError(SYSTEM, "the response is not XML") from error


def _document(root: str, fields: dict[str, str]) -> bytes:
    """Escaped by the library."""
    element = ET.Element(root)
    for name, value in fields.items():
        ET.SubElement(element, name).text = value
    document: bytes = ET.tostring(element)
    return document


def _fields(root: ET.Element, element: str) -> list[dict[str, str]]:
    return [{_local(field.tag): field.text or "" for field in one} for one in root if _local(one.tag) == element]


def _all(root: ET.Element, element: str) -> Iterator[ET.Element]:
    return (found for found in root.iter() if _local(found.tag) == element)


def _text(root: ET.Element, element: str) -> str:
    return next((found.text or "" for found in _all(root, element)), "")


def _local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]
