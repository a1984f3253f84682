"""Whatever strangers may send has a count for each place, in both programs: one too many waits, and says how long."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from litestar import Litestar, Request, Response, post
from support.asgi import Answer, ask, transport_to
from support.counting import Time, limiter_on
from support.programs import DOMAIN, Route, a_control_plane, a_workspace, routes_of
from unit.web.test_bodies import PUBLIC, with_bodies
from vivero_web.current_request import Proxies
from vivero_web.limiter import Limit, Limiter, Tally
from vivero_web.problem import Answers
from vivero_web.rate_limit import LOGOUTS, SECRETS, SIGNUPS, Counted, RouteLimits, signups
from vivero_web.request_context import RequestContext

# Counted by what they do, and tested where that is: guesses of passwords, and mails.
BY_THEIR_SERVICE: Final = {
    "POST /login": "logins",
    "POST /login/code": "second_factors",
    "POST /staff/login": "logins",
    "POST /staff/login/code": "second_factors",
    "POST /api/v1/auth/login": "logins",
    "POST /forgotten-password": "mail_limits",
    "POST /staff/forgotten-password": "mail_limits",
    "POST /login/workspaces": "mail_limits",
    "POST /account/link": "mail_limits",
    "POST /confirm/again": "mail_limits",
    "POST /api/v1/signups/confirmation-links": "mail_limits",
    "POST /api/v1/auth/forgotten-password": "mail_limits",
    "POST /api/v1/auth/password-reset": "mail_limits",
}
PLACE: Final = "198.51.100.7"


@pytest.fixture(params=[a_workspace, a_control_plane], ids=["workspace", "control plane"])
def app(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    made: Litestar = request.param(tmp_path, monkeypatch)
    return made


def of_strangers(app: Litestar) -> Iterator[Route]:
    """Which those are test_bodies.py sees to: any other refuses who is nobody."""
    return (route for route in with_bodies(app) if str(route) in PUBLIC - BY_THEIR_SERVICE.keys())


def counted(route: Route) -> list[str]:
    return [guard.which for guard in route.handler.resolve_guards() if isinstance(guard, Counted)]


def test_whatever_strangers_may_send_has_a_count(app: Litestar) -> None:
    routes = list(of_strangers(app))
    assert len(routes) > 3
    assert {str(route): counted(route) for route in routes if len(counted(route)) != 1} == {}


def test_the_list_here_names_routes_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apps = [make(tmp_path, monkeypatch) for make in (a_workspace, a_control_plane)]
    assert BY_THEIR_SERVICE.keys() <= {str(route) for app in apps for route in routes_of(app)} & PUBLIC


async def test_one_too_many_is_refused_before_its_body_is_read(app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the place it comes from, in the middle of both programs as they are put together."""
    count, places = Limiter.count, list[str]()

    async def full(limiter: Limiter, limit: Limit, who: str) -> Tally:
        if limit.name not in (SECRETS, LOGOUTS, SIGNUPS):
            return await count(limiter, limit, who)
        places.append(who)
        return Tally(limit=limit, allowed=False, remaining=0, wait=7.0, key="", shared=False)

    monkeypatch.setattr(Limiter, "count", full)
    for route in of_strangers(app):
        answer = await sent(app, route)
        headers = dict(answer.headers)
        assert (answer.status, answer.taken) == (429, 0), str(route)
        assert headers[b"retry-after"] == b"7"
        if not route.is_page:
            assert headers[b"content-type"] == b"application/problem+json"
            assert json.loads(answer.body)["status"] == 429
    assert set(places) == {"192.0.2.1"}


async def sent(app: Litestar, route: Route) -> Answer:
    kind = "application/x-www-form-urlencoded" if route.is_page else "application/json"
    # Who waits to be asked for a body is asked for none: otherwise the layer around takes the rest, and forgets it.
    body = [("content-type", kind), ("content-length", "2"), ("expect", "100-continue")]
    headers = [("sec-fetch-site", "same-origin"), *body]
    return await ask(app, route.method, route.path, headers, [b"{}"], DOMAIN)


class Program:
    """Three route_limits; each answers with the status that it is told."""

    def __init__(self, time: Time, amount: int | None = None) -> None:
        """`amount`: of each limit, in place of its own."""
        routes = [self.route(name) for name in (SECRETS, LOGOUTS, SIGNUPS)]
        app = Litestar(routes, logging_config=None, exception_handlers={Exception: Answers(None).to})
        route_limits = RouteLimits(limiter_on(time), signups(50))
        for name, limited in route_limits._by_name.items():  # noqa: SLF001  smaller ones are full sooner
            smaller = replace(limited.limit, amount=amount or limited.limit.amount)
            route_limits._by_name[name] = replace(limited, limit=smaller)  # noqa: SLF001
        app.asgi_handler = RequestContext(route_limits.around(app.asgi_handler), Proxies(1), hsts="")
        self.client = httpx.AsyncClient(transport=transport_to(app), base_url="http://test")

    def route(self, name: str) -> Any:  # noqa: ANN401  a handler
        @post(f"/{name}", guards=[Counted(name)], status_code=200)
        async def answer(request: Request[Any, Any, Any]) -> Response[None]:
            await asyncio.sleep(0)
            return Response(None, status_code=int(request.headers["x-status"]))

        return answer

    async def ask(self, name: str, status: int, place: str = PLACE) -> httpx.Response:
        return await self.client.post(f"/{name}", headers={"x-status": str(status), "x-forwarded-for": place})

    async def at_once(self, name: str, status: int, number: int) -> int:
        """How many of so many were let through."""
        answers = await asyncio.gather(*(self.ask(name, status) for _ in range(number)))
        assert {one.status_code for one in answers} <= {status, 429}
        return sum(one.status_code == status for one in answers)


FEW: Final = 5


@pytest.fixture
def program() -> Program:
    return Program(Time(), FEW)


@pytest.mark.parametrize(("name", "status"), [(SIGNUPS, 200), (SECRETS, 401), (LOGOUTS, 200)])
async def test_a_crowd_at_once_gets_no_more_through_than_a_queue(program: Program, name: str, status: int) -> None:
    assert await program.at_once(name, status, 10 * FEW) == FEW
    refused = await program.ask(name, status)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert (await program.ask(name, status, "203.0.113.9")).status_code == status


@pytest.mark.parametrize(
    ("name", "status"),
    [(SIGNUPS, 422), (SIGNUPS, 409), (SIGNUPS, 503), (SECRETS, 200), (SECRETS, 503), (LOGOUTS, 503)],
)
async def test_what_is_no_matter_for_a_limit_is_given_back(program: Program, name: str, status: int) -> None:
    for _ in range(3 * FEW):
        assert (await program.ask(name, status)).status_code == status


async def test_an_office_may_sign_up_refresh_and_leave_together() -> None:
    """Two hundred people at one address: a course of thirty, a morning's tokens, an evening's log-outs."""
    program = Program(Time())
    assert await program.at_once(SIGNUPS, 200, 30) == 30
    assert await program.at_once(SECRETS, 200, 200) == 200
    assert await program.at_once(SECRETS, 401, 200) == 200
    assert await program.at_once(LOGOUTS, 200, 200) == 200


async def test_each_has_a_count_of_its_own(program: Program) -> None:
    await program.at_once(SIGNUPS, 200, 2 * FEW)
    assert (await program.ask(LOGOUTS, 200)).status_code == 200
