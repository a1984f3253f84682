"""Idempotency-Key: a POST that makes something, sent twice, makes it once.

The key is claimed in its own transaction before the work; the work stores its
answer in the very transaction that makes the thing. So: made and answered, or
neither. Rows are kept for a day (KEEP); the worker removes older ones.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar, cast

import msgspec
from litestar.params import HeaderParameter
from sqlalchemy import CursorResult, delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, InvalidInputError
from vivero_web.tokens import keyed_digest

from vivero_control.db.database import Database
from vivero_control.db.tables import IdempotencyRecord

HEADER = "Idempotency-Key"
KEY_PATTERN = "[ -~]{1,255}"
Key = Annotated[
    str | None,
    HeaderParameter(
        name=HEADER,
        description="Any text of your own: the same request sent again with it is answered, not repeated.",
        schema_extra={"pattern": f"^{KEY_PATTERN}$"},
    ),
]
"""Of a route."""
LOCK_TTL = timedelta(seconds=30)  # far above any request's time limit
KEEP = timedelta(days=1)
T = TypeVar("T")


@dataclass(slots=True)
class IdempotentOperation:
    """One attempt of one operation under its key.

    Attributes:
        answer: what was answered the first time; None when this is the first time.
        committed: set by the operation after its transaction; until then an error frees the key.
        until: when another request may take the key over.
    """

    key: str | None
    answer: dict[str, Any] | None = None
    committed: bool = False
    until: datetime | None = None

    async def store(self, session: AsyncSession, answer: dict[str, Any]) -> None:
        """Keep the answer, in the transaction that makes the thing."""
        if self.key:
            statement = update(IdempotencyRecord).where(IdempotencyRecord.key == self.key).values(answer=answer)
            await session.execute(statement)


class KeyBusyError(ConflictError):
    """The first request with this Idempotency-Key is still being processed."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still being processed.", headers={"Retry-After": "1"}
        )


def check_key(key: str) -> None:
    """Raises InvalidInputError when `key` is no usable Idempotency-Key."""
    if not re.fullmatch(KEY_PATTERN, key):
        raise InvalidInputError.of(HEADER, "Use 1 to 255 printable ASCII characters.")


class Idempotency:
    """Stores keys, digests of their request bodies, and answers."""

    def __init__(self, database: Database, secret: bytes, clock: Clock) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock

    @asynccontextmanager
    async def once(self, name: str, key: str | None, body: bytes) -> AsyncIterator[IdempotentOperation]:
        """Claim the key for the block; without a key every run is the first.

        Raises:
            InvalidInputError: the key is unusable, or was used with another body.
            KeyBusyError: the first request with this key is still being processed.
        """
        if key is None:
            yield IdempotentOperation(None)
            return
        check_key(key)
        operation = await self._claim(keyed_digest(self._secret, name, key), keyed_digest(self._secret, body))
        try:
            yield operation
        except BaseException:
            if operation.key and operation.answer is None and not operation.committed:
                await self._release(operation)
            raise

    async def answered(
        self,
        name: str,
        key: str | None,
        order: object,
        kind: type[T],
        do: Callable[[IdempotentOperation], Awaitable[T]],
    ) -> T:
        """What `do` answers, or what it answered the first time.

        It stores its answer in the transaction that makes the thing, and raises nothing after that. Raises as `once`.
        """
        async with self.once(name, key, msgspec.json.encode(order)) as operation:
            if operation.answer is not None:
                return msgspec.convert(operation.answer, kind)
            made = await do(operation)
            operation.committed = True
            return made

    async def forget(self, before: datetime) -> int:
        """Remove what is older; returns how many."""
        async with self._database.transaction() as session:
            statement = delete(IdempotencyRecord).where(IdempotencyRecord.created_at < before)
            return cast("CursorResult[Any]", await session.execute(statement)).rowcount

    async def _claim(self, key: str, body: str) -> IdempotentOperation:
        now = self._clock()
        until = _until(now)
        try:
            async with self._database.transaction() as session:
                session.add(IdempotencyRecord(key=key, fingerprint=body, locked_until=until, created_at=now))
        except IntegrityError:
            return await self._existing(key, body)
        return IdempotentOperation(key, until=until)

    async def _existing(self, key: str, body: str) -> IdempotentOperation:
        """The key was claimed before."""
        now = self._clock()
        async with self._database.transaction() as session:
            record = await session.get(IdempotencyRecord, key, with_for_update=True)
            if record is None:  # released between our insert and our look
                raise KeyBusyError
            if record.fingerprint != body:
                raise InvalidInputError.of(HEADER, "This key was used for another request; use a new one.")
            if record.answer is None and record.locked_until > now:
                raise KeyBusyError
            record.locked_until = _until(now)
            return IdempotentOperation(key, record.answer, until=record.locked_until)

    async def _release(self, operation: IdempotentOperation) -> None:
        """Unless another request has taken over the key: it is that one's now, with its answer."""
        own = IdempotencyRecord.key == operation.key, IdempotencyRecord.locked_until == operation.until
        async with self._database.transaction() as session:
            await session.execute(delete(IdempotencyRecord).where(*own))


def _until(now: datetime) -> datetime:
    """Until when a request has its key to itself, in whole seconds as the column keeps it."""
    return (now + LOCK_TTL).replace(microsecond=0)
