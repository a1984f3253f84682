"""Bytes that are no request, sent to both programs' servers: a refusal or a closed connection, and the next one is served."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from support.programs import DOMAIN, a_control_plane, a_workspace

_PATIENCE = 2.0
GOOD = f"GET /healthz HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n".encode()
POST = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\nContent-Type: application/json\r\n".encode()
ODD = (
    *(b"\r\n", b"\x00", b"\xff" * 100, b"GET", b"GET /", b"GET / HTTP/0.9\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET \xff HTTP/1.1\r\nHost: x\r\n\r\n"),
    *(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n"),
    *(b"GET http://x:99999/ HTTP/1.1\r\nHost: x\r\n\r\n", b"GET ?x HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
    *(b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"GET / HTTP/1.1\r\nX: \x00\r\nHost: x\r\n\r\n"),
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 3000 + b"\r\n",
    b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    *(POST + b"Content-Length: " + said + b"\r\n\r\n{}" for said in (b"-1", b"x", b"1e3", b"9" * 40, b"2, 3", b"", b"+2")),
    POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    *(POST + b"Transfer-Encoding: " + said + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n" for said in (b"xchunked", b"chunked, gzip", b"\xff")),
    *(POST + b"Transfer-Encoding: chunked\r\n\r\n" + said for said in (b"-1\r\n", b"F" * 20 + b"\r\n", b"zz\r\n", b"2\r\n{}x", b"0\r\nx")),
    POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    POST + b"Expect: \xff\r\nContent-Length: 2\r\n\r\n{}",
    POST + b"Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n{}",
    POST + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n{}",
)  # fmt: skip


def scratched(seed: int) -> bytes:
    """A good request with a few bytes changed, doubled or left out."""
    chance = random.Random(seed)  # noqa: S311  a test's choice
    made = bytearray(POST + b"Content-Length: 2\r\n\r\n{}")
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(made))
        made[at : at + chance.randint(0, 2)] = bytes(chance.randrange(256) for _ in range(chance.randint(0, 2)))
    return bytes(made)


@pytest.fixture(params=[a_workspace, a_control_plane])
async def port(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server of the program, as both run one."""
    app = request.param(tmp_path, monkeypatch)
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


async def status(port: int, sent: bytes) -> int:
    """Of the first answer; 0 when there is none, for bytes after which more has to come too."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        head = await asyncio.wait_for(reader.readline(), _PATIENCE)
    except (ConnectionError, TimeoutError):
        return 0
    finally:
        writer.close()
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0


async def test_no_odd_bytes_are_a_fault_of_ours(port: int) -> None:
    sent = [*ODD, *(scratched(seed) for seed in range(200))]
    answers = [
        await asyncio.gather(*(status(port, one) for one in sent[at : at + 40])) for at in range(0, len(sent), 40)
    ]
    statuses = [one for part in answers for one in part]
    # With nothing behind it, a login cannot be looked up.
    assert [pair for pair in zip(sent, statuses, strict=True) if pair[1] not in {0, *range(100, 500), 503}] == []
    assert sum(400 <= one < 500 for one in statuses) > len(ODD) / 4
    assert await status(port, GOOD) == 200
