"""Webhooks for admins of the staff: made, changed, rotated, deleted; what was sent, and sending it again."""

import secrets
from collections.abc import Callable, Mapping

from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.errors import InvalidInputError
from vivero_web.sealed import SealedSecrets
from vivero_web.text import whole_number
from vivero_web.webhook_signatures import new_secret, secret_text

from vivero_control.db.database import Database
from vivero_control.db.tables import TenantEvent, WebhookAttempt, WebhookEndpoint
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.webhooks import events, policies
from vivero_control.domain.webhooks.jobs import webhook_subject
from vivero_control.domain.webhooks.repository import AttemptRepository, EndpointRepository
from vivero_control.domain.webhooks.schemas import (
    MOST,
    OLD_SECRET_FOR,
    Attempt,
    AttemptPage,
    CreatedEndpoint,
    Endpoint,
    EndpointChanges,
    EndpointList,
    EndpointNotFoundError,
    EventType,
    MessageNotFoundError,
    NewEndpoint,
    SwitchedOffError,
    TooManyEndpointsError,
)


class WebhookService:
    """Each change is in the audit log, in its transaction; `actor` is the e-mail of who makes it."""

    def __init__(
        self, database: Database, sealed: SealedSecrets, wake_worker: Callable[[], None], clock: Clock
    ) -> None:
        self._database = database
        self._sealed = sealed
        self._wake_worker = wake_worker
        self._clock = clock

    async def all(self) -> EndpointList:
        async with self._database.transaction() as session:
            rows = await EndpointRepository(session).all()
        return EndpointList(items=tuple(self._view(row) for row in rows))

    async def get(self, number: int) -> Endpoint:
        """Raises EndpointNotFoundError."""
        async with self._database.transaction() as session:
            return self._view(await _found(session, number))

    async def make(self, new: NewEndpoint, actor: str) -> CreatedEndpoint:
        """Its secret is in this answer only.

        Raises:
            InvalidInputError: naming `url`.
            TooManyEndpointsError: there are MOST.
        """
        _check(new.url)
        async with self._database.transaction() as session:
            endpoints = EndpointRepository(session)
            if len(await endpoints.ids_locked()) >= MOST:
                raise TooManyEndpointsError
            chosen = [str(one) for one in policies.in_order(new.events)]
            now = self._clock()
            row = WebhookEndpoint(url=new.url, events=chosen, active=True, secret=b"", made_by=actor, made_at=now)
            await endpoints.add(row)
            secret = new_secret()
            row.secret = self._sealed.sealed(row.id, secret)
            await self._audit(session, "make-webhook", row.id, actor, {"url": row.url, "events": chosen})
            return self._created(row, secret)

    async def change(self, number: int, changes: EndpointChanges, actor: str) -> Endpoint:
        """One that is switched on again begins without failures.

        Raises:
            InvalidInputError: naming `url`.
            EndpointNotFoundError: there is none of this number.
        """
        _check(changes.url)
        async with self._database.transaction() as session:
            row = await _found(session, number)
            before = self._view(row)
            row.url = changes.url or row.url
            row.events = [str(one) for one in policies.in_order(changes.events or before.events)]
            if changes.active is not None:
                row.failing_since = row.failing_since if before.active or not changes.active else None
                row.active = changes.active
            after = self._view(row)
            if after != before:
                detail = {"url": after.url, "events": row.events, "active": after.active}
                await self._audit(session, "change-webhook", number, actor, detail)
        return after

    async def rotate(self, number: int, actor: str) -> CreatedEndpoint:
        """Another secret; for OLD_SECRET_FOR messages are signed with the one before, too.

        Raises:
            EndpointNotFoundError: there is none of this number.
        """
        async with self._database.transaction() as session:
            row = await _found(session, number)
            secret = new_secret()
            row.old_secret, row.old_secret_until = row.secret, self._clock() + OLD_SECRET_FOR
            row.secret = self._sealed.sealed(number, secret)
            await self._audit(session, "rotate-webhook-secret", number, actor, {})
            return self._created(row, secret)

    async def delete(self, number: int, actor: str) -> None:
        """With its attempts; what waits is not sent. Raises EndpointNotFoundError."""
        async with self._database.transaction() as session:
            row = await _found(session, number)
            await self._audit(session, "delete-webhook", number, actor, {"url": row.url})
            await session.delete(row)

    async def attempts(self, number: int, cursor: str, limit: int) -> AttemptPage:
        """From a cursor on, or the newest.

        Raises:
            EndpointNotFoundError: there is none of this number.
            InvalidInputError: the cursor is of no page.
        """
        below = whole_number(cursor) if cursor else None
        if cursor and below is None:
            raise InvalidInputError.of("cursor", "must be the next_cursor of a page")
        async with self._database.transaction() as session:
            await _found(session, number)
            rows = await AttemptRepository(session).page(number, below, limit + 1)
        found = tuple(_attempt(*row) for row in rows[:limit])
        return AttemptPage(items=found, next_cursor=str(found[-1].id) if len(rows) > limit else None)

    async def resend(self, number: int, message: str, actor: str) -> None:
        """Send a message once more, as it was, signed for now.

        Raises:
            EndpointNotFoundError, MessageNotFoundError: there is none.
            SwitchedOffError: nothing is sent there.
        """
        async with self._database.transaction() as session:
            row = await _found(session, number)
            event = await AttemptRepository(session).event(number, message)
            if event is None:
                raise MessageNotFoundError
            if not row.active:
                raise SwitchedOffError
            await events.enqueue(session, row, event, self._clock(), secrets.token_hex(8))
            detail = {"message": message, "event": event.type, "tenant": event.tenant}
            await self._audit(session, "resend-webhook", number, actor, detail)
        self._wake_worker()

    async def _audit(
        self, session: AsyncSession, action: str, number: int, actor: str, detail: Mapping[str, object]
    ) -> None:
        act = AuditAction(actor=actor, action=action, subject=webhook_subject(number), reason="", detail=dict(detail))
        await AuditRepository(session).add(record(act, self._clock(), DONE))

    def _created(self, row: WebhookEndpoint, secret: bytes) -> CreatedEndpoint:
        return CreatedEndpoint(**structs.asdict(self._view(row)), secret=secret_text(secret))

    def _view(self, row: WebhookEndpoint) -> Endpoint:
        until = row.old_secret_until
        return Endpoint(
            id=row.id,
            url=row.url,
            events=tuple(map(EventType, row.events)),
            active=row.active,
            made_by=row.made_by,
            made_at=row.made_at,
            failing_since=row.failing_since,
            old_secret_until=until if until and self._clock() < until else None,
        )


def _attempt(row: WebhookAttempt, event: TenantEvent) -> Attempt:
    return Attempt(
        id=row.id,
        at=row.at,
        message=event.message,
        event=EventType(event.type),
        tenant=event.tenant,
        number=row.number,
        status=row.status,
        problem=row.problem,
        answer=row.answer,
    )


async def _found(session: AsyncSession, number: int) -> WebhookEndpoint:
    row = await EndpointRepository(session).locked(number)
    if row is None:
        raise EndpointNotFoundError
    return row


def _check(url: str | None) -> None:
    if found := policies.problems(url):
        raise InvalidInputError.of_all(found)
