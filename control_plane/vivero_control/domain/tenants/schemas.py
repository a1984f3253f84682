"""Tenants as staff see them, the actions of staff, and what a host name stands for."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Generic, Literal, TypeVar

from msgspec import Meta, Struct, field
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.naming import DISPLAY_NAME_MAX_LENGTH, HOST_MAX_LENGTH
from vivero_web.fields import LARGEST

T = TypeVar("T")

Reason = Annotated[str, Meta(min_length=3, max_length=500, description="Why, in words; kept in the audit log.")]

OBJECT_NAME_MAX: Final = 253
"""Characters of the longest name in a cluster."""

Generation = (
    Annotated[int, Meta(ge=1, le=LARGEST, description="Of the tenant as you saw it; 409 when it has changed since.")]
    | None
)


class TenantState(StrEnum):
    """One word for where a tenant stands."""

    STARTING = "starting"
    READY = "ready"
    SUSPENDED = "suspended"
    DELETING = "deleting"
    STANDBY = "standby"
    """A spare of a pool: finished, and nobody's yet."""
    UNREADABLE = "unreadable"
    """It holds something that this program cannot read; `message` says what."""


class TenantRow(Struct, frozen=True, kw_only=True):
    """One line of the tenants page."""

    name: Annotated[str, Meta(description="metadata.name of the Tenant.")]
    id: Annotated[str, Meta(description="What its database, bucket and namespace are named by.")]
    slug: Annotated[str | None, Meta(description="Null until it is claimed; so are url and owner_email.")]
    display_name: Annotated[str, Meta(description="The company's name.")]
    url: Annotated[str | None, Meta(description="Where it is, or will be.")]
    plan: Annotated[str, Meta(description="Name of its plan.")]
    owner_email: Annotated[str | None, Meta(description="E-mail of the owner.")]
    owner_confirmed: Annotated[
        bool,
        Meta(description="Whether mail is known to reach the owner; until then the workspace mails nothing to others."),
    ]
    state: TenantState
    message: Annotated[str, Meta(description="What the operator says about it.")]
    suspended_reason: Annotated[SuspensionReason | None, Meta(description="Null while it is in service.")]
    trial_ends_at: Annotated[datetime | None, Meta(description="Null when it is on no trial.")]
    version: Annotated[str | None, Meta(description="Of the program that it runs; null before the first.")]
    created_at: Annotated[datetime | None, Meta(description="When its Tenant was made.")]


class ConditionView(Struct, frozen=True, kw_only=True):
    """One observation of the operator."""

    type: Annotated[str, Meta(description="What is observed, such as `DatabaseReady`.")]
    status: Annotated[str, Meta(description="`True`, `False` or `Unknown`.")]
    reason: Annotated[str, Meta(description="Stable word for programs.")]
    message: Annotated[str, Meta(description="A sentence for people.")]
    since: Annotated[datetime, Meta(description="When its status changed last.")]


ProofResult = Literal["Passed", "Failed", "Refused"]


class RecoveryView(Struct, frozen=True, kw_only=True):
    """To which seconds a tenant can be brought back, and whether that was tried."""

    begins: Annotated[datetime | None, Meta(description="The first second; null before the first proof passed.")] = (
        field(name="from")
    )
    ends: Annotated[datetime | None, Meta(description="At least up to here; null while no archiver has said so.")] = (
        field(name="to")
    )
    last_proof: Annotated[datetime | None, Meta(description="When the last proof ended; null before the first.")]
    proof_result: Annotated[
        ProofResult | None,
        Meta(description="`Passed`: what the archive restored was the same as the live data."),
    ]
    message: Annotated[str, Meta(description="What the last proof said.")]


