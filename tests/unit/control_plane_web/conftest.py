from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.fakes import ADMIN, make_app
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.staff.sessions import SESSION_COOKIE

BROWSER = {"accept": "text/html,application/xhtml+xml"}


def browser(**replaced: object) -> TestClient[Any]:
    """A browser on the pages; a keyword replaces a fake service."""
    client = TestClient(make_app(**replaced), base_url="https://vivero.localhost:8443")
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
