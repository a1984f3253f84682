"""Comments as the API and the pages see them."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.fields import LARGEST, documented

LENGTH: Final = 4_000

CommentId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The comment's number.")]
Text = Annotated[str, documented("What it says, in any script and in several lines.", minLength=1, maxLength=LENGTH)]


class NewComment(msgspec.Struct, forbid_unknown_fields=True):
    """A comment to add, or its new text."""

    text: Text


class Comment(msgspec.Struct, frozen=True):
    """What somebody said about a record."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    text: Text
    author: Annotated[str, msgspec.Meta(description="The name of who said it.")]
    author_id: Annotated[int, msgspec.Meta(description="Their number among the users.")]
    created_at: Annotated[datetime, msgspec.Meta(description="When it was said.")]
    edited_at: Annotated[datetime | None, msgspec.Meta(description="When its text was changed last.")]


class RecordComment(Comment, frozen=True, kw_only=True):
    """A comment with what it is about."""

    record_id: int
