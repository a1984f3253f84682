"""What a plan sells is for its users together; strangers have their own counts and cannot use it up."""

from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from support.asgi import transport_to
from support.counting import Time, limiter_on
from vivero_data.domain.api_keys.service import ApiKeyService, key_tokens
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.limits.requests import charge_by
from vivero_data.domain.limits.service import Limits
from vivero_data.lib.cookies import ACCESS
from vivero_data.lib.tokens import AccessClaims, AccessTokens
from vivero_web import clock
from vivero_web.current_request import Proxies
from vivero_web.problem import Answers
from vivero_web.rate_limit import RateLimit
from vivero_web.request_context import RequestContext

TOKENS = AccessTokens("0" * 64, "k3v9q2mzt1")
KEY_TOKENS = key_tokens("0" * 64)
HERE, THERE = "198.51.100.7", "198.51.100.8"


class Keys(ApiKeyService):
    def __init__(self) -> None:
        self._tokens = KEY_TOKENS


KEYS = Keys()


class Auth(AuthService):
    def __init__(self) -> None:
        self._tokens = TOKENS


class Plan:
    current = Limits("trial", requests_per_minute=3)


@get(["/", "/internal/v1/proof", "/internal/v1/usage"])
async def page() -> str:
    return "here"


@pytest.fixture
def plan() -> Plan:
    return Plan()


@pytest.fixture
def client(plan: Any) -> httpx.AsyncClient:  # noqa: ANN401  it stands for LimitService
    app = Litestar([page], logging_config=None)
    limited = RateLimit(
        app.asgi_handler, limiter_on(Time()), Answers(None), charge_by(plan, Auth().is_ours, KEYS.is_ours)
    )
    app.asgi_handler = RequestContext(limited, Proxies(1), hsts="")
    return httpx.AsyncClient(transport=transport_to(app), base_url="http://test")


def bearer(user: int, tokens: AccessTokens = TOKENS) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens.issue(AccessClaims(user, user), clock.now())}"}


def cookie(user: int) -> dict[str, str]:
    return {"cookie": f"{ACCESS}={TOKENS.issue(AccessClaims(user, user), clock.now())}"}


async def ask(client: httpx.AsyncClient, address: str, headers: dict[str, str] | None = None, path: str = "/") -> int:
    return (await client.get(path, headers={"x-forwarded-for": address, **(headers or {})})).status_code


async def test_what_only_a_signature_opens_is_counted_like_any_other(client: httpx.AsyncClient) -> None:
    assert [await ask(client, HERE, path="/internal/v1/usage") for _ in range(4)] == [200, 200, 200, 429]
    assert {await ask(client, HERE, path="/internal/v1/proof") for _ in range(6)} == {200}


async def test_all_users_at_all_addresses_have_one_count(client: httpx.AsyncClient) -> None:
    statuses = [
        await ask(client, HERE, bearer(1)),
        await ask(client, THERE, bearer(2)),
        await ask(client, "2001:db8::1", cookie(3)),
        await ask(client, HERE, cookie(1)),
        await ask(client, "203.0.113.9", bearer(4)),
    ]
    assert statuses == [200, 200, 200, 429, 429]
    refused = await client.get("/", headers={"x-forwarded-for": HERE, **bearer(1)})
    assert "3 requests a minute" in refused.json()["detail"]
    assert "trial" in refused.json()["detail"]


async def test_a_program_with_an_api_key_counts_as_a_user(client: httpx.AsyncClient) -> None:
    key = {"authorization": f"Bearer {KEY_TOKENS.new('a' * 8)}"}
    assert [await ask(client, HERE, one) for one in (bearer(1), key, key, key)] == [200, 200, 200, 429]


NO_TOKENS = {
    "an API key of another workspace": {"authorization": f"Bearer {key_tokens('1' * 64).new('a' * 8)}"},
    "none": {},
    "made up": {"authorization": "Bearer made-up"},
    "of another workspace": bearer(1, AccessTokens("0" * 64, "aaaaaaaaaa")),
    "of another key": bearer(1, AccessTokens("1" * 64, "k3v9q2mzt1")),
    "not a bearer": {"authorization": "Basic YTpi"},
    "a header beside a cookie": {**cookie(1), "authorization": "Bearer made-up"},
}


@pytest.mark.parametrize("headers", NO_TOKENS.values(), ids=NO_TOKENS)
async def test_strangers_use_up_their_own_count_alone(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert [await ask(client, HERE, headers) for _ in range(5)] == [200, 200, 200, 429, 429]
    assert await ask(client, THERE, headers) == 200
    assert [await ask(client, HERE, bearer(1)) for _ in range(4)] == [200, 200, 200, 429]


async def test_the_operator_is_not_counted(client: httpx.AsyncClient) -> None:
    assert [await ask(client, HERE, path="/internal/v1/proof") for _ in range(9)] == [200] * 9


async def test_a_new_plan_counts_at_once_and_without_a_number_nothing_does(
    client: httpx.AsyncClient, plan: Plan
) -> None:
    assert [await ask(client, HERE, bearer(1)) for _ in range(4)][-1] == 429
    plan.current = Limits("starter", requests_per_minute=5)
    assert [await ask(client, HERE, bearer(1)) for _ in range(3)] == [200, 200, 429]
    plan.current = Limits("enterprise")
    assert [await ask(client, HERE, bearer(1)) for _ in range(9)] == [200] * 9
