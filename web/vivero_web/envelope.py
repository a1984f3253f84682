"""What surrounds a body, the address and the headers: refused when it cannot be read, or is larger than any of ours.

Litestar remembers the last thousand paths, queries and cookies that it has parsed, so that without bounds whoever
sends that many large ones fills the process's memory for good.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import Headers
from litestar.types import HTTPScope

from vivero_web.declared import raises
from vivero_web.errors import AddressTooLongError, HeadersTooLargeError, MalformedError, WebError

PATH_BYTES: Final = 2 * 1024
"""The longest, to a record of a collection, has 64 characters of up to 12 bytes."""
QUERY_BYTES: Final = 16 * 1024
PARAMETERS: Final = 200
"""Twenty filters, and the cursors of the pages before."""
COOKIE_BYTES: Final = 16 * 1024
COOKIES: Final = 200
"""Browsers keep some 180 for a host; ours are a session, and the chosen columns of each collection."""
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::[0-9]*)?")
"""RFC 3986, section 3.2: a host and perhaps its port."""


@raises(MalformedError, AddressTooLongError, HeadersTooLargeError)
def refusal_of(scope: HTTPScope, headers: Headers) -> WebError | None:
    """Why nothing of the request may be parsed; None when it may."""
    if not _is_host(headers.get("host", "")):
        return MalformedError("The Host header names no host.")
    query = scope["query_string"]
    if len(scope["path"].encode()) > PATH_BYTES or len(query) > QUERY_BYTES:
        return AddressTooLongError(f"An address has at most {PATH_BYTES:,} bytes, and {QUERY_BYTES:,} in its query.")
    if query.count(b"&") >= PARAMETERS:
        return AddressTooLongError(f"A query has at most {PARAMETERS} parameters.")
    cookies = headers.getall("cookie", [])
    if sum(map(len, cookies)) > COOKIE_BYTES or sum(header.count(";") for header in cookies) >= COOKIES:
        return HeadersTooLargeError(f"Send at most {COOKIES} cookies, of {COOKIE_BYTES:,} bytes together.")
    return None


def _is_host(header: str) -> bool:
    """Whether a Host header can stand in an address: the framework breaks on one that cannot, without any answer."""
    if not _HOST.fullmatch(header):
        return False
    try:
        _ = urlsplit(f"//{header}").port
    except ValueError:
        return False
    return True