class TenantDetail(Struct, frozen=True, kw_only=True):
    """A tenant with everything staff may know; never a credential."""

    tenant: TenantRow
    uid: Annotated[str, Meta(description="metadata.uid of the Tenant: another one of this name has another.")]
    conditions: Annotated[tuple[ConditionView, ...], Meta(description="All that the operator has observed.")]
    hosts: Annotated[tuple[str, ...], Meta(description="The customer's own ones.")]
    suspended_message: Annotated[str, Meta(description="Message to visitors; empty while it is in service.")]
    deletion_policy: Annotated[str, Meta(description="What becomes of its data when it is deleted.")]
    database_server: Annotated[str | None, Meta(description="Which one its schema is on; null before it is placed.")]
    proven_at: Annotated[datetime | None, Meta(description="When the operator last used all of it with success.")]
    recovery: Annotated[RecoveryView | None, Meta(description="Null while nothing of it is archived.")]
    generation: Annotated[
        int, Meta(description="Send it with an action to get 409 if the tenant was changed meanwhile.")
    ]


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list."""

    items: Annotated[tuple[T, ...], Meta(description="At most `limit` of them.")]
    total: Annotated[int, Meta(description="How many match, on all pages.")]
    limit: Annotated[int, Meta(description="As it was asked for.")]
    offset: Annotated[int, Meta(description="As it was asked for.")]


TRIAL_SOON: Final = timedelta(days=3)
"""From here on a trial's end is shown in amber; the mail before the end goes out then, too."""


class Only(StrEnum):
    """Tenants that want a look for one reason."""

    TRIAL_ENDING = "trial-ending"
    """Within TRIAL_SOON."""
    UNCONFIRMED = "unconfirmed"
    """The owner's address is not confirmed."""


SortKey = Literal["name", "created_at", "plan", "state", "trial_ends_at"]


class TenantQuery(Struct, frozen=True, kw_only=True):
    """Which tenants, in which order, which part of them."""

    search: str = ""
    """Matches name, slug, display name, owner or id, anywhere, whatever the case."""
    plan: str | None = None
    state: TenantState | None = None
    """None: every customer's, so no spares."""
    only: Only | None = None
    sort: SortKey = "created_at"
    descending: bool = True
    limit: int = 50
    offset: int = 0


class Suspend(Struct, frozen=True, kw_only=True):
    """Take a tenant out of service; its data is kept."""

    reason: Reason
    kind: Annotated[SuspensionReason, Meta(description="Why, as a word for programs.")] = SuspensionReason.MANUAL
    message: Annotated[str, Meta(max_length=500, description="Shown to visitors instead of the workspace.")] = ""
    generation: Generation = None


class Resume(Struct, frozen=True, kw_only=True):
    """Put a suspended tenant back into service."""

    reason: Reason
    generation: Generation = None


class ExtendTrial(Struct, frozen=True, kw_only=True):
    """Let a trial end later; a tenant that was suspended because its trial ended is resumed."""

    reason: Reason
    trial_ends_at: Annotated[datetime, Meta(tz=True, description="The new end: in the future, at most a year ahead.")]
    generation: Generation = None


class ChangePlan(Struct, frozen=True, kw_only=True):
    """Move a tenant to another plan; limits change without a restart."""

    reason: Reason
    plan: Annotated[str, Meta(min_length=1, max_length=OBJECT_NAME_MAX, description="Name of the new plan.")]
    generation: Generation = None


class Rename(Struct, frozen=True, kw_only=True):
    """Show another name for a tenant; its address stays."""

    reason: Reason
    display_name: Annotated[str, Meta(min_length=1, max_length=DISPLAY_NAME_MAX_LENGTH, description="The new name.")]
    generation: Generation = None


class OwnHostOrder(Struct, frozen=True, kw_only=True):
    """Serve a workspace under a name of the customer's, too, or no more."""

    reason: Reason
    host: Annotated[str, Meta(min_length=1, max_length=HOST_MAX_LENGTH, description="The host name.")]
    generation: Generation = None


Action = Suspend | Resume | ExtendTrial
"""What can be given to one tenant, or to several at once."""


class ConfirmOwner(Struct, frozen=True, kw_only=True):
    """Vouch that mail reaches the owner, who could not follow a link."""

    reason: Reason
    generation: Generation = None


class Delete(Struct, frozen=True, kw_only=True):
    """Delete a tenant; its data is kept for the undo window of its plan."""

    reason: Reason


class HostState(StrEnum):
    """Why a request for a workspace's host arrived here instead of there."""

    SUSPENDED = "suspended"
    STARTING = "starting"
    """For the first time."""
    AWAY = "away"
    """It has worked before, and no pod of it answers."""
    UNKNOWN = "unknown"
    UNSURE = "unsure"
    """This process has just started: it knows no hosts yet."""


class HostStatus(Struct, frozen=True, kw_only=True):
    """What the page at a workspace's host has to say."""

    host: str
    state: HostState
    display_name: str = ""
    reason: SuspensionReason | None = None
    message: str = ""
    account_url: str = ""
    """Where its owner pays for it; empty where a payment would not open it, or nothing is sold."""
