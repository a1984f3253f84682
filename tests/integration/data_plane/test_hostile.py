"""Odd requests to a workspace on real services: what the database, the cache and the bucket make of them is no 5xx."""

from typing import Any, Final

import pytest
from integration.data_plane.workspace import HOST, Workspace
from support import good
from support.hostile import SEEDS, Program, misses, shots, some
from vivero_data.lib.cookies import ACCESS, REFRESH
from vivero_data.lib.tokens import AccessClaims, AccessTokens
from vivero_data.web.page import NOTICE_COOKIE
from vivero_web import clock

SHARE: Final = 800
# What would end the session or remove what the others work on is tried on nothing.
ENDINGS: Final = ("logout", "/delete")
THERE: Final = {"name": "Contacts", "record_id": "1", "user_id": "1", "workspace_id": "x", "file_path": "x.css"}
NOWHERE: Final = {"name": "Nowhere", "record_id": "999", "user_id": "999", "file_id": "b" * 26}


def ends(route: str) -> bool:
    return route.startswith("DELETE ") or route.endswith(ENDINGS)


@pytest.fixture
async def program(workspace: Workspace, owner: dict[str, str]) -> Program:
    kinds = [{"name": str(kind), "type": str(kind)} for kind in good.GOOD_VALUES]
    fields = [{**kind, "choices": ["a", "b"]} if kind["type"] == "choice" else kind for kind in kinds]
    await workspace.collection(owner, *fields)
    records, files = "/api/v1/collections/Contacts/records", {"file": ("a.txt", b"x", "text/plain")}
    values = {str(kind): value for kind, value in good.GOOD_VALUES.items()}
    for _ in range(3):
        assert (await workspace.client.post(records, json={"values": values}, headers=owner)).status_code == 201
    file = (await workspace.client.post("/api/v1/files", files=files, headers=owner)).json()
    collection = (await workspace.client.get("/api/v1/collections", headers=owner)).json()["items"][0]
    env, app = workspace.settings.env, workspace.settings.app
    tokens = AccessTokens(app.signing_key, env.tenant_id)
    claims = tokens.read(owner["authorization"].removeprefix("Bearer "))
    leaving = tokens.read((await workspace.user(owner, "viewer"))["authorization"].removeprefix("Bearer "))

    def browser(who: AccessClaims) -> list[tuple[str, str]]:
        token = tokens.issue(who, clock.now())
        return [
            ("authorization", f"Bearer {token}"),
            ("cookie", f"{ACCESS}={token}"),
            ("sec-fetch-site", "same-origin"),
        ]

    def headers(route: str) -> list[tuple[str, str]]:
        if "/internal/" in route:
            return list(workspace.operator.items())
        return browser(leaving if route.endswith("logout") else claims)

    def at(route: str) -> dict[str, Any]:
        return NOWHERE if ends(route) else THERE | {"file_id": file["id"]}

    return Program(
        app=workspace.app,
        host=HOST,
        headers=headers,
        values=at,
        bodies=good.workspace_bodies({field["name"]: field["id"] for field in collection["fields"]}),
        queries=good.WORKSPACE_QUERIES,
        cookies=(ACCESS, REFRESH, NOTICE_COOKIE, f"__Host-columns-{collection['id']}"),
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_odd_request_is_a_fault_of_ours(program: Program, seed: int) -> None:
    assert await misses(program, some(shots(program), seed, SHARE)) == []


@pytest.mark.full
async def test_none_of_them_all(program: Program) -> None:
    assert await misses(program, shots(program)) == []
