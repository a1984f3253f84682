"""Messages to webhooks, stored in the transaction of the change that they tell of: both happen, or neither.

What is written into the audit log about records is what is told, so that no way of changing a record can forget it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from vivero_web import clock
from vivero_web.webhook_signatures import new_message_id

from vivero_data.db.database import Connection
from vivero_data.domain.audit.repository import NewEntry
from vivero_data.domain.webhooks.schemas import Event
from vivero_data.lib.json import encode

EVENTS: Final[Mapping[str, Event]] = {
    "record.create": Event.CREATED,
    "record.restore": Event.CREATED,
    "record.update": Event.UPDATED,
    "record.delete": Event.DELETED,
}


async def tell(tx: Connection, entries: Sequence[NewEntry]) -> None:
    """Store a message for each entry about a record and each webhook that asks for it."""
    told = [(EVENTS[entry.action], entry) for entry in entries if entry.action in EVENTS]
    if not told:
        return
    hooks = await tx.fetch_all(
        "SELECT w.id, w.events, w.collection_id, c.name"
        " FROM webhooks w LEFT JOIN collections c ON c.id = w.collection_id WHERE w.active"
    )
    for event, entry in told:
        name, _, number = entry.subject.rpartition("/")
        for hook, events, collection, wanted in hooks:
            if event in events.split() and (collection is None or wanted == name):
                await tx.execute(
                    "INSERT INTO webhook_messages (webhook_id, message, event, body) VALUES (%s, %s, %s, %s)",
                    hook,
                    new_message_id(),
                    event.value,
                    body(event, name, int(number), entry),
                )


def body(event: Event, collection: str, record_id: int, entry: NewEntry) -> str:
    """What is sent: of an update only the values that changed."""
    data = {"collection": collection, "id": record_id, "before": entry.before, "after": entry.after}
    return encode({"type": event.value, "timestamp": clock.now(), "data": data})
