"""The kit's files as browsers get them."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from vivero_ui.assets import asset
from vivero_ui.static import static_router


@pytest.fixture
def client() -> TestClient[Litestar]:
    return TestClient(Litestar([static_router()]))


def test_static_files_are_cached_for_thirty_days(client: TestClient[Litestar]) -> None:
    answer = client.get(asset("app.css"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "max-age=2592000, public, immutable"
    assert answer.headers["content-type"].startswith("text/css")


def test_static_serves_no_listing_and_nothing_above(client: TestClient[Litestar]) -> None:
    for path in ("/static/", "/static/../assets.py", "/static/%2e%2e/assets.py"):
        assert client.get(path).status_code in {403, 404}
