"""The trash as the API and the pages see it."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import PathParameter, QueryParameter
from vivero_web.fields import LARGEST

EntryId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The entry's number.")]
Search = Annotated[str, QueryParameter(max_length=200, description="Part of what it is called; all when empty.")]


class TrashItem(msgspec.Struct, frozen=True):
    """Something that was deleted or changed, and can come back."""

    id: Annotated[int, msgspec.Meta(description="Its number in the trash.")]
    kind: Annotated[
        str,
        msgspec.Meta(
            description="`records`, `record_changes`, `field`, `field_change`, `collection`, `collection_change` or `view`."
        ),
    ]
    name: Annotated[str, msgspec.Meta(description="What it is, for people.")]
    records: Annotated[int, msgspec.Meta(description="How many records come back with it.")]
    deleted_at: Annotated[datetime, msgspec.Meta(description="When it was deleted or changed.")]
    by: Annotated[str, msgspec.Meta(description="The e-mail address of who did it.")]
    until: Annotated[datetime, msgspec.Meta(description="When it is removed for good.")]
    restorable: Annotated[bool, msgspec.Meta(description="Whether it can come back, as far as that is known.")]
    reason: Annotated[str | None, msgspec.Meta(description="Why it cannot.")] = None


class Restored(msgspec.Struct, frozen=True):
    """What came back."""

    kind: Annotated[str, msgspec.Meta(description="What kind of thing it is.")]
    name: Annotated[str, msgspec.Meta(description="What it is called.")]
    job: Annotated[int | None, msgspec.Meta(description="The job that is at it; null where it is done.")] = None
