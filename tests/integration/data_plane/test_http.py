import asyncio
import secrets
from typing import Any

import httpx
import pytest
from integration.data_plane.test_jobs import environ
from integration.data_plane.workspace import OWNER, PASSWORD, Workspace
from support.asgi import transport_to
from vivero_core.sealing import CHUNK, sealed_size
from vivero_data.domain.jobs.runner import JobRunner
from vivero_data.serving import metrics
from vivero_web.errors import UnavailableError

__all__ = ("environ",)


async def test_the_documented_interfaces_are_there(workspace: Workspace) -> None:
    document = (await workspace.client.get("/schema")).json()
    paths = document["paths"]
    wanted = {
        "/api/v1/auth/login": {"post"},
        "/api/v1/auth/refresh": {"post"},
        "/api/v1/auth/logout": {"post"},
        "/api/v1/me": {"get"},
        "/api/v1/collections": {"get", "post"},
        "/api/v1/collections/{name}/records": {"get", "post"},
        "/api/v1/collections/{name}/records/{record_id}": {"get", "patch", "delete"},
        "/api/v1/files": {"get", "post"},
        "/api/v1/files/{file_id}": {"get", "delete"},
        "/api/v1/collections/{name}/imports": {"post"},
        "/api/v1/collections/{name}/export": {"get"},
        "/api/v1/imports": {"get", "post"},
        "/api/v1/imports/{import_id}": {"get"},
        "/api/v1/imports/{import_id}/errors": {"get"},
        "/api/v1/imports/{import_id}/undo": {"post"},
        "/api/v1/users": {"get", "post"},
        "/api/v1/roles": {"get", "post"},
        "/api/v1/roles/{role_id}": {"get", "patch", "delete"},
        "/api/v1/audit": {"get"},
        "/api/v1/audit/verification": {"get", "post"},
        "/api/v1/usage": {"get"},
        "/api/v1/api-keys": {"get", "post"},
        "/api/v1/api-keys/{key_id}": {"get", "patch", "delete"},
    }
    for path, methods in wanted.items():
        assert methods <= set(paths[path]), path
    upload = paths["/api/v1/files"]["post"]["requestBody"]["content"]
    assert list(upload) == ["multipart/form-data"]
    assert not [path for path in paths if path.startswith("/internal")]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nowhere", 404), ("PUT", "/api/v1/usage", 405), ("GET", "/internal/v1/nothing", 404)],
)
async def test_the_frameworks_errors_are_problems(workspace: Workspace, method: str, path: str, status: int) -> None:
    answer = await workspace.client.request(method, path, headers={"x-request-id": "request-12345"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["request_id"] == answer.headers["x-request-id"] == "request-12345"


async def test_every_get_is_answered_to_head_too(
    no_runner: None, workspace: Workspace, owner: dict[str, str], environ: dict[str, str]
) -> None:
    assert no_runner is None  # the job is as it was between two requests
    assert environ
    client, services = workspace.client, workspace.app.state.services
    begun = (await client.post("/api/v1/workspace-exports", headers=owner)).json()["id"]
    assert await JobRunner(services.database, services.jobs.wakeup).once()
    exported = (await client.get(f"/api/v1/jobs/{begun}", headers=owner)).json()
    await workspace.collection(owner, name="x")
    await client.post("/api/v1/collections/x/records", json={"values": {"Name": "Ada"}}, headers=owner)
    file = (await client.post("/api/v1/files", files={"file": ("a.txt", b"abc")}, headers=owner)).json()["id"]
    sent = {"file": ("b.txt", b"abc")}
    scan = (await client.post("/api/v1/collections/x/records/1/files", files=sent, headers=owner)).json()["id"]
    job = (await client.post("/api/v1/collections/x/records/export", json={}, headers=owner)).json()["id"]
    mine = (await client.get("/api/v1/users", headers=owner)).json()["items"][0]["id"]
    key = (await client.post("/api/v1/api-keys", json={"name": "x"}, headers=owner)).json()["id"]
    known = {"{name}": "x", "{record_id}": "1", "{file_id}": file, "{user_id}": str(mine), "{job_id}": str(job)}
    view = (await client.post("/api/v1/collections/x/views", json={"name": "x"}, headers=owner)).json()["id"]
    known |= {"{key_id}": str(key), "{view_id}": str(view)}
    board = (await client.post("/api/v1/dashboards", json={"name": "x"}, headers=owner)).json()["id"]
    known["{dashboard_id}"] = str(board)
    report = {"name": "x", "collection": "x"}
    known["{report_id}"] = str((await client.post("/api/v1/reports", json=report, headers=owner)).json()["id"])
    (workspace.folder / "mail").mkdir()  # a schedule wants a server, which nothing is sent to here
    for name, content in {"host": "127.0.0.1", "port": "9", "sender": "Vivero <t@vivero.example>"}.items():
        (workspace.folder / "mail" / name).write_text(content)
    schedule = {"subject": "dashboard", "subject_id": board, "recipients": [OWNER]}
    mailed = await client.post("/api/v1/report-schedules", json=schedule, headers=owner)
    assert mailed.status_code == 201, mailed.text
    known["{schedule_id}"] = str(mailed.json()["id"])
    known["{export_id}"] = str(exported["result"]["export_id"])
    csv = {"file": ("a.csv", b"Name\nAda\n", "text/csv")}
    known["{import_id}"] = str((await client.post("/api/v1/imports", files=csv, headers=owner)).json()["id"])
    told = {"url": "https://example.com/hook", "events": ["record.created"]}
    known["{webhook_id}"] = str((await client.post("/api/v1/webhooks", json=told, headers=owner)).json()["id"])
    known["{role_id}"] = str((await client.post("/api/v1/roles", json={"name": "x"}, headers=owner)).json()["id"])
    document = (await client.get("/schema")).json()
    for template in (path for path, methods in document["paths"].items() if "get" in methods):
        path = template.replace("{record_id}/files/{file_id}", f"1/files/{scan}")
        for parameter, value in known.items():
            path = path.replace(parameter, value)
        whole, head = await client.get(path, headers=owner), await client.head(path, headers=owner)
        assert whole.status_code == 200, path
        assert "no-store" in whole.headers["cache-control"], path
        assert (head.status_code, head.content) == (200, b""), path
        varies = dict.fromkeys(
            ["x-request-id", *(["content-length"] if path == "/readyz" else [])], ""
        )  # it tells times
        assert {**head.headers, **varies} == {**whole.headers, **varies}, path
        allowed = (await client.options(path)).headers["allow"].split(", ")
        assert {method.upper() for method in document["paths"][template]} | {"HEAD", "OPTIONS"} == set(allowed), path


async def test_a_record_is_changed_at_the_version_that_the_client_got(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    client, path = workspace.client, "/api/v1/collections/Contacts/records"
    await workspace.collection(owner)
    made = await client.post(path, json={"values": {"Name": "Ada"}}, headers=owner)
    at = f"{path}/{made.json()['id']}"
    got = await client.get(at, headers=owner)
    assert got.headers["etag"] == made.headers["etag"]
    assert "no-transform" in got.headers["cache-control"]
    assert (await client.get(at, headers={**owner, "if-none-match": got.headers["etag"]})).status_code == 304
    changed = await client.patch(
        at, json={"values": {"Name": "Bea"}}, headers={**owner, "if-match": got.headers["etag"]}
    )
    assert changed.status_code == 200
    for method, conditions in (
        ("PATCH", {"if-match": got.headers["etag"]}),
        ("PATCH", {"if-none-match": "*"}),
        ("DELETE", {"if-match": got.headers["etag"]}),
        ("GET", {"if-match": got.headers["etag"]}),
    ):
        body = {"values": {"Name": "Cleo"}} if method == "PATCH" else None
        refused = await client.request(method, at, headers={**owner, **conditions}, json=body)
        assert refused.status_code == 412, (method, conditions)
        assert refused.json()["type"].endswith("precondition-failed")
    assert (await client.get(at, headers=owner)).json()["values"] == {"Name": "Bea"}


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(1)),
        ("bytes=0-", slice(None)),
        (f"bytes={CHUNK - 1}-{CHUNK}", slice(CHUNK - 1, CHUNK + 1)),
        (f"bytes={CHUNK}-{2 * CHUNK - 1}", slice(CHUNK, 2 * CHUNK)),
        (f"bytes={CHUNK + 5}-", slice(CHUNK + 5, None)),
        ("bytes=-3", slice(-3, None)),
        (f"bytes=5-{10 * CHUNK}", slice(5, None)),
    ],
)
async def test_a_part_of_a_file_comes_from_the_bucket(
    workspace: Workspace, owner: dict[str, str], asked: str, part: slice
) -> None:
    content = bytes(index % 251 for index in range(3 * CHUNK + 7))
    made = await workspace.client.post("/api/v1/files", files={"file": ("a.bin", content)}, headers=owner)
    path = f"/api/v1/files/{made.json()['id']}"
    answer = await workspace.client.get(path, headers={**owner, "range": asked})
    first, stop, _ = part.indices(len(content))
    assert (answer.status_code, answer.content) == (206, content[part])
    assert answer.headers["content-range"] == f"bytes {first}-{stop - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(stop - first)


