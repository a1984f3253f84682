"""API keys as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.api_keys import DEFAULT_DAYS, Days, KeyName
from vivero_web.fields import LARGEST

from vivero_data.domain.users.schemas import Permission

MARK: Final = "viv_"
"""How the keys of a workspace begin."""

KeyId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The key's number.")]


class Scope(StrEnum):
    """What a key may be made for: the permissions that need no person."""

    READ = Permission.READ.value
    WRITE_RECORDS = Permission.WRITE_RECORDS.value
    WRITE_FILES = Permission.WRITE_FILES.value
    MANAGE_COLLECTIONS = Permission.MANAGE_COLLECTIONS.value
    READ_AUDIT_LOG = Permission.READ_AUDIT_LOG.value


Scopes = Annotated[
    list[Scope],
    msgspec.Meta(
        max_length=len(Scope),
        description="What the key may do, and never more than its maker may at that moment. Every key may read.",
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
