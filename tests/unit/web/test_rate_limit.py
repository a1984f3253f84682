"""The layer that counts requests, as the control plane has it; the data plane's charge is in data_plane/test_requests.py."""

import httpx
import pytest
from litestar import Litestar, get
from support.asgi import transport_to
from support.counting import Time, limiter_on
from vivero_web.current_request import Proxies
from vivero_web.problem import Answers
from vivero_web.rate_limit import RateLimit, per_address
from vivero_web.request_context import RequestContext


@get(["/", "/healthz", "/static/site.css"])
async def page() -> str:
    return "here"


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = Litestar([page], logging_config=None)
    limited = RateLimit(app.asgi_handler, limiter_on(Time()), Answers(None), per_address(3))
    app.asgi_handler = RequestContext(limited, Proxies(1), hsts="")
    return httpx.AsyncClient(transport=transport_to(app), base_url="http://test")


async def statuses(client: httpx.AsyncClient, path: str, *addresses: str) -> list[int]:
    return [(await client.get(path, headers={"x-forwarded-for": one})).status_code for one in addresses]


async def test_one_too_many_waits_and_everybody_is_told_what_is_left(client: httpx.AsyncClient) -> None:
    answers = [await client.get("/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit"] for answer in answers] == [f'"requests";r={left}' for left in (2, 1, 0, 0)]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"requests";q=3;w=60'}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 66
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert answers[-1].headers["x-content-type-options"] == "nosniff"


async def test_a_household_of_ipv6_is_one(client: httpx.AsyncClient) -> None:
    inside = [f"2001:db8:1:2::{number:x}" for number in range(4)]
    assert await statuses(client, "/", *inside, "2001:db8:1:3::1") == [200, 200, 200, 429, 200]


async def test_what_no_route_answers_counts(client: httpx.AsyncClient) -> None:
    assert await statuses(client, "/nowhere", *["198.51.100.7"] * 4) == [404, 404, 404, 429]


@pytest.mark.parametrize("path", ["/healthz", "/static/site.css"])
async def test_monitors_and_files_of_pages_do_not(client: httpx.AsyncClient, path: str) -> None:
    assert await statuses(client, path, *["198.51.100.7"] * 9) == [200] * 9
