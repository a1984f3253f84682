"""Files as the API and the pages see them."""

from datetime import datetime
from typing import Annotated

import msgspec


class StoredFile(msgspec.Struct, frozen=True):
    """A file in the bucket."""

    id: Annotated[str, msgspec.Meta(description="Where it is: `/api/v1/files/{id}`.")]
    name: Annotated[str, msgspec.Meta(description="As it was sent, without what nobody sees.")]
    size: Annotated[int, msgspec.Meta(description="Of its content in bytes, before encryption.")]
    media_type: Annotated[
        str, msgspec.Meta(description="As it was sent; `application/octet-stream` when that was no media type.")
    ]
    created_at: Annotated[datetime, msgspec.Meta(description="When it came.")]
    created_by: Annotated[str, msgspec.Meta(description="E-mail of who sent it.")]
