"""`Idempotency-Key` on a POST of the API: the same request with the same key happens once, for a day.

The key is claimed before the write, and marked in the write's own transaction (`db.database.BEFORE_COMMIT`): whatever
dies in between, a repetition either finds that nothing happened, or that it did. The answer is stored, encrypted, once
there is one; a request that was refused is forgotten, so that it can be corrected.
"""

import hashlib
from datetime import timedelta
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope
from vivero_web import clock
from vivero_web.errors import ConflictError, InvalidInputError
from vivero_web.sealed import SealedSecrets

from vivero_data.db.database import BEFORE_COMMIT, Connection, Database
from vivero_data.domain.idempotency import repository
from vivero_data.domain.idempotency.repository import Claim, Known

HEADER: Final = "idempotency-key"
_KEY_MAX: Final = 255
_MAX_ANSWER: Final = 4 * 1024 * 1024
_LEASE: Final = timedelta(minutes=2)  # longer than any request takes; then one that died is begun anew
_KEPT_HEADERS: Final = ("content-type", "cache-control", "etag", "location")
_OK: Final = range(200, 300)
_STATE: Final = "vivero_idempotency"


class RepeatedKeyError(InvalidInputError):
    """The key came with another request before."""

    slug = "idempotency-key-reused"
    title = "This Idempotency-Key belongs to another request"

    def __init__(self) -> None:
        found = InvalidInputError.of("Idempotency-Key", "came with another request before; use a new one for each")
        super().__init__(found.detail, errors=found.errors)


class UnderWayError(ConflictError):
    """The first request with this key has not ended."""

    slug = "idempotency-under-way"

    def __init__(self) -> None:
        super().__init__("The first request with this key is under way; ask again.", headers={"Retry-After": "2"})


class AnswerLostError(ConflictError):
    """The request happened, and its answer is not there any more."""

    slug = "idempotency-answer-lost"

    def __init__(self) -> None:
        super().__init__("This was done, and its answer was lost or too large to keep. It was not done again.")


class Stored(msgspec.Struct, array_like=True):
    """An answer as it is kept."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Pending(msgspec.Struct):
    """A request that was claimed, and what of its answer was sent."""

    key: Claim
    service: "IdempotencyService"
    status: int = 500
    headers: dict[str, str] = {}
    body: bytes = b""


class IdempotencyService:
    """Keys of the people of the workspace, each person's by themselves."""

    def __init__(self, database: Database, sealed: SealedSecrets) -> None:
        self._database = database
        self._sealed = sealed

    async def begin(self, request: Request[Any, Any, Any], user_id: int) -> Response[bytes] | None:
        """The answer of before; None if the request is to be done, whose transactions then mark the key.

        Raises:
            InvalidInputError: the key is none.
            RepeatedKeyError: it came with another request.
            UnderWayError: the first request has not ended.
            AnswerLostError: it has, and its answer is not there.
        """
        text = request.headers[HEADER]
        if not 0 < len(text) <= _KEY_MAX or not text.isascii() or not text.isprintable():
            raise InvalidInputError.of("Idempotency-Key", f"must be 1 to {_KEY_MAX} characters of ASCII")
        key = Claim(user_id, hashlib.sha256(text.encode()).digest())
        fingerprint = await _fingerprint(request)
        async with self._database.read() as connection:
            known = None
            if not await repository.claim(connection, key, fingerprint):
                known = await repository.get(connection, key)
            if known is not None and not await self._is_ours(connection, key, known, fingerprint):
                return self._replayed(key, known)
        request.scope["state"][_STATE] = _Pending(key, self)
        BEFORE_COMMIT.set(partial(repository.mark_committed, key=key))
        return None

    @staticmethod
    async def _is_ours(connection: Connection, key: Claim, known: Known, fingerprint: bytes) -> bool:
        """Whether the request of before died without having done anything, and we are who goes on."""
        if known.fingerprint != fingerprint:
            raise RepeatedKeyError
        if known.answer is not None:
            return False
        if known.committed:
            raise AnswerLostError
        if clock.now() - known.claimed_at < _LEASE or not await repository.take_over(connection, key, known):
            raise UnderWayError
        return True

    def _replayed(self, key: Claim, known: Known) -> Response[bytes]:
        opened = self._sealed.opened(key.user_id, known.answer or b"")
        if opened is None:
            raise AnswerLostError
        stored = msgspec.msgpack.decode(opened, type=Stored)
        media_type = stored.headers.pop("content-type", None)
        headers = {**stored.headers, "idempotency-replayed": "true"}
        return Response(stored.body, status_code=stored.status, media_type=media_type, headers=headers)

    async def end(self, pending: _Pending) -> None:
        """Keep the answer of what was done; forget what was refused."""
        async with self._database.read() as connection:
            if pending.status not in _OK:
                await repository.release(connection, pending.key)
            elif len(pending.body) <= _MAX_ANSWER:
                stored = msgspec.msgpack.encode(Stored(pending.status, pending.headers, pending.body))
                await repository.put_answer(connection, pending.key, self._sealed.sealed(pending.key.user_id, stored))
            else:
                await repository.mark_committed(connection, pending.key)


async def note_answer(message: Message, scope: Scope) -> None:
    """Litestar's before_send hook: keeps the answer of a request with a key before it is sent."""
    pending: _Pending | None = scope["state"].get(_STATE)
    if pending is None:
        return
    if message["type"] == "http.response.start":
        sent = MutableScopeHeaders.from_message(message)
        pending.status = message["status"]
        pending.headers = {name: sent[name] for name in _KEPT_HEADERS if name in sent}
    elif message["type"] == "http.response.body":
        pending.body += message["body"]
        if not message.get("more_body", False):
            del scope["state"][_STATE]
            BEFORE_COMMIT.set(None)
            await pending.service.end(pending)


async def _fingerprint(request: Request[Any, Any, Any]) -> bytes:
    target = f"{request.method} {request.scope['path']}?".encode() + request.scope["query_string"]
    return hashlib.sha256(target + b"\n" + await request.body()).digest()
