"""The kit's files as browsers get them."""

import json

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from vivero_ui.assets import DIST, asset
from vivero_ui.static import static_router


@pytest.fixture
def client() -> TestClient[Litestar]:
    return TestClient(Litestar([static_router()]))


def test_files_are_kept_for_thirty_days_where_their_names_change_with_them(client: TestClient[Litestar]) -> None:
    hashed = set(json.loads((DIST / "manifest.json").read_text()).values())
    for file in (one for one in DIST.iterdir() if not one.name.startswith(".")):
        answer = client.get(f"/static/{file.name}")
        assert answer.status_code == 200
        kept = file.name in hashed
        assert answer.headers["cache-control"] == ("max-age=2592000, public, immutable" if kept else "no-cache")
        assert answer.headers["etag"]
        assert answer.headers["last-modified"]


@pytest.mark.parametrize(
    ("name", "kind"), [("app.css", "text/css"), ("app.js", "text/javascript"), ("favicon.svg", "image/svg+xml")]
)
def test_texts_say_their_charset(client: TestClient[Litestar], name: str, kind: str) -> None:
    assert client.get(asset(name)).headers["content-type"] == f"{kind}; charset=utf-8"


def test_what_the_build_notes_for_itself_is_not_served(client: TestClient[Litestar]) -> None:
    hidden = [file.name for file in DIST.iterdir() if file.name.startswith(".")]
    assert hidden
    assert {client.get(f"/static/{name}").status_code for name in hidden} == {404}


def test_static_serves_no_listing_and_nothing_above(client: TestClient[Litestar]) -> None:
    for path in ("/static/", "/static/../assets.py", "/static/%2e%2e/assets.py"):
        assert client.get(path).status_code in {403, 404}


@pytest.mark.parametrize(
    "name", ["x" * 300, "é" * 200, "x/" * 900, "%00", "%0a", "app.css%00", "app.css%0a", "app.css/x"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_no_file_can_be_called_is_not_there(client: TestClient[Litestar], method: str, name: str) -> None:
    assert client.request(method, f"/static/{name}").status_code == 404
