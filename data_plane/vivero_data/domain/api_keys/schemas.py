"""API keys as the API and the pages see them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.errors import ConflictError, NotFoundError
from vivero_web.fields import LARGEST, documented

from vivero_data.domain.users.schemas import Permission

NAME_MAX: Final = 80
MAX_KEYS: Final = 50
"""Of one person."""
DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 365
DEFAULT_OVERLAP_HOURS: Final = 24
MAX_OVERLAP_HOURS: Final = 7 * 24

KeyId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The key's number.")]


class Scope(StrEnum):
    """What a key may be made for: the permissions that need no person."""

    READ = Permission.READ.value
    WRITE_RECORDS = Permission.WRITE_RECORDS.value
    WRITE_FILES = Permission.WRITE_FILES.value
    MANAGE_COLLECTIONS = Permission.MANAGE_COLLECTIONS.value
    READ_AUDIT_LOG = Permission.READ_AUDIT_LOG.value


KeyName = Annotated[str, documented("What the key is for, as people read it.", minLength=1, maxLength=NAME_MAX)]
Scopes = Annotated[
    list[Scope],
    msgspec.Meta(
        max_length=len(Scope),
        description="What the key may do, and never more than its maker may at that moment. Every key may read.",
    ),
]
Days = Annotated[
    int,
    msgspec.Meta(
        ge=1, le=MAX_DAYS, description="For how many days it is good; so many again when its secret is rotated."
    ),
]


class ApiKey(msgspec.Struct, frozen=True):
    """One key, without its secret, which nobody can see again."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    name: KeyName
    prefix: Annotated[str, msgspec.Meta(description="How its secrets begin; the audit log names it.")]
    scopes: Scopes
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    expires_at: Annotated[datetime, msgspec.Meta(description="Until when it is good.")]
    valid_days: Days
    last_used_at: Annotated[
        datetime | None, msgspec.Meta(description="When it was used last, to the minute; null if never.")
    ] = None
    previous_until: Annotated[
        datetime | None, msgspec.Meta(description="Until when the secret from before its rotation is good as well.")
    ] = None


class CreatedApiKey(ApiKey, frozen=True, kw_only=True):
    """A key with its secret: this answer is the only one that has it."""

    token: Annotated[str, msgspec.Meta(description="Send it as `Authorization: Bearer …`.")]


class NewApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make."""

    name: KeyName
    scopes: Scopes = []
    valid_days: Days = DEFAULT_DAYS


class ApiKeyChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; absent fields stay as they are."""

    name: KeyName | None = None


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the secret from before ends."""

    overlap_hours: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=MAX_OVERLAP_HOURS, description="For how many hours the secret from before is good as well."
        ),
    ] = DEFAULT_OVERLAP_HOURS

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)


class KeyNotFoundError(NotFoundError):
    """The caller has no such key."""

    def __init__(self) -> None:
        super().__init__("You have no such API key.")


class TooManyKeysError(ConflictError):
    """Nobody needs that many; a program that makes them would fill the table."""

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_KEYS} API keys; revoke one first.")
