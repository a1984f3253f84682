"""The export of the whole workspace on real services: complete, true to its manifest, for owners alone, and not for ever."""

import asyncio
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from integration.data_plane.test_jobs import ended, environ, sql
from integration.data_plane.workspace import Workspace
from support import good
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.jobs.repository import Attempt
from vivero_data.domain.jobs.task import JobLostError, TaskContext, actor_of
from vivero_data.domain.workspace_exports import job, service
from vivero_data.domain.workspace_exports.archive import Archive
from vivero_data.domain.workspace_exports.job import ExportWorkspace
from vivero_data.housekeeping import forget_exports
from vivero_web.errors import UnavailableError

__all__ = ("environ",)
EXPORTS = "/api/v1/workspace-exports"
AUDIT = "/api/v1/audit"
ELSEWHERE = [kind for kind in good.GOOD_VALUES if kind not in {"link", "person"}]
"""Types whose values mean the same in another workspace."""


async def exported(workspace: Workspace, owner: dict[str, str]) -> dict[str, Any]:
    """What the job's result says."""
    answer = await workspace.client.post(EXPORTS, headers=owner)
    assert answer.status_code == 202, answer.text
    done = await ended(workspace, owner, answer.json()["id"])
    assert (done["kind"], done["state"]) == ("workspace_export", "done"), done
    return dict(done["result"])


async def opened(workspace: Workspace, owner: dict[str, str], number: int) -> zipfile.ZipFile:
    answer = await workspace.client.get(f"{EXPORTS}/{number}/content", headers=owner)
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def member(found: zipfile.ZipFile, ending: str) -> Any:  # noqa: ANN401  a JSON value
    (name,) = [name for name in found.namelist() if name.endswith(ending)]
    return json.loads(found.read(name))


def fields_of(kinds: Iterable[str]) -> list[dict[str, Any]]:
    """A field of each type."""
    fields = [{"name": str(kind), "type": str(kind), "options": good.OPTIONS.get(kind, {})} for kind in kinds]
    return [{**one, "choices": ["a", "b"]} if one["type"] in {"choice", "choices"} else one for one in fields]


async def fill(workspace: Workspace, owner: dict[str, str]) -> str:
    """A collection of every type with three records, a formula, a comment, a view, a report and a file, and one attached; the first one's id."""
    await workspace.targets(owner, 1)
    await workspace.collection(owner, *fields_of([*good.GOOD_VALUES, *good.UPLOADED]), name="Odd: 名簿")
    at = "/api/v1/collections/Odd%3A%20%E5%90%8D%E7%B0%BF"
    values = {str(kind): value for kind, value in good.GOOD_VALUES.items()}
    for changes in ({}, {"long_text": '=HYPERLINK("x")'}, {"long_text": "two\nlines 🌱"}):
        body = {"values": values | changes}
        assert (await workspace.client.post(f"{at}/records", json=body, headers=owner)).status_code == 201
    comment = await workspace.client.post(f"{at}/records/1/comments", json={"text": "Ask Ada"}, headers=owner)
    assert comment.status_code == 201
    view = {"name": "Mine", "sort": ["-integer"]}
    assert (await workspace.client.post(f"{at}/views", json=view, headers=owner)).status_code == 201
    report = {"name": "By choice", "collection": "Odd: 名簿", "group_by": [{"field": "choice"}], "shared": False}
    assert (await workspace.client.post("/api/v1/reports", json=report, headers=owner)).status_code == 201
    hook = {"url": "https://example.com/hook", "events": ["record.created"]}
    assert (await workspace.client.post("/api/v1/webhooks", json=hook, headers=owner)).status_code == 201
    for field in ("", "file"):
        sent = {"file": (f"of a record {field}.txt", field.encode(), "text/plain")}
        put = await workspace.client.post(f"{at}/records/1/files?field={field}", files=sent, headers=owner)
        assert put.status_code == 201
    sent = {"file": ("../a b.txt", b"hello\0world" * 9000, "text/plain")}
    answer = await workspace.client.post("/api/v1/files", files=sent, headers=owner)
    return str(answer.json()["id"])


