"""One request and its answer as RFC 9110 has them, for whatever application answers: HEAD, 304, and a drained request body.

HEAD is answered as GET, without the body. A client that already has what would be sent gets 304, wherever an answer has
an ETag or a date. And since proxies compress, and a proxy that compresses may drop a strong ETag (Envoy does), only
answers that say `no-transform` keep one.

An answer waits until the rest of the request body was read and discarded: Envoy ends an HTTP/2 stream as soon as it has
the whole answer, and a client that is still sending would get the end of the stream instead. The server below us
discards the rest in any case; now it does so first. Reading is bounded: after that the connection is closed with the
answer, or the server would read from it without end.
"""

import asyncio
from contextlib import suppress
from typing import Final, cast

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from vivero_web.conditions import is_current, weakened

_DRAIN_SECONDS: Final = 20.0  # for the whole rest; then the answer is sent, and arrives if it can
# What a line of 200 Mbit/s brings in that time: a video dropped on a workspace that takes 100 MiB. A sender in the same
# data centre brings fifty times as much.
_DRAIN_BYTES: Final = 512 * 1024**2


class Drained:
    """Receive and send of one request; the answer waits until the body is drained."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        headers = Headers.from_scope(scope)
        # A client that sent Expect waits before it sends the body, and the answer tells it not to.
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
        end = self._taken + _DRAIN_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._unread and self._taken < end:
                    await self.receive()
        self._gave_up, self._unread = self._unread, False


_HEAD: Final = "vivero_head"
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_OF_THE_BODY: Final = ("content-disposition", "content-length", "content-range", "content-type")


def wants_head(scope: Scope) -> bool:
    """Whether the request was HEAD though the route sees GET: it need not open a file, nor use up a one-time link."""
    return _HEAD in scope["state"]


class Exchange:
    """One request and its answer.

    Attributes:
        scope: the request as routes see it.
        status: what was answered; 500 until then.
    """

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self.status = 500
        self._asked = Headers.from_scope(scope)
        self._method = scope["method"]
        drained = Drained(scope, receive, send)
        self._receive = drained.receive
        self._send = drained.send
        self._complete = False
        self.scope = scope
        if self._method == "HEAD":
            scope["state"][_HEAD] = True
            # A copy: the server frames the answer by its own scope.
            self.scope = cast("HTTPScope", {**scope, "method": "GET"})

    async def receive(self) -> ReceiveMessage:
        """A disconnect once the answer is complete, so that a stream without a reader ends."""
        if not self._complete:
            return await self._receive()
        await asyncio.sleep(0)  # one that never began would give nothing back
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send the answer, or its head alone."""
        if self._complete:
            await asyncio.sleep(0)  # so that a stream hears that nobody reads it
            return
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            if message["status"] == _OK and self._method in {"GET", "HEAD"} and is_current(self._asked, headers):
                message["status"] = _NOT_MODIFIED
                for name in _OF_THE_BODY:
                    headers.pop(name, None)
            if self._method == "OPTIONS" and "allow" in headers:
                headers["allow"] = ", ".join(_methods(self.scope))
            _finish(headers)
            self.status = message["status"]
            self._complete = self._method == "HEAD" or self.status == _NOT_MODIFIED
        await self._send(message)
        if self._complete:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _methods(scope: HTTPScope) -> set[str]:
    """All of the route's: Litestar's answer to OPTIONS leaves out handlers that came to the path after the first."""
    routes = (route for route in scope["litestar_app"].routes if isinstance(route, HTTPRoute))
    return {str(method) for route in routes if route.path_format == scope["path_template"] for method in route.methods}


def _finish(headers: MutableScopeHeaders) -> None:
    """What holds for answers of every kind: tags that survive their way, and HEAD wherever GET is allowed."""
    tag, allowed = headers.get("etag"), headers.get("allow")
    if tag and "no-transform" not in headers.get("cache-control", ""):
        headers["etag"] = weakened(tag)
    if allowed is not None:
        methods = {method.strip() for method in allowed.split(",")}
        headers["allow"] = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
