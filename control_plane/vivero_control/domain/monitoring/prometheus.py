"""Prometheus, by its HTTP API: bounded in time and size, and left alone for a while once it does not answer."""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final, Self, TypeVar

import aiohttp
import msgspec
from msgspec import Struct
from pydantic import AnyHttpUrl
from vivero_core.backends.connections import Connector

logger = logging.getLogger(__name__)

SECONDS: Final = 3.0
"""For one question with its answer, and with waiting for a connection."""
PAUSE: Final = 10.0
"""Seconds in which nothing is asked, after no answer came in time."""
CONNECTIONS: Final = 8
ANSWER_BYTES: Final = 2 * 1024 * 1024
_OK: Final = 200
_REFUSED: Final = frozenset({400, 422})
"""Statuses with which Prometheus says what is wrong with a question."""
_REASON_LETTERS: Final = 300

T = TypeVar("T")
Value = tuple[float, str]
"""A moment in seconds, and the value as Prometheus writes it: it may be NaN or +Inf."""


class NoAnswerError(Exception):
    """There are no figures; its text says why, in words for staff."""


class Sample(Struct, frozen=True):
    """A series with its newest value."""

    metric: dict[str, str]
    value: Value


class Series(Struct, frozen=True):
    """A series with a value for each step that has one."""

    metric: dict[str, str]
    values: list[Value]


class Alert(Struct, frozen=True):
    """One that is pending or fires."""

    labels: dict[str, str]
    annotations: dict[str, str]
    state: str
    activeAt: str  # noqa: N815  as Prometheus spells it


class _Vector(Struct, frozen=True):
    result: tuple[Sample, ...]


class _Matrix(Struct, frozen=True):
    result: tuple[Series, ...]


class _Alerts(Struct, frozen=True):
    alerts: tuple[Alert, ...]


class _OfVector(Struct, frozen=True):
    data: _Vector


class _OfMatrix(Struct, frozen=True):
    data: _Matrix


class _OfAlerts(Struct, frozen=True):
    data: _Alerts


class _Failure(Struct, frozen=True):
    error: str = ""


class Breaker:
    """Closed until somebody says that no answer came; open for PAUSE seconds after that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = -PAUSE

    @property
    def is_open(self) -> bool:
        return self._clock() < self._until

    def trip(self) -> None:
        self._until = self._clock() + PAUSE


class Prometheus:
    """Asked by the console alone, never by browsers; an async context manager."""

    def __init__(self, url: AnyHttpUrl, tls: ssl.SSLContext, breaker: Breaker | None = None) -> None:
        self._url = str(url).rstrip("/")
        self._tls = tls
        self._breaker = breaker or Breaker()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = Connector(ssl=self._tls, limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def newest(self, expr: str, at: int) -> tuple[Sample, ...]:
        """Values at a moment in seconds. Raises NoAnswerError."""
        return (await self._get("query", {"query": expr, "time": str(at)}, _OfVector)).data.result

    async def between(self, expr: str, begin: int, end: int, step: int) -> tuple[Series, ...]:
        """Values from `begin` to `end`, one every `step` seconds. Raises NoAnswerError."""
        wanted = {"query": expr, "start": str(begin), "end": str(end), "step": str(step)}
        return (await self._get("query_range", wanted, _OfMatrix)).data.result

    async def alerts(self) -> tuple[Alert, ...]:
        """All that are pending or fire. Raises NoAnswerError."""
        return (await self._get("alerts", {}, _OfAlerts)).data.alerts

    async def _get(self, path: str, wanted: Mapping[str, str], kind: type[T]) -> T:
        status, body = await self._answer(path, {**wanted, "timeout": f"{SECONDS:.0f}s"})
        try:
            if status == _OK:
                return msgspec.json.decode(body, type=kind)
            said = msgspec.json.decode(body, type=_Failure).error if status in _REFUSED else ""
        except msgspec.DecodeError as error:
            raise NoAnswerError("What answers there does not speak as Prometheus does.") from error
        raise NoAnswerError(f"Prometheus answered {status}. {said[:_REASON_LETTERS]}".rstrip())

    async def _answer(self, path: str, wanted: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body. Raises NoAnswerError, at once while the breaker is open."""
        if self._session is None or self._breaker.is_open:
            raise NoAnswerError("Prometheus did not answer a moment ago; it is asked again in a few seconds.")
        try:
            async with self._session.get(f"{self._url}/api/v1/{path}", params=wanted, allow_redirects=False) as answer:
                return answer.status, await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._breaker.trip()
            logger.warning("Prometheus does not answer: %s", type(error).__name__)
            late = isinstance(error, TimeoutError)
            words = f"did not answer within {SECONDS:.0f} seconds" if late else "cannot be reached"
            raise NoAnswerError(f"Prometheus {words}.") from error


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """Raises NoAnswerError for a body of more than ANSWER_BYTES."""
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > ANSWER_BYTES:
            raise NoAnswerError("Prometheus answered with more than can be shown.")
    return bytes(body)
