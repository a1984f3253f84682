"""A refusal reaches who is still sending: it waits until the rest of the request has come, and throws that away.

Envoy ends an HTTP/2 stream as soon as it has the whole answer. A client that
still sends its upload then gets the end of the stream and not the answer. The
server below us reads and forgets the rest in any case; now it does so first.
There is an end to it: a connection that goes on after that is closed with the
answer, or the server would read from it without end.
"""

import asyncio
from contextlib import suppress
from typing import Final

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import HTTPScope, Message, Receive, ReceiveMessage, Send

_SECONDS: Final = 20.0  # for all of the rest; then the answer goes, and arrives if it can
# What a line of 200 Mbit/s brings in that time: a video dropped on a workspace that takes 100 MiB. A sender in the same
# data centre brings fifty times as much.
_BYTES: Final = 512 * 1024**2


class Drained:
    """The receive and send of one request."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        headers = Headers.from_scope(scope)
        # Who waits to be asked for a body (Expect) has not sent it, and an answer tells not to.
        coming = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self._unread = coming and "expect" not in headers
        self._gave_up = False
        self._taken = 0
        self._receive = receive
        self._send = send

    async def receive(self) -> ReceiveMessage:
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
        self._unread = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._unread:
            await self._drain()
        if self._gave_up and message["type"] == "http.response.start":
            MutableScopeHeaders.from_message(message)["connection"] = "close"
        await self._send(message)

    async def _drain(self) -> None:
        end = self._taken + _BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                while self._unread and self._taken < end:
                    await self.receive()
        self._gave_up, self._unread = self._unread, False
