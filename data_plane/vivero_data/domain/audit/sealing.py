"""Seals what was written into the audit log, and keeps the head of the chain in the bucket.

One pod at a time does it, a minute after an entry was written: a save waits for none of it. While the bucket is away
sealing goes on, and the head is kept there when it is back.
"""

import asyncio
import secrets
from datetime import datetime
from typing import Final

from prometheus_client import Gauge
from vivero_web import clock

from vivero_data.db.database import Connection, Database
from vivero_data.domain.audit import seals
from vivero_data.domain.audit.anchors import Anchor, Anchors, anchor_of
from vivero_data.domain.audit.chain import BrokenChainError, Head, next_seal
from vivero_data.lib.polling import Poller

_POLL_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 900.0  # at what other pods and jobs wrote; an idle workspace keeps no connection for it

LAG: Final = Gauge(
    "vivero_audit_anchor_lag_seconds",
    "Age of the oldest entry of the audit log that no head in the bucket covers yet.",
)


class Sealer(Poller):
    """Looks once a minute where this process has written entries, else every quarter of an hour."""

    def __init__(self, database: Database, anchors: Anchors) -> None:
        super().__init__("audit", asyncio.Event(), _POLL_SECONDS, _POLL_SECONDS)
        self._database = database
        self._anchors = anchors
        self._anchored: Head | None = None
        self._waiting_since: datetime | None = None
        self._looked: float | None = None
        LAG.set_function(self.lag)

    def lag(self) -> float:
        """Seconds; 0 while all is sealed and its head kept."""
        return (clock.now() - self._waiting_since).total_seconds() if self._waiting_since else 0.0

    async def expects(self) -> bool:
        return self._waiting_since is not None

    async def once(self) -> bool:
        """Seal a part of what is due and, after the last, keep the head; False when all is done that can be."""
        now = asyncio.get_running_loop().time()
        wrote = self._database.logged.is_set()
        if (
            not wrote
            and self._looked is not None
            and self._waiting_since is None
            and now - self._looked < _LOOK_SECONDS
        ):
            return False
        self._database.logged.clear()
        self._looked = now
        await self._note_waiting()
        if await self._seal():
            return True
        await self._anchor()
        self._waiting_since = None
        await self._note_waiting()
        return False

    async def _note_waiting(self) -> None:
        """Since when something waits; kept until it is done, also when the bucket or the database is away."""
        if self._waiting_since is None:
            async with self._database.read() as connection:
                known = self._anchored or await seals.head(connection)
                self._waiting_since = await seals.oldest_after(connection, known.seal.last if known else 0)

    async def _seal(self) -> bool:
        """Seal one part; False if nothing is due, or another pod is at it."""
        async with self._database.read() as connection:
            if not await _is_due(connection):
                return False
        async with self._database.transaction() as tx:
            if not await seals.lock(tx) or await seals.has_legacy_entries(tx):
                return False
            head = await seals.head(tx)
            after = head.seal.last if head else 0
            due = await seals.due(tx, after)
            if due is None:
                return False
            salt = secrets.token_hex(16)
            covered = await seals.cover(tx, after, due[0], salt, wait=True)
            seal = next_seal(head.seal if head else None, self._anchors.workspace, salt, due[1], covered.marks)
            await seals.insert(tx, seal)
        return True

    async def _anchor(self) -> None:
        """Keep the newest head in the bucket, unless it is there.

        Raises:
            BrokenChainError: the chain does not continue what is in the bucket, which is left as it is.
            UnavailableError: the bucket is away.
        """
        async with self._database.transaction() as tx:
            if not await seals.lock(tx):
                return
            head = await seals.head(tx)
            if head is None or head == self._anchored:
                return
            newest = await self._anchors.newest()
            if newest is not None:
                await _require_continued(tx, newest)
            if head.seal.workspace == self._anchors.workspace and (newest is None or newest.hash != head.seal.hash):
                await self._anchors.write(anchor_of(head, newest))
            self._anchored = head


async def _is_due(connection: Connection) -> bool:
    head = await seals.head(connection)
    return await seals.due(connection, head.seal.last if head else 0) is not None


async def _require_continued(tx: Connection, anchor: Anchor) -> None:
    found = await seals.select_one(tx, anchor.entry)
    if found is None or found.seal is None or found.seal.hash != anchor.hash:
        raise BrokenChainError(
            f"Seal {anchor.number} of the audit log, whose hash is in the bucket, is not in the log:"
            " see `vivero-data audit verify`."
        )
