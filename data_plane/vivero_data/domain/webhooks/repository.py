"""SQL of webhooks, their messages and attempts."""

from datetime import datetime
from typing import Final

import msgspec
from vivero_web import clock
from vivero_web.webhook_sender import Outcome

from vivero_data.db.database import Connection, Row
from vivero_data.domain.webhooks.schemas import Attempt, Event, Webhook

_COLUMNS: Final = (
    "w.id, w.url, COALESCE(c.name, IF(w.collection_id IS NULL, NULL, '')), w.events, w.active, w.created_at,"
    " w.failing_since"
)
_FROM: Final = "webhooks w LEFT JOIN collections c ON c.id = w.collection_id"


class Message(msgspec.Struct, frozen=True):
    """One that is due, with where it goes; `attempt` is the number of the one that was claimed."""

    id: int
    webhook_id: int
    message: str
    event: Event
    body: str
    attempt: int
    url: str
    sealed: bytes
    failing_since: datetime | None
    made_by: int


async def insert(tx: Connection, user_id: int, url: str, collection_id: int | None, events: list[Event]) -> int:
    """One without a secret, which is sealed for its number."""
    return await tx.insert(
        "INSERT INTO webhooks (user_id, url, collection_id, events, secret) VALUES (%s, %s, %s, %s, '')",
        user_id,
        url,
        collection_id,
        " ".join(events),
    )


async def set_secret(tx: Connection, webhook_id: int, sealed: bytes) -> None:
    await tx.execute("UPDATE webhooks SET secret = %s WHERE id = %s", sealed, webhook_id)


async def count(connection: Connection) -> int:
    row = await connection.fetch_one("SELECT COUNT(*) FROM webhooks")
    return int(row[0]) if row else 0


async def any_active(connection: Connection) -> bool:
    return await connection.fetch_one("SELECT 1 FROM webhooks WHERE active LIMIT 1") is not None


async def get(connection: Connection, webhook_id: int) -> Webhook | None:
    row = await connection.fetch_one(f"SELECT {_COLUMNS} FROM {_FROM} WHERE w.id = %s", webhook_id)  # noqa: S608  fixed words
    return _webhook(row) if row else None


async def get_locked(tx: Connection, webhook_id: int) -> Webhook | None:
    await tx.fetch_one("SELECT id FROM webhooks WHERE id = %s FOR UPDATE", webhook_id)
    return await get(tx, webhook_id)


async def select_page(connection: Connection, limit: int, below: int | None) -> list[Webhook]:
    """The newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE %s IS NULL OR w.id < %s ORDER BY w.id DESC LIMIT %s",  # noqa: S608  fixed words
        below,
        below,
        limit + 1,
    )
    return [_webhook(row) for row in rows]


async def select_all(connection: Connection) -> list[Webhook]:
    """All of them, without their secrets."""
    return [_webhook(row) for row in await connection.fetch_all(f"SELECT {_COLUMNS} FROM {_FROM} ORDER BY w.id")]  # noqa: S608  fixed words


async def update(tx: Connection, webhook: Webhook) -> None:
    """One that is made active again begins without failures."""
    await tx.execute(
        "UPDATE webhooks SET url = %s, events = %s, active = %s, failing_since = %s WHERE id = %s",
        webhook.url,
        " ".join(webhook.events),
        webhook.active,
        clock.naive(webhook.failing_since) if webhook.failing_since else None,
        webhook.id,
    )


async def delete(tx: Connection, webhook_id: int) -> None:
    for table in ("webhook_attempts", "webhook_messages"):
        await tx.execute(f"DELETE FROM {table} WHERE webhook_id = %s", webhook_id)  # noqa: S608  fixed words
    await tx.execute("DELETE FROM webhooks WHERE id = %s", webhook_id)


async def select_attempts(connection: Connection, webhook_id: int, limit: int, below: int | None) -> list[Attempt]:
    """The newest first, one more than the limit when there are more."""
    rows = await connection.fetch_all(
        "SELECT id, at, message, event, number, status, problem, next_at FROM webhook_attempts"
        " WHERE webhook_id = %s AND (%s IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",
        webhook_id,
        below,
        below,
        limit + 1,
    )
    return [_attempt(row) for row in rows]


async def claim(tx: Connection, limit: int, lease_seconds: int) -> list[Message]:
    """Due messages, at most so many; nobody else gets them until the lease ends, and then an attempt more."""
    rows = await tx.fetch_all(
        "SELECT m.id, m.webhook_id, m.message, m.event, m.body, m.attempts, w.url, w.secret, w.failing_since, w.user_id"
        " FROM webhook_messages m JOIN webhooks w ON w.id = m.webhook_id"
        " WHERE m.due_at <= CURRENT_TIMESTAMP(6) AND w.active ORDER BY m.due_at LIMIT %s",
        limit,
    )
    claimed = []
    for number, hook, message, event, text, attempts, url, sealed, failing_since, made_by in rows:
        mine = await tx.execute(
            "UPDATE webhook_messages SET attempts = attempts + 1, due_at = CURRENT_TIMESTAMP(6) + INTERVAL %s SECOND"
            " WHERE id = %s AND attempts = %s",
            lease_seconds,
            number,
            attempts,
        )
        if mine:
            since = clock.utc(failing_since) if failing_since else None
            claimed.append(
                Message(
                    number, hook, message, Event(event), text, attempts + 1, url, bytes(sealed), since, int(made_by)
                )
            )
    return claimed


async def note(tx: Connection, message: Message, outcome: Outcome, next_at: datetime | None) -> None:
    """Write an attempt down; without a next one the message is done with."""
    await tx.execute(
        "INSERT INTO webhook_attempts (webhook_id, message, event, number, status, problem, next_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        message.webhook_id,
        message.message,
        message.event.value,
        message.attempt,
        outcome.status,
        outcome.problem,
        clock.naive(next_at) if next_at else None,
    )
    if next_at is None:
        await tx.execute("DELETE FROM webhook_messages WHERE id = %s", message.id)
    else:
        await tx.execute("UPDATE webhook_messages SET due_at = %s WHERE id = %s", clock.naive(next_at), message.id)
    await tx.execute(
        "UPDATE webhooks SET failing_since = IF(%s, NULL, COALESCE(failing_since, CURRENT_TIMESTAMP(6))) WHERE id = %s",
        outcome.delivered,
        message.webhook_id,
    )


async def disable(tx: Connection, webhook_id: int) -> bool:
    """Send nothing more; False if that is so already."""
    return await tx.execute("UPDATE webhooks SET active = FALSE WHERE id = %s AND active", webhook_id) == 1


async def purge(tx: Connection, before: datetime, batch: int) -> int:
    """Delete attempts from before `before`."""
    return await tx.execute("DELETE FROM webhook_attempts WHERE at < %s LIMIT %s", clock.naive(before), batch)


def _webhook(row: Row) -> Webhook:
    number, url, collection, events, active, created_at, failing_since = row
    return Webhook(
        id=int(number),
        url=url,
        collection=collection,
        events=[Event(event) for event in events.split()],
        active=bool(active),
        created_at=clock.utc(created_at),
        failing_since=clock.utc(failing_since) if failing_since else None,
    )


def _attempt(row: Row) -> Attempt:
    number, at, message, event, attempt, status, problem, next_at = row
    return Attempt(
        id=int(number),
        at=clock.utc(at),
        message=message,
        event=Event(event),
        number=int(attempt),
        status=status,
        problem=problem,
        next_at=clock.utc(next_at) if next_at else None,
    )
