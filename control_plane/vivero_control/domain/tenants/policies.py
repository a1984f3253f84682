"""Decisions about tenants: what state one is in, what an action changes. No I/O, the time passed in."""

from datetime import datetime, timedelta
from typing import Any, Final

from vivero_core.model import conditions
from vivero_core.model.constants import PLAN_TRIAL, ConditionType, DeletionPolicy, SuspensionReason
from vivero_core.model.own_hosts import HOSTS_MAX
from vivero_core.model.tenant import Tenant
from vivero_web.clock import in_utc
from vivero_web.errors import InvalidInputError
from vivero_web.text import company_problem

from vivero_control.domain.tenants.errors import WrongStateError
from vivero_control.domain.tenants.schemas import ChangePlan, ExtendTrial, RecoveryView, Suspend, TenantState

LONGEST_EXTENSION: Final = timedelta(days=366)
PROOF_MAX_AGE: Final = timedelta(hours=1)
"""Twice the age at which the operator renews a proof: an older one is not being renewed, so it proves nothing."""

CONFIRM_WITHIN: Final = timedelta(days=7)
"""A trial is closed then whose owner has not confirmed the address."""

LIFTED_BY_PAYMENT: Final = frozenset(
    {SuspensionReason.TRIAL_ENDED, SuspensionReason.UNPAID, SuspensionReason.SUBSCRIPTION_PAUSED}
)
"""A suspension by hand or for abuse stays."""

Patch = dict[str, Any]
"""A merge patch of the spec; None removes a field."""


def is_ready(tenant: Tenant) -> bool:
    """Proved for what the spec says now."""
    ready = conditions.find(tenant.status.conditions, ConditionType.READY)
    return (
        conditions.is_true(tenant.status.conditions, ConditionType.READY)
        and ready is not None
        and max(ready.observed_generation, tenant.status.observed_generation) >= tenant.metadata.generation
    )


def claimable(tenant: Tenant, now: datetime) -> bool:
    """Whether it is a spare that was seen to work lately."""
    proven = tenant.status.proven_at
    return (
        tenant.is_spare
        and tenant.metadata.deletion_timestamp is None
        and tenant.spec.suspended is None
        and is_ready(tenant)
        and proven is not None
        and now - proven <= PROOF_MAX_AGE
    )


def state_of(tenant: Tenant) -> TenantState:
    if tenant.is_spare:
        return TenantState.STANDBY
    if tenant.metadata.deletion_timestamp is not None:
        return TenantState.DELETING
    if tenant.spec.suspended is not None:
        return TenantState.SUSPENDED
    ready = conditions.is_true(tenant.status.conditions, ConditionType.READY)
    return TenantState.READY if ready else TenantState.STARTING


def message_of(tenant: Tenant) -> str:
    """What the operator says about the whole; a suspended Tenant has no condition Ready that could say it."""
    ready = conditions.find(tenant.status.conditions, ConditionType.READY)
    return tenant.status.message or (ready.message if ready else "")


def timestamp(moment: datetime) -> str:
    """As Kubernetes writes it: UTC, whole seconds."""
    return in_utc(moment).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def suspend(tenant: Tenant, action: Suspend) -> Patch:
    check_changeable(tenant)
    if tenant.spec.suspended is not None:
        raise WrongStateError(f"It is suspended already ({tenant.spec.suspended.reason}).")
    return {"suspended": {"reason": str(action.kind), "message": action.message}}


def resume(tenant: Tenant, now: datetime) -> Patch:
    check_changeable(tenant)
    if tenant.spec.suspended is None:
        raise WrongStateError("It is not suspended.")
    if trial_over(tenant, now):
        raise WrongStateError("Its trial has ended: extend the trial, or change the plan.")
    _require_confirmed(tenant, now)
    return {"suspended": None}


def extend_trial(tenant: Tenant, action: ExtendTrial, now: datetime) -> Patch:
    check_changeable(tenant)
    if tenant.spec.plan != PLAN_TRIAL:
        raise WrongStateError("It is not on a trial.")
    if not now < action.trial_ends_at <= now + LONGEST_EXTENSION:
        sentence = f"Choose a day in the future, at most {LONGEST_EXTENSION.days} days ahead."
        raise InvalidInputError.of("trial_ends_at", sentence)
    _require_confirmed(tenant, now)
    return {"trialEndsAt": timestamp(action.trial_ends_at)} | _without_trial_suspension(tenant)


def change_plan(tenant: Tenant, action: ChangePlan, trial_ends_at: datetime | None) -> Patch:
    """`trial_ends_at` is for a plan that is a trial, else None."""
    check_changeable(tenant)
    if tenant.spec.plan == action.plan:
        raise WrongStateError(f"It is on the plan “{action.plan}” already.")
    ends = timestamp(trial_ends_at) if trial_ends_at and action.plan == PLAN_TRIAL else None
    return {"plan": action.plan, "trialEndsAt": ends} | _without_trial_suspension(tenant)


def rename(tenant: Tenant, name: str) -> Patch:
    """`name` is tidied."""
    check_changeable(tenant)
    if problem := company_problem(name):
        raise InvalidInputError.of("display_name", problem)
    if tenant.spec.display_name == name:
        raise WrongStateError("It has this name already.")
    return {"displayName": name}


