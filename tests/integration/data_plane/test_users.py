import asyncio
from typing import Any

import pytest
from integration.data_plane.workspace import OWNER, PASSWORD, Workspace

USERS = "/api/v1/users"


async def my_id(workspace: Workspace, headers: dict[str, str]) -> int:
    number: int = (await workspace.client.get("/api/v1/me", headers=headers)).json()["id"]
    return number


async def test_users_are_listed_by_keyset(workspace: Workspace, owner: dict[str, str]) -> None:
    for number in range(4):
        await workspace.user(owner, "viewer", f"u{number}@example.com")
    seen, cursor = [], ""
    for _ in range(5):
        page = (await workspace.client.get(f"{USERS}?limit=2{cursor}", headers=owner)).json()
        seen += [user["email"] for user in page["items"]]
        if "next_cursor" not in page or page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [OWNER, *(f"u{number}@example.com" for number in range(4))]
    assert "password" not in str(page)


async def test_an_address_is_taken_whatever_its_case(workspace: Workspace, owner: dict[str, str]) -> None:
    body = {"email": "Owner@Example.COM", "password": PASSWORD}
    answer = await workspace.client.post(USERS, json=body, headers=owner)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "email"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a" * 300 + "@example.com"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"name": "evil\u202egpj"}, "name"),
        ({"name": "x" * 121}, "name"),
    ],
)
async def test_bad_input_names_the_field(
    workspace: Workspace, owner: dict[str, str], changes: dict[str, Any], field: str
) -> None:
    body = {"email": "new@example.com", "password": PASSWORD, **changes}
    answer = await workspace.client.post(USERS, json=body, headers=owner)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["users"]["used"] == 1


async def test_the_plan_is_held_exactly(workspace: Workspace, owner: dict[str, str]) -> None:
    workspace.set_limits(users=3)
    await asyncio.sleep(1.1)

    async def add(number: int) -> int:
        body = {"email": f"u{number}@example.com", "password": PASSWORD}
        return (await workspace.client.post(USERS, json=body, headers=owner)).status_code

    statuses = await asyncio.gather(*(add(number) for number in range(6)))
    assert sorted(statuses) == [201, 201, 402, 402, 402, 402]
    usage = (await workspace.client.get("/api/v1/usage", headers=owner)).json()
    assert usage["users"] == {"used": 3, "limit": 3}

    listed = (await workspace.client.get(USERS, headers=owner)).json()["items"]
    out = await workspace.client.patch(f"{USERS}/{listed[-1]['id']}", json={"active": False}, headers=owner)
    assert out.json()["active"] is False
    assert await add(7) == 201
    back = await workspace.client.patch(f"{USERS}/{listed[-1]['id']}", json={"active": True}, headers=owner)
    assert back.status_code == 402
    assert "upgrade" in back.json()["detail"]


async def test_the_last_owner_stays(workspace: Workspace, owner: dict[str, str]) -> None:
    path = f"{USERS}/{await my_id(workspace, owner)}"
    for change in ({"active": False}, {"role": "admin"}):
        answer = await workspace.client.patch(path, json=change, headers=owner)
        assert answer.status_code == 409
    second = await workspace.user(owner, "owner")
    assert (await workspace.client.patch(path, json={"role": "member"}, headers=second)).status_code == 200


async def test_two_owners_cannot_dismiss_each_other_at_once(workspace: Workspace, owner: dict[str, str]) -> None:
    second = await workspace.user(owner, "owner")
    first_id, second_id = await my_id(workspace, owner), await my_id(workspace, second)
    answers = await asyncio.gather(
        workspace.client.patch(f"{USERS}/{second_id}", json={"role": "viewer"}, headers=owner),
        workspace.client.patch(f"{USERS}/{first_id}", json={"role": "viewer"}, headers=second),
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 403], [200, 409])
    async with workspace.app.state.services.database.read() as connection:
        row = await connection.fetch_one("SELECT COUNT(*) FROM users WHERE role = 'owner' AND active")
    assert row == (1,)


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        ("viewer", {"users": 403, "audit": 403, "collection": 403, "record": 403, "records": 200}),
        ("member", {"users": 403, "audit": 403, "collection": 403, "record": 201, "records": 200}),
        ("admin", {"users": 200, "audit": 200, "collection": 201, "record": 201, "records": 200}),
    ],
)
async def test_roles_are_kept(workspace: Workspace, owner: dict[str, str], role: str, statuses: dict[str, int]) -> None:
    await workspace.collection(owner)
    who = await workspace.user(owner, role)
    client, records = workspace.client, "/api/v1/collections/Contacts/records"
    fields = [{"name": "N", "type": "text"}]
    found = {
        "users": (await client.get(USERS, headers=who)).status_code,
        "audit": (await client.get("/api/v1/audit", headers=who)).status_code,
        "collection": (
            await client.post("/api/v1/collections", json={"name": "More", "fields": fields}, headers=who)
        ).status_code,
        "record": (await client.post(records, json={"values": {"Name": "x"}}, headers=who)).status_code,
        "records": (await client.get(records, headers=who)).status_code,
    }
    assert found == statuses


async def test_an_admin_makes_no_owners(workspace: Workspace, owner: dict[str, str]) -> None:
    admin = await workspace.user(owner, "admin")
    body = {"email": "new@example.com", "password": PASSWORD, "role": "owner"}
    assert (await workspace.client.post(USERS, json=body, headers=admin)).status_code == 403
    path = f"{USERS}/{await my_id(workspace, owner)}"
    assert (await workspace.client.patch(path, json={"active": False}, headers=admin)).status_code == 403


async def test_a_new_password_ends_the_other_sessions(workspace: Workspace, owner: dict[str, str]) -> None:
    other = await workspace.login()
    change = {"current_password": PASSWORD, "new_password": "walnut orchard at dusk"}
    wrong = await workspace.client.put(
        "/api/v1/me/password", json={**change, "current_password": "wrong wrong"}, headers=owner
    )
    assert wrong.json()["errors"][0]["field"] == "current_password"
    assert (await workspace.client.put("/api/v1/me/password", json=change, headers=owner)).status_code == 204
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 200
    assert (await workspace.client.get("/api/v1/me", headers=other)).status_code == 401
    await workspace.login(password="walnut orchard at dusk")
    audit = (await workspace.client.get("/api/v1/audit?action=user.change_password", headers=owner)).json()["items"]
    assert audit[0]["after"] is None


async def test_a_user_who_is_not_there(workspace: Workspace, owner: dict[str, str]) -> None:
    assert (await workspace.client.get(f"{USERS}/999", headers=owner)).status_code == 404
    assert (await workspace.client.patch(f"{USERS}/999", json={"name": "x"}, headers=owner)).status_code == 404
