"""Sanitizes untrusted file names and media types; pure."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from vivero_web.text import unseen

MAX_NAME: Final = 255
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_UNKNOWN: Final = "application/octet-stream"
_ASCII: Final = re.compile(r"[^A-Za-z0-9 ._()-]")


def safe_name(name: str) -> str:
    """The last path component without invisible characters; "file" if nothing is left."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = _without_unseen(last).strip(" .")[:MAX_NAME]
    return _without_unseen(kept).strip(" .") or "file"  # again: the cut may have split a joined character


def _without_unseen(text: str) -> str:
    hidden = set(unseen(text))
    return "".join(char for place, char in enumerate(text) if place not in hidden)


def safe_media_type(given: str) -> str:
    """The type without parameters; application/octet-stream unless it is well-formed."""
    kind = given.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else _UNKNOWN


def content_disposition(name: str) -> str:
    """Always an attachment: a browser must not run uploaded content."""
    return f"attachment; filename=\"{_ASCII.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
