"""The real pages over a workspace in memory."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World, page_dependencies
from vivero_data.lib.problem import make_handler
from vivero_data.web import render_error, route_handlers


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[TestClient[Litestar]]:
    app = Litestar(
        route_handlers,
        dependencies=page_dependencies(world),
        exception_handlers={Exception: make_handler(render_error)},
        logging_config=None,
    )
    with TestClient(app, base_url="https://acme.vivero.localhost", raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def browser(client: TestClient[Litestar]) -> Browser:
    return Browser(client)
