"""Life of a tenant: a table of what becomes of it, by the state it is found in and by what is asked of it.

What a pass does (reconcile/pipeline.py) and which conditions it writes (tenant_conditions.py) follow from the state that the table
leads to. A pause is no state: it stops passes, of every kind, whatever the state. Nor is a refusal, of a slug that is
another's or a Plan that never was: nothing is done until that changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vivero_core.model import conditions as cond
from vivero_core.model.base import Metadata
from vivero_core.model.conditions import Condition, Status, is_true
from vivero_core.model.constants import ANNOTATION_PAUSED, ConditionType, Reason
from vivero_core.model.tenant import Tenant


class State(StrEnum):
    """Where a tenant is, or is to come."""

    NEW = "new"
    """Without an address, and not proven, or not lately. A tenant begins here, and no move leads back."""
    STANDBY = "standby"
    """A proven spare: complete, without a route."""
    CLAIMED = "claimed"
    """A spare that got route and owner; the rest of it is still to be looked at."""
    ACTIVE = "active"
    """In service at its address, well or not."""
    SUSPENDED = "suspended"
    """Kept, without a route and without pods."""
    DELETING = "deleting"
    """What it has is being kept or destroyed, as its deletion policy says."""
    LEAVING = "leaving"
    """It wanted data of another and never got it: it goes without touching any."""


class Event(StrEnum):
    """What is asked of a tenant."""

    STAND_BY = "stand by"
    """To be a spare until someone claims it."""
    CLAIM = "claim"
    """A customer got it from a pool, and it has no address yet."""
    SERVE = "serve"
    """To serve its owner."""
    TRIAL_ENDED = "TrialEnded"
    UNPAID = "Unpaid"
    SUBSCRIPTION_PAUSED = "SubscriptionPaused"
    ABUSE = "Abuse"
    MANUAL = "Manual"
    DELETE = "delete"
    """To go, and all that it has is its own."""
    LEAVE = "leave"
    """To go, and its id is that of data which it wanted to adopt and never got."""


@dataclass(frozen=True)
class Move:
    """The next state of a tenant, and the reason of its condition and event on success."""

    state: State
    reason: Reason


_SUSPENDED_OR_GONE: Final = {
    Event.TRIAL_ENDED: Move(State.SUSPENDED, Reason.TRIAL_ENDED),
    Event.UNPAID: Move(State.SUSPENDED, Reason.UNPAID),
    Event.SUBSCRIPTION_PAUSED: Move(State.SUSPENDED, Reason.SUBSCRIPTION_PAUSED),
    Event.ABUSE: Move(State.SUSPENDED, Reason.ABUSE),
    Event.MANUAL: Move(State.SUSPENDED, Reason.MANUAL),
    Event.DELETE: Move(State.DELETING, Reason.DELETING),
    Event.LEAVE: Move(State.LEAVING, Reason.DELETING),
}
_GOES: Final = Move(State.DELETING, Reason.DELETING)

TABLE: Final[Mapping[State, Mapping[Event, Move]]] = {
    State.NEW: {
        Event.STAND_BY: Move(State.STANDBY, Reason.PROVEN),
        Event.CLAIM: Move(State.ACTIVE, Reason.PROVEN),  # not proven: all of it has to be looked at
        Event.SERVE: Move(State.ACTIVE, Reason.PROVEN),
        **_SUSPENDED_OR_GONE,
    },
    State.STANDBY: {
        Event.STAND_BY: Move(State.STANDBY, Reason.PROVEN),
        Event.CLAIM: Move(State.CLAIMED, Reason.PROVEN),
        Event.SERVE: Move(State.ACTIVE, Reason.PROVEN),
        **_SUSPENDED_OR_GONE,
    },
    State.CLAIMED: {
        Event.STAND_BY: Move(State.STANDBY, Reason.PROVEN),
        Event.CLAIM: Move(State.ACTIVE, Reason.CLAIMED),  # its address was lost from the status
        Event.SERVE: Move(State.ACTIVE, Reason.CLAIMED),
        **_SUSPENDED_OR_GONE,
    },
    State.ACTIVE: {
        Event.STAND_BY: Move(State.STANDBY, Reason.PROVEN),
        Event.CLAIM: Move(State.ACTIVE, Reason.PROVEN),
        Event.SERVE: Move(State.ACTIVE, Reason.PROVEN),
        **_SUSPENDED_OR_GONE,
    },
    State.SUSPENDED: {
        Event.STAND_BY: Move(State.STANDBY, Reason.RESUMED),
        Event.CLAIM: Move(State.ACTIVE, Reason.RESUMED),
        Event.SERVE: Move(State.ACTIVE, Reason.RESUMED),
        **_SUSPENDED_OR_GONE,
    },
    # Kubernetes takes no deletion back.
    State.DELETING: {**dict.fromkeys(Event, _GOES), Event.LEAVE: Move(State.LEAVING, Reason.DELETING)},
    State.LEAVING: dict.fromkeys(Event, Move(State.LEAVING, Reason.DELETING)) | {Event.DELETE: _GOES},
}


def move(tenant: Tenant, now: datetime, proof_lasts: timedelta, *, bound: bool = False, own: bool = True) -> Move:
    """What is to become of it. `bound`: its claim was carried out, and no whole pass followed yet. `own`: its id is its own."""
    return TABLE[found(tenant, now, proof_lasts, bound=bound)][asked(tenant, own=own)]


def found(tenant: Tenant, now: datetime, proof_lasts: timedelta, *, bound: bool = False) -> State:
    """The state that it is in, as its status says."""
    if tenant.metadata.deletion_timestamp is not None:
        return State.DELETING
    if is_true(tenant.status.conditions, ConditionType.SUSPENDED):
        return State.SUSPENDED
    if bound:
        return State.CLAIMED
    if tenant.status.url is not None:
        return State.ACTIVE
    return State.STANDBY if proven(tenant, now, proof_lasts) else State.NEW


def asked(tenant: Tenant, *, own: bool = True) -> Event:
    """The event that follows from the spec, or from the deletion."""
    spec = tenant.spec
    if tenant.metadata.deletion_timestamp is not None:
        return Event.DELETE if own else Event.LEAVE
    if spec.suspended is not None:
        return Event(spec.suspended.reason)
    if tenant.is_spare:
        return Event.STAND_BY
    # Hosts of the customer's own may be someone else's: that takes a whole pass.
    return Event.CLAIM if spec.claimed_at is not None and tenant.status.url is None and not spec.hosts else Event.SERVE


def settled(tenant: Tenant) -> bool:
    """Whether its status says that the desired state is reached."""
    meta, status = tenant.metadata, tenant.status
    there = is_true(status.conditions, ConditionType.READY) or is_true(status.conditions, ConditionType.SUSPENDED)
    observed = status.observed_generation == meta.generation and meta.deletion_timestamp is None
    # A claimed spare is Ready from before; its address comes with route and owner.
    return there and observed and (tenant.is_spare or status.url is not None)


def in_service(tenant: Tenant) -> bool:
    """Whether it is expected to answer at its address: it has done so before, and nothing else is asked of it."""
    status = tenant.status
    served = status.url is not None and status.proven_at is not None
    return served and asked(tenant) is Event.SERVE and not is_true(status.conditions, ConditionType.SUSPENDED)


def awaited(tenant: Tenant) -> bool:
    """Whether someone waits for it: a signup that never was ready, or a spec that has just changed."""
    if tenant.is_spare or tenant.metadata.deletion_timestamp is not None:
        return False
    status = tenant.status
    return status.proven_at is None or status.url is None or status.observed_generation != tenant.metadata.generation


def proven(tenant: Tenant, now: datetime, proof_lasts: timedelta) -> bool:
    """Whether it worked when last looked at, and that is not too long ago."""
    status = tenant.status
    ready = is_true(status.conditions, ConditionType.READY)
    return ready and status.proven_at is not None and now - status.proven_at < proof_lasts


def paused(metadata: Metadata) -> bool:
    """Annotation vivero.dev/paused is `true`; nothing is made, changed or deleted for the object until it is not."""
    return metadata.annotations.get(ANNOTATION_PAUSED) == "true"


def shown(conditions: Sequence[Condition], metadata: Metadata, now: datetime, *, idle: str) -> tuple[Condition, ...]:
    """`conditions` with Paused while the object is, and without when it is not. `idle`: what is not done meanwhile."""
    if not paused(metadata):
        return cond.without(conditions, ConditionType.PAUSED)
    condition = Condition(
        type=ConditionType.PAUSED,
        status=Status.TRUE,
        reason=Reason.PAUSED,
        message=f"Reconciliation is paused by annotation {ANNOTATION_PAUSED}: no {idle}",
        last_transition_time=now,
        observed_generation=metadata.generation,
    )
    return cond.merge(conditions, [condition])
