"""Rollout of a Release: which one a tenant's pods are made from, and which tenants are updated next. Pure.

A new release is tried on a few tenants first: the next batch begins when the
last one has been Ready for a while, and none does while too many have failed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from vivero_core.model.conditions import Status, find, is_true
from vivero_core.model.constants import PLAN_TRIAL, ConditionType, Reason
from vivero_core.model.release import Release, ReleaseSpec
from vivero_core.model.tenant import Tenant

from vivero_operator.policies.life import paused

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_OF_THE_PODS: Final = frozenset({Reason.PROOF_FAILED, Reason.WORKLOAD_UNAVAILABLE, Reason.STARTING, Reason.ROLLING_OUT})
_OF_SOMETHING_ELSE: Final = frozenset(Reason) - _OF_THE_PODS


@dataclass(frozen=True)
class Progress:
    """The progress of a rollout."""

    on: tuple[Tenant, ...]
    """Tenants that are on the release."""
    failed: tuple[Tenant, ...]
    """Of these, those that were not Ready by the deadline."""
    in_flight: tuple[Tenant, ...]
    """Of these, those that are not Ready yet; and those whose turn has come a moment ago."""
    waiting: tuple[Tenant, ...]
    """Tenants whose turn is still to come, in their order."""
    stuck: tuple[Tenant, ...]
    """Tenants that do not roll out although it is their turn, or are paused; the rollout continues without them."""


@dataclass(frozen=True)
class Spell:
    """A time in which a tenant's pods were not well."""

    since: datetime
    well_since: datetime | None = None
    """A recovery ends the spell when it has lasted for a while: pods that crash again and again are Ready in between."""


@dataclass
class Moves:
    """What is remembered of a rollout, by uid. Lost with the program, which costs a deadline."""

    asked: dict[str, datetime] = field(default_factory=dict)
    """When the turn came of those that are not on the release yet."""
    spells: dict[str, Spell] = field(default_factory=dict)
    """Of those on the release."""
    ill: set[str] = field(default_factory=set)
    """Whose pods were not well before: the release is not to blame."""

    def ask(self, tenant: Tenant, now: datetime) -> None:
        self.asked[tenant.metadata.uid] = now
        if not is_well(tenant):
            self.ill.add(tenant.metadata.uid)

    def observe(self, release: str, tenants: Iterable[Tenant], now: datetime, settle: timedelta) -> None:
        """`tenants`: all there are. `settle`: how long a recovery has to last."""
        known = {one.metadata.uid: one for one in tenants}
        on = {uid: one for uid, one in known.items() if one.status.release == release}
        spells = {uid: _spell(self.spells.get(uid), now, settle, well=is_well(one)) for uid, one in on.items()}
        self.spells = {uid: spell for uid, spell in spells.items() if spell is not None}
        self.asked = {uid: at for uid, at in self.asked.items() if uid in known and uid not in on}
        self.ill &= on.keys() | self.asked.keys()


def _spell(before: Spell | None, now: datetime, settle: timedelta, *, well: bool) -> Spell | None:
    if not well:
        return Spell(before.since if before else now)
    if before is None:
        return None
    well_since = before.well_since or now
    return Spell(before.since, well_since) if now - well_since < settle else None


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
    on = [one for one in served if one.status.release == release]
    failed, starting = _judge(on, moves, now, timedelta(seconds=spec.deadline_seconds))
    others = [one for one in served if one.status.release != release and not one.is_spare and has_pods(one)]
    stuck, asked, waiting = _sort(others, moves, now, timedelta(seconds=spec.deadline_seconds))
    return Progress(tuple(on), tuple(failed), (*starting, *asked), tuple(waiting), tuple(stuck))


def _judge(on: Sequence[Tenant], moves: Moves, now: datetime, deadline: timedelta) -> tuple[list[Tenant], list[Tenant]]:
    """(those that failed, those that are given time) of the tenants on the release.

    One that starts for the first time says something about the release while
    that serves no tenant yet. Later there is always a signup or a spare that
    starts, and the rollout would never go on.
    """
    works = any(is_true(one.status.conditions, ConditionType.READY) for one in on)
    failed: list[Tenant] = []
    starting: list[Tenant] = []
    for one in on:
        spell = moves.spells.get(one.metadata.uid)
        excused = one.metadata.uid in moves.ill or (works and not has_pods(one))
        if spell is not None and not is_well(one) and not excused:
            (failed if now - spell.since >= deadline else starting).append(one)
    return failed, starting


def _sort(
    others: Iterable[Tenant], moves: Moves, now: datetime, deadline: timedelta
) -> tuple[list[Tenant], list[Tenant], list[Tenant]]:
    """(stuck, asked to move, waiting) of the tenants that are not on the release."""
    stuck: list[Tenant] = []
    asked: list[Tenant] = []
    waiting: list[Tenant] = []
    for one in others:
        at = moves.asked.get(one.metadata.uid)
        if paused(one.metadata) or (at is not None and now - at >= deadline):
            stuck.append(one)
        else:
            (waiting if at is None else asked).append(one)
    waiting.sort(key=lambda one: (is_held_up(one), one.spec.plan != PLAN_TRIAL, one.name))
    return stuck, asked, waiting


def is_held_up(tenant: Tenant) -> bool:
    """Not Ready for a reason that no other image fixes: such a tenant may not roll out, so it is updated last.

    What is wrong with pods has one of a few reasons of ours, or one in Kubernetes' own words.
    """
    ready = find(tenant.status.conditions, ConditionType.READY)
    return ready is not None and ready.status is Status.FALSE and ready.reason in _OF_SOMETHING_ELSE


def has_pods(tenant: Tenant) -> bool:
    """Whether there is anything to be moved: what has just been made starts on the right release by itself."""
    return tenant.status.version is not None or tenant.status.proven_at is not None


def next_batch(spec: ReleaseSpec, stand: Progress, settled: timedelta | None) -> tuple[Tenant, ...]:
    """The next batch. `settled`: since when all updated tenants are Ready; None while one is not."""
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
    return max(proven, key=lambda name: (_made(releases.get(name)), name))


def _made(release: Release | None) -> datetime:
    return release.metadata.creation_timestamp or _NEVER if release is not None else _NEVER
