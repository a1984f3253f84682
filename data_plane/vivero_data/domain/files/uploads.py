"""Uploads: a multipart form is read in pieces, spooled to disk, and stored.

The caller is authenticated by then (guards). The route limits the size of the form; this module those of the file and
of the other parts.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from litestar.datastructures import UploadFile
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)
from vivero_web.errors import InvalidInputError, MalformedError, TooLargeError
from vivero_web.security import MULTIPART, require_media_type

from vivero_data.domain.auth.guards import AnyRequest
from vivero_data.domain.files.schemas import FileTooLargeError
from vivero_data.domain.files.service import FileService

T = TypeVar("T")

FIELD: Final = "file"
OTHER_PARTS_BYTES: Final = 64 * 1024
"""Limit for everything but the file: boundaries, headers, and other parts."""

_PARTS: Final = 20  # the form has one; programs add a few
_HEADERS: Final = 8  # of a part; three are defined
_HEADER_BYTES: Final = 4096  # a file's name may be long
_BOUNDARY: Final = re.compile(r"[!-~]([ -~]{0,68}[!-~])?")


async def receive(request: AnyRequest, files: FileService, store: Callable[[UploadFile], Awaitable[T]]) -> T:
    """Read the form's file and store it.

    Raises:
        InvalidInputError: the form has no file.
        WebError: as `sent_file`, `FileService.upload_slot` and `store`.
    """
    async with files.upload_slot(), sent_file(request, files.max_bytes) as sent:
        if sent is None:
            raise InvalidInputError.of(FIELD, "is missing")
        return await store(sent)


@asynccontextmanager
async def sent_file(request: AnyRequest, longest: int) -> AsyncIterator[UploadFile | None]:
    """The form's first file part `file`, of at most `longest` bytes; deleted at the end of the block.

    Raises:
        UnsupportedMediaTypeError: the body is not a multipart form.
        MalformedError: the form is not well-formed.
        TooLargeError: the file, or the other parts.
    """
    async with sent_form(request, longest) as form:
        yield form.file


@asynccontextmanager
async def sent_form(request: AnyRequest, longest: int) -> AsyncIterator["SentForm"]:
    """The form with its file, which is deleted at the end of the block, and its texts; errors as `sent_file`."""
    require_media_type(request, MULTIPART)
    form = SentForm(longest)
    try:
        await _parse(request, form)
        if form.file is not None:
            await form.file.seek(0)
        yield form
    finally:
        if form.file is not None:
            await form.file.close()


class SentForm:
    """Collects the file and the texts of a form."""

    def __init__(self, longest: int) -> None:
        self.file: UploadFile | None = None
        self._longest = longest
        self._size = self._beside = 0
        self._inside = False
        self._name: str | None = None
        self._texts: dict[str, bytearray] = {}

    @property
    def texts(self) -> dict[str, str]:
        """The other parts by name.

        Raises:
            MalformedError: one is no UTF-8.
        """
        try:
            return {name: text.decode() for name, text in self._texts.items()}
        except UnicodeDecodeError as error:
            raise MalformedError("The form's texts must be UTF-8.") from error

    async def take(self, event: MultipartSegment | bytes | None) -> None:
        """Handle a parser event: a part's headers, data, or end."""
        if isinstance(event, MultipartSegment):
            self._inside = event.name == FIELD and bool(event.filename) and self.file is None
            self._name = None if event.filename is not None else event.name
            if self._inside:
                self.file = UploadFile(event.content_type or "", event.filename)
        elif event and self._inside and self.file is not None:
            self._size += len(event)
            if self._size > self._longest:
                raise FileTooLargeError(self._longest)
            await self.file.write(event)
        elif event:
            self._beside += len(event)
            if self._beside > OTHER_PARTS_BYTES:
                raise TooLargeError(f"Beside the file, a form has at most {OTHER_PARTS_BYTES:,} bytes.")
            if self._name is not None:
                self._texts.setdefault(self._name, bytearray()).extend(event)


async def _parse(request: AnyRequest, form: SentForm) -> None:
    boundary = request.content_type[1].get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise MalformedError("The content type names no boundary of 1 to 70 characters.")
    try:
        with PushMultipartParser(
            boundary, max_segment_count=_PARTS, max_header_count=_HEADERS, max_header_size=_HEADER_BYTES
        ) as parser:
            async for piece in request.stream():
                for event in parser.parse(piece) if piece else ():
                    await form.take(event)
    except ParserLimitReached as error:
        raise TooLargeError(f"A form has at most {_PARTS} parts, with a few short headers each.") from error
    except MultipartError as error:
        raise MalformedError("The form is not well-formed multipart.") from error
