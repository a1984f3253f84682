"""Presentation of a workspace for who manages it. Pure; the time is passed in."""

from datetime import datetime, timedelta

from vivero_core.model.tenant import Tenant

from vivero_control.domain.tenants.policies import trial_end


def days_left(tenant: Tenant, now: datetime) -> int | None:
    """Of the trial, counting a day that has begun; None without a trial, 0 when it is over."""
    ends = trial_end(tenant)
    return None if ends is None else max(0, -((now - ends) // timedelta(days=1)))
