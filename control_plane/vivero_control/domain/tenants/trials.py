"""When a trial's owner is told, and when its workspace is closed: decisions, no I/O, the time passed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vivero_core.model.tenant import Tenant

from vivero_control.domain.tenants.policies import trial_end

NOTICES: Final = (7, 1)
"""Days before the end on which the owner is told."""
MAIL_PATIENCE: Final = timedelta(days=1)
"""A trial is closed after the mail that says so; a mail that cannot be sent does not keep it open longer than this."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the owner that the trial ends in `days` days."""

    days: int


@dataclass(frozen=True, slots=True)
class Close:
    """The trial is over: tell the owner, then suspend."""


Need = Notice | Close


def due(tenant: Tenant, now: datetime) -> Need | None:
    """What the trial of `tenant` needs now; the nearest notice only, when several days were missed."""
    ends = trial_end(tenant)
    if ends is None or tenant.spec.suspended is not None:
        return None
    if tenant.is_spare or tenant.metadata.deletion_timestamp is not None:
        return None
    if ends <= now:
        return Close()
    days_before = [days for days in NOTICES if ends - now <= timedelta(days=days)]
    return Notice(min(days_before)) if days_before else None


def may_close(ends: datetime, now: datetime, *, told: bool) -> bool:
    """Whether to suspend already: the owner has been told, or could not be for too long."""
    return told or now - ends >= MAIL_PATIENCE
