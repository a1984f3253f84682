import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from integration.data_plane.workspace import Workspace
from litestar import Request
from vivero_core.sealing import CHUNK, sealed_size
from vivero_data import housekeeping
from vivero_data.domain.files import service

PATH = "/api/v1/files"


async def upload(workspace: Workspace, headers: dict[str, str], content: bytes, name: str = "a.txt") -> dict[str, Any]:
    answer = await workspace.client.post(PATH, files={"file": (name, content, "text/plain")}, headers=headers)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * 1024 * 1024 + 5])
async def test_what_goes_up_comes_down(workspace: Workspace, owner: dict[str, str], size: int) -> None:
    content = bytes(index % 251 for index in range(size))
    made = await upload(workspace, owner, content)
    assert (made["name"], made["size"], made["media_type"]) == ("a.txt", size, "text/plain")
    answer = await workspace.client.get(f"{PATH}/{made['id']}", headers=owner)
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith('attachment; filename="a.txt"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    usage = (await workspace.client.get("/api/v1/usage", headers=owner)).json()
    assert usage["storage_bytes"]["used"] == size


async def test_the_bucket_holds_ciphertext(workspace: Workspace, owner: dict[str, str]) -> None:
    made = await upload(workspace, owner, b"plum orchard at dawn" * 50)
    response = workspace.app.state.services.storage.get(made["id"])
    stored = response.read()
    response.release_conn()
    assert len(stored) == sealed_size(1000)
    assert b"orchard" not in stored


async def test_a_changed_object_is_not_served(workspace: Workspace, owner: dict[str, str]) -> None:
    made, other = await upload(workspace, owner, b"first"), await upload(workspace, owner, b"other")
    storage = workspace.app.state.services.storage
    response = storage.get(other["id"])
    stolen = response.read()
    response.release_conn()
    storage.put(made["id"], [stolen], len(stolen))
    answer = await workspace.client.get(f"{PATH}/{made['id']}", headers=owner)
    assert answer.status_code == 500
    assert answer.json()["type"].endswith("file-damaged")
    storage.delete(made["id"])
    assert (await workspace.client.get(f"{PATH}/{made['id']}", headers=owner)).status_code == 404


async def test_files_are_listed_newest_first(workspace: Workspace, owner: dict[str, str]) -> None:
    made = [(await upload(workspace, owner, b"x", f"{number}.txt"))["id"] for number in range(5)]
    seen, query = [], {"limit": "2"}
    while True:
        page = (await workspace.client.get(PATH, params=query, headers=owner)).json()
        seen += [file["id"] for file in page["items"]]
        if not page.get("next_cursor"):
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made[::-1]
    assert (await workspace.client.get(PATH, params={"cursor": "x"}, headers=owner)).status_code == 422


async def test_a_deleted_file_gives_its_room_back(workspace: Workspace, owner: dict[str, str]) -> None:
    made = await upload(workspace, owner, b"x" * 100)
    answers = await asyncio.gather(*(workspace.client.delete(f"{PATH}/{made['id']}", headers=owner) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404]
    assert (await workspace.client.get(f"{PATH}/{made['id']}", headers=owner)).status_code == 404
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]["used"] == 0
    audit = (await workspace.client.get("/api/v1/audit?action=file", headers=owner)).json()["items"]
    assert [entry["action"] for entry in audit] == ["file.delete", "file.create"]


async def test_the_plans_room_is_held(workspace: Workspace, owner: dict[str, str]) -> None:
    workspace.set_limits(storage_bytes=150)
    await asyncio.sleep(1.1)

    async def put() -> int:
        sent = {"file": ("a.txt", b"x" * 100, "text/plain")}
        return (await workspace.client.post(PATH, files=sent, headers=owner)).status_code

    assert sorted(await asyncio.gather(*(put() for _ in range(4)))) == [201, 402, 402, 402]
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"] == {
        "used": 100,
        "limit": 150,
    }


async def test_a_single_file_has_its_bound(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace.app.state.services.files, "max_bytes", 99)
    sent = {"file": ("a.txt", b"x" * 100, "text/plain")}
    answer = await workspace.client.post(PATH, files=sent, headers=owner)
    assert answer.status_code == 413
    assert "99 bytes" in answer.json()["detail"]


async def test_a_stranger_uploads_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65536

    def read(_: object) -> AsyncIterator[bytes]:
        raise AssertionError("a stranger's body is read")

    monkeypatch.setattr(Request, "stream", read)
    kind = {"content-type": "multipart/form-data; boundary=b"}
    answer = await workspace.client.post(PATH, content=body(), headers=kind)
    assert answer.status_code == 401


async def test_uploads_take_turns(workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_SLOT_SECONDS", 0.05)
    files = workspace.app.state.services.files
    async with files.upload_slot(), files.upload_slot():
        sent = {"file": ("a.txt", b"x", "text/plain")}
        answer = await workspace.client.post(PATH, files=sent, headers=owner)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    await upload(workspace, owner, b"x")


async def test_hostile_names_are_made_harmless(workspace: Workspace, owner: dict[str, str]) -> None:
    made = await upload(workspace, owner, b"<script>", "../../evil\u202e.html")
    assert made["name"] == "evil.html"
    answer = await workspace.client.get(f"{PATH}/{made['id']}", headers=owner)
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_what_is_no_upload_is_refused(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    assert (await client.post(PATH, json={"file": "x"}, headers=owner)).status_code == 415
    assert (await client.post(PATH, data={"file": "x"}, headers=owner)).status_code == 415
    assert (await client.post(PATH, files={"other": b"x"}, headers=owner)).status_code in {400, 422}
    for path in (f"{PATH}/unknown", f"{PATH}/..%2f..", f"{PATH}/{'a' * 26}"):
        assert (await client.get(path, headers=owner)).status_code == 404


async def test_an_interrupted_upload_is_tidied_away(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, going = await upload(workspace, owner, b"x" * 10), await upload(workspace, owner, b"y" * 20)
    services = workspace.app.state.services
    async with services.database.transaction() as tx:
        await tx.execute("UPDATE files SET state = 'uploading' WHERE id = %s", made["id"])
        await tx.execute("UPDATE files SET state = 'deleting' WHERE id = %s", going["id"])
    assert await housekeeping.finish_interrupted(services.database, services.storage, services.files) == 0
    monkeypatch.setattr(housekeeping, "_UPLOAD_AGE", timedelta(hours=-1))
    assert await housekeeping.finish_interrupted(services.database, services.storage, services.files) == 2
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]["used"] == 0


async def test_a_bucket_that_refuses_leaves_nothing_half_made(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace.app.state.services.storage, "_bucket", "vivero-elsewhere")
    sent = {"file": ("a.txt", b"x" * 100, "text/plain")}
    answer = await workspace.client.post(PATH, files=sent, headers=owner)
    assert answer.status_code >= 404
    monkeypatch.undo()
    assert (await workspace.client.get(PATH, headers=owner)).json()["items"] == []
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["storage_bytes"]["used"] == 0
