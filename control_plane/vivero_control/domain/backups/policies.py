"""Decisions about backups and restores: how far one is, what may be asked for, what it is called. No I/O."""

import hashlib
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final

from vivero_core.model import conditions, naming
from vivero_core.model.constants import LABEL_SCHEDULED, ConditionType, Reason
from vivero_core.model.operation import OperationStatus, OperationStep
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_restore import TenantRestore
from vivero_web.clock import in_utc
from vivero_web.errors import FieldError, NotFoundError

from vivero_control.domain.backups.schemas import (
    TENANT_NAME_MAX,
    BackupView,
    BringBack,
    OperationState,
    RestoreView,
    StepState,
    StepView,
    Target,
)
from vivero_control.domain.tenants.schemas import RecoveryView

_OF_REASON: Final[dict[str, OperationState]] = {
    Reason.FAILED: OperationState.FAILED,
    Reason.REFUSED: OperationState.REFUSED,
    Reason.RUNNING: OperationState.RUNNING,
}
_STEP_STATES: Final[dict[str, StepState]] = {
    "Waiting": "waiting",
    "Running": "running",
    "Done": "done",
    "Failed": "failed",
}
_PREFIX_MAX: Final = 40
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


class OperationNotFoundError(NotFoundError):
    """The tenant has no backup or restore of this name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is no {what} “{name}” of this tenant.")


def state_of(status: OperationStatus) -> OperationState:
    if conditions.is_true(status.conditions, ConditionType.PAUSED):
        return OperationState.PAUSED
    complete = conditions.find(status.conditions, ConditionType.COMPLETE)
    if complete is None:
        return OperationState.WAITING
    if conditions.is_true(status.conditions, ConditionType.COMPLETE):
        return OperationState.COMPLETE
    begun = any(step.state != "Waiting" for step in status.steps)
    # What waits for the new Tenant after its last step gives the wait as its reason, and is under way all the same.
    return _OF_REASON.get(complete.reason) or (OperationState.RUNNING if begun else OperationState.WAITING)


def under_way(item: TenantBackup | TenantRestore) -> bool:
    return not state_of(item.status).ended


def has_no_bucket(tenants: Iterable[Tenant], backups: Iterable[TenantBackup]) -> bool:
    """Whether the operator says so: of each tenant with a schedule, and of what waits, which it tries every few seconds."""
    found = (conditions.find(one.status.conditions, ConditionType.BACKUP_SCHEDULED) for one in tenants)
    said = {one.reason for one in found if one is not None}
    # Where both are said the bucket is new, or a Tenant is paused: nobody has looked at it since.
    if Reason.NOT_CONFIGURED in said and Reason.SCHEDULED not in said:
        return True
    return any(
        state_of(one.status) is OperationState.WAITING and _reason(one.status) == Reason.NOT_CONFIGURED
        for one in backups
    )


def backup_view(backup: TenantBackup) -> BackupView:
    status, state = backup.status, state_of(backup.status)
    return BackupView(
        name=backup.name,
        tenant=backup.spec.tenant,
        state=state,
        reason=_reason(status),
        message=status.message or "",
        steps=tuple(map(_step_view, status.steps)),
        created_at=backup.metadata.creation_timestamp,
        ended_at=_ended_at(status, state),
        scheduled=LABEL_SCHEDULED in backup.metadata.labels,
        taken_at=status.taken_at,
        bytes=status.bytes,
        files=status.files,
        # One that holds nothing of its own, for nothing had changed, says where no backup is.
        restorable=state is OperationState.COMPLETE and status.prefix is not None,
    )


def restore_view(restore: TenantRestore) -> RestoreView:
    status, state = restore.status, state_of(restore.status)
    return RestoreView(
        name=restore.name,
        tenant=restore.spec.tenant,
        state=state,
        reason=_reason(status),
        message=status.message or "",
        steps=tuple(map(_step_view, status.steps)),
        created_at=restore.metadata.creation_timestamp,
        ended_at=_ended_at(status, state),
        backup=restore.spec.backup,
        time=restore.spec.time,
        in_place=restore.spec.target.in_place is True,
        as_of=restore.spec.target.as_of is not None,
        url=status.url,
        expires_at=status.expires_at,
        target=restore.spec.target.tenant,
        slug=restore.spec.target.slug,
        switched_at=status.switched_at,
        restored_to=status.restored_to,
        files=status.files,
        missing_files=status.missing_files,
    )


def view(item: TenantBackup | TenantRestore) -> BackupView | RestoreView:
    return backup_view(item) if isinstance(item, TenantBackup) else restore_view(item)


def age_key(item: TenantBackup | TenantRestore) -> tuple[datetime, str]:
    """To sort by; of two that were asked for in the same second, always the same is the newer one."""
    return item.metadata.creation_timestamp or _EARLIEST, item.name


def object_name(tenant: Tenant, what: str, key: str) -> str:
    """The same for the same key, so that an order that is sent twice, even to two processes, makes one object."""
    digest = hashlib.sha256(f"{what}\0{tenant.metadata.uid}\0{key}".encode()).hexdigest()
    return f"{tenant.name[:_PREFIX_MAX].rstrip('.-')}-{digest[:12]}"


def resolved(target: Target) -> Target:
    """As it was meant: the name is the slug where none was given."""
    slug = target.slug.strip().lower()
    tenant = target.tenant.strip().lower() or slug
    return Target(slug=slug, tenant=tenant, in_place=target.in_place, as_of=target.as_of)


def check(
    order: BringBack, *, now: datetime, recovery: RecoveryView | None, restorable: Collection[str]
) -> list[FieldError]:
    """Every field that breaks a rule, all at once; the target is `resolved`. `restorable`: the names of such backups."""
    problems = {
        "time": _time_problem(order, now, recovery),
        "backup": _backup_problem(order, restorable),
        **_target_problems(order.target),
    }
    return [FieldError(field, problem) for field, problem in problems.items() if problem]


def _time_problem(order: BringBack, now: datetime, recovery: RecoveryView | None) -> str | None:
    if order.time is None:
        goes_nowhere = order.target.in_place and order.backup is None
        return "Choose a second or a backup: as it is now it is already." if goes_nowhere else None
    if order.backup is not None:
        return "Give a moment or a backup, not both."
    moment = in_utc(order.time)
    if moment > now:
        return "Choose a moment that has passed."
    if moment.microsecond:
        return "Choose a whole second: nothing is rounded."
    if recovery is not None and recovery.begins is not None and moment < recovery.begins:
        return f"Nothing is kept from before {in_utc(recovery.begins):%Y-%m-%d %H:%M:%S} UTC."
    return None


def _backup_problem(order: BringBack, restorable: Collection[str]) -> str | None:
    if order.backup is None or order.backup in restorable:
        return None
    return "Choose one of its complete backups."


def _target_problems(target: Target) -> dict[str, str | None]:
    if target.in_place or target.as_of:
        two = target.slug or target.tenant or (target.in_place and target.as_of)
        field = "target.in_place" if target.in_place else "target.as_of"
        return {field: "Give one target: in_place, as_of, or slug and tenant of a new one." if two else None}
    return {"target.slug": naming.slug_problem(target.slug), "target.tenant": _name_problem(target.tenant)}


def _name_problem(name: str) -> str | None:
    if len(name) <= TENANT_NAME_MAX and re.fullmatch(naming.OBJECT_NAME_PATTERN.strip("^$"), name):
        return None
    return f"Use 1 to {TENANT_NAME_MAX} lower-case letters, digits, dots and hyphens; begin and end with a letter or digit."


def taken(field: str, name: str) -> FieldError:
    return FieldError(field, f"“{name}” belongs to another tenant; choose another.")


def proposed_slug(slug: str, now: datetime) -> str:
    """What the form proposes for a copy: `acme` → `acme-20261129`."""
    return f"{slug[: naming.SLUG_MAX_LENGTH - 9].rstrip('-')}-{now:%Y%m%d}"


def _reason(status: OperationStatus) -> str:
    complete = conditions.find(status.conditions, ConditionType.COMPLETE)
    return complete.reason if complete else ""


def _ended_at(status: OperationStatus, state: OperationState) -> datetime | None:
    """Of what failed, the end of its last step: its condition has not been true since the beginning."""
    complete = conditions.find(status.conditions, ConditionType.COMPLETE)
    if complete is None or not state.ended:
        return None
    if state is OperationState.COMPLETE:
        return complete.last_transition_time
    return max((step.finished_at for step in status.steps if step.finished_at), default=None)


def _step_view(step: OperationStep) -> StepView:
    return StepView(
        name=step.name,
        state=_STEP_STATES[step.state],
        message=step.message or "",
        started_at=step.started_at,
        finished_at=step.finished_at,
    )
