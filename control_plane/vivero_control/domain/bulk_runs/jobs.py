"""The job that gives a run's order to one tenant; what came of it is noted at the tenant's item."""

from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.errors import UnavailableError, WebError

from vivero_control.db.database import Database
from vivero_control.db.tables import BulkRun
from vivero_control.domain.bulk_runs.repository import ItemRepository
from vivero_control.domain.bulk_runs.schemas import ItemState, NewRun
from vivero_control.domain.tenants.bulk import action_of
from vivero_control.domain.tenants.errors import WrongStateError
from vivero_control.domain.tenants.service import TenantService
from vivero_control.jobs.kinds import JobDescription, JobKind, Payload

KIND: Final = "bulk_order"
KEEP: Final = timedelta(days=90)
"""Runs; what was done to each tenant stays in the audit log."""


class OneOf(msgspec.Struct, frozen=True):
    """Payload: which tenant of which run."""

    run: int
    tenant: str


class BulkOrderJob(JobKind):
    """As the person who gave the order: each tenant is decided, written and audited by itself."""

    def __init__(self, database: Database, tenants: TenantService) -> None:
        self._database = database
        self._tenants = tenants

    async def perform(self, payload: Payload) -> None:
        """Nothing where it is done, or the run is not kept any more.

        A worker may have died between the change and the note of it. So a second attempt asks for no version, and takes a
        tenant that is as it was to be for one that it has changed.

        Raises:
            UnavailableError: the cluster or the database does not answer.
        """
        one = msgspec.convert(payload, OneOf)
        async with self._database.transaction() as session:
            run, item = await session.get(BulkRun, one.run), await ItemRepository(session).locked(one.run, one.tenant)
            if run is None or item is None or item.state != ItemState.WAITING:
                return
            generation, is_first = item.generation, not item.begun
            item.begun = True
        order = msgspec.convert(run.said, NewRun)
        state, message = ItemState.DONE, ""
        try:
            await self._tenants.give(one.tenant, action_of(order, generation if is_first else None), run.actor)
        except UnavailableError:
            raise
        except WebError as error:
            if is_first or not isinstance(error, WrongStateError):
                state, message = ItemState.REFUSED, error.detail
        await self._note(one, state, message)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription("Order for many tenants", str(payload.get("tenant", "")))

    async def on_given_up(self, session: AsyncSession, payload: Payload, why: str | None) -> None:
        one = msgspec.convert(payload, OneOf)
        item = await ItemRepository(session).locked(one.run, one.tenant)
        if item is not None and item.state == ItemState.WAITING:
            item.state, item.message = ItemState.GIVEN_UP, (why or "The cluster did not answer in time.")[:500]

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:
        one = msgspec.convert(payload, OneOf)
        item = await ItemRepository(session).locked(one.run, one.tenant)
        if item is not None and item.state == ItemState.GIVEN_UP:
            item.state, item.message = ItemState.WAITING, ""

    async def _note(self, one: OneOf, state: ItemState, message: str) -> None:
        async with self._database.transaction() as session:
            item = await ItemRepository(session).locked(one.run, one.tenant)
            if item is not None:
                item.state, item.message = state, message[:500]
