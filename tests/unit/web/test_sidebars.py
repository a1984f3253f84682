"""The sidebar says where one is: once on every page of both programs, or not at all."""

import re
from collections.abc import Iterator

import pytest
from e2e.pages import full
from litestar import Litestar
from litestar.testing import TestClient

NAV = re.compile(r'<nav aria-label="Main".*?</nav>', re.DOTALL)
DEVELOPERS = (
    "/developers",
    f"/developers/collections/{full.TABLE}",
    f"/collections/{full.TABLE}?view=2",
    f"/collections/{full.TABLE}?view=3",
    "/help",
)


def current(client: TestClient[Litestar], path: str) -> list[str]:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html"), path
    return [found for nav in NAV.findall(answer.text) for found in re.findall(r'aria-current="page"', nav)]


@pytest.fixture(scope="module")
def workspace() -> Iterator[TestClient[Litestar]]:
    with TestClient(full.workspace(), base_url="https://acme.vivero.localhost") as client:
        yield client


@pytest.fixture(scope="module")
def control_plane() -> Iterator[TestClient[Litestar]]:
    with TestClient(full.control_plane(), base_url="https://vivero.localhost") as client:
        yield client


@pytest.mark.parametrize("path", [*full.WORKSPACE_PAGES, *DEVELOPERS])
def test_one_place_of_the_workspace_is_current(workspace: TestClient[Litestar], path: str) -> None:
    assert len(current(workspace, path)) <= 1


@pytest.mark.parametrize("path", full.CONTROL_PAGES)
def test_one_place_of_the_control_plane_is_current(control_plane: TestClient[Litestar], path: str) -> None:
    assert len(current(control_plane, path)) <= 1


@pytest.mark.parametrize("path", ["/", "/collections", f"/collections/{full.TABLE}", *DEVELOPERS])
def test_these_places_are_current(workspace: TestClient[Litestar], path: str) -> None:
    assert len(current(workspace, path)) == 1
