from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from unit.control_plane_web.fakes import ADMIN, app_over, fakes
from vivero_control.domain.accounts.sessions import COOKIE
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.staff.sessions import SESSION_COOKIE

BROWSER = {"accept": "text/html,application/xhtml+xml"}


SERVICES = fakes()


@cache
def the_app() -> Litestar:
    """Once for all tests, over what SERVICES holds: to build the routes takes longer than a test."""
    return app_over(SERVICES)


def browser(**replaced: object) -> TestClient[Any]:
    """A browser on the pages over fresh fakes, of which a keyword replaces one; browsers of before have them, too."""
    SERVICES.update(fakes(**replaced))
    client = TestClient(the_app(), base_url="https://vivero.localhost:8443")
    client.headers.update({**BROWSER, "sec-fetch-site": "same-origin"})
    return client


@pytest.fixture
def visitor() -> Iterator[TestClient[Any]]:
    with browser() as client:
        yield client


def logged_in(client: TestClient[Any], who: StaffView = ADMIN) -> TestClient[Any]:
    client.cookies.set(SESSION_COOKIE, who.id)
    return client


@pytest.fixture
def staff(visitor: TestClient[Any]) -> TestClient[Any]:
    return logged_in(visitor)


@pytest.fixture
def owner() -> Callable[..., TestClient[Any]]:
    """A browser with the session of who manages a workspace; a keyword replaces a fake."""

    def made(**replaced: object) -> TestClient[Any]:
        client = browser(**replaced)
        client.cookies.set(COOKIE, "acme")
        return client

    return made
