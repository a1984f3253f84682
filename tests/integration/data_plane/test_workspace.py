"""Who the workspace is: told by the operator, stored with the owner or not at all, shown by every replica."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from faults.rig import eventually
from integration.data_plane.workspace import HOST, NAME, OWNER, PASSWORD, Workspace
from support.asgi import running, transport_to
from vivero_data.app import create_app
from vivero_data.domain.identity import service
from vivero_data.domain.owner.service import OwnerState, ensure

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0$RdescudvJCsgt3ub+b3dWRWJTmaaMOQoLaqGyGUWeOI"
NewWorkspace = Callable[..., Awaitable[Workspace]]


def account(email: str = OWNER, **changes: object) -> dict[str, object]:
    return {"email": email, "name": "Olive", "password_hash": HASH, **changes}


async def rows(workspace: Workspace, sql: str) -> list[Any]:
    async with workspace.app.state.services.database.read() as connection:
        found: list[Any] = await connection.fetch_all(sql)
        return found


async def fill_pool(workspace: Workspace) -> None:
    """Every connection opened, so that calls at once do meet."""
    await asyncio.gather(*(rows(workspace, "SELECT SLEEP(0.2)") for _ in range(5)))


async def test_a_spare_knows_nothing_until_it_is_told(new_workspace: NewWorkspace) -> None:
    spare = await new_workspace(spare=True)
    proof = (await spare.client.get("/internal/v1/proof", headers=spare.operator)).json()
    assert (proof["ok"], proof["workspace"]) == (True, None)
    page = (await spare.client.get("/login")).text
    assert "Log in to Workspace" in page
    assert HOST in page, "the host that was asked for"
    answer = await spare.tell(owner=account())
    stored = {"name": NAME, "public_url": f"https://{HOST}:8443"}
    assert answer.status_code == 201
    assert answer.json() == {"workspace": stored, "owner": {"email": OWNER, "created": True, "changed": False}}
    assert f"Log in to {NAME}" in (await spare.client.get("/login")).text
    proof = (await spare.client.get("/internal/v1/proof", headers=spare.operator)).json()
    assert proof["workspace"] == stored
    assert "workspace" not in (await spare.client.get("/readyz")).json(), "what anybody may ask does not say it"


async def test_calls_at_once_make_one_owner(new_workspace: NewWorkspace) -> None:
    spare = await new_workspace(spare=True)
    await fill_pool(spare)
    answers = await asyncio.gather(*(spare.tell(owner=account()) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert {answer.json()["owner"]["email"] for answer in answers} == {OWNER}
    assert await rows(spare, "SELECT email FROM users") == [(OWNER,)]
    assert await rows(spare, "SELECT value FROM counters WHERE name = 'users'") == [(1,)]
    assert await rows(spare, f"SELECT action FROM {spare.audit_log}") == [("user.create",)]  # noqa: S608  our own words
    assert await rows(spare, "SELECT COUNT(*) FROM workspace") == [(1,)]


async def test_command_lines_at_once_make_one_owner(new_workspace: NewWorkspace) -> None:
    spare = await new_workspace(spare=True)
    await fill_pool(spare)

    async def by_hand(number: int) -> OwnerState:
        async with spare.app.state.services.database.transaction() as tx:
            return await ensure(tx, f"hand-{number}@example.com", "", HASH)

    made = await asyncio.gather(*(by_hand(number) for number in range(4)))
    assert sum(one.created for one in made) == 1
    assert len({one.email for one in made}) == 1
    assert await rows(spare, "SELECT COUNT(*) FROM users") == [(1,)]


@pytest.mark.parametrize("table", ["counters", "audit_log"])
async def test_a_later_statement_that_fails_leaves_nothing_behind(new_workspace: NewWorkspace, table: str) -> None:
    """The name is written first; the counter is the second statement, the audit log the last."""
    spare = await new_workspace(spare=True, own_audit_log=True)
    await rows(spare, f"RENAME TABLE {table} TO away")
    answer = await spare.tell(owner=account())
    assert answer.status_code == 500
    await rows(spare, f"RENAME TABLE away TO {table}")
    for stored in ("workspace", "users", "audit_log"):
        assert await rows(spare, f"SELECT COUNT(*) FROM {stored}") == [(0,)], stored  # noqa: S608  our own words
    assert await rows(spare, "SELECT value FROM counters WHERE name = 'users'") == [(0,)]
    assert "Log in to Workspace" in (await spare.client.get("/login")).text
    assert (await spare.tell(owner=account())).status_code == 201


async def test_bad_input_changes_nothing(workspace: Workspace) -> None:
    answer = await workspace.tell(name="Another", owner=account(password_hash="sesame"))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["owner.password_hash"]
    assert await rows(workspace, "SELECT name FROM workspace") == [(NAME,)]


@pytest.mark.parametrize("name", ["🌱" * 80, "Größe \\ \"Höhe\" 'und' %s {{ 1 }}", "日本の会社"])
async def test_any_name_comes_back_as_it_was_told(workspace: Workspace, name: str) -> None:
    assert (await workspace.tell(name=name)).status_code == 200
    proof = (await workspace.client.get("/internal/v1/proof", headers=workspace.operator)).json()
    assert proof["workspace"]["name"] == name


async def test_a_new_name_shows_at_once_everywhere(workspace: Workspace, owner: dict[str, str]) -> None:
    async def shown() -> list[bool]:
        me = (await workspace.client.get("/api/v1/me", headers=owner)).json()["workspace"]
        pages = [(await workspace.client.get(path, headers=owner)).text for path in ("/login", "/")]
        return [me == "Rocket Ltd", *("Rocket Ltd" in page and "rocket.example.com" in page for page in pages)]

    assert await shown() == [False, False, False]
    assert (await workspace.tell(name="Rocket Ltd", public_url="https://rocket.example.com")).status_code == 200
    assert await shown() == [True, True, True]


async def test_another_replica_shows_it_within_its_bound(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_CACHE_SECONDS", 0.5)
    other = create_app(workspace.settings)
    transport = transport_to(other, client=("192.0.2.1", 1234))
    async with running(other), httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
        await other.state.services.schema_ready.wait()
        assert f"Log in to {NAME}" in (await client.get("/login")).text
        await workspace.tell(name="Rocket Ltd")

        async def shown() -> bool:
            return "Log in to Rocket Ltd" in (await client.get("/login")).text

        await eventually(shown)


async def test_the_api_asks_nothing_more_for_it(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workspace.collection(owner)
    identity, asked = workspace.app.state.services.identity, []
    stored = identity.stored

    async def counted() -> object:
        asked.append(1)
        return await stored()

    monkeypatch.setattr(identity, "stored", counted)
    identity.invalidate()
    for _ in range(3):
        body = {"values": {"Name": "x"}}
        answer = await workspace.client.post("/api/v1/collections/Contacts/records", json=body, headers=owner)
        assert answer.status_code == 201
        assert (await workspace.client.get("/api/v1/collections/Contacts/records", headers=owner)).status_code == 200
    assert not asked
    for _ in range(3):
        await workspace.client.get("/api/v1/me", headers=owner)
    assert len(asked) == 1


async def test_the_workspaces_name_is_no_password(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.tell(name="Rocket Science Ltd")
    body = {"email": "new@example.com", "password": "RocketScience-Ltd2026", "role": "member"}
    answer = await workspace.client.post("/api/v1/users", json=body, headers=owner)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "password")
    change = {"current_password": PASSWORD, "new_password": "rocket science ltd"}
    answer = await workspace.client.put("/api/v1/me/password", json=change, headers=owner)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "new_password")
