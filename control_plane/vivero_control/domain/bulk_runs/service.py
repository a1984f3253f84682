"""Orders for all tenants that match a filter: looked at, given, and followed."""

from collections.abc import Callable

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError

from vivero_control.db.database import Database
from vivero_control.db.tables import BulkItem, BulkRun
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.bulk_runs.jobs import KIND, OneOf
from vivero_control.domain.bulk_runs.repository import RunRepository
from vivero_control.domain.bulk_runs.schemas import (
    MOST,
    ItemState,
    Matching,
    NewRun,
    OthersMatchError,
    RunItem,
    RunNotFoundError,
    RunView,
)
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.bulk import BulkAction, BulkOrders, BulkResult, Order, Outcome
from vivero_control.domain.tenants.schemas import TenantQuery
from vivero_control.domain.tenants.service import TenantService
from vivero_control.jobs.repository import OutboxRepository
from vivero_control.lib.idempotency import IdempotentOperation


class BulkRuns:
    """For staff."""

    def __init__(
        self, *, database: Database, tenants: TenantService, wake_worker: Callable[[], None], clock: Clock
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._wake_worker = wake_worker
        self._clock = clock

    def preview(self, matching: Matching, order: Order) -> BulkResult:
        """What an order would do to each that matches, as the list knows them.

        Raises:
            InvalidInputError: none matches, or more than MOST do; or the order is incomplete.
        """
        query = TenantQuery(
            search=matching.search,
            plan=matching.plan or None,
            state=matching.state,
            only=matching.only,
            sort="name",
            descending=False,
            limit=MOST + 1,
        )
        found = self._tenants.search(query)
        if not 0 < found.total <= MOST:
            problem = f"{found.total:,} tenants match. An order is for at most {MOST:,}: choose narrower filters."
            raise InvalidInputError.of("matching", problem if found.total else "No tenant matches.")
        return BulkOrders(self._tenants).known(order, found.items)

    async def give(self, new: NewRun, actor: StaffView, operation: IdempotentOperation | None = None) -> RunView:
        """Have it carried out for each for which it is possible; `operation` keeps the answer.

        Raises:
            OthersMatchError: these are not as many as were looked at.
            InvalidInputError: as `preview`.
        """
        possible = self.preview(new.matching, new).of(Outcome.POSSIBLE)
        if len(possible) != new.count:
            raise OthersMatchError(len(possible))
        run = BulkRun(
            action=new.action,
            said=msgspec.to_builtins(new),
            actor=actor.email,
            reason=new.reason,
            made_at=self._clock(),
        )
        async with self._database.transaction() as session:
            await RunRepository(session).add(run)
            session.add_all(
                BulkItem(run_id=run.id, tenant=one.name, generation=one.generation, state=ItemState.WAITING)
                for one in possible
            )
            for one in possible:
                await OutboxRepository(session).enqueue(
                    kind=KIND,
                    key=f"{KIND}:{run.id}:{one.name}",
                    payload=msgspec.to_builtins(OneOf(run.id, one.name)),
                    now=run.made_at,
                    due_at=run.made_at,
                )
            detail = {"action": new.action, "tenants": len(possible), "matching": msgspec.to_builtins(new.matching)}
            act = AuditAction(
                actor=actor.email, action="order-for-many", subject=f"run/{run.id}", reason=new.reason, detail=detail
            )
            await AuditRepository(session).add(record(act, run.made_at, DONE))
            view = await _view(session, run)
            if operation:
                await operation.store(session, msgspec.to_builtins(view))
        self._wake_worker()
        return view

    async def get(self, number: int) -> RunView:
        """How far it is. Raises RunNotFoundError."""
        async with self._database.transaction() as session:
            run = await session.get(BulkRun, number)
            if run is None:
                raise RunNotFoundError
            return await _view(session, run)


async def _view(session: AsyncSession, run: BulkRun) -> RunView:
    counts = await RunRepository(session).counts(run.id)
    return RunView(
        id=run.id,
        action=BulkAction(run.action),
        actor=run.actor,
        reason=run.reason,
        made_at=run.made_at,
        total=sum(counts.values()),
        waiting=counts.get(ItemState.WAITING, 0),
        done=counts.get(ItemState.DONE, 0),
        refused=counts.get(ItemState.REFUSED, 0),
        given_up=counts.get(ItemState.GIVEN_UP, 0),
        left=tuple(
            RunItem(tenant=one.tenant, state=ItemState(one.state), message=one.message)
            for one in await RunRepository(session).left(run.id)
        ),
    )