def add_host(tenant: Tenant, host: str, base_domain: str) -> Patch:
    """`host` as own_hosts.typed_host gives it."""
    check_changeable(tenant)
    if host == base_domain or host.endswith(f".{base_domain}"):
        raise InvalidInputError.of("host", f"Names below {base_domain} are addresses of workspaces. Use one of yours.")
    if host in tenant.spec.hosts:
        raise WrongStateError("It is in the list already.")
    if len(tenant.spec.hosts) >= HOSTS_MAX:
        raise WrongStateError(f"A workspace has at most {HOSTS_MAX} names of its own. Remove one first.")
    return {"hosts": [*tenant.spec.hosts, host]}


def remove_host(tenant: Tenant, host: str) -> Patch:
    """Its certificate, where a person has brought one, is taken out with it."""
    check_changeable(tenant)
    if host not in tenant.spec.hosts:
        raise WrongStateError("It is not in the list.")
    patch: Patch = {"hosts": [one for one in tenant.spec.hosts if one != host]}
    certificates = [one for one in tenant.spec.host_certificates if one.host != host]
    if len(certificates) != len(tenant.spec.host_certificates):
        patch["hostCertificates"] = [one.dump() for one in certificates]
    return patch


def delete(tenant: Tenant) -> Patch:
    """Before its Tenant is deleted: the data is kept for the undo window of its plan, and erased then."""
    check_changeable(tenant)
    return {"deletionPolicy": str(DeletionPolicy.DELETE)}


def is_unconfirmed(tenant: Tenant) -> bool:
    """Whether its owner has still to show that mail reaches them."""
    owner = tenant.spec.owner
    return owner is not None and not owner.confirmed and tenant.metadata.deletion_timestamp is None


def closed_by_staff(tenant: Tenant) -> bool:
    """Whether people who run the platform have closed it, so that no payment and no owner opens it."""
    suspended = tenant.spec.suspended
    return suspended is not None and suspended.reason not in LIFTED_BY_PAYMENT


def confirm_by(tenant: Tenant) -> datetime | None:
    """When a trial whose owner has not confirmed the address is closed; None when it is not for that."""
    begun = tenant.spec.claimed_at or tenant.metadata.creation_timestamp
    if tenant.spec.plan != PLAN_TRIAL or begun is None or not is_unconfirmed(tenant):
        return None
    return in_utc(begun) + CONFIRM_WITHIN


def confirm_owner(tenant: Tenant, now: datetime) -> Patch:
    """Mail reaches the owner; a trial that was closed and goes on is opened again."""
    return {"owner": {"confirmed": True}} | ({} if trial_over(tenant, now) else _without_trial_suspension(tenant))


def confirm_for_owner(tenant: Tenant, now: datetime) -> Patch:
    """The same by staff, who look first whether there is anything to confirm."""
    check_changeable(tenant)
    if not is_unconfirmed(tenant):
        raise WrongStateError("There is no address of an owner that is still to be confirmed.")
    return confirm_owner(tenant, now)


def trial_end(tenant: Tenant) -> datetime | None:
    """When its trial is over, in UTC: as the spec says, else as the operator worked out for this very spec."""
    if tenant.spec.plan != PLAN_TRIAL:
        return None
    current = tenant.status.observed_generation >= tenant.metadata.generation
    ends = tenant.spec.trial_ends_at or (tenant.status.trial_ends_at if current else None)
    return in_utc(ends) if ends else None


def trial_over(tenant: Tenant, now: datetime) -> bool:
    ends = trial_end(tenant)
    return ends is not None and ends <= now


def _require_confirmed(tenant: Tenant, now: datetime) -> None:
    """Raises WrongStateError for a trial that would be closed again within minutes."""
    until = confirm_by(tenant)
    if until is not None and until <= now:
        raise WrongStateError("Its owner has not confirmed the e-mail address: that comes first.")


def _without_trial_suspension(tenant: Tenant) -> Patch:
    """Who gets a longer trial or pays is let in again; other suspensions stay."""
    suspended = tenant.spec.suspended
    return {"suspended": None} if suspended and suspended.reason is SuspensionReason.TRIAL_ENDED else {}


def check_changeable(tenant: Tenant) -> None:
    """Raises WrongStateError for one that takes no orders."""
    if tenant.is_spare:
        raise WrongStateError("It is a spare that nobody has signed up for: its pool alone decides about it.")
    if tenant.metadata.deletion_timestamp is not None:
        raise WrongStateError("It is being deleted.")


def tenant_subject(name: str) -> str:
    """The audit log's name for a tenant, by the name of its Tenant."""
    return f"tenant/{name}"


def signup_subject(digest: str) -> str:
    """The audit log's name for a tenant by its signup, while the Tenant's name is not known."""
    return f"signup/{digest}"


def recovery_of(tenant: Tenant) -> RecoveryView | None:
    """What the operator says can be brought back; None before it has said anything."""
    found = tenant.status.recovery
    if found is None:
        return None
    return RecoveryView(
        begins=found.begins,
        ends=found.ends,
        last_proof=found.last_proof,
        proof_result=found.proof_result,
        message=found.message or "",
    )
