"""SQL of endpoints and of attempts to tell them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from vivero_control.db.database import Repository
from vivero_control.db.tables import TenantEvent, WebhookAttempt, WebhookEndpoint


class EndpointRepository(Repository[WebhookEndpoint]):
    """Endpoints."""

    model_type = WebhookEndpoint

    async def all(self) -> Sequence[WebhookEndpoint]:
        """The newest first."""
        return (await self.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id.desc()))).all()

    async def ids_locked(self) -> Sequence[int]:
        """Nobody else counts or makes one until the transaction ends."""
        return (await self.session.scalars(select(WebhookEndpoint.id).with_for_update())).all()

    async def locked(self, number: int) -> WebhookEndpoint | None:
        """Held until the transaction ends."""
        return await self.get_one_or_none(id=number, with_for_update=True)


class AttemptRepository(Repository[WebhookAttempt]):
    """Attempts, each of an event."""

    model_type = WebhookAttempt

    async def next_number(self, endpoint: int, event: int) -> int:
        """Of the attempt that follows."""
        of = WebhookAttempt.endpoint_id == endpoint, WebhookAttempt.event_id == event
        return (await self.session.scalar(select(func.max(WebhookAttempt.number)).where(*of)) or 0) + 1

    async def newest_at(self, endpoint: int) -> datetime | None:
        """When the last attempt ended."""
        return await self.session.scalar(
            select(func.max(WebhookAttempt.at)).where(WebhookAttempt.endpoint_id == endpoint)
        )

    async def page(self, endpoint: int, below: int | None, limit: int) -> Sequence[tuple[WebhookAttempt, TenantEvent]]:
        """The newest, below a number."""
        statement = (
            select(WebhookAttempt, TenantEvent)
            .join(TenantEvent, TenantEvent.id == WebhookAttempt.event_id)
            .where(WebhookAttempt.endpoint_id == endpoint)
            .order_by(WebhookAttempt.id.desc())
            .limit(limit)
        )
        if below is not None:
            statement = statement.where(WebhookAttempt.id < below)
        return [(attempt, event) for attempt, event in await self.session.execute(statement)]

    async def event(self, endpoint: int, message: str) -> TenantEvent | None:
        """The event of a message that was sent to an endpoint at least once."""
        statement = (
            select(TenantEvent)
            .join(WebhookAttempt, WebhookAttempt.event_id == TenantEvent.id)
            .where(TenantEvent.message == message, WebhookAttempt.endpoint_id == endpoint)
            .limit(1)
        )
        return (await self.session.scalars(statement)).one_or_none()
