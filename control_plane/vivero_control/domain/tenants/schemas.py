"""Tenants as staff see them, the orders staff can give, and what a host name stands for."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Struct
from vivero_core.model.constants import SuspensionReason

T = TypeVar("T")

Reason = Annotated[str, Meta(min_length=3, max_length=500, description="Why, in words; kept in the audit log.")]

Generation = Annotated[
    int | None, Meta(description="Of the tenant as you saw it; when it has changed since, the answer is 409.")
]


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

    name: str
    id: str
    slug: Annotated[str | None, Meta(description="Null while nobody has claimed it; so are url and owner_email.")]
    display_name: str
    url: str | None
    plan: str
    owner_email: str | None
    state: TenantState
    message: Annotated[str, Meta(description="What the operator says about it.")]
    suspended_reason: SuspensionReason | None
    trial_ends_at: datetime | None
    version: str | None
    created_at: datetime | None


class ConditionView(Struct, frozen=True, kw_only=True):
    """One observation of the operator."""

    type: str
    status: str
    reason: str
    message: str
    since: datetime


class TenantDetail(Struct, frozen=True, kw_only=True):
    """A tenant with everything staff may know; never a credential."""

    tenant: TenantRow
    conditions: tuple[ConditionView, ...]
    hosts: tuple[str, ...]
    suspended_message: str
    deletion_policy: str
    database_server: str | None
    proven_at: datetime | None
    generation: Annotated[
        int, Meta(description="Give it back with an order to be told (409) when someone changed the tenant meanwhile.")
    ]


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list."""

    items: tuple[T, ...]
    total: Annotated[int, Meta(description="How many match, on all pages.")]
    limit: int
    offset: int


SortKey = Literal["name", "created_at", "plan", "state", "trial_ends_at"]


class TenantQuery(Struct, frozen=True, kw_only=True):
    """Which tenants, in which order, which part of them."""

    search: str = ""
    """Matches name, slug, display name, owner or id, anywhere, whatever the case."""
    plan: str | None = None
    state: TenantState | None = None
    """None: every customer's, so no spares."""
    sort: SortKey = "created_at"
    descending: bool = True
    limit: int = 50
    offset: int = 0


class Suspend(Struct, frozen=True, kw_only=True):
    """Take a tenant out of service; its data is kept."""

    reason: Reason
    kind: SuspensionReason = SuspensionReason.MANUAL
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
    plan: Annotated[str, Meta(min_length=1, max_length=253)]
    generation: Generation = None


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
