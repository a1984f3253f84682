"""HEAD, what a client has already, and tags that survive compression, for whatever answers."""

import asyncio
import gc
import http.client
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.response import Stream
from support.asgi import transport_to
from vivero_web.current_request import Proxies
from vivero_web.errors import NotFoundError
from vivero_web.exchange import wants_head
from vivero_web.problem import Answers
from vivero_web.request_context import RequestContext

ended: list[str] = []


@get("/page", media_type=MediaType.HTML)
async def page() -> str:
    return "<p>page</p>"


@get("/versioned")
async def versioned() -> Response[str]:
    return Response("content", headers={"ETag": '"7"', "Cache-Control": "max-age=5", "Content-Disposition": "inline"})


@get("/exact")
async def exact() -> Response[str]:
    return Response("content", headers={"ETag": '"7"', "Cache-Control": "no-store, no-transform"})


@get("/dated")
async def dated() -> Response[str]:
    return Response("content", headers={"Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT"})


@get("/endless")
async def endless() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.append("endless")

    return Stream(pieces(), media_type="application/octet-stream")


@get("/missing")
async def missing() -> None:
    raise NotFoundError("Not here.", headers={"ETag": '"7"'})


@get("/method")
async def method(request: Request[Any, Any, Any]) -> Response[None]:
    return Response(None, headers={"x-method": request.method, "x-head": str(wants_head(request.scope))})


@post("/form")
async def form() -> None: ...


@post("/both")
async def write_both() -> Response[None]:
    return Response(None, headers={"ETag": '"7"'})


@get("/both")
async def read_both() -> str:
    return "both"


def application() -> Litestar:
    handlers = [page, versioned, exact, dated, endless, missing, method, form, write_both, read_both]
    app = Litestar(handlers, exception_handlers={Exception: Answers(None).to}, logging_config=None)
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(0), hsts="")
    return app


@pytest.fixture
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport_to(application()), base_url="http://test")


def head_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


@pytest.mark.parametrize("path", ["/page", "/versioned", "/exact", "/dated", "/missing", "/nowhere", "/form", "/both"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    whole, head = await client.get(path), await client.head(path)
    assert head.status_code == whole.status_code
    assert head_of(head) == head_of(whole)
    assert head.content == b""
    assert whole.content


async def test_head_of_a_stream_ends(client: httpx.AsyncClient) -> None:
    ended.clear()
    answer = await client.head("/endless")
    assert (answer.status_code, answer.content) == (200, b"")
    async with asyncio.timeout(60):
        while not ended:
            gc.collect()  # Python closes what nobody iterates any more
            await asyncio.sleep(0.01)


async def test_a_route_sees_get_and_can_ask_for_head(client: httpx.AsyncClient) -> None:
    assert (await client.head("/method")).headers["x-head"] == "True"
    answer = await client.get("/method")
    assert (answer.headers["x-method"], answer.headers["x-head"]) == ("GET", "False")


@pytest.mark.parametrize("verb", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/versioned", {"if-none-match": 'W/"7"'}, 304),
        ("/versioned", {"if-none-match": '"7"'}, 304),
        ("/versioned", {"if-none-match": '"8"'}, 200),
        ("/exact", {"if-none-match": '"6", "7"'}, 304),
        ("/dated", {"if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"}, 304),
        ("/dated", {"if-modified-since": "Sun, 01 Mar 2026 11:00:00 GMT"}, 200),
        ("/page", {"if-none-match": "*"}, 200),
        ("/missing", {"if-none-match": '"7"'}, 404),
    ],
)
async def test_what_a_client_has_is_not_sent_again(
    client: httpx.AsyncClient, verb: str, path: str, asked: dict[str, str], status: int
) -> None:
    answer = await client.request(verb, path, headers=asked)
    assert answer.status_code == status
    if status == 304:
        whole = await client.get(path)
        assert answer.content == b""
        assert not {"content-type", "content-length", "content-disposition"} & set(answer.headers)
        kept = {"etag", "last-modified", "cache-control", "content-security-policy"} & set(whole.headers)
        assert {name: answer.headers[name] for name in kept} == {name: whole.headers[name] for name in kept}


async def test_a_write_is_never_not_modified(client: httpx.AsyncClient) -> None:
    assert (await client.post("/both", headers={"if-none-match": '"7"'})).status_code == 201


async def test_a_tag_stays_exact_where_nobody_may_compress(client: httpx.AsyncClient) -> None:
    assert (await client.get("/versioned")).headers["etag"] == 'W/"7"'
    assert (await client.get("/exact")).headers["etag"] == '"7"'


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/page", "GET, HEAD, OPTIONS"), ("/form", "OPTIONS, POST"), ("/both", "GET, HEAD, OPTIONS, POST")],
)
async def test_allow_names_what_is_answered(client: httpx.AsyncClient, path: str, allowed: str) -> None:
    told, refused = await client.options(path), await client.delete(path)
    assert (told.status_code, refused.status_code) == (204, 405)
    assert told.headers["allow"] == refused.headers["allow"] == allowed


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(application(), http="httptools", ws="none", log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def test_one_connection_carries_answers_with_and_without_a_body(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for verb, path, headers, status, has_body in (
        ("HEAD", "/endless", {}, 200, False),
        ("HEAD", "/page", {}, 200, False),
        ("GET", "/versioned", {"If-None-Match": '"7"'}, 304, False),
        ("GET", "/page", {}, 200, True),
        ("HEAD", "/missing", {}, 404, False),
        ("OPTIONS", "/page", {}, 204, False),
        ("GET", "/exact", {}, 200, True),
    ):
        connection.request(verb, path, headers=headers)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, has_body), (verb, path)
    connection.close()
