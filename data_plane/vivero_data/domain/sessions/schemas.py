"""Sessions as the API and the pages see them."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import PathParameter
from vivero_web.errors import NotFoundError
from vivero_web.fields import LARGEST

LoginId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The session's number.")]


class SessionView(msgspec.Struct, frozen=True):
    """One login that has not ended."""

    id: Annotated[int, msgspec.Meta(description="Its number.")]
    device: Annotated[str, msgspec.Meta(description="What its person logged in with, in words.")]
    address: Annotated[
        str, msgspec.Meta(description="Where they logged in from, for IPv6 its /64 network; empty if not known.")
    ]
    created_at: Annotated[datetime, msgspec.Meta(description="When they logged in.")]
    last_seen_at: Annotated[
        datetime, msgspec.Meta(description="When it last got an access token, which one in use does every 15 minutes.")
    ]
    expires_at: Annotated[datetime, msgspec.Meta(description="When it ends if it is not used until then.")]
    current: Annotated[bool, msgspec.Meta(description="Whether this request belongs to it.")]


class SessionNotFoundError(NotFoundError):
    """The caller has no such session, or it has ended."""

    def __init__(self) -> None:
        super().__init__("You have no such session; it may have ended.")
