"""Files as the API and the pages see them."""

from datetime import datetime

import msgspec


class StoredFile(msgspec.Struct, frozen=True):
    """A file in the bucket; `size` is of its content in bytes, before encryption."""

    id: str
    name: str
    size: int
    media_type: str
    created_at: datetime
    created_by: str
