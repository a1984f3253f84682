"""What surrounds every request, whatever answers it."""

from typing import Any

import httpx
import pytest
from litestar import Litestar, MediaType, Request, get
from structlog.testing import capture_logs
from support.asgi import transport_to
from vivero_web.current_request import Proxies, current_caller, current_request_id
from vivero_web.request_context import RequestContext, caller_of, note_person
from vivero_web.security import HSTS_HOST, OF_DATA, OF_PAGES


@get("/who/{name:str}")
async def who(request: Request[Any, Any, Any]) -> dict[str, str]:
    if number := request.headers.get("authorization"):
        note_person(request.scope, f"user/{number}")
    return {"id": current_request_id(), "address": caller_of(request.scope), "current": current_caller()}


@get("/page", media_type=MediaType.HTML)
async def page() -> str:
    return "page"


@get("/own", response_headers={"referrer-policy": "origin", "cache-control": "max-age=60"})
async def own() -> str:
    return "own"


@get("/healthz")
async def healthz() -> str:
    return "ok"


def client_of(hsts: str = HSTS_HOST) -> httpx.AsyncClient:
    app = Litestar([who, page, own, healthz], logging_config=None)
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(1), hsts=hsts)
    return httpx.AsyncClient(transport=transport_to(app), base_url="http://test")


async def test_a_request_id_is_given_and_a_good_one_kept() -> None:
    made = await client_of().get("/who/a")
    assert made.headers["x-request-id"] == made.json()["id"]
    kept = await client_of().get("/who/a", headers={"x-request-id": "abc-123_DEF"})
    assert kept.headers["x-request-id"] == kept.json()["id"] == "abc-123_DEF"


@pytest.mark.parametrize("hostile", ["", "short", "x" * 65, "with space inside", 'quote"quote"'])
async def test_a_hostile_request_id_is_replaced(hostile: str) -> None:
    answer = await client_of().get("/who/a", headers={"x-request-id": hostile})
    assert answer.headers["x-request-id"] != hostile


async def test_who_asks_is_who_our_proxy_saw() -> None:
    answer = await client_of().get("/who/a", headers={"x-forwarded-for": "1.1.1.1, 198.51.100.7"})
    assert answer.json()["address"] == answer.json()["current"] == "198.51.100.7"


@pytest.mark.parametrize(("path", "expected"), [("/page", OF_PAGES), ("/who/a", OF_DATA), ("/nowhere", OF_DATA)])
async def test_every_answer_has_the_headers_of_its_kind(path: str, expected: dict[str, str]) -> None:
    headers = (await client_of().get(path)).headers
    assert {name: headers[name] for name in expected} == expected
    assert headers["strict-transport-security"] == HSTS_HOST
    assert headers["cache-control"] == "no-store"


async def test_a_handlers_own_header_wins() -> None:
    headers = (await client_of().get("/own")).headers
    assert (headers["referrer-policy"], headers["cache-control"]) == ("origin", "max-age=60")


async def test_no_promise_of_https_where_there_is_none() -> None:
    assert "strict-transport-security" not in (await client_of(hsts="").get("/page")).headers


async def test_the_line_says_who_was_found_to_ask() -> None:
    with capture_logs() as lines:
        await client_of().get("/who/a", headers={"authorization": "3"})
        await client_of().get("/who/a")
    assert [line["person"] for line in lines] == ["user/3", ""]


async def test_one_line_a_request_without_what_a_path_or_query_tells() -> None:
    with capture_logs() as lines:
        await client_of().get("/who/sesame?ticket=sesame")
        await client_of().get("/sesame")
        await client_of().get("/healthz")
    assert [(line["route"], line["status"]) for line in lines] == [("/who/{name}", 200), ("none", 404)]
    assert "sesame" not in str(lines)


@pytest.mark.parametrize("host", ["x:abc", "x:99999", "[::1", "[1:2]", "[nonsense]:80", "a:b:c"])
async def test_a_host_that_is_none_is_refused_like_anything_else(host: str) -> None:
    answer = await client_of().get("/page", headers={"host": host, "accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert {name: answer.headers[name] for name in OF_DATA} == OF_DATA


@pytest.mark.parametrize("host", ["", "x", "acme.example.com:8443", "[::1]", "[::1]:80", "10.0.0.1:8080"])
async def test_a_host_is_answered(host: str) -> None:
    assert (await client_of().get("/page", headers={"host": host})).status_code == 200
