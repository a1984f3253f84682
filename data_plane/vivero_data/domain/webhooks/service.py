"""Webhooks: made and changed by who manages collections; sent by `delivery.py`."""

import asyncio
from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.sealed import SealedSecrets
from vivero_web.webhook_sender import url_problem
from vivero_web.webhook_signatures import new_secret, secret_text

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit.service import record
from vivero_data.domain.collections import repository as collections
from vivero_data.domain.users.schemas import Actor, Permission, require_permission
from vivero_data.domain.webhooks import repository
from vivero_data.domain.webhooks.schemas import (
    MAX_WEBHOOKS,
    Attempt,
    CreatedWebhook,
    Event,
    NewWebhook,
    TooManyWebhooksError,
    Webhook,
    WebhookChanges,
    WebhookNotFoundError,
)
from vivero_data.lib import cursors
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, check_limit, page_of

_SORT: Final = "-id"


class WebhookService:
    """The workspace's webhooks; `wakeup` has `delivery.py` look at once, `sealed` are their secrets."""

    def __init__(self, database: Database, sealed: SealedSecrets) -> None:
        self._database = database
        self.sealed = sealed
        self.wakeup = asyncio.Event()

    async def list(self, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Webhook]:
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            found = await repository.select_page(connection, limit, below)
        return page_of(found, limit, lambda webhook: cursors.by_id(_SORT, webhook.id))

    async def get(self, actor: Actor, webhook_id: int) -> Webhook:
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.read() as connection:
            return _found(await repository.get(connection, webhook_id))

    async def create(self, actor: Actor, new: NewWebhook) -> CreatedWebhook:
        """A webhook; its secret is in this answer only.

        Raises:
            InvalidInputError: the URL is not one of the Internet, or there is no such collection.
            TooManyWebhooksError: there are enough.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        _check_url(new.url)
        async with self._database.transaction() as tx:
            if await repository.count(tx) >= MAX_WEBHOOKS:
                raise TooManyWebhooksError
            collection = await _collection_id(tx, new.collection)
            number = await repository.insert(tx, actor.user_id, new.url, collection, _sorted(new.events))
            secret = await self._new_secret(tx, number)
            made = _found(await repository.get(tx, number))
            await record(tx, actor, "webhook.create", _subject(made), after=_visible(made))
        self.wakeup.set()
        return CreatedWebhook(**msgspec.structs.asdict(made), secret=secret)

    async def change(self, actor: Actor, webhook_id: int, changes: WebhookChanges) -> Webhook:
        """Another address or other events; switch it off, or on again after it was.

        Raises:
            InvalidInputError: the URL is not one of the Internet.
            WebhookNotFoundError: there is none of this number.
        """
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        if changes.url is not None:
            _check_url(changes.url)
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
        if changes.events is not None:
            given["events"] = _sorted(changes.events)
        async with self._database.transaction() as tx:
            before = _found(await repository.get_locked(tx, webhook_id))
            after = msgspec.structs.replace(before, **given)
            if after == before:
                return before
            if after.active and not before.active:
                after = msgspec.structs.replace(after, failing_since=None)
            await repository.update(tx, after)
            await record(tx, actor, "webhook.update", _subject(after), before=_visible(before), after=_visible(after))
        self.wakeup.set()
        return after

    async def renew_secret(self, actor: Actor, webhook_id: int) -> CreatedWebhook:
        """Another secret; what is sent from now on is signed with it."""
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.transaction() as tx:
            webhook = _found(await repository.get_locked(tx, webhook_id))
            secret = await self._new_secret(tx, webhook_id)
            await record(tx, actor, "webhook.renew_secret", _subject(webhook))
        return CreatedWebhook(**msgspec.structs.asdict(webhook), secret=secret)

    async def delete(self, actor: Actor, webhook_id: int) -> None:
        """Nothing more is sent, of what waits neither."""
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        async with self._database.transaction() as tx:
            webhook = _found(await repository.get_locked(tx, webhook_id))
            await repository.delete(tx, webhook_id)
            await record(tx, actor, "webhook.delete", _subject(webhook), before=_visible(webhook))

    async def attempts(
        self, actor: Actor, webhook_id: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[Attempt]:
        """What was sent in the last 30 days, newest first."""
        require_permission(actor, Permission.MANAGE_COLLECTIONS)
        check_limit(limit)
        below = cursors.decode(cursor, _SORT).id if cursor else None
        async with self._database.read() as connection:
            _found(await repository.get(connection, webhook_id))
            found = await repository.select_attempts(connection, webhook_id, limit, below)
        return page_of(found, limit, lambda attempt: cursors.by_id(_SORT, attempt.id))

    async def _new_secret(self, tx: Connection, webhook_id: int) -> str:
        secret = new_secret()
        await repository.set_secret(tx, webhook_id, self.sealed.sealed(webhook_id, secret))
        return secret_text(secret)


def _check_url(url: str) -> None:
    problem = url_problem(url)
    if problem:
        raise InvalidInputError.of("url", problem)


async def _collection_id(tx: Connection, name: str | None) -> int | None:
    if name is None:
        return None
    found = await collections.get(tx, name)
    if found is None:
        raise InvalidInputError.of("collection", "There is no such collection.")
    return found.id


def _sorted(events: list[Event]) -> list[Event]:
    return [event for event in Event if event in events]


def _found(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise WebhookNotFoundError
    return webhook


def _subject(webhook: Webhook) -> str:
    return f"{webhook.url[:290]} ({webhook.id})"


def _visible(webhook: Webhook) -> dict[str, Any]:
    """A webhook as the audit log records it."""
    return {
        "url": webhook.url,
        "collection": webhook.collection,
        "events": list(webhook.events),
        "active": webhook.active,
    }
