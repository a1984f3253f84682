"""Which Release a tenant's pods are made from, and which tenants are moved to a new one next. Pure.

A new release is tried on a few tenants first: the next batch begins when the
last one has been Ready for a while, and none does while too many have failed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import PLAN_TRIAL, ConditionType, Reason
from vivero_core.model.release import Release, ReleaseSpec
from vivero_core.model.tenant import Tenant

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_OF_THE_PODS: Final = frozenset({Reason.PROOF_FAILED, Reason.WORKLOAD_UNAVAILABLE, Reason.STARTING})


@dataclass(frozen=True)
class Progress:
    """How a rollout stands."""

    on: tuple[Tenant, ...]
    """Tenants that are on the release."""
    failed: tuple[Tenant, ...]
    """Of these, those that did not become Ready in time."""
    in_flight: tuple[Tenant, ...]
    """Of these, those that are not Ready yet."""
    waiting: tuple[Tenant, ...]
    """Tenants that are still to be moved, in their order."""


def is_well(tenant: Tenant) -> bool:
    """Whether its pods do what they should, whatever else may be wrong with it."""
    conditions = tenant.status.conditions
    ready, workload = find(conditions, ConditionType.READY), find(conditions, ConditionType.WORKLOAD_READY)
    if ready is None or ready.status is Status.TRUE:
        return True
    return workload is not None and workload.status is Status.TRUE and ready.reason not in _OF_THE_PODS


def progress(
    release: str, spec: ReleaseSpec, tenants: Iterable[Tenant], moved_at: Mapping[str, datetime], now: datetime
) -> Progress:
    """`moved_at`: when a tenant was first seen on this release, by uid."""
    served = [one for one in tenants if one.metadata.deletion_timestamp is None and one.spec.suspended is None]
    on = [one for one in served if one.status.release == release]
    unwell = [one for one in on if not is_well(one)]
    deadline = timedelta(seconds=spec.deadline_seconds)
    failed = [one for one in unwell if now - moved_at.get(one.metadata.uid, now) >= deadline]
    waiting = [one for one in served if one.status.release != release and not one.is_spare and has_pods(one)]
    waiting.sort(key=lambda one: (one.spec.plan != PLAN_TRIAL, one.name))
    return Progress(tuple(on), tuple(failed), tuple(one for one in unwell if one not in failed), tuple(waiting))


def has_pods(tenant: Tenant) -> bool:
    """Whether there is anything to be moved: what has just been made starts on the right release by itself."""
    return tenant.status.version is not None or tenant.status.proven_at is not None


def next_batch(spec: ReleaseSpec, stand: Progress, settled: timedelta | None) -> tuple[Tenant, ...]:
    """Who is moved now. `settled`: since when all that were moved are Ready; None while one is not."""
    if spec.paused or len(stand.failed) >= spec.failures or stand.in_flight or settled is None:
        return ()
    if settled < timedelta(seconds=spec.pause_seconds):
        return ()
    return stand.waiting[: spec.batch]


def for_tenant(
    tenant: Tenant, current: str, releases: Mapping[str, Release], cleared: Collection[str], proven: Collection[str]
) -> str | None:
    """The release its pods are made from now; None to leave pods as they are that no known release made.

    `cleared`: uids of tenants whose turn it is. `proven`: releases on which a tenant is Ready. A signup does not try a
    release that has not worked yet; the spares of the pools do that.
    """
    known = tenant.status.release
    if known == current or tenant.metadata.uid in cleared or tenant.spec.suspended is not None:
        return current
    if has_pods(tenant):
        return known if known in releases else None
    if known in releases:
        return known
    if tenant.is_spare or current in proven or not proven:
        return current
    return max(proven, key=lambda name: _made(releases.get(name)))


def _made(release: Release | None) -> datetime:
    return release.metadata.creation_timestamp or _NEVER if release is not None else _NEVER
