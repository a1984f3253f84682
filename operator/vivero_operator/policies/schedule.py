"""When a tenant's next backup is due, and what it is called. Pure.

The name follows from the tenant and the scheduled time, so that whoever decides twice makes one backup.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from cronsim import CronSim, CronSimError
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_backup import BackupSchedule

SPREAD: Final = timedelta(minutes=15)
"""Backups of one scheduled time begin within this, each tenant's at its own moment; sooner if the next time comes sooner."""
_FIELDS: Final = 5


def in_force(tenant: Tenant, plan: Plan | None) -> BackupSchedule | None:
    """The Tenant's own schedule, else its plan's."""
    return tenant.spec.backup or (plan.spec.backup if plan is not None else None)


def fault(schedule: BackupSchedule) -> str | None:
    """What is wrong with the expression that the API server could not see; None if nothing is."""
    return _fault(schedule.schedule)


@lru_cache(maxsize=1024)
def _fault(expression: str) -> str | None:
    if len(expression.split()) != _FIELDS:
        return f"backup.schedule {expression!r} needs five fields"
    try:
        comes = next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)), None)
    except CronSimError as error:
        return f"backup.schedule {expression!r}: {error}"
    return None if comes else f"backup.schedule {expression!r} names a day that never comes"


def due(schedule: BackupSchedule, tenant_uid: str, after: datetime, now: datetime) -> datetime | None:
    """The newest scheduled time after `after` whose moment has come; None if there is none. Times that were missed are one.

    The schedule has no fault.
    """
    for at, following in _around(schedule.schedule, now.replace(second=0, microsecond=0)):
        if at + _delay(tenant_uid, following - at) <= now:
            return at if at > after else None
    return None


@lru_cache(maxsize=1024)
def _around(expression: str, minute: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The two newest scheduled times up to this minute, newest first, each with the one after it."""
    following = next(CronSim(expression, minute))
    back = CronSim(expression, minute + timedelta(minutes=1), reverse=True)
    newest, before = next(back), next(back)
    return (newest, following), (before, newest)


def _delay(tenant_uid: str, gap: timedelta) -> timedelta:
    """How long after the scheduled time this tenant's turn is."""
    return share_of(tenant_uid) * min(SPREAD, gap / 2)


def share_of(name: str) -> float:
    """From 0 to 1: where in a span of time its turn is, always the same, and spread over all names."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def label_of(at: datetime) -> str:
    """The scheduled time as the value of a label."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H.%MZ")


def name_of(tenant: str, at: datetime) -> str:
    """Of the tenant's TenantBackup for this scheduled time."""
    return f"{tenant}-{at.astimezone(UTC):%Y%m%d-%H%M}"
