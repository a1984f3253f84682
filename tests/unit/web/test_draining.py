"""A refusal waits for the rest of the request, but has an end."""

import asyncio
from typing import Any, cast

import pytest
from litestar.types import HTTPScope
from vivero_web import exchange as module
from vivero_web.exchange import Drained

PIECES = 5
END: Any = {"type": "http.response.body", "body": b"", "more_body": False}


def start() -> Any:  # noqa: ANN401  an ASGI message
    return {"type": "http.response.start", "status": 413, "headers": []}


class Line:
    """A client that sends pieces, one a receive, and notes in which order things happen."""

    def __init__(self, *, stalls: bool = False, leaves: bool = False, endless: bool = False) -> None:
        self.seen: list[str] = []
        self.closes = False
        self.endless = endless
        self.stalls = stalls
        self.leaves = leaves

    async def receive(self) -> Any:  # noqa: ANN401  an ASGI message
        if self.stalls:
            await asyncio.sleep(3600)
        self.seen.append("piece")
        if self.leaves:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"x", "more_body": self.endless or self.seen.count("piece") < PIECES}

    async def send(self, message: Any) -> None:  # noqa: ANN401  an ASGI message
        self.closes = self.closes or (b"connection", b"close") in message.get("headers", [])
        self.seen.append(message["type"])


def exchange(line: Line, **headers: str) -> Drained:
    sent = headers or {"content_length": "5"}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    scope = cast("HTTPScope", {"type": "http", "headers": raw, "state": {}})
    return Drained(scope, line.receive, line.send)


@pytest.mark.parametrize("headers", [{"content_length": "5"}, {"transfer_encoding": "chunked"}])
@pytest.mark.parametrize("read", [0, 2])
async def test_an_answer_comes_after_the_rest_of_the_request(headers: dict[str, str], read: int) -> None:
    line = Line()
    drained = exchange(line, **headers)
    for _ in range(read):
        await drained.receive()
    await drained.send(start())
    await drained.send(END)
    assert line.seen == ["piece"] * PIECES + ["http.response.start", "http.response.body"]
    assert not line.closes


@pytest.mark.parametrize("headers", [{"content_length": "0"}, {"accept": "*/*"}])
async def test_who_sends_nothing_is_answered_at_once(headers: dict[str, str]) -> None:
    line = Line(stalls=True)
    await exchange(line, **headers).send(start())
    assert line.seen == ["http.response.start"]


async def test_who_asks_first_whether_to_send_is_told_not_to() -> None:
    line = Line(stalls=True)
    await exchange(line, content_length="5", expect="100-continue").send(start())
    assert line.seen == ["http.response.start"]


async def test_a_request_that_was_read_is_answered_at_once() -> None:
    line = Line()
    drained = exchange(line)
    for _ in range(PIECES):
        await drained.receive()
    line.stalls = True
    await drained.send(start())
    assert line.seen[-1] == "http.response.start"


async def test_who_leaves_is_not_waited_for() -> None:
    line = Line(leaves=True)
    await exchange(line).send(start())
    assert line.seen == ["piece", "http.response.start"]


async def test_a_client_that_stops_sending_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DRAIN_SECONDS", 0.05)
    line = Line(stalls=True)
    drained = exchange(line)
    async with asyncio.timeout(60):
        await drained.send(start())
        await drained.send(END)
    assert line.seen == ["http.response.start", "http.response.body"]
    assert line.closes


async def test_who_sends_for_ever_is_answered_after_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast they come, which the time says nothing about; and no more is read of the connection."""
    monkeypatch.setattr(module, "_DRAIN_BYTES", 1000)
    line = Line(endless=True)
    drained = exchange(line, transfer_encoding="chunked")
    await drained.send(start())
    await drained.send(END)
    assert line.seen == ["piece"] * 1000 + ["http.response.start", "http.response.body"]
    assert line.closes
