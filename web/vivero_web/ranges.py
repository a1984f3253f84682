"""One part of a file (RFC 9110, section 14): which bytes a Range header asks for; pure.

Several parts at once are not worth their multipart body: who asks for them
gets the whole, as from a server that knows no ranges.
"""

import re
from typing import Final

from vivero_web.errors import RangeNotSatisfiableError

_RANGE: Final = re.compile(r"(?P<first>[0-9]+)-(?P<last>[0-9]*)|-(?P<suffix>[0-9]+)")
_DIGITS: Final = 20  # more than any file's size has; Python would refuse to read thousands


def part_of(header: str, size: int) -> range | None:
    """The bytes to send of `size`, never none; None is all: no range, several, or something else than one of bytes.

    Raises:
        RangeNotSatisfiableError: it begins behind the end.
    """
    unit, _, listed = header.partition("=")
    asked = [one for text in listed.split(",") if (one := text.strip(" \t"))]
    found = _RANGE.fullmatch(asked[0]) if len(asked) == 1 and unit.strip(" \t").lower() == "bytes" else None
    if found is None:
        return None
    if found["suffix"]:
        return _last(_number(found["suffix"]), size)
    first, last = _number(found["first"]), _number(found["last"]) if found["last"] else size
    if last < first and found["last"]:
        return None  # a contradiction is no range, and is ignored
    if first >= size:
        raise RangeNotSatisfiableError(size)
    return range(first, min(last + 1, size))


def content_range(part: range, size: int) -> str:
    """The Content-Range header of a part of so many bytes."""
    return f"bytes {part.start}-{part.stop - 1}/{size}"


def _last(length: int, size: int) -> range | None:
    if length == 0:
        raise RangeNotSatisfiableError(size)
    # Nothing has no last bytes that a Content-Range could name: it is sent whole.
    return range(max(0, size - length), size) if size else None


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or "0")
