"""Files as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from vivero_web.errors import NotFoundError, TooLargeError, UnavailableError, WebError


class FileNotFoundHereError(NotFoundError):
    """The workspace has no such file."""

    def __init__(self) -> None:
        super().__init__("There is no such file.")


class FileTooLargeError(TooLargeError):
    """Exceeds the size limit for a single file, independent of the plan."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"A file may have at most {bound:,} bytes.")


class FileDamagedError(WebError):
    """What is in the bucket is not what was stored."""

    slug = "file-damaged"
    title = "The stored file is damaged"


class UploadsBusyError(UnavailableError):
    """Other uploads use the pod's temporary disk space."""

    def __init__(self) -> None:
        super().__init__("Other uploads are running; try again in a moment.")


class Place(StrEnum):
    """Whose a file is; in a list are only those of the first kind."""

    LIST = "list"
    SOURCE = "source"  # of an import
    RECORD = "record"


class StoredFile(msgspec.Struct, frozen=True):
    """A file in the bucket."""

    id: Annotated[str, msgspec.Meta(description="Where it is: `/api/v1/files/{id}`.")]
    name: Annotated[str, msgspec.Meta(description="As uploaded, without invisible characters.")]
    size: Annotated[int, msgspec.Meta(description="Of its content in bytes, before encryption.")]
    media_type: Annotated[
        str, msgspec.Meta(description="As uploaded; `application/octet-stream` if that was not a media type.")
    ]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was uploaded.")]
    created_by: Annotated[str, msgspec.Meta(description="E-mail of the uploader.")]
