"""API keys: what a program may do with one, and how it ends."""

from typing import Any

import pytest
from integration.data_plane.workspace import OWNER, PASSWORD, Workspace
from vivero_web.api_keys import MAX_KEYS

KEYS = "/api/v1/api-keys"
RECORDS = "/api/v1/collections/Contacts/records"


async def make(workspace: Workspace, who: dict[str, str], *scopes: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    body = {"name": "Nightly import", "scopes": list(scopes), **more}
    answer = await workspace.client.post(KEYS, json=body, headers=who)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def bearer(key: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {key['token']}"}


async def run(workspace: Workspace, sql: str, *params: object) -> Any:  # noqa: ANN401  a row
    async with workspace.app.state.services.database.transaction() as tx:
        return await tx.fetch_one(sql, *params)


async def test_a_program_works_with_a_key_and_the_log_names_it(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    await workspace.collection(owner)
    key = await make(workspace, owner, "write_records")
    assert key["scopes"] == ["read", "write_records"]
    assert key["token"].startswith(f"{key['prefix']}_")
    made = await client.post(RECORDS, json={"values": {"Name": "Ada"}}, headers=bearer(key))
    assert made.status_code == 201
    assert (await client.get("/api/v1/me", headers=bearer(key))).json()["email"] == OWNER
    entry = (await client.get("/api/v1/audit", params={"actor": OWNER}, headers=owner)).json()["items"][0]
    assert (entry["action"], entry["actor"]) == ("record.create", f"{OWNER} (API key {key['prefix']})")
    listed = (await client.get(KEYS, headers=owner)).json()["items"]
    assert [one["id"] for one in listed] == [key["id"]]
    assert listed[0]["last_used_at"]
    assert "token" not in listed[0]
    found = (
        await client.get("/api/v1/audit", params={"subject": f"Nightly import ({key['prefix']}"}, headers=owner)
    ).json()
    assert [one["action"] for one in found["items"]] == ["api_key.create"]
    assert key["token"] not in str(found)


async def test_a_key_does_what_it_was_made_for_and_no_more(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    await workspace.collection(owner)
    reads = bearer(await make(workspace, owner))
    everything = bearer(
        await make(workspace, owner, "read", "write_records", "write_files", "manage_collections", "read_audit_log")
    )
    refused = await client.post(RECORDS, json={"values": {}}, headers=reads)
    assert (refused.status_code, "no scope write_records" in refused.json()["detail"]) == (403, True)
    assert (await client.get("/api/v1/audit", headers=reads)).status_code == 403
    assert (await client.get("/api/v1/audit", headers=everything)).status_code == 200
    closed = [
        ("GET", KEYS, None),
        ("POST", KEYS, {"name": "another"}),
        ("GET", "/api/v1/users", None),
        ("POST", "/api/v1/users", {"email": "x@example.com", "password": PASSWORD}),
        ("POST", "/api/v1/invitations", {"email": "x@example.com"}),
        ("PUT", "/api/v1/me/password", {"current_password": PASSWORD, "new_password": "another orchard at dawn"}),
    ]
    for method, path, body in closed:
        assert (await client.request(method, path, json=body, headers=everything)).status_code == 403, path
    # A session is ended by its own token, and pages are for people.
    assert (await client.post("/api/v1/auth/logout", headers=everything)).status_code == 401
    assert (await client.get("/account", headers=everything)).status_code == 401
    cookie = {"cookie": f"__Host-session={everything['authorization'].removeprefix('Bearer ')}"}
    assert (await client.get("/api/v1/me", headers=cookie)).status_code == 401


async def test_rights_are_refused_before_a_body_is_read(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner)
    reads = bearer(await make(workspace, owner))
    answer = await workspace.client.post(
        RECORDS, content=b"no JSON", headers={**reads, "content-type": "application/json"}
    )
    assert answer.status_code == 403


async def test_a_key_never_has_more_than_its_maker(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    await workspace.collection(owner)
    member = await workspace.user(owner, "member", "grace@example.com")
    answer = await client.post(KEYS, json={"name": "x", "scopes": ["read", "manage_collections"]}, headers=member)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "scopes[1]"
    key = await make(workspace, member, "write_records")
    values = {"values": {"Name": "Ada"}}
    assert (await client.post(RECORDS, json=values, headers=bearer(key))).status_code == 201
    users = (await client.get("/api/v1/users", headers=owner)).json()["items"]
    grace = next(user["id"] for user in users if user["email"] == "grace@example.com")
    for change, status in (
        ({"role": "viewer"}, 403),
        ({"role": "member", "active": False}, 401),
        ({"active": True}, 201),
    ):
        assert (await client.patch(f"/api/v1/users/{grace}", json=change, headers=owner)).status_code == 200
        assert (await client.post(RECORDS, json=values, headers=bearer(key))).status_code == status, change
    # Nobody sees or ends another's keys.
    assert (await client.get(f"{KEYS}/{key['id']}", headers=owner)).status_code == 404
    assert (await client.delete(f"{KEYS}/{key['id']}", headers=owner)).status_code == 404


async def test_two_secrets_are_good_while_programs_change_over(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client

    async def status(key: dict[str, Any]) -> int:
        return (await client.get("/api/v1/me", headers=bearer(key))).status_code

    async def rotate(hours: int) -> dict[str, Any]:
        answer = await client.post(f"{at}/rotate", json={"overlap_hours": hours}, headers=owner)
        assert answer.status_code == 200
        made: dict[str, Any] = answer.json()
        return made

    first = await make(workspace, owner)
    at = f"{KEYS}/{first['id']}"
    second = await rotate(24)
    assert second["prefix"] == first["prefix"]
    assert second["previous_until"]
    assert [await status(key) for key in (first, second)] == [200, 200]
    third = await rotate(24)
    assert [await status(key) for key in (first, second, third)] == [401, 200, 200]
    fourth = await rotate(0)
    assert fourth.get("previous_until") is None
    assert [await status(key) for key in (second, third, fourth)] == [401, 401, 200]
    assert (await client.post(f"{at}/rotate", json={"overlap_hours": 169}, headers=owner)).status_code == 422
    assert (await client.delete(at, headers=owner)).status_code == 204
    assert await status(fourth) == 401


async def test_an_expired_key_is_nobody(workspace: Workspace, owner: dict[str, str]) -> None:
    key = await make(workspace, owner, valid_days=1)
    await run(workspace, "UPDATE api_keys SET expires_at = CURRENT_TIMESTAMP(6)")
    refused = await workspace.client.get("/api/v1/me", headers=bearer(key))
    assert refused.status_code == 401
    # With another secret it is good again, and the one from before is not.
    answer = await workspace.client.post(f"{KEYS}/{key['id']}/rotate", json={"overlap_hours": 24}, headers=owner)
    again = answer.json()
    assert (await workspace.client.get("/api/v1/me", headers=bearer(again))).status_code == 200
    assert (await workspace.client.get("/api/v1/me", headers=bearer(key))).status_code == 401


async def test_a_use_is_noted_once_a_minute(workspace: Workspace, owner: dict[str, str]) -> None:
    key = await make(workspace, owner)
    seen = []
    for _ in range(2):
        await workspace.client.get("/api/v1/me", headers=bearer(key))
        seen.append((await run(workspace, "SELECT last_used_at FROM api_keys"))[0])
    assert seen[0] == seen[1] is not None
    await run(workspace, "UPDATE api_keys SET last_used_at = last_used_at - INTERVAL 61 SECOND")
    await workspace.client.get("/api/v1/me", headers=bearer(key))
    assert (await run(workspace, "SELECT last_used_at FROM api_keys"))[0] > seen[0]


async def test_what_was_mistyped_costs_no_query(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await make(workspace, owner)
    services = workspace.app.state.services
    monkeypatch.setattr(services.database, "_pool", None)  # any query would be answered with 503
    wrong = {"authorization": f"Bearer {key['token'][:-1]}{'a' if key['token'][-1] != 'a' else 'b'}"}
    answer = await workspace.client.get("/api/v1/me", headers=wrong)
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "This API key is not whole, or not of this workspace.",
    )
    assert (await workspace.client.get("/api/v1/me", headers=bearer(key))).status_code == 503


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "x", "valid_days": 366}, "valid_days"),
        ({"name": "x", "valid_days": 0}, "valid_days"),
        ({"name": "x", "scopes": ["manage_users"]}, "scopes[0]"),
        ({"name": "x", "expires": 1}, "expires"),
    ],
)
async def test_bad_input_is_named(
    workspace: Workspace, owner: dict[str, str], body: dict[str, Any], field: str
) -> None:
    answer = await workspace.client.post(KEYS, json=body, headers=owner)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_there_is_an_end_to_the_keys_of_one_person(workspace: Workspace, owner: dict[str, str]) -> None:
    first = await make(workspace, owner)
    async with workspace.app.state.services.database.transaction() as tx:
        for number in range(1, MAX_KEYS):
            await tx.execute(
                "INSERT INTO api_keys (user_id, name, prefix, scopes, secret_hash, expires_at, valid_days)"
                " SELECT user_id, name, %s, scopes, secret_hash, expires_at, valid_days FROM api_keys WHERE id = %s",
                f"{number:08}",
                first["id"],
            )
    assert (await workspace.client.post(KEYS, json={"name": "x"}, headers=owner)).status_code == 409
    assert (await workspace.client.delete(f"{KEYS}/{first['id']}", headers=owner)).status_code == 204
    assert (await workspace.client.post(KEYS, json={"name": "x"}, headers=owner)).status_code == 201


async def test_a_key_is_renamed(workspace: Workspace, owner: dict[str, str]) -> None:
    key = await make(workspace, owner)
    at = f"{KEYS}/{key['id']}"
    answer = await workspace.client.patch(at, json={"name": " 夜間  "}, headers=owner)
    assert (answer.status_code, answer.json()["name"]) == (200, "夜間")
    await workspace.client.patch(at, json={"name": "夜間"}, headers=owner)  # no change, no entry
    entries = (await workspace.client.get("/api/v1/audit", params={"action": "api_key"}, headers=owner)).json()["items"]
    assert [entry["action"] for entry in entries] == ["api_key.update", "api_key.create"]


async def test_a_view_of_the_past_takes_no_key(workspace: Workspace, owner: dict[str, str], view: Workspace) -> None:
    key = await make(workspace, owner)
    assert (await view.client.get("/api/v1/me", headers=bearer(key))).status_code == 401