async def test_a_part_reads_no_more_of_the_bucket_than_its_chunks(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, asked = workspace.app.state.services.storage, []
    content = secrets.token_bytes(5 * CHUNK)
    made = await workspace.client.post("/api/v1/files", files={"file": ("a.bin", content)}, headers=owner)
    path, real = f"/api/v1/files/{made.json()['id']}", storage.get

    def get(key: str, part: range | None = None) -> object:
        asked.append(part)
        return real(key, part)

    monkeypatch.setattr(storage, "get", get)
    answer = await workspace.client.get(path, headers={**owner, "range": f"bytes={3 * CHUNK}-{3 * CHUNK + 9}"})
    assert answer.content == content[3 * CHUNK : 3 * CHUNK + 10]
    assert all(part is not None and len(part) < 2 * CHUNK for part in asked)
    asked.clear()
    whole = await workspace.client.head(path, headers={**owner, "range": "bytes=0-1"})
    assert (whole.status_code, whole.headers["content-length"], asked) == (200, str(len(content)), [])
    beyond = await workspace.client.get(path, headers={**owner, "range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")
    assert beyond.json()["status"] == 416
    current = await workspace.client.get(path, headers={**owner, "if-none-match": whole.headers["etag"]})
    assert (current.status_code, asked) == (304, [])


async def test_an_object_cut_short_ends_no_part_of_it_quietly(workspace: Workspace, owner: dict[str, str]) -> None:
    storage, content = workspace.app.state.services.storage, secrets.token_bytes(3 * CHUNK)
    made = await workspace.client.post("/api/v1/files", files={"file": ("a.bin", content)}, headers=owner)
    key = made.json()["id"]
    stored = storage.read(key, range(sealed_size(len(content))))
    storage.put(key, [stored[: sealed_size(2 * CHUNK)]], sealed_size(2 * CHUNK))
    path = f"/api/v1/files/{key}"
    for asked in (f"bytes={2 * CHUNK}-", "bytes=-1"):
        assert (await workspace.client.get(path, headers={**owner, "range": asked})).status_code == 500
    sound = await workspace.client.get(path, headers={**owner, "range": "bytes=0-9"})
    assert (sound.status_code, sound.content) == (206, content[:10])


@pytest.mark.parametrize(
    ("content", "kind", "statuses"),
    [
        (b"{", "application/json", {400}),
        (b"", "application/json", {400, 422}),
        (b"[]", "application/json", {400, 422}),
        (b'{"email": 7, "password": "x"}', "application/json", {400, 422}),
        (b'{"email": "a@example.com"}', "application/json", {400, 422}),
        (b"email=a&password=b", "application/x-www-form-urlencoded", {415}),
        (b'{"email": "a@example.com", "password": "x"}', "text/plain", {415}),
        (b'{"email": "a@example.com", "password": "x"}', "", {415}),
        (b"<xml/>", "text/xml", {415}),
        (b'{"email": "' + b"x" * (1024 * 1024) + b'"}', "application/json", {413}),
        (b'{"email": "\xff", "password": "x"}', "application/json", {400, 422}),
    ],
)
async def test_bad_bodies_are_problems(workspace: Workspace, content: bytes, kind: str, statuses: set[int]) -> None:
    answer = await workspace.client.post("/api/v1/auth/login", content=content, headers={"content-type": kind})
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_no_other_site_is_told_anything(workspace: Workspace) -> None:
    answer = await workspace.client.options(
        "/api/v1/me", headers={"origin": "https://evil.example.com", "access-control-request-method": "GET"}
    )
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_metrics_count_by_route_and_are_not_on_the_public_port(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner, name="Secretive")
    await workspace.client.get("/api/v1/collections/Secretive", headers=owner)
    answer = await workspace.client.get("/metrics")
    assert answer.status_code == 404
    assert "vivero_requests_total" not in answer.text
    async with httpx.AsyncClient(transport=transport_to(metrics), base_url="http://pod:9090") as scraper:
        found = await scraper.get("/metrics")
        assert (await scraper.get("/api/v1/me")).status_code == 404
    assert found.headers["content-type"].startswith("text/plain; version=")
    assert "vivero_requests_total" in found.text
    assert "/api/v1/collections/{name}" in found.text
    assert "Secretive" not in found.text


async def test_strangers_have_their_share_by_address_and_users_theirs_together(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    member = await workspace.user(owner, "member")
    workspace.set_limits(requests_per_minute=5)
    await asyncio.sleep(1.1)
    client, other, third = workspace.client, {"x-forwarded-for": "198.51.100.7"}, {"x-forwarded-for": "2001:db8::1"}
    assert [(await client.get("/api/v1/me", headers=third)).status_code for _ in range(7)] == [401] * 5 + [429] * 2
    assert (await client.get("/api/v1/nowhere", headers=third)).status_code == 429
    assert (await client.get("/api/v1/me", headers=other)).status_code == 401
    asked = [
        client.get("/api/v1/me", headers={**one, **at})
        for one, at in zip([owner, member] * 5, [other, third] * 5, strict=True)
    ]
    answers = await asyncio.gather(*asked)
    # Whoever was signed in before the limit was set counted for nobody.
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 5
    limited = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(limited.headers["retry-after"]) <= 66
    assert limited.headers["content-type"] == "application/problem+json"
    assert limited.headers["ratelimit-policy"] == '"requests";q=5;w=60'
    # What the client claims further left does not make it another address.
    claimed = {"x-forwarded-for": "203.0.113.1, 192.0.2.1"}
    assert (await client.get("/healthz", headers=claimed)).status_code == 200
    assert (await client.get("/readyz")).status_code == 200


async def test_who_knows_the_workspace_is_told_that_it_is_here(workspace: Workspace) -> None:
    client, ident = workspace.client, workspace.settings.env.tenant_id
    workspace.set_limits(requests_per_minute=1)
    await asyncio.sleep(1.1)
    for _ in range(3):
        answer = await client.get(f"/healthz/{ident}")
        assert (answer.status_code, answer.content) == (204, b"")
    for other in ("aaaaaaaaaa", ident.upper(), f"{ident}x", "%00"):
        answer = await client.get(f"/healthz/{other}")
        assert answer.status_code == 404
        assert ident not in answer.text


async def test_without_a_cache_work_goes_on_and_is_counted_here(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.set_limits(requests_per_minute=3)
    await asyncio.sleep(1.1)

    async def fail(*_: object) -> list[int]:
        raise UnavailableError

    monkeypatch.setattr(workspace.app.state.services.cache.counts, "add", fail)
    statuses = [(await workspace.client.get("/api/v1/me", headers=owner)).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_without_a_database_a_problem_says_so(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace.app.state.services.database, "_pool", None)
    answer = await workspace.client.get("/api/v1/me", headers=owner)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    login = await workspace.client.post("/api/v1/auth/login", json={"email": "a@example.com", "password": PASSWORD})
    assert login.status_code == 503


async def test_the_audit_log_is_searched(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner)
    for name in ("a", "b", "c"):
        await workspace.client.post(
            "/api/v1/collections/Contacts/records", json={"values": {"Name": name}}, headers=owner
        )

    async def search(**query: str) -> Any:  # noqa: ANN401  a JSON body
        return (await workspace.client.get("/api/v1/audit", params=query, headers=owner)).json()

    assert len((await search(action="record"))["items"]) == 3
    assert len((await search(action="record.create", subject="Contacts/2"))["items"]) == 1
    assert len((await search(actor="system"))["items"]) == 1
    assert (await search(since="2100-01-01T00:00:00Z"))["items"] == []
    assert (await search(until="2000-01-01T00:00:00Z"))["items"] == []
    first = await search(limit="2")
    rest = await search(limit="200", cursor=first["next_cursor"])
    numbers = [entry["id"] for entry in first["items"] + rest["items"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 6
    assert all(entry["request_id"] for entry in (await search(action="record"))["items"])
