"""Presentation of a workspace for who manages it. Pure; the time is passed in."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from vivero_core.model.tenant import Tenant
from vivero_ui.filters import bytes_, number

from vivero_control.domain.accounts.service import owns
from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.accounts.usage import Meter, Usage
from vivero_control.domain.plans.service import PlanLimits, PlanView
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


class MeterLine(Struct, frozen=True, kw_only=True):
    """How much of one limit is used."""

    name: str
    used: int
    limit: int | None
    used_words: str
    limit_words: str


def meters(usage: Usage | None) -> list[MeterLine]:
    """None while it is not known."""
    if usage is None:
        return []
    return [
        MeterLine(name=name, used=one.used, limit=one.limit, used_words=words(one.used), limit_words=words(one.limit))
        for name, one, words in _counted(usage)
    ]


def too_much(usage: Usage | None, limits: PlanLimits) -> list[str]:
    """What has to go before a plan of these limits has room; nothing where that is not known."""
    if usage is None:
        return []
    allowed = (limits.records, limits.users, limits.storage_bytes)
    return [
        f"{name}: {words(one.used)} are used, {words(one.used - limit)} more than it includes"
        for (name, one, words), limit in zip(_counted(usage), allowed, strict=True)
        if limit is not None and one.used > limit
    ]


def requests_per_minute(tenant: Tenant, plans: Sequence[PlanView]) -> int | None:
    """What the workspace is allowed, whose count begins again every minute; None without a limit, or if not known."""
    own = tenant.spec.limits
    if own and own.requests_per_minute is not None:
        return own.requests_per_minute
    return next((one.limits.requests_per_minute for one in plans if one.name == tenant.spec.plan), None)


def _counted(usage: Usage) -> tuple[tuple[str, Meter, Callable[[int | None], str]], ...]:
    return (
        ("Records", usage.records, number),
        ("Users", usage.users, number),
        ("Files", usage.storage_bytes, bytes_),
    )
