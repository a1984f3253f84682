from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Request, get
from vivero_data.lib.request_context import RequestContext, client_address_of, forwarded_address, request_id_of


@pytest.mark.parametrize(
    ("forwarded", "hops", "address"),
    [
        ("", 1, "10.0.0.1"),
        ("192.0.2.7", 1, "192.0.2.7"),
        ("1.2.3.4, 192.0.2.7", 1, "192.0.2.7"),
        ("1.2.3.4, 192.0.2.7, 10.9.9.9", 2, "192.0.2.7"),
        ("192.0.2.7", 2, "192.0.2.7"),
        ("192.0.2.7", 0, "10.0.0.1"),
        (" , ,", 1, "10.0.0.1"),
    ],
)
def test_the_address_is_the_one_our_proxy_saw(forwarded: str, hops: int, address: str) -> None:
    assert forwarded_address(forwarded, "10.0.0.1", hops) == address


@given(st.text())
def test_what_a_client_claims_does_not_count(claimed: str) -> None:
    assert forwarded_address(f"{claimed}, 192.0.2.7", "10.0.0.1", 1) == "192.0.2.7"


@get("/who")
async def who(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"id": request_id_of(request.scope), "address": client_address_of(request.scope)}


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = Litestar([who], logging_config=None)
    app.asgi_handler = RequestContext(app.asgi_handler, 1)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_a_request_id_is_given_and_a_good_one_kept(client: httpx.AsyncClient) -> None:
    made = await client.get("/who")
    assert made.headers["x-request-id"] == made.json()["id"]
    kept = await client.get("/who", headers={"x-request-id": "abc-123_DEF"})
    assert kept.headers["x-request-id"] == "abc-123_DEF"


@pytest.mark.parametrize("hostile", ["short", "x" * 65, "with space inside", 'quote"quote"'])
async def test_a_hostile_request_id_is_replaced(client: httpx.AsyncClient, hostile: str) -> None:
    answer = await client.get("/who", headers={"x-request-id": hostile})
    assert answer.headers["x-request-id"] != hostile


async def test_security_headers_are_on_every_answer(client: httpx.AsyncClient) -> None:
    for path in ("/who", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