async def test_everything_is_in_it_and_the_manifest_is_true(
    workspace: Workspace, owner: dict[str, str], environ: dict[str, str]
) -> None:
    assert environ
    file_id = await fill(workspace, owner)
    viewer = await workspace.user(owner, "viewer")
    before = (await workspace.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]
    said = await exported(workspace, owner)
    assert (said["records"], said["files"]) == (4, 3)
    found = await opened(workspace, owner, said["export_id"])
    manifest = json.loads(found.read("manifest.json"))
    assert (manifest["format"], manifest["records"], manifest["files"]) == (1, 4, 3)
    members = {one["name"]: one for one in manifest["members"]}
    assert members.keys() | {"manifest.json"} == set(found.namelist())
    for name, one in members.items():
        assert (one["size"], one["sha256"]) == (len(found.read(name)), hashlib.sha256(found.read(name)).hexdigest())
    assert found.read(f"files/{file_id}/a b.txt") == b"hello\0world" * 9000
    listed = {one["id"]: one for one in member(found, "files.json")}
    assert (listed[file_id]["problem"], len(listed)) == ("", 3)
    (folder,) = {name.rsplit("/", 1)[0] for name in found.namelist() if "Odd" in name}
    rows = json.loads(found.read(f"{folder}/records.json"))
    assert [row["long_text"] for row in rows][1:] == ['=HYPERLINK("x")', "two\nlines 🌱"]
    lines = list(csv.DictReader(io.StringIO(found.read(f"{folder}/records.csv").decode("utf-8-sig"), newline="")))
    assert [line["long_text"] for line in lines][1:] == ['\'=HYPERLINK("x")', "two\nlines 🌱"]
    assert [one["name"] for one in json.loads(found.read(f"{folder}/views.json"))] == ["Mine"]
    (scan,) = rows[0]["file"]
    assert found.read(listed[scan["id"]]["path"]) == b"file"
    (attached,) = json.loads(found.read(f"{folder}/attachments.json"))
    assert (attached["record_id"], attached["id"] in listed) == (1, True)
    comments = json.loads(found.read(f"{folder}/comments.json"))
    assert [(one["record_id"], one["text"]) for one in comments] == [(1, "Ask Ada")]
    assert [one["name"] for one in member(found, "reports.json")] == ["By choice"]
    assert len(member(found, "people.json")) == 2
    assert [one["url"] for one in member(found, "webhooks.json")] == ["https://example.com/hook"]
    assert "workspace_export.start" in {entry["action"] for entry in member(found, "audit.json")}
    assert not {"password_hash", "secret", "whsec_"} & set(found.read("people.json").decode().split('"'))
    used = (await workspace.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]
    assert used == before  # an export is not counted
    assert (await workspace.client.get(f"{EXPORTS}/{said['export_id']}/content", headers=viewer)).status_code == 403
    entries = (await workspace.client.get(AUDIT, headers=owner)).json()["items"]
    assert entries[0]["action"] == "workspace_export.download"


