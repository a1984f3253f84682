from pathlib import Path

import pytest
from litestar import get, post, put
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from support.programs import data_plane
from vivero_web.lazy_routes import LazyApp


@get("/things/{number:int}")
async def show(number: FromPath[int], more: FromQuery[int] = 1) -> dict[str, int]:
    return {"number": number, "more": more}


@post("/things/{number:int}")
async def change(number: FromPath[int], data: JSONBody[dict[str, int]]) -> dict[str, int]:
    return {**data, "number": number}


@put("/things/{number:int}")
async def change_again(number: FromPath[int]) -> dict[str, int]:
    return {"number": number}


def test_a_handler_is_finished_by_its_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    finished: list[str] = []
    register = HTTPRouteHandler.on_registration

    def record(handler: HTTPRouteHandler, app: LazyApp) -> None:
        finished.append(handler.handler_name)
        register(handler, app)

    monkeypatch.setattr(HTTPRouteHandler, "on_registration", record)
    app = LazyApp([show, change], logging_config=None, openapi_config=None)
    assert finished == []
    with TestClient(app) as client:
        for _ in range(2):
            assert client.get("/things/7?more=2").json() == {"number": 7, "more": 2}
        assert client.get("/things/x").status_code == 404
        assert client.get("/things/7?more=x").status_code == 400
        assert finished == ["show"]
        assert client.post("/things/7", json={"a": 1}).json() == {"a": 1, "number": 7}
        assert client.options("/things/7").status_code == 204
        assert client.put("/things/7").status_code == 405
    assert finished == ["show", "change", "options_handler"]


def test_a_handler_that_comes_later_joins_its_path() -> None:
    app = LazyApp([show], logging_config=None)
    with TestClient(app) as client:
        app.register(change_again)
        assert client.put("/things/7").json() == {"number": 7}
        assert client.get("/things/7").json() == {"number": 7, "more": 1}


def test_two_handlers_of_one_address_are_refused() -> None:
    @get("/things/{number:int}")
    async def other(number: FromPath[int]) -> None:
        pass

    with pytest.raises(ImproperlyConfiguredException, match="/things"):
        LazyApp([show, other], logging_config=None)


def test_every_handler_of_a_workspace_can_be_finished(tmp_path: Path) -> None:
    """What Litestar finds in a wrong handler at the start of a program is found here."""
    routes = [route for route in data_plane(tmp_path).routes if isinstance(route, HTTPRoute)]
    assert len(routes) > 100
    for route in routes:
        for method in route.methods:
            handler, model = route.route_handler_map[method]
            assert method in handler.http_methods
            assert model is not None
