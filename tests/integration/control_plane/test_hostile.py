"""Odd requests to a control plane on real services: what the database, the cache and the cluster make of them is no 5xx."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlencode

import pytest
from integration.control_plane.support import ADMIN, DOMAIN, TestClock
from support import good
from support.asgi import ask, running
from support.hostile import SEEDS, Program, misses, shots, some
from support.programs import SOMEBODY, staff
from vivero_control.app import create_program
from vivero_control.domain.signups.errors import SlugTakenError
from vivero_control.domain.signups.provisioning import Order, Provisioning
from vivero_control.domain.staff.sessions import SESSION_COOKIE
from vivero_control.settings import Settings
from vivero_control.web.pages import pages
from vivero_web.guards import FORM, JSON

SHARE: Final = 800


@pytest.fixture
async def program(
    settings: Settings,
    clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Program]:
    """Signups are recorded, but none of them gets a Tenant: each is withdrawn."""

    async def taken(_: Provisioning, order: Order) -> None:
        raise SlugTakenError(order.slug)

    monkeypatch.setattr(Provisioning, "carry_out", taken)
    roomy = settings.model_copy(
        update={"limits": settings.limits.model_copy(update={"requests_per_minute": 10_000_000})}
    )
    app = create_program(roomy, pages(), clock).public
    async with running(app):
        async with asyncio.timeout(30):
            while (await ask(app, "GET", "/readyz", host=DOMAIN)).status != 200:  # noqa: ASYNC110  the mirrors say nothing
                await asyncio.sleep(0.1)
        form = urlencode({"email": ADMIN[0], "password": ADMIN[1]}).encode()
        headers = [("content-type", FORM), ("content-length", str(len(form))), ("sec-fetch-site", "same-origin")]
        answer = await ask(app, "POST", "/staff/login", headers, [form], DOMAIN)
        assert answer.status == 303, answer.body
        cookie = dict(answer.headers)[b"set-cookie"].decode()
        session = cookie.partition(f"{SESSION_COOKIE}=")[2].partition(";")[0]
        login = json.dumps({"email": ADMIN[0], "password": ADMIN[1]}).encode()
        headers = [("content-type", JSON), ("content-length", str(len(login)))]
        answer = await ask(app, "POST", "/api/v1/auth/login", headers, [login], DOMAIN)
        token = json.loads(answer.body)["access_token"]
        yield Program(
            app=app,
            host=DOMAIN,
            headers=lambda route: [] if route.endswith("/logout") else staff(session, token),
            values=lambda _: {
                "name": "no-such-tenant",
                "which": "suspend",
                "signup_id": "0" * 32,
                "staff_id": SOMEBODY,
                "letter": "0",
                "file_path": "x.css",
            },
            bodies=good.CONTROL_BODIES,
            queries=good.CONTROL_QUERIES,
            cookies=(SESSION_COOKIE,),
        )


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_odd_request_is_a_fault_of_ours(program: Program, seed: int) -> None:
    assert await misses(program, some(shots(program), seed, SHARE)) == []


@pytest.mark.full
async def test_none_of_them_all(program: Program) -> None:
    assert await misses(program, shots(program)) == []
