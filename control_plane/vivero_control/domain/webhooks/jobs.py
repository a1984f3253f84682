"""The job that delivers an event to an endpoint: at least once, retried with back-off as every job is."""

import logging
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_core.errors import ViveroError
from vivero_web.clock import Clock
from vivero_web.sealed import SealedSecrets
from vivero_web.webhook_sender import Outcome, WebhookSender
from vivero_web.webhook_signatures import signed_headers

from vivero_control.db.database import Database
from vivero_control.db.tables import TenantEvent, WebhookAttempt, WebhookEndpoint
from vivero_control.domain.audit.service import DONE, AuditAction, AuditRepository, record
from vivero_control.domain.notifications import mails
from vivero_control.domain.webhooks import policies
from vivero_control.domain.webhooks.repository import AttemptRepository, EndpointRepository
from vivero_control.domain.webhooks.schemas import ANSWER_MAX, SwitchedOffError
from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload

ACTOR: Final = "webhooks"
"""Who switches one off, in the audit log."""
logger = logging.getLogger(__name__)


class Delivery(msgspec.Struct, frozen=True):
    """Payload: which event goes to which endpoint."""

    endpoint: int
    event: int
    by_hand: bool = False


class NotDeliveredError(ViveroError):
    """It was not taken; the sentence says why."""


def webhook_subject(number: int) -> str:
    """An endpoint in the audit log."""
    return f"webhook/{number}"


class DeliveryJob(JobKind):
    """Sends, and keeps a log of attempts. `page` is the console's address of an endpoint's number."""

    def __init__(
        self, database: Database, sender: WebhookSender, secrets: SealedSecrets, page: str, clock: Clock
    ) -> None:
        self._database = database
        self._sender = sender
        self._secrets = secrets
        self._page = page
        self._clock = clock

    async def perform(self, payload: Payload) -> None:
        """Nothing once the endpoint is deleted, or the event is not kept any more.

        Raises:
            GiveUpError: the endpoint is switched off.
            NotDeliveredError: it was not taken, or the endpoint is left alone for a moment.
        """
        order = msgspec.convert(payload, Delivery)
        async with self._database.transaction() as session:
            endpoint = await session.get(WebhookEndpoint, order.endpoint)
            event = await session.get(TenantEvent, order.event)
            newest = await AttemptRepository(session).newest_at(order.endpoint)
        if endpoint is None or event is None:
            return
        if not endpoint.active:
            raise GiveUpError("its webhook is switched off")
        if not order.by_hand and policies.rests(endpoint.failing_since, newest, self._clock()):
            raise NotDeliveredError("circuit breaker open: the endpoint failed a moment ago")
        outcome = await self._send(endpoint, event)
        async with self._database.transaction() as session:
            await self._note(session, order, outcome, self._clock())
        if not outcome.delivered:
            raise NotDeliveredError(outcome.problem)

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Webhook {payload.get('type', '')}", str(payload.get("host", "")))

    async def on_replay(self, session: AsyncSession, payload: Payload) -> None:
        endpoint = await session.get(WebhookEndpoint, msgspec.convert(payload, Delivery).endpoint)
        if endpoint is not None and not endpoint.active:
            raise SwitchedOffError

    async def _send(self, endpoint: WebhookEndpoint, event: TenantEvent) -> Outcome:
        now = self._clock()
        sealed = [endpoint.secret]
        if endpoint.old_secret and endpoint.old_secret_until and now < endpoint.old_secret_until:
            sealed.append(endpoint.old_secret)
        keys = [key for one in sealed if (key := self._secrets.opened(endpoint.id, one)) is not None]
        if not keys:
            return Outcome(None, "Its secret cannot be read with this platform's key. Make another one.")
        headers = signed_headers(event.message, event.body, keys, now)
        return await self._sender.send(endpoint.url, event.body.encode(), headers)

    async def _note(self, session: AsyncSession, order: Delivery, outcome: Outcome, now: datetime) -> None:
        """Unless endpoint or event were deleted while it was sent: their attempts went with them."""
        endpoint = await EndpointRepository(session).locked(order.endpoint)
        if endpoint is None or await session.get(TenantEvent, order.event) is None:
            return
        attempts = AttemptRepository(session)
        await attempts.add(
            WebhookAttempt(
                endpoint_id=order.endpoint,
                event_id=order.event,
                at=now,
                number=await attempts.next_number(order.endpoint, order.event),
                status=outcome.status,
                problem=outcome.problem[:255],
                answer=outcome.answer[:ANSWER_MAX],
            )
        )
        if outcome.delivered:
            endpoint.failing_since = None
            return
        if endpoint.active and policies.is_given_up(endpoint.failing_since, now):
            await self._switch_off(session, endpoint, now)
        endpoint.failing_since = endpoint.failing_since or now

    async def _switch_off(self, session: AsyncSession, endpoint: WebhookEndpoint, now: datetime) -> None:
        endpoint.active = False
        detail = {"failing_since": str(endpoint.failing_since)}
        act = AuditAction(
            actor=ACTOR, action="switch-webhook-off", subject=webhook_subject(endpoint.id), reason="", detail=detail
        )
        await AuditRepository(session).add(record(act, now, DONE))
        mail = mails.webhook_off(
            f"{endpoint.id}:{endpoint.failing_since}",
            to=endpoint.made_by,
            url=endpoint.url,
            page=f"{self._page}/{endpoint.id}",
        )
        await mails.enqueue(session, mail, now, subject=webhook_subject(endpoint.id))
        logger.warning("a webhook was switched off after days of failures", extra={"webhook": endpoint.id})
