"""The log line of a request says who asked, by whichever way they came in, also where they are refused."""

from pathlib import Path

import pytest
from litestar import Litestar
from structlog.testing import capture_logs
from support.asgi import ask
from support.programs import DOMAIN, a_control_plane, a_workspace, member, staff
from vivero_data.domain.api_keys.service import ApiKeyService
from vivero_data.domain.users.schemas import Actor, Role


async def persons(app: Litestar, path: str, headers: list[tuple[str, str]]) -> list[str]:
    with capture_logs() as lines:
        await ask(app, "GET", path, [("host", DOMAIN), *headers])
    return [line["person"] for line in lines if line["event"] == "request"]


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/audit", "/collections"])
async def test_a_workspace_says_which_user(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = a_workspace(tmp_path, monkeypatch)
    assert await persons(app, path, member("viewer")) == ["user/1"]
    assert await persons(app, path, []) == [""]


async def test_and_which_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def authenticate(_: ApiKeyService, token: str) -> Actor:
        return Actor(1, "ada@example.com", "Ada", Role.MEMBER, api_key=token[:8])

    monkeypatch.setattr(ApiKeyService, "authenticate", authenticate)
    app = a_workspace(tmp_path, monkeypatch)
    assert await persons(app, "/api/v1/me", [("authorization", "Bearer viv_abcdefgh")]) == ["key/viv_abcd"]


@pytest.mark.parametrize(
    ("path", "who"),
    [("/api/v1/tenants", "staff/"), ("/staff/tenants", "staff/"), ("/account/settings", "account/acme")],
)
async def test_a_control_plane_says_which_member_of_staff_and_which_account(
    path: str, who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = a_control_plane(tmp_path, monkeypatch)
    (person,) = await persons(app, path, staff())
    assert person.startswith(who)
    assert "@" not in person
    assert await persons(app, path, []) == [""]
