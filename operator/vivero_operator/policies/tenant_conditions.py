"""Computes the conditions of a Tenant from the outcomes of its steps. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vivero_core.model import conditions as cond
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ANNOTATION_PAUSED, LABEL_SIGNUP, ConditionType, Reason
from vivero_core.model.tenant import HostStatus, Tenant
from vivero_core.model.tenant_backup import BackupSchedule

from vivero_operator.policies import life
from vivero_operator.policies import schedule as schedules
from vivero_operator.policies.life import Move
from vivero_operator.policies.outcome import Outcome, State
from vivero_operator.policies.recoverability import NO_BACKUP_BUCKET

_SEVERITY: Final = (State.BLOCKED, State.FAILED, State.WAITING)
"""Order of precedence in the summary; SKIPPED steps only follow from one of these."""
_SUSPENDED_ASPECTS: Final = (ConditionType.WORKLOAD_READY, ConditionType.ROUTE_READY)
_CALM: Final = frozenset(
    {Reason.PROVEN, Reason.PROVISIONING, Reason.STARTING, Reason.ROLLING_OUT, Reason.WAITING_FOR_TURN, Reason.RESTORING}
    | {
        Reason.PAUSED,
        Reason.DELETING,
        Reason.TRIAL_ENDED,
        Reason.UNPAID,
        Reason.SUBSCRIPTION_PAUSED,
        Reason.ABUSE,
        Reason.MANUAL,
        Reason.RESUMED,
    }
)
"""Reasons of Ready that are not errors."""
_IN_PROGRESS: Final = frozenset(
    {Reason.STARTING, Reason.ROLLING_OUT, Reason.RESTORING, Reason.WAITING_FOR_TURN, Reason.PODS_MISSING}
)
"""Reasons of WorkloadReady that are transient."""
_LONG_START: Final = timedelta(seconds=2)
_LONG_WAIT: Final = timedelta(seconds=60)
_LONG_SPARE_START: Final = timedelta(seconds=20)
SUSPENSION_TEXT: Final = {
    "TrialEnded": "the trial has ended",
    "Unpaid": "a payment is overdue",
    "SubscriptionPaused": "the subscription is paused",
    "Abuse": "violation of the terms of use",
    "Manual": "suspended by staff",
}


@dataclass(frozen=True)
class Finding:
    """One step's outcome, and its condition, if any."""

    condition: ConditionType | None
    outcome: Outcome


class Writer:
    """Builds conditions of one tenant at one time."""

    def __init__(self, tenant: Tenant, now: datetime) -> None:
        self._tenant = tenant
        self._now = now

    def write(self, kind: ConditionType, status: Status, reason: str, message: str) -> Condition:
        return Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            last_transition_time=self._now,
            observed_generation=self._tenant.metadata.generation,
        )

    def merged(self, new: Iterable[Condition]) -> tuple[Condition, ...]:
        return cond.merge(self._tenant.status.conditions, new)


def _aspects(writer: Writer, findings: Sequence[Finding]) -> Iterable[Condition]:
    """One condition for each step that has one; a skipped step leaves its previous condition."""
    for finding in findings:
        outcome = finding.outcome
        if finding.condition is not None and outcome.state is not State.SKIPPED:
            status = Status.TRUE if outcome.done else Status.FALSE
            yield writer.write(finding.condition, status, outcome.reason, outcome.message)


def worst(findings: Sequence[Finding]) -> Outcome | None:
    """The first error in the order of steps, else the first wait; None if all is done."""
    for state in _SEVERITY:
        found = next((one.outcome for one in findings if one.outcome.state is state), None)
        if found is not None:
            return found
    return None


def suspension_message(tenant: Tenant) -> str:
    suspended = tenant.spec.suspended
    if suspended is None:
        return ""
    return f"Suspended: {suspended.message or SUSPENSION_TEXT[suspended.reason]}"


def active(tenant: Tenant, findings: Sequence[Finding], now: datetime) -> tuple[Condition, ...]:
    """Conditions of a tenant that should be in service."""
    writer = Writer(tenant, now)
    trouble = worst(findings)
    if trouble is None:
        message = "Spare, waiting to be claimed" if tenant.is_spare else "Healthy"
        ready = writer.write(ConditionType.READY, Status.TRUE, Reason.PROVEN, message)
    else:
        ready = writer.write(ConditionType.READY, Status.FALSE, trouble.reason, trouble.message)
    suspended = writer.write(ConditionType.SUSPENDED, Status.FALSE, Reason.NOT_SUSPENDED, "")
    return writer.merged([ready, *_aspects(writer, findings), *_workload(writer, findings), suspended])


