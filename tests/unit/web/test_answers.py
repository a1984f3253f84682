"""Pages for people, problems for programs: the same in both programs."""

from collections.abc import Callable

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from unit.control_plane_web.fakes import make_app as control_plane
from unit.data_plane_web.fakes import World
from unit.data_plane_web.fakes import make_app as data_plane

APPS: dict[str, Callable[[], Litestar]] = {"control plane": control_plane, "data plane": lambda: data_plane(World())}


@pytest.fixture(params=APPS)
def client(request: pytest.FixtureRequest) -> TestClient[Litestar]:
    return TestClient(APPS[request.param](), base_url="https://vivero.test", raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "accept", "is_page"),
    [
        ("/nowhere", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("/nowhere", "application/json", False),
        ("/nowhere", "*/*", False),
        ("/apiary", "text/html", True),
        ("/api/v1/nowhere", "text/html", False),
    ],
)
def test_programs_get_json_and_people_pages(
    client: TestClient[Litestar], path: str, accept: str, *, is_page: bool
) -> None:
    answer = client.get(path, headers={"accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].partition(";")[0] == ("text/html" if is_page else "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"
    if not is_page:
        assert answer.json()["status"] == 404


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/v1/nowhere", "/static/nothing"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_answer_says_its_number_and_is_closed_to_others(
    client: TestClient[Litestar], path: str, accept: str
) -> None:
    answer = client.get(path, headers={"accept": accept, "x-request-id": "request-12345"})
    assert answer.headers["x-request-id"] == "request-12345"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    if answer.headers["content-type"] == "application/problem+json":
        assert answer.json()["request_id"] == "request-12345"
