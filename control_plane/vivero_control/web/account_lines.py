"""Presentation of a workspace for who manages it. Pure; the time is passed in."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from vivero_core.model.tenant import Tenant

from vivero_control.domain.accounts.service import owns
from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.tenants.policies import trial_end


def days_left(tenant: Tenant, now: datetime) -> int | None:
    """Of the trial, counting a day that has begun; None without a trial, 0 when it is over."""
    ends = trial_end(tenant)
    return None if ends is None else max(0, -((now - ends) // timedelta(days=1)))


class ChoiceLine(Struct, frozen=True, kw_only=True):
    """One of the workspaces that somebody manages."""

    tenant: str
    name: str
    url: str
    is_owner: bool
    is_closed: bool
    is_chosen: bool


def choice(tenant: Tenant, holder: Holder, tenant_url: Callable[[str], str]) -> ChoiceLine:
    return ChoiceLine(
        tenant=tenant.name,
        name=tenant.spec.display_name,
        url=tenant.status.url or tenant_url(tenant.spec.slug or ""),
        is_owner=owns(holder.email, tenant),
        is_closed=tenant.spec.suspended is not None,
        is_chosen=tenant.metadata.uid == holder.uid,
    )
