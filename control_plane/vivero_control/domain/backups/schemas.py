"""Backups and restores of a tenant as staff see them, and the orders of staff."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from vivero_core.model.naming import SLUG_MAX_LENGTH, SLUG_MIN_LENGTH
from vivero_web.fields import documented

from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX, Reason

TENANT_NAME_MAX: Final = 63

StepState = Literal["waiting", "running", "done", "failed"]
_Step = Annotated[StepState, Meta(description="`failed` ends the attempt; there are three.")]


class OperationState(StrEnum):
    """One word for how far a backup or a restore is."""

    WAITING = "waiting"
    """It cannot begin, or has not begun yet; `message` says what it waits for."""
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    REFUSED = "refused"
    """What was asked for cannot be done; `message` says what can."""
    PAUSED = "paused"

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more: then another try is another object."""
        return self in _ENDED


_ENDED: Final = frozenset({OperationState.COMPLETE, OperationState.FAILED, OperationState.REFUSED})


class StepView(Struct, frozen=True, kw_only=True):
    """One step of an operation."""

    name: Annotated[str, Meta(description="What it does, in one word.")]
    state: _Step
    message: Annotated[str, Meta(description="What came of it.")]
    started_at: Annotated[datetime | None, Meta(description="Null before it was started.")]
    finished_at: Annotated[datetime | None, Meta(description="Null before it has ended.")]


class OperationView(Struct, frozen=True, kw_only=True):
    """What backups and restores have in common."""

    name: Annotated[str, Meta(description="metadata.name of its object.")]
    tenant: Annotated[str, Meta(description="metadata.name of the Tenant whose data it is.")]
    state: OperationState
    reason: Annotated[str, Meta(description="Stable word for programs; empty before the operator has seen it.")]
    message: Annotated[str, Meta(description="What the operator says about it.")]
    steps: Annotated[tuple[StepView, ...], Meta(description="In the order in which they run; none before it begins.")]
    created_at: Annotated[datetime | None, Meta(description="When it was asked for.")]
    ended_at: Annotated[datetime | None, Meta(description="Null while it is under way.")]


class BackupView(OperationView, frozen=True, kw_only=True):
    """One backup: a TenantBackup."""

    scheduled: Annotated[bool, Meta(description="Whether the tenant's schedule made it, and not a person.")]
    taken_at: Annotated[datetime | None, Meta(description="The moment of its data.")]
    bytes: Annotated[int | None, Meta(description="Size of the dumps, as they are kept.")]
    files: Annotated[int | None, Meta(description="Stored files that belong to it.")]
    restorable: Annotated[bool, Meta(description="Whether it can be brought back.")]


class RestoreView(OperationView, frozen=True, kw_only=True):
    """What was brought back, or is being brought back: a TenantRestore."""

    backup: Annotated[str | None, Meta(description="Name of the backup; null for a second of the archived log.")]
    time: Annotated[
        datetime | None, Meta(description="The second that was asked for; null for the one of `created_at`.")
    ]
    in_place: Annotated[bool, Meta(description="Whether the tenant itself goes back.")]
    as_of: Annotated[bool, Meta(description="Whether it is shown beside the tenant, read only.")]
    url: Annotated[str | None, Meta(description="Where that is shown; null before and after.")]
    expires_at: Annotated[datetime | None, Meta(description="When that is closed by itself.")]
    target: Annotated[str | None, Meta(description="metadata.name of the Tenant that is made; null where none is.")]
    slug: Annotated[str | None, Meta(description="Its slug; null where none is made.")]
    switched_at: Annotated[
        datetime | None, Meta(description="When it took the place of the live data; a restore to then undoes it.")
    ]
    restored_to: Annotated[datetime | None, Meta(description="The moment of the data, once it is complete.")]
    files: Annotated[int | None, Meta(description="Stored files that were brought back.")]
    missing_files: Annotated[int | None, Meta(description="Stored files that were deleted for good since.")]


class Overview(Struct, frozen=True, kw_only=True):
    """What a page says of the operations of one tenant, or of all."""

    under_way: tuple[BackupView | RestoreView, ...]
    backups: tuple[BackupView, ...]
    """Those that have ended, the newest first, and only so many of them."""
    restores: tuple[RestoreView, ...]
    ended_backups: int
    """How many there are, listed or not."""
    ended_restores: int
    no_bucket: bool
    """The operator says that it has no backup bucket."""


class BackUp(Struct, frozen=True, kw_only=True):
    """Make a backup."""

    reason: Annotated[str, Meta(max_length=500, description="Why, in words; kept in the audit log.")] = ""


class Target(Struct, frozen=True, kw_only=True):
    """A Tenant that is made, with display name, plan and owner of the one that is brought back; that one itself; or a look."""

    slug: Annotated[
        str,
        documented("The first label of a new one's host name.", minLength=SLUG_MIN_LENGTH, maxLength=SLUG_MAX_LENGTH),
    ] = ""
    tenant: Annotated[
        str, documented("metadata.name of a new one; the slug when it is empty.", maxLength=TENANT_NAME_MAX)
    ] = ""
    in_place: Annotated[bool, Meta(description="The live data goes back; give neither slug nor tenant.")] = False
    as_of: Annotated[
        bool, Meta(description="It is shown beside the live one, read only, for a day; give neither slug nor tenant.")
    ] = False


Moment = (
    Annotated[datetime, Meta(tz=True, description="What was committed until this second, and nothing else.")] | None
)
BackupName = (
    Annotated[str, Meta(min_length=1, max_length=OBJECT_NAME_MAX, description="Name of a complete backup of it.")]
    | None
)


class BringBack(Struct, frozen=True, kw_only=True):
    """Bring a tenant back as it was: at a second, at a backup, or, with neither, as it is now."""

    reason: Reason
    target: Target
    time: Moment = None
    backup: BackupName = None
