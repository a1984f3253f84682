"""A workspace as of a second: everything can be read with the passwords of then, and nothing be changed."""

import asyncio
from typing import Any

import pytest
from integration.data_plane.workspace import OWNER, PASSWORD, VIEW_HOST, Workspace
from support.programs import addresses
from vivero_data.domain.auth import sessions
from vivero_web.errors import UnavailableError

ME = "/api/v1/me"
AS_OF = "28 Nov 2026, 14:05:00 UTC"


async def contacts(workspace: Workspace, owner: dict[str, str]) -> str:
    """The address of a record, and beside it there is a file."""
    await workspace.collection(owner)
    made = await workspace.client.post(
        "/api/v1/collections/Contacts/records", json={"values": {"Name": "Ada"}}, headers=owner
    )
    assert made.status_code == 201, made.text
    return f"/api/v1/collections/Contacts/records/{made.json()['id']}"


async def upload(workspace: Workspace, owner: dict[str, str]) -> str:
    files = {"file": ("a.txt", b"then", "text/plain")}
    made = await workspace.client.post("/api/v1/files", files=files, headers=owner)
    assert made.status_code == 201, made.text
    return f"/api/v1/files/{made.json()['id']}"


async def test_it_is_read_with_the_passwords_of_then(
    workspace: Workspace, owner: dict[str, str], view: Workspace
) -> None:
    record, file = await contacts(workspace, owner), await upload(workspace, owner)
    reader = await view.login()
    assert (await view.client.get(record, headers=reader)).json()["values"] == {"Name": "Ada"}
    assert (await view.client.get(file, headers=reader)).content == b"then"
    audit = (await view.client.get("/api/v1/audit", headers=reader)).json()["items"]
    assert "record.create" in [one["action"] for one in audit]
    # A session of one of them opens nothing of the other.
    assert (await view.client.get(ME, headers=owner)).status_code == 401
    assert (await workspace.client.get(ME, headers=reader)).status_code == 401


async def test_every_write_is_refused_and_says_why(
    workspace: Workspace, owner: dict[str, str], view: Workspace
) -> None:
    record = await contacts(workspace, owner)
    reader = await view.login()
    tried: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", record, {"json": {"version": 1, "values": {"Name": "Eve"}}}),
        ("DELETE", record, {}),
        ("POST", "/api/v1/collections", {"json": {"name": "Things", "fields": []}}),
        ("POST", "/api/v1/files", {"files": {"file": ("a.txt", b"x", "text/plain")}}),
        ("POST", "/api/v1/users", {"json": {"email": "eve@example.com", "password": PASSWORD, "role": "owner"}}),
        ("PUT", f"{ME}/password", {"json": {"current_password": PASSWORD, "new_password": f"{PASSWORD} too"}}),
        ("POST", "/api/v1/auth/password-reset", {"json": {"email": OWNER}}),
        ("PUT", "/internal/v1/workspace", {"json": {"name": "Else", "public_url": f"https://{VIEW_HOST}"}}),
        ("POST", "/login/ticket", {"data": {"ticket": "x"}}),
        ("POST", "/nowhere", {}),
    ]
    for method, path, body in tried:
        answer = await view.client.request(method, path, headers=reader, **body)
        assert answer.status_code == 403, (method, path, answer.text)
        problem = answer.json()
        assert (problem["type"], problem["status"]) == ("urn:vivero:problem:read-only", 403), path
        assert "as of 2026-11-28 14:05:00 (UTC)" in problem["detail"]
    # Without the layer before it the database would have refused as well.
    assert (await workspace.client.get(record, headers=owner)).json()["values"] == {"Name": "Ada"}


async def test_its_own_login_to_the_database_may_not_write(workspace: Workspace, view: Workspace) -> None:
    await view.login()
    with pytest.raises(Exception, match="refused a statement"):
        async with view.app.state.services.database.transaction() as tx:
            await tx.execute("UPDATE users SET name = 'Eve'")
    assert workspace.settings.database.name == view.settings.database.name


async def test_what_is_let_through_writes_sessions_and_a_cookie_alone(view: Workspace) -> None:
    """Whatever route is added: it is refused, unless it begins, renews or ends a session, or sets a cookie."""
    let_through = set()
    for path, methods in addresses(view.app):
        for method in methods - {"GET", "HEAD", "OPTIONS"}:
            answer = await view.client.request(method, path)
            if not (answer.status_code == 403 and answer.json()["type"].endswith("read-only")):
                let_through.add(f"{method} {path}")
    assert let_through == {
        "POST /collections/x/columns",
        "POST /login",
        "POST /login/code",
        "POST /logout",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/logout",
        "POST /api/v1/auth/refresh",
    }


