"""Keeps secrets out of logs and reports, should one ever get near them."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

HIDDEN: Final = "<hidden>"
_NAMES: Final = re.compile(
    r"pass(word|wd|phrase)?|secret|token|bearer|authorization|cookie|ticket|session|(api|file|signing)_?key",
    re.IGNORECASE,
)
# Tokens, password hashes, keys in PEM, logins inside addresses, queries: recognised by their form, wherever they are.
_FORMS: Final = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "<token>"),
    (re.compile(r"(?i)\b(bearer)\s+[^\s\"'<]+"), r"\1 <token>"),
    (re.compile(r"\$argon2\w*\$[^\s\"']+"), "<hash>"),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL), "<key>"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+@"), r"\1<secret>@"),
    (re.compile(r"(https?://[^\s?]+|(?<=\s)/[^\s?]*)\?[^\s\"']+"), r"\1?<query>"),
)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for form, replacement in _FORMS:
        text = form.sub(replacement, text)
    return text


def redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of structlog, the last before a line is written: hides values by their name, and by their form."""
    return {key: HIDDEN if key != "event" and _NAMES.search(key) else _clean(value) for key, value in event.items()}


def _clean(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return redact_event(None, "", value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
