"""Validates host names and URLs of servers; a resolver or a URL parser would fail on an invalid one in its own way."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from vivero_core.errors import BackendMisconfiguredError

_LENGTH: Final = 253
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def checked_host(host: str, system: str) -> str:
    """A host name or an IP address, or BackendMisconfiguredError."""
    labels = host.removesuffix(".").split(".")
    if len(host) > _LENGTH or not (_is_address(host) or all(_LABEL.fullmatch(label) for label in labels)):
        raise BackendMisconfiguredError(system, f"{host[:80]!r} is not a valid host name")
    return host


def checked_url(url: str, system: str) -> str:
    """`https://host` with or without a port, and nothing after it, or BackendMisconfiguredError."""
    parts = _split(url)
    if parts is None or parts.scheme != "https" or parts.username is not None or any(parts[2:]):
        raise BackendMisconfiguredError(system, f"{url[:80]!r} is not a valid URL like https://host:port")
    checked_host(parts.hostname or "", system)
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
