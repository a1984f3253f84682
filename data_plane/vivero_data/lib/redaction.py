"""Keeps secrets out of logs, should one ever get near them."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

_NAMES: Final = re.compile(
    r"password|passwd|secret|token|authorization|cookie|signing_key|file_key|ticket", re.IGNORECASE
)
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_BEARER: Final = re.compile(r"(?i)bearer\s+\S+")
_PHC: Final = re.compile(r"\$argon2\w*\$[^\s'\"]+")
HIDDEN: Final = "[hidden]"


def scrub(text: str) -> str:
    """The text without tokens and password hashes."""
    for pattern in (_JWT, _BEARER, _PHC):
        text = pattern.sub(HIDDEN, text)
    return text


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog's processor: hides values by their name, and what looks like a credential in any text."""
    for name, value in event.items():
        if _NAMES.search(name):
            event[name] = HIDDEN
        elif isinstance(value, str):
            event[name] = scrub(value)
    return event
