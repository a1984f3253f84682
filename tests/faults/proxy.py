"""Between the operator and the API server: passes everything on, keeps a journal, and lets a plan's faults happen.

Plain HTTP on the loopback interface, for which the operator's client needs no certificate; a token that only the
operator's kubeconfig names keeps other users of the machine out of a server that it reaches as administrator.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web
from faults.plan import Action, Call, Director, Fault, Verb, parse_call
from vivero_core.backends.kube.client import encoded
from vivero_core.backends.kube.config import KubeConfig
from vivero_core.model.constants import PLATFORM_NAMESPACE

_PASSED_ON = ("Content-Type", "Accept")
_REASONS = {
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
_UPSTREAM_SECONDS = 60.0
_AS_THE_OPERATOR = {
    "Impersonate-User": f"system:serviceaccount:{PLATFORM_NAMESPACE}:vivero-operator",
    "Impersonate-Group": "system:serviceaccounts",
}
"""With the rights that the chart gives it, and no more."""


@dataclass(frozen=True)
class Entry:
    """A call in the journal: what the operator was told (0: nothing), and which fault it met."""

    call: Call
    status: int
    fault: Fault | None
    done: bool
    """Whether the API server heard of it."""
    at: float = field(default_factory=time.monotonic, compare=False)

    def __str__(self) -> str:
        """One line of a journal."""
        return f"{self.status or '---'} {self.call}" + (f"   <- {self.fault}" if self.fault else "")


@dataclass(frozen=True)
class Answer:
    """What the API server said about one object: that it is there and how it is, or that it is not."""

    status: int
    content: bytes
    content_type: str

    def response(self) -> web.Response:
        return web.Response(status=self.status, body=self.content, content_type=self.content_type)


def status_object(status: int) -> dict[str, Any]:
    """An error as the API server words it."""
    reason = _REASONS.get(status, "Unknown")
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": status,
        "reason": reason,
        "message": f"made up by a test: {reason}",
    }


@dataclass
class Proxy:
    """Use it as an async context manager; `kill` ends the operator at once, `outage` makes a backing service fail."""

    upstream: KubeConfig
    kill: Callable[[], None]
    outage: Callable[[Fault], Awaitable[None]]
    director: Director = field(default_factory=Director)
    since: str = ""
    """The resource version that a stale list shows."""
    journal: list[Entry] = field(default_factory=list)
    port: int = 0
    _last: dict[str, Answer] = field(default_factory=dict, repr=False)
    """By path, what the operator was told about one object when it last asked."""
    _token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self.upstream.tls, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(self.upstream.server, connector=connector, timeout=timeout)
        )
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        # A watch never ends by itself, so the end waits for none.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def write_kubeconfig(self, path: Path, real: Path, port: int) -> None:
        """The real one, with what listens on `port` as the server, and a token in the place of a certificate."""
        document = yaml.safe_load(real.read_text())
        token = path.with_suffix(".token")
        token.write_text(self._token)
        token.chmod(0o600)
        for cluster in document["clusters"]:
            cluster["cluster"]["server"] = f"http://127.0.0.1:{port}"
        for user in document["users"]:
            user["user"] = {"tokenFile": str(token)}
        path.write_text(yaml.safe_dump(document))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._token}"):
            return web.Response(status=401)
        body = await request.read()
        call = parse_call(request.method, request.path, request.query, request.content_type, _json(body))
        fault = self.director.meet(call)
        return await self._happen(request, body, call, fault)

    async def _happen(self, request: web.Request, body: bytes, call: Call, fault: Fault | None) -> web.StreamResponse:
        match fault.action if fault else None:
            case Action.KILL_BEFORE:
                self._note(call, 0, fault, done=False)
                self.kill()
                return _hang_up(request)
            case Action.REFUSE if fault:
                self._note(call, fault.status, fault, done=False)
                return web.json_response(status_object(fault.status), status=fault.status)
            case Action.MISROUTE if fault:
                self._note(call, fault.status, fault, done=False)
                return web.Response(status=fault.status, text="<html>no such page</html>", content_type="text/html")
            case Action.STALE if last := self._last.get(request.path):
                self._note(call, last.status, fault, done=False)
                return last.response()
            case Action.DELAY if fault:
                await asyncio.sleep(fault.seconds)
            case Action.OUTAGE if fault:
                await self.outage(fault)
        if call.verb is Verb.WATCH:
            return await self._watch(request, call)
        return await self._forward(request, body, call, fault)

    async def _forward(self, request: web.Request, body: bytes, call: Call, fault: Fault | None) -> web.StreamResponse:
        query = dict(request.query)
        if fault and fault.action is Action.STALE and call.verb is Verb.LIST:
            query |= {"resourceVersion": self.since, "resourceVersionMatch": "Exact"}
        timeout = aiohttp.ClientTimeout(total=_UPSTREAM_SECONDS)
        async with self._session.request(
            request.method, request.path, params=query, data=body or None, headers=_headers(request), timeout=timeout
        ) as answer:
            said = Answer(answer.status, await answer.read(), answer.content_type)
        lost = fault is not None and fault.action in (Action.KILL_AFTER, Action.LOSE)
        self._note(call, 0 if lost else said.status, fault, done=True)
        if lost:
            if fault and fault.action is Action.KILL_AFTER:
                self.kill()
            return _hang_up(request)
        if call.verb is Verb.GET and said.status in (200, 404):
            self._last[request.path] = said
        return said.response()

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        async with self._session.get(request.path, params=dict(request.query), headers=_headers(request)) as answer:
            self._note(call, answer.status, None, done=True)
            down = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
            await down.prepare(request)
            # The operator may end its side at any time.
            with contextlib.suppress(ConnectionError):
                async for line in _lines(answer.content):
                    if not await self._pass_event(request, down, call, line):
                        break
        return down

    async def _pass_event(self, request: web.Request, down: web.StreamResponse, watch: Call, line: bytes) -> bool:
        """Whether the watch goes on."""
        event = json.loads(line)
        meta = event["object"].get("metadata", {})
        call = Call(Verb.EVENT, watch.resource, meta.get("namespace", ""), meta.get("name", ""))
        # A bookmark is about no object.
        fault = self.director.meet(call) if call.name else None
        if fault is not None:
            self._note(call, 0, fault, done=True)
            await asyncio.sleep(fault.seconds)
        match fault.action if fault else None:
            case Action.CUT:
                _hang_up(request)
                return False
            case Action.EXPIRE:
                await down.write(encoded({"type": "ERROR", "object": status_object(410)}) + b"\n")
                return False
        await down.write(line + b"\n")
        return True

    def _note(self, call: Call, status: int, fault: Fault | None, *, done: bool) -> None:
        self.journal.append(Entry(call, status, fault, done))


def _headers(request: web.Request) -> dict[str, str]:
    return _AS_THE_OPERATOR | {name: request.headers[name] for name in _PASSED_ON if name in request.headers}


def _hang_up(request: web.Request) -> web.Response:
    """Break the connection; the response is for aiohttp, no one gets it."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


async def _lines(stream: aiohttp.StreamReader) -> Any:  # noqa: ANN401  an async generator of bytes
    """Whole lines; aiohttp's own reader stops at 64 KiB."""
    buffer = bytearray()
    async for chunk in stream.iter_any():
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            yield bytes(buffer[:end])
            del buffer[: end + 1]
