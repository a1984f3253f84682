"""Scaling of a pool: how many spares to create, and which to delete. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vivero_core.model.conditions import find
from vivero_core.model.constants import LABEL_RELEASE, ConditionType, Reason
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool

from vivero_operator.policies import life

_SIGNUP_LASTS = timedelta(seconds=60)
_LATEST = datetime.max.replace(tzinfo=UTC)
_ON_THE_WAY = frozenset(
    {Reason.STARTING, Reason.PROVISIONING, Reason.WAITING_FOR_TURN, Reason.PROVEN, Reason.ROLLING_OUT}
)


@dataclass(frozen=True)
class Stock:
    """A pool's spares, counted."""

    ready: tuple[Tenant, ...]
    """Of this release and proven: can be claimed."""
    starting: tuple[Tenant, ...]
    """Of this release, not proven yet or not any more."""
    outdated: tuple[Tenant, ...]
    """Of another release or another plan."""
    broken: tuple[Tenant, ...] = ()
    """Their schema, bucket or keys are gone: nothing in them is worth a repair."""

    @property
    def current(self) -> tuple[Tenant, ...]:
        """Of this release, proven or not."""
        return self.ready + self.starting

    @property
    def total(self) -> int:
        return len(self.ready) + len(self.starting) + len(self.outdated) + len(self.broken)


@dataclass(frozen=True)
class Scaling:
    """How many spares to create now, and which to delete."""

    create: int
    delete: tuple[Tenant, ...]


def take_stock(
    pool: TenantPool, spares: Iterable[Tenant], *, release: str, now: datetime, proof_lasts: timedelta
) -> Stock:
    """`release` as in the label of the spares that are made now."""
    ready, starting, outdated, broken = [], [], [], []
    for spare in spares:
        if spare.status.data_lost_at is not None:
            broken.append(spare)
        elif spare.metadata.labels.get(LABEL_RELEASE) != release or spare.spec.plan != pool.spec.plan:
            outdated.append(spare)
        elif life.proven(spare, now, proof_lasts):
            ready.append(spare)
        else:
            starting.append(spare)
    return Stock(tuple(ready), tuple(starting), tuple(outdated), tuple(broken))


def is_single_refill(spare: Tenant, size: int, spares: Iterable[Tenant]) -> bool:
    """Whether the pool lacked nothing but this one when it was made: it replaces a claimed one at leisure."""
    made = spare.metadata.creation_timestamp
    if made is None:
        return False
    return sum(one.status.proven_at is not None and one.status.proven_at < made for one in spares) >= size - 1


def signups_under_way(tenants: Iterable[Tenant], now: datetime) -> int:
    """How many tenants start that someone waits for; not those that have been at it for so long that they are stuck."""
    return sum(
        life.awaited(one)
        and one.status.proven_at is None
        and one.metadata.creation_timestamp is not None
        and now - one.metadata.creation_timestamp < _SIGNUP_LASTS
        for one in tenants
    )


def shortage(stock: Stock) -> str | None:
    """Why spares that should be there by now are not, in the words of the one that has tried for longest."""
    conditions = [(one, find(one.status.conditions, ConditionType.READY)) for one in stock.starting]
    stuck = [(one, ready) for one, ready in conditions if ready is not None and ready.reason not in _ON_THE_WAY]
    if not stuck:
        return None
    oldest, ready = min(stuck, key=lambda pair: pair[0].metadata.creation_timestamp or _LATEST)
    return f"{len(stuck)} failed to start; {oldest.name}: {ready.message}"


def decide(size: int, stock: Stock, *, at_once: int) -> Scaling:
    """At most `at_once` start at a time. What is outdated serves on until a successor is ready.

    A claim takes any spare, so one of an old release is better than none: it goes only when there are enough others.
    """
    current = len(stock.current)
    create = max(0, min(size - current, at_once - len(stock.starting)))
    surplus = max(0, current - size)
    # Those that still start go first, then the youngest: the oldest are claimed first.
    unwanted = (*_youngest(stock.starting), *_youngest(stock.ready))[:surplus]
    replaced = max(0, len(stock.outdated) - max(0, size - len(stock.ready)))
    return Scaling(create, (*stock.broken, *unwanted, *stock.outdated[:replaced]))


def _youngest(spares: Iterable[Tenant]) -> list[Tenant]:
    return sorted(spares, key=lambda one: one.metadata.creation_timestamp or _LATEST, reverse=True)
