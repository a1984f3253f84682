"""Where a person is logged in: seen, and ended."""

from datetime import datetime, timedelta
from typing import Any

from integration.data_plane.workspace import OWNER, PASSWORD, Workspace

SESSIONS = "/api/v1/sessions"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


async def login(workspace: Workspace, agent: str, **body: str) -> dict[str, Any]:
    answer = await workspace.client.post(
        "/api/v1/auth/login",
        json={"email": OWNER, "password": PASSWORD, **body},
        headers={b"user-agent": agent.encode("latin-1")},
    )
    assert answer.status_code == 200
    tokens: dict[str, Any] = answer.json()
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens['access_token']}"}


async def test_sessions_are_seen_with_their_devices(workspace: Workspace, owner: dict[str, str]) -> None:
    await login(workspace, f"{FIREFOX}\x7f\xe4{'x' * 500}")
    member = await workspace.user(owner, "member")
    newest, mine = (await workspace.client.get(SESSIONS, headers=owner)).json()["items"]
    assert (newest["device"], newest["address"], newest["current"]) == ("Firefox on Linux", "192.0.2.1", False)
    assert (mine["device"], mine["current"]) == ("python-httpx", True)
    others = (await workspace.client.get(SESSIONS, headers=member)).json()["items"]
    assert [one["current"] for one in others] == [True]
    page = (await workspace.client.get(SESSIONS, params={"limit": 1}, headers=owner)).json()
    rest = await workspace.client.get(SESSIONS, params={"limit": 1, "cursor": page["next_cursor"]}, headers=owner)
    assert [page["items"], rest.json()["items"]] == [[newest], [mine]]


async def test_a_session_in_use_is_seen_last_when_it_got_its_token(workspace: Workspace, owner: dict[str, str]) -> None:
    tokens = await login(workspace, FIREFOX)
    before = (await workspace.client.get(SESSIONS, headers=owner)).json()["items"][0]
    body = {"refresh_token": tokens["refresh_token"]}
    assert (await workspace.client.post("/api/v1/auth/refresh", json=body)).status_code == 200
    after = (await workspace.client.get(SESSIONS, headers=owner)).json()["items"][0]
    assert after["created_at"] == before["created_at"]
    assert after["last_seen_at"] > before["last_seen_at"]


async def test_one_that_is_used_lasts_ninety_days(workspace: Workspace) -> None:
    tokens = await login(workspace, FIREFOX)

    async def refreshed_after(days: int) -> int:
        async with workspace.app.state.services.database.transaction() as tx:
            await tx.execute("UPDATE sessions SET created_at = CURRENT_TIMESTAMP(6) - INTERVAL %s DAY", days)
        answer = await workspace.client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        tokens.update(answer.json())
        return answer.status_code

    assert await refreshed_after(89) == 200
    newest = (await workspace.client.get(SESSIONS, headers=bearer(tokens))).json()["items"][0]
    created, expires = (datetime.fromisoformat(newest[name]) for name in ("created_at", "expires_at"))
    assert expires - created == timedelta(days=90)
    assert await refreshed_after(91) == 200, "what was given before is not taken back"
    assert (await workspace.client.get("/api/v1/me", headers=bearer(tokens))).status_code == 401


async def test_one_is_ended_with_its_tokens(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    tokens = await login(workspace, FIREFOX)
    member = await workspace.user(owner, "member")
    number = (await client.get(SESSIONS, headers=owner)).json()["items"][0]["id"]
    assert (await client.delete(f"{SESSIONS}/{number}", headers=member)).status_code == 404
    assert (await client.get("/api/v1/me", headers=bearer(tokens))).status_code == 200
    assert (await client.delete(f"{SESSIONS}/{number}", headers=owner)).status_code == 204
    assert (await client.get("/api/v1/me", headers=bearer(tokens))).status_code == 401
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await client.post("/api/v1/auth/refresh", json=refresh)).status_code == 401
    assert (await client.delete(f"{SESSIONS}/{number}", headers=owner)).status_code == 404
    entry = (await client.get("/api/v1/audit", params={"action": "session"}, headers=owner)).json()["items"][0]
    assert (entry["action"], entry["actor"]) == ("session.revoke", OWNER)


async def test_all_others_are_ended_at_once(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    others = [await login(workspace, FIREFOX) for _ in range(3)]
    member = await workspace.user(owner, "member")
    for _ in range(2):  # the second time there is none, and nothing to write down
        assert (await client.delete(SESSIONS, headers=owner)).status_code == 204
    assert {(await client.get("/api/v1/me", headers=bearer(one))).status_code for one in others} == {401}
    assert [(await client.get("/api/v1/me", headers=one)).status_code for one in (owner, member)] == [200, 200]
    entries = (await client.get("/api/v1/audit", params={"action": "session.revoke_others"}, headers=owner)).json()
    assert [entry["after"] for entry in entries["items"]] == [{"sessions": 3}]


async def test_no_key_sees_or_ends_sessions(workspace: Workspace, owner: dict[str, str]) -> None:
    made = await workspace.client.post("/api/v1/api-keys", json={"name": "x"}, headers=owner)
    key = {"authorization": f"Bearer {made.json()['token']}"}
    assert (await workspace.client.get(SESSIONS, headers=key)).status_code == 403
    assert (await workspace.client.delete(SESSIONS, headers=key)).status_code == 403
