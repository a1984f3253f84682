"""API keys of staff as the API and the pages see them."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_web.api_keys import DEFAULT_DAYS, Days, KeyName

from vivero_control.domain.staff.schemas import Scope

MARK: Final = "vivst_"
"""How the keys of staff begin; those of a workspace begin otherwise."""

Scopes = Annotated[
    list[Scope],
    Meta(
        max_length=len(Scope),
        description="What the key may do, and never more than its owner may at that moment. Every key may read.",
    ),
]


class StaffApiKey(Struct, frozen=True, kw_only=True):
    """One key, without its secret, which nobody can see again."""

    id: Annotated[int, Meta(description="Its number, which never changes.")]
    name: KeyName
    prefix: Annotated[str, Meta(description="How its secrets begin; the audit log names it.")]
    scopes: Scopes
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    expires_at: Annotated[datetime, Meta(description="Until when it is good.")]
    valid_days: Days
    last_used_at: Annotated[
        datetime | None, Meta(description="When it was used last, to the minute; null if never.")
    ] = None
    previous_until: Annotated[
        datetime | None, Meta(description="Until when the secret from before its rotation is good as well.")
    ] = None


class CreatedStaffApiKey(StaffApiKey, frozen=True, kw_only=True):
    """A key with its secret: this answer is the only one that has it."""

    token: Annotated[str, Meta(description="Send it as `Authorization: Bearer …`.")]

    def __repr__(self) -> str:
        """Without the secret: a repr ends in logs."""
        return "CreatedStaffApiKey(…)"


class NewStaffApiKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make."""

    name: KeyName
    scopes: Scopes = []
    valid_days: Days = DEFAULT_DAYS


class StaffApiKeyList(Struct, frozen=True, kw_only=True):
    """The caller's keys."""

    items: Annotated[tuple[StaffApiKey, ...], Meta(description="All of them, the newest first.")]
