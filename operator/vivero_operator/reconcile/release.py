"""reconcile(name) of a Release: updates tenants to the current one batch by batch, and reports the progress."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import RELEASE
from vivero_core.model import conditions as cond
from vivero_core.model.conditions import Condition, Status
from vivero_core.model.constants import ConditionType, Reason
from vivero_core.model.release import Release, ReleaseStatus
from vivero_core.model.tenant import Tenant

from vivero_operator.manifests import release as manifest
from vivero_operator.manifests.event import ObjectEvent, Subject
from vivero_operator.policies import release as policy
from vivero_operator.policies.life import paused, shown
from vivero_operator.policies.release import Progress
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.kind import Reconciler
from vivero_operator.reconcile.run import Services
from vivero_operator.reconcile.writing import remember, write_status

ROLLING_SECONDS: Final = 2.0
CALM_SECONDS: Final = 60.0
KEPT: Final = 5
"""Releases that no tenant is on and that are kept nevertheless, the youngest ones: to go back to, and to compare."""
_NAMED: Final = 5

Mover = Callable[[Tenant], None]
"""Called with a Tenant whose turn it is to be moved."""


class ReleaseReconciler(Reconciler):
    """What was moved shows in the Tenants themselves; what is remembered here only times it."""

    def __init__(self, services: Services, move: Mover) -> None:
        self._services = services
        self._move = move
        self._settled_since: datetime | None = None

    async def reconcile(self, name: str) -> Result:
        cluster, current = self._services.cluster, self._services.rollout.current
        release = cluster.releases.get(name)
        if release is None:
            return await self._make() if name == current else Result(gone=True)
        if name != current:
            return await self._keep_former(release)
        return await self._roll(release)

    async def _make(self) -> Result:
        rollout, settings = self._services.rollout, self._services.settings
        template = rollout.template(rollout.current) or {}
        try:
            body = await self._services.kube.create(manifest.build(rollout.current, template, settings))
        except KubeAlreadyExistsError:
            return Result(retry_after=ROLLING_SECONDS)  # its event comes in a moment
        remember(Release, body, self._services.cluster.releases)
        return Result(retry_after=ROLLING_SECONDS)

    async def _keep_former(self, release: Release) -> Result:
        """A superseded one: count its tenants, and delete it when it is old and unused."""
        on = [one for one in self._services.cluster.tenants if one.status.release == release.name]
        if not on and self._is_forgotten(release) and not paused(release.metadata):
            try:
                await self._services.kube.delete(RELEASE, release.name, uid=release.metadata.uid)
            except KubeNotFoundError:
                return Result(gone=True)
            return Result(gone=True)
        message = f"Superseded by {self._services.rollout.current}; tenants still on this release: {len(on)}"
        conditions = self._conditions(release, complete=(False, Reason.SUPERSEDED), halted=(False, Reason.SUPERSEDED))
        await self._write(release, on, 0, message, conditions)
        return Result(retry_after=ROLLING_SECONDS if on else CALM_SECONDS)

    def _is_forgotten(self, release: Release) -> bool:
        others = [one for one in self._services.cluster.releases if one.name != self._services.rollout.current]
        others.sort(key=lambda one: (one.metadata.creation_timestamp or self._services.now(), one.name), reverse=True)
        return release.name in {one.name for one in others[KEPT:]}

    async def _roll(self, release: Release) -> Result:
        now, cluster, moves = self._services.now(), self._services.cluster, self._services.rollout.moves
        tenants = [one for one in cluster.tenants if ("Tenant", one.name) not in cluster.unreadable]
        moves.observe(release.name, cluster.tenants, now, timedelta(seconds=release.spec.pause_seconds))
        stand = policy.progress(release.name, release.spec, tenants, moves, now)
        if stand.in_flight:
            self._settled_since = None
        elif self._settled_since is None:
            self._settled_since = now
        settled = now - self._settled_since if self._settled_since is not None else None
        if not any(not one.is_spare for one in stand.on):
            settled = timedelta.max  # the first batch has none before it
        batch = () if paused(release.metadata) else policy.next_batch(release.spec, stand, settled)
        for tenant in batch:
            moves.ask(tenant, now)
            self._move(tenant)
        if batch:
            self._settled_since = None
        await self._tell(release, stand, batch)
        return Result(retry_after=ROLLING_SECONDS if stand.waiting or stand.in_flight else CALM_SECONDS)

    async def _tell(self, release: Release, stand: Progress, batch: tuple[Tenant, ...]) -> None:
        halted = len(stand.failed) >= release.spec.failures and bool(stand.waiting)
        complete = not (stand.waiting or stand.in_flight or stand.failed or stand.stuck)
        conditions = self._conditions(
            release,
            complete=(complete, Reason.ROLLED_OUT if complete else Reason.ROLLING_OUT),
            halted=(halted, Reason.HALTED if halted else Reason.ROLLING_OUT),
        )
        message = _sentence(release, stand, batch, halted=halted)
        was_halted = cond.is_true(release.status.conditions, ConditionType.HALTED)
        await self._write(release, list(stand.on), len(stand.waiting) + len(stand.stuck), message, conditions)
        if halted and not was_halted:
            subject = Subject.of("Release", release.metadata)
            await self._services.recorder.record(ObjectEvent(subject, "Warning", Reason.HALTED, message, "RollOut"))

    def _conditions(
        self, release: Release, *, complete: tuple[bool, str], halted: tuple[bool, str]
    ) -> tuple[Condition, ...]:
        found = [
            Condition(
                type=kind,
                status=Status.of(truth),
                reason=reason,
                last_transition_time=self._services.now(),
                observed_generation=release.metadata.generation,
            )
            for kind, (truth, reason) in ((ConditionType.COMPLETE, complete), (ConditionType.HALTED, halted))
        ]
        idle = "updates of tenants or deletion of superseded releases"
        return shown(cond.merge(release.status.conditions, found), release.metadata, self._services.now(), idle=idle)

    async def _write(
        self, release: Release, on: list[Tenant], waiting: int, message: str, conditions: tuple[Condition, ...]
    ) -> None:
        status = ReleaseStatus(
            tenants=len(on),
            ready=sum(cond.is_true(one.status.conditions, ConditionType.READY) for one in on),
            waiting=waiting,
            message=message,
            observed_generation=release.metadata.generation,
            conditions=conditions,
        )
        await write_status(self._services, RELEASE, release, status, self._services.cluster.releases)


def _sentence(release: Release, stand: Progress, batch: tuple[Tenant, ...], *, halted: bool) -> str:
    if halted:
        return f"Halted: {_names(stand.failed)} did not become Ready; tenants waiting: {len(stand.waiting)}"
    if not stand.waiting:
        return _last_words(stand)
    if release.spec.paused or paused(release.metadata):
        return f"Paused; tenants waiting: {len(stand.waiting)}"
    moving = [*stand.in_flight, *batch]
    if moving:
        return f"Updating {_names(moving)}; tenants waiting: {len(stand.waiting) - len(batch)}"
    pause = release.spec.pause_seconds
    return f"The last batch is Ready; the next one starts after a pause of {pause} s; tenants waiting: {len(stand.waiting)}"


def _last_words(stand: Progress) -> str:
    """The message when all tenants have been updated."""
    starting = f"; starting: {len(stand.in_flight)}" if stand.in_flight else ""
    failed = f"; did not become Ready: {_names(stand.failed)}" if stand.failed else ""
    stuck = f"; not updated, see their status: {_names(stand.stuck)}" if stand.stuck else ""
    return f"{'Tenants updated' if stuck else 'All tenants updated'}: {len(stand.on)}{starting}{failed}{stuck}"


def _names(tenants: "tuple[Tenant, ...] | list[Tenant]") -> str:
    names = ", ".join(sorted(one.name for one in tenants)[:_NAMED])
    return names + (f" and {len(tenants) - _NAMED} more" if len(tenants) > _NAMED else "")
