"""The real pages over a workspace in memory."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World, make_app


@pytest.fixture(scope="session")
def pages() -> tuple[World, Litestar]:
    """The world and the pages over it, once for all tests: to build the routes takes longer than a test."""
    world = World()
    return world, make_app(world)


@pytest.fixture
def world(pages: tuple[World, Litestar]) -> World:
    """As it was on its first day."""
    world, _ = pages
    vars(world).clear()
    vars(world).update(vars(World()))
    return world


@pytest.fixture
def client(world: World, pages: tuple[World, Litestar]) -> Iterator[TestClient[Litestar]]:
    assert pages[0] is world
    with TestClient(pages[1], base_url="https://acme.vivero.localhost", raise_server_exceptions=False) as made:
        made.headers.update({"accept": "text/html", "sec-fetch-site": "same-origin"})
        yield made


@pytest.fixture
def browser(client: TestClient[Litestar]) -> Browser:
    return Browser(client)
