"""Events of tenants: written, numbered and enqueued for each endpoint in the transaction of what they tell of."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import CursorResult, delete, exists, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.webhook_signatures import new_message_id

from vivero_control.db.database import Repository
from vivero_control.db.tables import SUBJECT_LENGTH, TenantEvent, WatchedTenant, WebhookEndpoint
from vivero_control.domain.tenants.policies import tenant_subject
from vivero_control.domain.webhooks import policies
from vivero_control.domain.webhooks.policies import Happening, State
from vivero_control.jobs.repository import OutboxRepository

logger = logging.getLogger(__name__)

DELIVER: Final = "webhook.deliver"


class WatchedTenantRepository(Repository[WatchedTenant]):
    """What was last seen of each tenant, and the number of its last event."""

    model_type = WatchedTenant

    async def locked(self, uid: str, name: str) -> WatchedTenant:
        """Of one tenant, made if it is not there, and held until the transaction ends: its events have one order."""
        fresh = insert(WatchedTenant).values(uid=uid, name=name, version=0, events=0)
        await self.session.execute(fresh.on_duplicate_key_update(name=name))
        statement = select(WatchedTenant).where(WatchedTenant.uid == uid).with_for_update()
        return (await self.session.scalars(statement)).one()

    async def present(self) -> Sequence[WatchedTenant]:
        """Those that have been seen and are not gone."""
        there = WatchedTenant.state.is_not(None), WatchedTenant.gone_at.is_(None)
        return (await self.session.scalars(select(WatchedTenant).where(*there))).all()

    async def forget(self, before: datetime) -> int:
        """Events from before, then tenants that are gone and have none left; returns how many rows."""
        events = delete(TenantEvent).where(TenantEvent.at < before)
        left = exists().where(TenantEvent.tenant_uid == WatchedTenant.uid)
        tenants = delete(WatchedTenant).where(WatchedTenant.gone_at < before, ~left)
        done = [cast("CursorResult[Any]", await self.session.execute(one)).rowcount for one in (events, tenants)]
        return sum(done)


def last_state(row: WatchedTenant) -> State | None:
    """None while it has not been seen: a payment can come first. Nor is known what a program of another version wrote."""
    if row.state is None:
        return None
    try:
        return msgspec.convert(row.state, State)
    except msgspec.ValidationError:
        logger.warning("the last state of a tenant cannot be read, it is taken for new", extra={"tenant": row.name})
        return None


async def tell(session: AsyncSession, uid: str, name: str, of: Happening, now: datetime) -> None:
    """Of a tenant that is not held yet."""
    row = await WatchedTenantRepository(session).locked(uid, name)
    await append(session, row, of, now)


async def append(session: AsyncSession, row: WatchedTenant, of: Happening, now: datetime) -> None:
    """Write an event of a tenant that is held, and a job for each endpoint that asks for it."""
    row.events += 1
    named = {"tenant": row.name, "uid": row.uid, "sequence": row.events}
    event = TenantEvent(
        message=new_message_id(),
        tenant_uid=row.uid,
        tenant=row.name,
        sequence=row.events,
        type=of.type,
        at=now,
        body=policies.body(of, named, last_state(row), now),
    )
    session.add(event)
    await session.flush()
    for endpoint in await session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.active)):
        if of.type in endpoint.events:
            await enqueue(session, endpoint, event, now)


async def enqueue(
    session: AsyncSession, endpoint: WebhookEndpoint, event: TenantEvent, now: datetime, again: str = ""
) -> None:
    """A job that delivers it; `again` tells a repetition by hand from the first."""
    await OutboxRepository(session).enqueue(
        kind=DELIVER,
        key=f"{DELIVER}:{endpoint.id}:{event.id}{again and ':'}{again}",
        payload={
            "endpoint": endpoint.id,
            "event": event.id,
            "by_hand": bool(again),
            "type": event.type,
            "host": (urlsplit(endpoint.url).hostname or "")[:SUBJECT_LENGTH],
        },
        now=now,
        due_at=now,
        subject=tenant_subject(event.tenant)[:SUBJECT_LENGTH],
    )
