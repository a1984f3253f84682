"""The real pages over a workspace in memory."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World, make_app


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[TestClient[Litestar]]:
    with TestClient(make_app(world), base_url="https://acme.vivero.localhost", raise_server_exceptions=False) as made:
        made.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin"})
        yield made


@pytest.fixture
def browser(client: TestClient[Litestar]) -> Browser:
    return Browser(client)