async def test_its_pages_say_what_they_show_and_offer_nothing_to_change(
    workspace: Workspace, owner: dict[str, str], view: Workspace
) -> None:
    await contacts(workspace, owner)
    as_browser = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    login = await view.client.get("/login", headers=as_browser)
    assert f"As of {AS_OF}, read only" in login.text
    assert VIEW_HOST in login.text
    assert "/forgotten-password" not in login.text
    entered = await view.client.post("/login", data={"email": OWNER, "password": PASSWORD}, headers=as_browser)
    assert entered.status_code == 303, entered.text
    for path in (
        "/",
        "/collections",
        "/collections/Contacts",
        "/collections/Contacts/records/1",
        "/files",
        "/usage",
        "/audit",
        "/account",
    ):
        page = await view.client.get(path, headers=as_browser)
        assert page.status_code == 200, (path, page.text)
        assert f"As of {AS_OF}, read only" in page.text, path
        for offer in (
            "/new-collection",
            "/collections/Contacts/new",
            "New record",
            "Upload",
            "Change password",
            '/export"',
            "Your role is viewer",
        ):
            assert offer not in page.text, (path, offer)
    refused = await view.client.post("/new-collection", data={"name": "x"}, headers=as_browser)
    assert refused.status_code == 403
    assert "as of 2026-11-28 14:05:00 (UTC)" in refused.text
    live = await workspace.client.get("/login", headers=as_browser)
    assert "read only" not in live.text


async def test_nothing_runs_by_itself_and_nothing_is_written(
    workspace: Workspace, owner: dict[str, str], view: Workspace
) -> None:
    record = await contacts(workspace, owner)
    before = await rows(workspace)
    body = {"email": OWNER, "password": PASSWORD}
    tokens = (await view.client.post("/api/v1/auth/login", json=body)).json()
    await view.client.post("/api/v1/auth/login", json={**body, "password": "wrong wrong wrong"})
    renewed = await view.client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200
    reader = {"authorization": f"Bearer {renewed.json()['access_token']}"}
    assert (await view.client.get(record, headers=reader)).status_code == 200
    assert (await view.client.post("/api/v1/auth/logout", headers=reader)).status_code == 204
    assert await rows(workspace) == before
    # Exactly one, so that this fails when the loop has another name.
    running = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    assert running.count("_run_background_tasks") == 1, "that of the live workspace"


async def rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    """What a login would change."""
    async with workspace.app.state.services.database.read() as connection:
        return [
            *await connection.fetch_all("SELECT id, expires_at, revoked_at FROM sessions ORDER BY id"),
            *await connection.fetch_all("SELECT token_hash, spent_at FROM refresh_tokens ORDER BY token_hash"),
            *await connection.fetch_all("SELECT id, last_login_at FROM users ORDER BY id"),
            *await connection.fetch_all(f"SELECT COUNT(*) FROM {connection.audit_log}"),  # noqa: S608  a name of ours
        ]


async def test_sessions_end_exactly_when_they_expire(view: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key has the session's own lifetime: what is not renewed is gone, from the cache too."""
    monkeypatch.setattr(sessions, "_LIFETIME_SECONDS", 1)
    body = (await view.client.post("/api/v1/auth/login", json={"email": OWNER, "password": PASSWORD})).json()
    reader = {"authorization": f"Bearer {body['access_token']}"}
    for _ in range(600):
        if (await view.client.get(ME, headers=reader)).status_code == 401:
            break
        await asyncio.sleep(0.1)
    again = await view.client.post("/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert (again.status_code, (await view.client.get(ME, headers=reader)).status_code) == (401, 401)


async def test_a_user_who_was_deactivated_by_then_stays_outside(
    workspace: Workspace, owner: dict[str, str], view: Workspace
) -> None:
    await workspace.user(owner, "member", "gone@example.com")
    member = await view.login("gone@example.com")
    async with workspace.app.state.services.database.transaction() as tx:
        await tx.execute("UPDATE users SET active = FALSE WHERE email = 'gone@example.com'")
    assert (await view.client.get(ME, headers=member)).status_code == 401


async def test_without_the_cache_nobody_is_signed_in(view: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = await view.login()

    async def away(*_: object) -> str | None:
        raise UnavailableError("The cache does not answer.")

    monkeypatch.setattr(view.app.state.services.cache.sessions, "get", away)
    assert (await view.client.get(ME, headers=reader)).status_code == 503
    assert (await view.client.get("/login", headers={"accept": "text/html"})).status_code == 200