def _workload(writer: Writer, findings: Sequence[Finding]) -> Iterable[Condition]:
    """Progressing while the wanted pods start; Degraded, with the pod's own reason, if they fail to."""
    found = next((one.outcome for one in findings if one.condition is ConditionType.WORKLOAD_READY), None)
    if found is None or found.state is State.SKIPPED:
        return
    moving = found.reason in _IN_PROGRESS
    degraded = found.reason not in {*_IN_PROGRESS, Reason.RUNNING}
    yield writer.write(
        ConditionType.PROGRESSING,
        Status.of(moving),
        found.reason if moving or degraded else Reason.UP_TO_DATE,
        found.message,
    )
    yield writer.write(
        ConditionType.DEGRADED,
        Status.of(degraded),
        found.reason if degraded else Reason.RUNNING,
        found.message if degraded else "",
    )


def bound(tenant: Tenant, findings: Sequence[Finding], now: datetime) -> tuple[Condition, ...]:
    """Conditions of a spare that was just claimed: aspects that the claim did not change stay valid for the new spec."""
    conditions = active(tenant, findings, now)
    if worst(findings) is not None:
        return conditions
    generation = tenant.metadata.generation
    return tuple(one.model_copy(update={"observed_generation": generation}) for one in conditions)


def suspended(tenant: Tenant, findings: Sequence[Finding], now: datetime, reason: Reason) -> tuple[Condition, ...]:
    """Conditions of a suspended tenant: Suspended once it is out of service; Ready then has no meaning."""
    writer = Writer(tenant, now)
    trouble = worst(findings)
    message = suspension_message(tenant) if trouble is None else f"Suspending: {trouble.message}"
    off = [writer.write(kind, Status.FALSE, reason, "Not running while suspended") for kind in _SUSPENDED_ASPECTS]
    still = [
        writer.write(kind, Status.FALSE, reason, "") for kind in (ConditionType.PROGRESSING, ConditionType.DEGRADED)
    ]
    done = writer.write(ConditionType.SUSPENDED, Status.of(trouble is None), reason, message)
    if trouble is None:
        return cond.without(writer.merged([*_aspects(writer, findings), *off, *still, done]), ConditionType.READY)
    ready = writer.write(ConditionType.READY, Status.FALSE, reason, message)
    return writer.merged([ready, *_aspects(writer, findings), *off, *still, done])


def of(move: Move, tenant: Tenant, findings: Sequence[Finding], now: datetime) -> tuple[Condition, ...]:
    """Conditions of a tenant that moves to this state, with the reason."""
    match move.state:
        case life.State.SUSPENDED:
            return suspended(tenant, findings, now, move.reason)
        case life.State.CLAIMED:
            return bound(tenant, findings, now)
        case life.State.DELETING | life.State.LEAVING:
            return deleting(tenant, findings, now)
        case _:
            return active(tenant, findings, now)


def hosts(tenant: Tenant, found: Sequence[HostStatus], now: datetime) -> Sequence[Condition]:
    """HostsReady, for custom hosts. It does not affect Ready, because DNS is the customer's responsibility."""
    if not found:
        return ()
    missing = [one for one in found if not one.ready]
    writer = Writer(tenant, now)
    if not missing:
        return (
            writer.write(ConditionType.HOSTS_READY, Status.TRUE, Reason.HOST_SERVED, f"Hosts served: {len(found)}"),
        )
    message = "; ".join(f"{one.host}: {one.message}" for one in missing)
    return (writer.write(ConditionType.HOSTS_READY, Status.FALSE, missing[0].reason, message),)


