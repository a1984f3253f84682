"""How the platform stands at this moment: customers, trials, what failed, and the room for more."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_core.backends.kube.resources import DATABASE_SERVER, TENANT_POOL
from vivero_core.model import conditions
from vivero_core.model.constants import ConditionType
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant_pool import TenantPool
from vivero_web.clock import Clock

from vivero_control.domain.billing.service import BillingService
from vivero_control.domain.dead_letters.service import DeadLetterService
from vivero_control.domain.tenants.schemas import TenantRow, TenantState
from vivero_control.domain.tenants.service import TenantService
from vivero_control.lib.informer import Informer

SOON: Final = timedelta(days=7)
"""A trial that ends within it is named."""
RECENT: Final = timedelta(days=7)
SLOW: Final = timedelta(minutes=5)
"""A workspace is there within seconds, or within two minutes without a spare: what takes longer than this has a fault."""
NAMED: Final = 10


class PoolView(Struct, frozen=True, kw_only=True):
    """Spares that are kept for signups."""

    name: Annotated[str, Meta(description="Of the TenantPool.")]
    plan: Annotated[str, Meta(description="Name of the plan that they are made for.")]
    size: Annotated[int, Meta(description="How many are to be kept.")]
    ready: Annotated[int, Meta(description="How many can be claimed now.")]


class ServerView(Struct, frozen=True, kw_only=True):
    """A MariaDB server that tenants are placed on."""

    name: Annotated[str, Meta(description="Of the DatabaseServer.")]
    tenants: Annotated[int, Meta(description="How many are on it.")]
    capacity: Annotated[int, Meta(description="How many it may have.")]
    cordoned: Annotated[bool, Meta(description="Whether it gets no new ones.")]
    ready: Annotated[bool, Meta(description="Whether it answers.")]
    message: Annotated[str, Meta(description="What the operator says about it.")]
    orphans: Annotated[int, Meta(description="Data on it that belongs to no tenant.")]


class Customers(Struct, frozen=True, kw_only=True):
    """Customers, counted and named."""

    states: Annotated[dict[TenantState, int], Meta(description="How many are in each state; absent: none.")]
    new: Annotated[int, Meta(description="How many came in the last seven days.")]
    trials: Annotated[int, Meta(description="How many are on a trial that has not ended.")]
    ending: Annotated[
        tuple[TenantRow, ...], Meta(description="Whose trial ends within seven days, the first first; ten at most.")
    ]
    ending_in_all: Annotated[int, Meta(description="How many they are.")]
    slow: Annotated[
        tuple[TenantRow, ...],
        Meta(description="What has been starting for five minutes or cannot be read; ten at most."),
    ]
    slow_in_all: Annotated[int, Meta(description="How many they are.")]


class PlatformOverview(Struct, frozen=True, kw_only=True):
    """The state of the platform."""

    at: Annotated[datetime, Meta(description="When this was so.")]
    customers: Customers
    dead_letters: Annotated[int, Meta(description="Jobs that were given up.")]
    billing_differences: Annotated[
        int, Meta(description="What the comparison with the payment provider left to people in the last seven days.")
    ]
    pools: Annotated[tuple[PoolView, ...], Meta(description="By name.")]
    servers: Annotated[tuple[ServerView, ...], Meta(description="By name.")]


class PoolInformer(Informer[TenantPool]):
    """Every TenantPool, by name."""

    def __init__(self) -> None:
        super().__init__(TENANT_POOL, TenantPool, keys=lambda _: ())


class ServerInformer(Informer[DatabaseServer]):
    """Every DatabaseServer, by name."""

    def __init__(self) -> None:
        super().__init__(DATABASE_SERVER, DatabaseServer, keys=lambda _: ())


class OverviewService:
    """From the informers; of the database it asks two counts."""

    def __init__(  # noqa: PLR0913, PLR0917  what it is an overview of
        self,
        tenants: TenantService,
        dead_letters: DeadLetterService,
        billing: BillingService,
        pools: PoolInformer,
        servers: ServerInformer,
        clock: Clock,
    ) -> None:
        self._tenants = tenants
        self._dead_letters = dead_letters
        self._billing = billing
        self._pools = pools
        self._servers = servers
        self._clock = clock

    async def now(self) -> PlatformOverview:
        now = self._clock()
        return PlatformOverview(
            at=now,
            customers=customers(self._tenants.customers(), now),
            dead_letters=await self._dead_letters.count(),
            billing_differences=await self._billing.left_to_people(now - RECENT),
            pools=tuple(map(_pool, sorted(self._pools.all(), key=lambda one: one.name))),
            servers=tuple(map(_server, sorted(self._servers.all(), key=lambda one: one.name))),
        )


def customers(rows: Sequence[TenantRow], now: datetime) -> Customers:
    trials = [row for row in rows if row.trial_ends_at is not None and row.trial_ends_at > now]
    ending = sorted((row for row in trials if _end(row) <= now + SOON), key=_end)
    slow = [row for row in rows if _is_slow(row, now)]
    return Customers(
        states=dict(Counter(row.state for row in rows)),
        new=sum(row.created_at is not None and now - row.created_at <= RECENT for row in rows),
        trials=len(trials),
        ending=tuple(ending[:NAMED]),
        ending_in_all=len(ending),
        slow=tuple(slow[:NAMED]),
        slow_in_all=len(slow),
    )


def _end(row: TenantRow) -> datetime:
    assert row.trial_ends_at is not None  # noqa: S101  of a trial
    return row.trial_ends_at


def _is_slow(row: TenantRow, now: datetime) -> bool:
    if row.state is TenantState.UNREADABLE:
        return True
    return row.state is TenantState.STARTING and row.created_at is not None and now - row.created_at > SLOW


def _pool(pool: TenantPool) -> PoolView:
    return PoolView(name=pool.name, plan=pool.spec.plan, size=pool.spec.size, ready=pool.status.ready)


def _server(server: DatabaseServer) -> ServerView:
    ready = conditions.find(server.status.conditions, ConditionType.READY)
    return ServerView(
        name=server.name,
        tenants=server.status.tenants,
        capacity=server.spec.capacity,
        cordoned=server.spec.cordoned,
        ready=ready is not None and ready.status == "True",
        message=ready.message if ready else "The operator has not looked at it yet.",
        orphans=server.status.orphans,
    )
