"""What holds for every route of both programs: HEAD, OPTIONS, 405, and that nobody keeps an answer that changes."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from msgspec import structs
from support.asgi import transport_to
from support.programs import addresses, control_plane, data_plane
from unit.control_plane_web.fakes import OpenDoor
from unit.control_plane_web.fakes import make_app as control_plane_pages
from unit.data_plane.builders import collection
from unit.data_plane_web.fakes import World
from unit.data_plane_web.fakes import make_app as data_plane_pages
from vivero_control.web.site import COMPANY_PATHS
from vivero_data.domain.files.schemas import StoredFile
from vivero_data.domain.records.schemas import Record

pytestmark = pytest.mark.asyncio(loop_scope="module")  # programs live in one loop, as in production

HOST = "vivero.localhost"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
VOLATILE = {"x-request-id", "ratelimit", "set-cookie"}
FRESH = {"/status", "/status/feed.atom", "/api/v1/status"}
KEPT = {"/", "/pricing", "/api/v1/plans", "/robots.txt", "/sitemap.xml", *COMPANY_PATHS, *FRESH}
"""Of the control plane: public, the same for all, and without them a landing page costs a round trip on each way back."""
MEASURED = {"/metrics", "/readyz"}
"""Whose bodies tell times and counts, so that two of them differ in length."""


def full_workspace() -> Litestar:
    world = World()
    things = structs.replace(collection(), name="x")
    world.collections["x"] = things
    world.records["x"] = {1: Record(1, 1, {field.name: None for field in things.fields}, NOW, NOW)}
    world.files["x"] = (StoredFile("x", "x.txt", 7, "text/plain", NOW, "ada@example.com"), b"content")
    return data_plane_pages(world)


PROGRAMS: dict[str, Callable[[Path], Litestar]] = {
    "control plane": lambda folder: control_plane(folder, HOST).public,
    "control plane, for the cluster": lambda folder: control_plane(folder, HOST).internal,
    "control plane, pages": lambda _: control_plane_pages(sessions=OpenDoor()),
    "data plane": data_plane,
    "data plane, pages": lambda _: full_workspace(),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    return PROGRAMS[request.param](tmp_path_factory.mktemp("program"))


def client_of(app: Litestar) -> httpx.AsyncClient:
    transport = transport_to(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}")


def head_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in VOLATILE}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_head_is_get_without_a_body(app: Litestar, accept: str) -> None:
    found = 0
    async with client_of(app) as client:
        for path, methods in addresses(app):
            if "GET" not in methods:
                continue
            whole = await client.get(path, headers={"accept": accept})
            head = await client.head(path, headers={"accept": accept})
            ours, theirs = head_of(head), head_of(whole)
            if path in MEASURED:
                assert int(ours.pop("content-length")) > 0 < int(theirs.pop("content-length"))
            assert (head.status_code, ours, head.content) == (whole.status_code, theirs, b""), path
            found += 1
    assert found > 2


async def test_nobody_keeps_an_answer_that_changes(app: Litestar) -> None:
    async with client_of(app) as client:
        for path, methods in addresses(app):
            for method in sorted(methods):
                answer = await client.request(method, path)
                said = answer.headers["cache-control"].split(", ")
                read = method in {"GET", "HEAD"} and answer.is_success
                if path.startswith("/static/") and read:
                    assert said == ["no-cache"], path
                elif path in KEPT and read and "no-store" not in said:
                    assert said == ["max-age=15" if path in FRESH else "max-age=300", "public"], path
                else:
                    assert "no-store" in said, (method, path, said)


async def test_allow_says_which_methods_there_are(app: Litestar) -> None:
    async with client_of(app) as client:
        for path, methods in addresses(app):
            wanted = sorted(methods | ({"HEAD"} if "GET" in methods else set()))
            told = await client.options(path)
            if path.startswith("/internal/"):
                assert told.status_code == 401, path  # nobody but the operator is told anything
            else:
                assert (told.status_code, told.headers["allow"].split(", ")) == (204, wanted), path
            for method in sorted({"POST", "PUT", "PATCH", "DELETE", "BREW"} - methods):
                refused = await client.request(method, path)
                assert (refused.status_code, refused.headers["allow"].split(", ")) == (405, wanted), (method, path)