def backups(tenant: Tenant, schedule: BackupSchedule | None, now: datetime, *, has_bucket: bool) -> Sequence[Condition]:
    """BackupScheduled, where there is a schedule; the staff's console reads it. It does not affect Ready."""
    if schedule is None:
        return ()
    writer, fault = Writer(tenant, now), schedules.fault(schedule)
    if fault is not None:
        return (writer.write(ConditionType.BACKUP_SCHEDULED, Status.FALSE, Reason.SCHEDULE_INVALID, fault),)
    if not has_bucket:
        return (writer.write(ConditionType.BACKUP_SCHEDULED, Status.FALSE, Reason.NOT_CONFIGURED, NO_BACKUP_BUCKET),)
    message = f"By {schedule.schedule} in UTC"
    return (writer.write(ConditionType.BACKUP_SCHEDULED, Status.TRUE, Reason.SCHEDULED, message),)


def paused(tenant: Tenant, now: datetime) -> tuple[Condition, ...]:
    """The previous conditions, and Paused: nothing is reconciled."""
    writer = Writer(tenant, now)
    message = f"Reconciliation is paused by annotation {ANNOTATION_PAUSED}"
    return writer.merged([writer.write(ConditionType.PAUSED, Status.TRUE, Reason.PAUSED, message)])


def summary(conditions: Sequence[Condition]) -> Condition | None:
    """The summary condition: Paused, else Ready, else Suspended."""
    halted = cond.find(conditions, ConditionType.PAUSED)
    if halted is not None and halted.status is Status.TRUE:
        return halted
    return cond.find(conditions, ConditionType.READY) or cond.find(conditions, ConditionType.SUSPENDED)


def refused(tenant: Tenant, reason: Reason, message: str, now: datetime) -> tuple[Condition, ...]:
    """Conditions of a tenant that is not reconciled until something else changes."""
    writer = Writer(tenant, now)
    return writer.merged([writer.write(ConditionType.READY, Status.FALSE, reason, message)])


def deleting(tenant: Tenant, findings: Sequence[Finding], now: datetime) -> tuple[Condition, ...]:
    """Conditions during deletion: what it still waits for, so that a stuck deletion shows its reason."""
    writer = Writer(tenant, now)
    trouble = worst(findings)
    message = f"Deleting: {trouble.message}" if trouble else "Deleting"
    gone = [
        writer.write(one.condition, Status.FALSE, one.outcome.reason, one.outcome.message)
        for one in findings
        if one.condition is not None and one.outcome.state is not State.SKIPPED
    ]
    return writer.merged([writer.write(ConditionType.READY, Status.FALSE, Reason.DELETING, message), *gone])


def silence(tenant: Tenant, conditions: Sequence[Condition], begun: timedelta, age: timedelta) -> timedelta | None:
    """How long to delay the status of a start that goes well; None if there is something to report.

    `age`: since when there is this Tenant, for one that still waits for its turn to begin.

    Who signed up watches every step. The status of a Tenant made by a program is written when it is ready, or takes long; no one at
    all waits for a spare.
    """
    ready, told = (cond.find(some, ConditionType.READY) for some in (conditions, tenant.status.conditions))
    begins = not tenant.status.conditions or (told is not None and told.reason == Reason.WAITING_FOR_TURN)
    reason = ready.reason if ready is not None and begins else None
    if LABEL_SIGNUP in tenant.metadata.labels or reason not in (Reason.STARTING, Reason.WAITING_FOR_TURN):
        return None
    if reason == Reason.WAITING_FOR_TURN:
        return _LONG_WAIT - age if age < _LONG_WAIT else None
    left = (_LONG_SPARE_START if tenant.is_spare else _LONG_START) - begun
    return left if left > timedelta() else None


def transition(
    old: Sequence[Condition], new: Sequence[Condition], told: Reason | None = None
) -> tuple[bool, str, str] | None:
    """(is a fault, reason, message) of an event, when what the summary says has changed; else None.

    `told`: the reason of the move that was made, where one was.
    """
    before, after = summary(old), summary(new)
    if after is None or (before is not None and (_same(before, after) or _left_queue(before, after))):
        return None
    if told is Reason.RESUMED and after.reason in _CALM:
        return False, Reason.RESUMED, f"Resumed: {after.message}"
    return after.reason not in _CALM, after.reason, after.message


def _left_queue(before: Condition, after: Condition) -> bool:
    """Whether a queued start began, which is not worth an event."""
    return (before.reason, after.reason) == (Reason.WAITING_FOR_TURN, Reason.STARTING)


def _same(one: Condition, other: Condition) -> bool:
    return (one.type, one.status, one.reason) == (other.type, other.status, other.reason)
