"""Sends what is due to webhooks: a background loop, safe to run in several pods, each message at least once.

Who gets it tells a repetition by the header webhook-id. An attempt is claimed for a minute, so that a pod that dies
under way costs a minute. After each failure the next attempt waits longer, by the schedule of standardwebhooks.com.
"""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Final

from vivero_web import clock
from vivero_web.sealed import SealedSecrets
from vivero_web.webhook_sender import Outcome, WebhookSender
from vivero_web.webhook_signatures import signed_headers

from vivero_data.db.database import Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.users import repository as users
from vivero_data.domain.webhooks import repository
from vivero_data.domain.webhooks.repository import Message
from vivero_data.lib.polling import Poller

_DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
DISABLED_AFTER: Final = timedelta(days=5)
"""Of failures without a success in between."""
_AT_ONCE: Final = 8
_LEASE_SECONDS: Final = 60  # longer than any attempt takes
_POLL_SECONDS: Final = 2.0  # while there are webhooks
_IDLE_POLL_SECONDS: Final = 300.0  # while there is none: another pod may have got one


def next_attempt(number: int, now: datetime, jitter: float) -> datetime | None:
    """When to try again after so many attempts; None after the last. `jitter` is around 1."""
    return now + _DELAYS[number - 1] * jitter if number <= len(_DELAYS) else None


class WebhookDelivery(Poller):
    """Polls for due messages."""

    def __init__(
        self,
        database: Database,
        sender: WebhookSender,
        secrets: SealedSecrets,
        links: LinkService,
        wakeup: asyncio.Event,
    ) -> None:
        super().__init__("webhooks", wakeup, _POLL_SECONDS, _IDLE_POLL_SECONDS)
        self._database = database
        self._sender = sender
        self._secrets = secrets
        self._links = links

    async def expects(self) -> bool:
        async with self._database.read() as connection:
            return await repository.any_active(connection)

    async def once(self) -> bool:
        async with self._database.transaction() as tx:
            claimed = await repository.claim(tx, _AT_ONCE, _LEASE_SECONDS)
        async with asyncio.TaskGroup() as group:
            for message in claimed:
                group.create_task(self._deliver(message))
        return bool(claimed)

    async def _deliver(self, message: Message) -> None:
        outcome = await self._attempt(message)
        now = clock.now()
        again = next_attempt(message.attempt, now, random.uniform(0.9, 1.1))  # noqa: S311  jitter, not a secret
        since = message.failing_since
        given_up = not outcome.delivered and since is not None and now - since > DISABLED_AFTER
        async with self._database.transaction() as tx:
            await repository.note(tx, message, outcome, None if outcome.delivered or given_up else again)
            disabled = given_up and await repository.disable(tx, message.webhook_id)
            if disabled:
                await record(tx, None, "webhook.disable", message.url[:300])
            maker = await users.get(tx, message.made_by) if disabled else None
        if maker is not None and maker.active:
            await self._links.mail_disabled_webhook(maker.email)

    async def _attempt(self, message: Message) -> Outcome:
        secret = self._secrets.opened(message.webhook_id, message.sealed)
        if secret is None:
            return Outcome(None, "Its secret cannot be read here: this workspace is a copy. Make another secret.")
        headers = signed_headers(message.message, message.body, [secret], clock.now())
        return await self._sender.send(message.url, message.body.encode(), headers)
