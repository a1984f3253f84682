"""How far a workspace is, read from its Tenant: pure."""

from typing import Final, Literal

from vivero_core.model import conditions
from vivero_core.model.conditions import Condition
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.tenant import Tenant

from vivero_control.domain.signups.schemas import Step
from vivero_control.domain.tenants.policies import is_ready
from vivero_control.jobs.repository import DEAD, DONE

StepName = Literal["database", "storage", "cache", "workload", "route", "owner", "ready"]
SignupState = Literal["provisioning", "ready", "failed"]
StepState = Literal["waiting", "running", "done", "failed"]

STEPS: Final[tuple[tuple[StepName, str, ConditionType], ...]] = (
    ("database", "Database", ConditionType.DATABASE_READY),
    ("storage", "File storage", ConditionType.STORAGE_READY),
    ("cache", "Cache", ConditionType.CACHE_READY),
    ("workload", "Application", ConditionType.WORKLOAD_READY),
    ("route", "Address", ConditionType.ROUTE_READY),
    ("owner", "Your account", ConditionType.OWNER_READY),
    ("ready", "Everything checked", ConditionType.READY),
)

# Conditions that a spare has, but that say nothing about its customer yet.
_OF_THE_CUSTOMER: Final = frozenset({ConditionType.ROUTE_READY, ConditionType.OWNER_READY, ConditionType.READY})

# Only these never pass by themselves: another Tenant has the name, and was there first.
_PERMANENT: Final = frozenset({Reason.SLUG_TAKEN, Reason.HOST_TAKEN})


def permanent_failure(tenant: Tenant) -> str | None:
    """Why it will never be ready, in words; None when it may."""
    found = (one for one in tenant.status.conditions if one.reason in _PERMANENT)
    return next((one.message or one.reason for one in found), None)


MISSING: Final = {
    DONE: "This workspace does not exist any more.",
    DEAD: "Your workspace could not be made. Please sign up again, or ask the people who run Vivero.",
}
"""Why there is no Tenant long after a signup, by the state of its job; a pending one is no failure."""
RETRIED: Final = (
    "Your order is kept. A part of the platform does not answer, so it is tried again and again. "
    "If your workspace cannot be made, you get a mail."
)


def overall(
    tenant: Tenant | None, failure: str | None, *, reachable: bool, retried: bool = False
) -> tuple[SignupState, str]:
    """The state of a signup and a sentence about it.

    `failure` says why there will be no workspace, `reachable` whether a ready one answers at its public address, `retried`
    whether provisioning failed so far and is retried.
    """
    if failure:
        return "failed", failure
    if tenant is None:
        return "provisioning", RETRIED if retried else "Your workspace is being prepared."
    if sentence := permanent_failure(tenant):
        return "failed", sentence
    if tenant.spec.suspended is not None:
        return "ready", "Your workspace is closed at the moment."
    if is_ready(tenant) and reachable:
        return "ready", "Your workspace is ready."
    return "provisioning", "Your workspace is being prepared."


def steps(tenant: Tenant | None, *, reachable: bool) -> tuple[Step, ...]:
    """Each part of the workspace; without a Tenant all of them wait, and the last one until it is `reachable`."""
    if tenant is None:
        return tuple(Step(name=name, label=label, state="waiting") for name, label, _ in STEPS)
    current = tenant.status.observed_generation >= tenant.metadata.generation
    found = {one.type: one for one in tenant.status.conditions if current or one.type not in _OF_THE_CUSTOMER}
    parts = tuple(_step(name, label, found.get(kind)) for name, label, kind in STEPS[:-1])
    name, label, kind = STEPS[-1]
    last = _step(name, label, found.get(kind) if reachable else None)
    closed = tenant.spec.suspended is not None  # such a Tenant has no condition Ready
    if last.state == "running" and (closed or any(part.state != "done" for part in parts)):
        last = Step(name=name, label=label, state="waiting")
    return (*parts, last)


def _step(name: StepName, label: str, condition: Condition | None) -> Step:
    if condition is None:
        return Step(name=name, label=label, state="running")
    done = condition.status is conditions.Status.TRUE
    state: StepState = "done" if done else "failed" if condition.reason in _PERMANENT else "running"
    finished = condition.last_transition_time if done else None
    # The message of a part that is done repeats its label.
    message = "" if done else condition.message
    return Step(name=name, label=label, state=state, message=message, finished_at=finished)
