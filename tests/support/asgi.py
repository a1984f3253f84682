"""Requests straight to an application, without a client that would tidy them, and how much of a body it took."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

import httpx
from litestar import Litestar
from litestar.types import ASGIApp, Message
from support.sockets import open_sockets, until_closed

Headers = Iterable[tuple[str, str | bytes]]


@dataclass
class Answer:
    """What came back, and what was read of what was sent."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    taken: int = 0
    """Bytes of the request's body that the application asked for."""


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The application's life in a task of its own: its task group has to end in the task that began it."""
    started, stop, before = asyncio.Event(), asyncio.Event(), open_sockets()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    task = asyncio.create_task(live())
    await started.wait()
    yield
    stop.set()
    await task
    await until_closed(before)


def transport_to(
    app: ASGIApp, *, client: tuple[str, int] = ("127.0.0.1", 1234), raise_app_exceptions: bool = True
) -> httpx.ASGITransport:
    """For httpx's client: its types know an application by untyped mappings, Litestar's by the protocol's messages."""
    return httpx.ASGITransport(cast("Any", app), raise_app_exceptions=raise_app_exceptions, client=client)


async def ask(
    app: ASGIApp,
    method: str,
    target: str,
    headers: Headers = (),
    pieces: Iterable[bytes] = (),
    host: str = "test",
    *,
    ends: bool = True,
) -> Answer:
    """Send a request, its target percent-encoded; its sender leaves when all is sent, or, unless it `ends`, before."""
    path, _, query = target.partition("?")
    answer, body = Answer(), iter(pieces)
    given = [(name.lower().encode(), _bytes(value)) for name, value in headers]
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": given if any(name == b"host" for name, _ in given) else [(b"host", host.encode()), *given],
        "client": ("192.0.2.1", 1234),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }
    messages = _messages(body, ends=ends)

    async def receive() -> Any:  # noqa: ANN401  a message of the protocol
        message = next(messages)
        answer.taken += len(message.get("body", b""))
        return message

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not answer.status, "answered twice"
            answer.status, answer.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            assert answer.status, "a body before its head"
            answer.body += message["body"]

    await app(scope, receive, send)
    return answer


def _messages(body: Iterator[bytes], *, ends: bool) -> Iterator[dict[str, Any]]:
    for piece in body:
        yield {"type": "http.request", "body": piece, "more_body": True}
    if ends:
        yield {"type": "http.request", "body": b"", "more_body": False}
    while True:
        yield {"type": "http.disconnect"}


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
