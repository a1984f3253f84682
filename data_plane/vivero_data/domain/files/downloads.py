"""Downloads over the API and from pages: an attachment, with ranges and conditional requests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from litestar import Request
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_206_PARTIAL_CONTENT
from vivero_web.conditions import Conditions, continues, http_date, is_current, tag_of
from vivero_web.exchange import wants_head
from vivero_web.ranges import content_range, part_of
from vivero_web.security import FILE_POLICY

from vivero_data.domain.files.content import PICTURES, UNKNOWN
from vivero_data.domain.files.names import content_disposition
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.files.service import FileService

Content = Callable[[range | None], Awaitable[AsyncIterator[bytes]]]
"""Opens some bytes of a file, or all of them."""


async def download(  # noqa: PLR0913  what is asked for, on which conditions, and how it is shown
    request: Request[Any, Any, Any],
    files: FileService,
    file: StoredFile,
    conditions: Conditions,
    *,
    opaque: bool = False,
    inline: bool = False,
) -> Stream:
    """The response; `opaque` hides the file's type, `inline` lets a browser show a picture in its place.

    Raises:
        PreconditionFailedError: If-Match or If-Unmodified-Since does not hold.
        RangeNotSatisfiableError: the range is outside the file.
    """
    shown = inline and file.media_type in PICTURES
    media_type = file.media_type if shown or not opaque else UNKNOWN
    return await sent(request, file, partial(files.content, file), conditions, media_type, inline=shown)


async def sent(  # noqa: PLR0913  what is sent, on which conditions, and how it is shown
    request: Request[Any, Any, Any],
    file: StoredFile,
    content: Content,
    conditions: Conditions,
    media_type: str,
    *,
    inline: bool = False,
) -> Stream:
    """The response with `content`, or as much of it as was asked for.

    Raises:
        PreconditionFailedError, RangeNotSatisfiableError: as `download`.
    """
    headers = _headers(file)
    if inline:
        headers["content-disposition"] = "inline"
    conditions.check(headers["etag"])
    if wants_head(request.scope) or is_current(request.headers, headers):
        return Stream(_empty_body(), media_type=media_type, headers=headers)
    part = part_of(request.headers.get("range", ""), file.size) if continues(request.headers, headers) else None
    pieces = await content(part)
    if part is None:
        return Stream(pieces, media_type=media_type, headers=headers, status_code=HTTP_200_OK)
    headers |= {"content-length": str(len(part)), "content-range": content_range(part, file.size)}
    return Stream(pieces, media_type=media_type, headers=headers, status_code=HTTP_206_PARTIAL_CONTENT)


def _headers(file: StoredFile) -> dict[str, str]:
    """Of the full response. No content sniffing, no shared caching; no transformation, so that ranges fit together."""
    return {
        "accept-ranges": "bytes",
        "cache-control": "private, no-store, no-transform",
        "content-disposition": content_disposition(file.name),
        "content-length": str(file.size),
        "content-security-policy": FILE_POLICY,
        "etag": tag_of(file.id),  # a file's content is immutable
        "last-modified": http_date(file.created_at),
    }


async def _empty_body() -> AsyncIterator[bytes]:
    """An empty body for HEAD and 304: the bucket is not asked."""
    return
    yield
