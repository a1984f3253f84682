"""Which Release a tenant's pods are made from, and which tenants are moved to a new one next. Pure.

A new release is tried on a few tenants first: the next batch begins when the
last one has been Ready for a while, and none does while too many have failed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import PLAN_TRIAL, ConditionType, Reason
from vivero_core.model.release import Release, ReleaseSpec
from vivero_core.model.tenant import Tenant

from vivero_operator.policies.pause import paused

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
    """Of these, those that are not Ready yet; and those whose turn has come a moment ago."""
    waiting: tuple[Tenant, ...]
    """Tenants whose turn is still to come, in their order."""
    stuck: tuple[Tenant, ...]
    """Tenants that do not move although it is their turn, or must not be touched; the rollout goes on without them."""


@dataclass
class Moves:
    """What is remembered of a rollout, by uid. Lost with the program, which costs a deadline."""

    asked: dict[str, datetime] = field(default_factory=dict)
    """When the turn came of those that are not on the release yet."""
    seen: dict[str, datetime] = field(default_factory=dict)
    """When those on the release were first seen there."""
    ill: set[str] = field(default_factory=set)
    """Whose pods were not well before: the release is not to blame."""

    def ask(self, tenant: Tenant, now: datetime) -> None:
        self.asked[tenant.metadata.uid] = now
        if not is_well(tenant):
            self.ill.add(tenant.metadata.uid)

    def observe(self, release: str, tenants: Iterable[Tenant], now: datetime) -> None:
        on = {one.metadata.uid for one in tenants if one.status.release == release}
        self.seen = {uid: self.seen.get(uid, now) for uid in on}
        self.asked = {uid: at for uid, at in self.asked.items() if uid not in on}
        self.ill &= on | self.asked.keys()


def is_well(tenant: Tenant) -> bool:
    """Whether its pods do what they should, whatever else may be wrong with it."""
    conditions = tenant.status.conditions
    ready, workload = find(conditions, ConditionType.READY), find(conditions, ConditionType.WORKLOAD_READY)
    if ready is None or ready.status is Status.TRUE:
        return True
    return workload is not None and workload.status is Status.TRUE and ready.reason not in _OF_THE_PODS


def progress(release: str, spec: ReleaseSpec, tenants: Iterable[Tenant], moves: Moves, now: datetime) -> Progress:
    """`tenants`: those that this program can read."""
    served = [one for one in tenants if one.metadata.deletion_timestamp is None and one.spec.suspended is None]
    deadline = timedelta(seconds=spec.deadline_seconds)

    def late(tenant: Tenant, since: Mapping[str, datetime]) -> bool:
        return now - since.get(tenant.metadata.uid, now) >= deadline

    on = [one for one in served if one.status.release == release]
    unwell = [one for one in on if not is_well(one) and one.metadata.uid not in moves.ill]
    failed = [one for one in unwell if late(one, moves.seen)]
    others = [one for one in served if one.status.release != release and not one.is_spare and has_pods(one)]
    stuck = [one for one in others if paused(one.metadata) or late(one, moves.asked)]
    asked = [one for one in others if one.metadata.uid in moves.asked and one not in stuck]
    waiting = [one for one in others if one not in stuck and one not in asked]
    waiting.sort(key=lambda one: (is_held_up(one), one.spec.plan != PLAN_TRIAL, one.name))
    in_flight = [*(one for one in unwell if one not in failed), *asked]
    return Progress(tuple(on), tuple(failed), tuple(in_flight), tuple(waiting), tuple(stuck))


def is_held_up(tenant: Tenant) -> bool:
    """Not Ready for a reason that no other image mends: such a tenant may not move, and its turn comes last."""
    ready = find(tenant.status.conditions, ConditionType.READY)
    return ready is not None and ready.status is Status.FALSE and ready.reason not in _OF_THE_PODS


def has_pods(tenant: Tenant) -> bool:
    """Whether there is anything to be moved: what has just been made starts on the right release by itself."""
    return tenant.status.version is not None or tenant.status.proven_at is not None


def next_batch(spec: ReleaseSpec, stand: Progress, settled: timedelta | None) -> tuple[Tenant, ...]:
    """Whose turn it is now. `settled`: since when all that were moved are Ready; None while one is not."""
    if spec.paused or len(stand.failed) >= spec.failures or stand.in_flight or settled is None:
        return ()
    if settled < timedelta(seconds=spec.pause_seconds):
        return ()
    return stand.waiting[: spec.batch]


def for_tenant(
    tenant: Tenant, current: str, releases: Mapping[str, Release], asked: Collection[str], proven: Collection[str]
) -> str | None:
    """The release its pods are made from now; None to leave pods as they are that no known release made.

    `asked`: uids of tenants whose turn it is. `proven`: releases on which a tenant is Ready. A signup does not try a
    release that has not worked yet; the spares of the pools do that.
    """
    known = tenant.status.release
    if known == current or tenant.metadata.uid in asked or tenant.spec.suspended is not None:
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