async def test_a_collection_comes_into_another_workspace(
    workspace: Workspace,
    owner: dict[str, str],
    environ: dict[str, str],
    new_workspace: Callable[[], Awaitable[Workspace]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As docs/workspace-export.md says it: the definition makes the collection, and the import takes its records."""
    assert environ
    await workspace.collection(owner, *fields_of(ELSEWHERE))
    values = {str(kind): value for kind, value in good.GOOD_VALUES.items() if kind in ELSEWHERE}
    rows = [{"values": values | changes} for changes in ({}, {"long_text": "=1+1"}, {"text": "'x", "number": None})]
    batch = "/api/v1/collections/Contacts/records/batch"
    assert (await workspace.client.post(batch, json={"create": rows}, headers=owner)).status_code == 200
    found = await opened(workspace, owner, (await exported(workspace, owner))["export_id"])
    other = await new_workspace()
    me = await other.login()
    made = await other.client.post("/api/v1/collections", json=member(found, "definition.json"), headers=me)
    assert made.status_code == 201, made.text
    mapping = {kind: {"field": kind} for kind in ELSEWHERE} | dict.fromkeys(("id", "created_at", "updated_at"))
    sent = {"file": ("records.json", json.dumps(member(found, "records.json")).encode(), "application/json")}
    into = "/api/v1/collections/Contacts/imports"
    answer = await other.client.post(into, files=sent, data={"mapping": json.dumps(mapping)}, headers=me)
    assert answer.status_code == 202, answer.text
    for name, value in other.environ.items():
        monkeypatch.setenv(name, value)
    at = f"/api/v1/imports/{answer.json()['id']}"
    async with asyncio.timeout(120):
        while (now := (await other.client.get(at, headers=me)).json())["state"] not in {"done", "failed"}:  # noqa: ASYNC110  a job does it
            await asyncio.sleep(0.2)
    assert (now["state"], now["done"], now["failed"]) == ("done", 3, 0), now
    items = (await other.client.get("/api/v1/collections/Contacts/records", headers=me)).json()["items"]
    assert [one["values"] for one in items] == [row["values"] for row in rows]


@pytest.fixture
async def still(no_runner: None, new_workspace: Callable[[], Awaitable[Workspace]]) -> Workspace:
    """A workspace with a collection, whose jobs a test does itself."""
    assert no_runner is None
    workspace = await new_workspace()
    await workspace.collection(await workspace.login())
    return workspace


async def asked(workspace: Workspace) -> Attempt:
    """An export's first attempt."""
    answer = await workspace.client.post(EXPORTS, headers=await workspace.login())
    assert answer.status_code == 202, answer.text
    async with workspace.app.state.services.database.transaction() as tx:
        attempt = await jobs.claim(tx)
    assert attempt is not None
    return attempt


async def run(workspace: Workspace, attempt: Attempt) -> None:
    services = workspace.app.state.services
    async with services.database.read() as connection:
        actor = await actor_of(connection, 1)
    await ExportWorkspace().run(
        TaskContext(
            attempt,
            actor,
            services.database,
            services.files,
            services.limits,
            services.anchors,
            services.settings,
        )
    )


async def listed(workspace: Workspace) -> list[dict[str, Any]]:
    return list((await workspace.client.get(EXPORTS, headers=await workspace.login())).json()["items"])


async def objects(workspace: Workspace) -> int:
    """How many pieces are noted."""
    async with workspace.app.state.services.database.read() as connection:
        row = await connection.fetch_one("SELECT COUNT(*) FROM workspace_export_pieces")
    return int(row[0]) if row else 0


async def cleaned(workspace: Workspace) -> int:
    services = workspace.app.state.services
    return await forget_exports(services.database, services.files)


async def test_a_download_goes_on_where_it_stopped(still: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also over the bounds of pieces."""
    monkeypatch.setattr(service, "PIECE", 700)
    monkeypatch.setattr(job, "Archive", lambda store: Archive(store, 700))
    await run(still, await asked(still))
    owner, (export,) = await still.login(), await listed(still)
    at = f"{EXPORTS}/{export['id']}/content"
    whole = await still.client.get(at, headers=owner)
    assert len(whole.content) == int(whole.headers["content-length"]) == export["size"] > 1400
    for start, stop in ((0, 1), (690, 710), (700, 1400), (1, len(whole.content) - 1)):
        part = await still.client.get(at, headers={**owner, "range": f"bytes={start}-{stop - 1}"})
        assert (part.status_code, part.content) == (206, whole.content[start:stop])


async def test_a_newer_export_takes_the_place_of_the_one_before(still: Workspace) -> None:
    owner = await still.login()
    first = await asked(still)
    again = await still.client.post(EXPORTS, headers=owner)
    assert again.status_code == 409  # one at a time
    await run(still, first)
    (before,) = await listed(still)
    await run(still, await asked(still))
    (after,) = await listed(still)
    assert after["id"] > before["id"]
    assert (await still.client.get(f"{EXPORTS}/{before['id']}/content", headers=owner)).status_code == 404
    assert await objects(still) == 2
    assert await cleaned(still) == 1
    assert await objects(still) == 1
    assert (await still.client.get(f"{EXPORTS}/{after['id']}/content", headers=owner)).status_code == 200
    assert (await still.client.delete(f"{EXPORTS}/{after['id']}", headers=owner)).status_code == 204
    assert await objects(still) == 0
    assert (await still.client.delete(f"{EXPORTS}/{after['id']}", headers=owner)).status_code == 404


async def test_a_bucket_that_restarts_is_waited_for_and_one_that_stays_away_leaves_nothing(
    still: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, failures = still.app.state.services.files, 2
    stored = files.put_object

    async def put(object_id: str, content: bytes) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise UnavailableError("The bucket does not answer.")
        await stored(object_id, content)

    monkeypatch.setattr(job, "_PAUSE", 0.0)
    monkeypatch.setattr(files, "put_object", put)
    await run(still, await asked(still))
    (before,) = await listed(still)
    failures = 1000
    attempt = await asked(still)
    with pytest.raises(UnavailableError):
        await run(still, attempt)
    assert await listed(still) == [before]
    await sql(still, "UPDATE workspace_exports SET expires_at = CURRENT_TIMESTAMP(6) WHERE NOT ready")
    assert await cleaned(still) == 1
    assert await objects(still) == 1


async def test_an_attempt_that_was_taken_for_dead_publishes_nothing(still: Workspace) -> None:
    attempt = await asked(still)
    await sql(still, "UPDATE jobs SET attempts = attempts + 1")
    with pytest.raises(JobLostError):
        await run(still, attempt)
    assert await listed(still) == []


async def test_a_file_that_is_gone_from_the_bucket_is_named(still: Workspace) -> None:
    owner = await still.login()
    sent = {"file": ("a.txt", b"x", "text/plain")}
    kept, gone = [(await still.client.post("/api/v1/files", files=sent, headers=owner)).json()["id"] for _ in range(2)]
    still.app.state.services.storage.delete(gone)
    await run(still, await asked(still))
    (export,) = await listed(still)
    assert export["files"] == 1
    found = await opened(still, owner, export["id"])
    problems = {one["id"]: one["problem"] for one in member(found, "files.json")}
    assert problems[kept] == ""
    assert "not in the bucket" in problems[gone]
    assert [name for name in found.namelist() if name.startswith("files/")] == [f"files/{kept}/a.txt"]
