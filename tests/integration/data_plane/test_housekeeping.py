from datetime import timedelta

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data import housekeeping
from vivero_data.app import housekeeping_of
from vivero_data.clients.storage import StorageError
from vivero_data.housekeeping import Housekeeping
from vivero_web.errors import UnavailableError


@pytest.fixture
def keeper(workspace: Workspace) -> Housekeeping:
    return housekeeping_of(workspace.app.state.services)


async def test_what_is_in_use_stays(keeper: Housekeeping, workspace: Workspace, owner: dict[str, str]) -> None:
    assert await keeper.once() == {
        "tables": 0,
        "files": 0,
        "sessions": 0,
        "tickets": 0,
        "support_sessions": 0,
        "links": 0,
        "columns": 0,
        "trash": 0,
        "jobs": 0,
        "changes": 0,
        "addresses": 0,
        "idempotency": 0,
        "webhooks": 0,
        "workspace_exports": 0,
        "record_files": 0,
        "report_mails": 0,
        "imports": 0,
        "limits": 0,
        "audit": 0,
    }
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 200


async def test_what_has_ended_goes(
    keeper: Housekeeping, workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workspace.app.state.services.database.transaction() as tx:
        await tx.execute("INSERT INTO spent_tickets VALUES ('signup-1', CURRENT_TIMESTAMP(6))")
        await tx.execute("INSERT INTO login_attempts VALUES (REPEAT('x', 32), 1, NULL, CURRENT_TIMESTAMP(6))")
        await tx.execute("UPDATE sessions SET expires_at = CURRENT_TIMESTAMP(6)")
        for number, purpose in enumerate(("reset", "invitation")):
            values = (purpose, bytes([number]) * 32)
            await tx.execute("INSERT INTO mail_links VALUES (1, %s, %s, CURRENT_TIMESTAMP(6), NULL)", *values)
    monkeypatch.setattr(housekeeping, "_KEEP", timedelta(minutes=-1))
    # One failed login that an older program counted, one refresh token, one session; one ticket; one reset, while an
    # invitation stays with its user.
    assert await keeper.once() == {
        "tables": 0,
        "files": 0,
        "sessions": 3,
        "tickets": 1,
        "support_sessions": 0,
        "links": 1,
        "columns": 0,
        "trash": 0,
        "jobs": 0,
        "changes": 0,
        "addresses": 0,
        "idempotency": 0,
        "webhooks": 0,
        "workspace_exports": 0,
        "record_files": 0,
        "report_mails": 0,
        "imports": 0,
        "limits": 0,
        "audit": 0,
    }
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 401


@pytest.mark.parametrize("error", [UnavailableError("The bucket does not answer."), ZeroDivisionError("a fault")])
async def test_one_task_that_fails_does_not_stop_the_others(
    keeper: Housekeeping, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(housekeeping, "finish_interrupted", fail)
    assert set(await keeper.once()) == {
        "tables",
        "sessions",
        "tickets",
        "support_sessions",
        "links",
        "columns",
        "trash",
        "jobs",
        "changes",
        "addresses",
        "idempotency",
        "webhooks",
        "workspace_exports",
        "report_mails",
        "imports",
        "limits",
        "record_files",
        "audit",
    }


async def test_one_file_that_fails_does_not_stop_the_others(
    keeper: Housekeeping, workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [{"file": (f"{n}.txt", b"x", "text/plain")} for n in range(3)]
    made = [(await workspace.client.post("/api/v1/files", files=one, headers=owner)).json()["id"] for one in sent]
    services = workspace.app.state.services
    async with services.database.transaction() as tx:
        await tx.execute("UPDATE files SET state = 'deleting', created_at = created_at - INTERVAL 1 DAY")
    delete = services.storage.delete

    def refusing(key: str) -> None:
        if key == made[0]:
            raise StorageError("The bucket refused a request (status 403).")
        delete(key)

    monkeypatch.setattr(services.storage, "delete", refusing)
    assert (await keeper.once())["files"] == 2
    monkeypatch.undo()
    assert (await keeper.once())["files"] == 1


async def test_the_trash_is_emptied_after_thirty_days(
    keeper: Housekeeping, workspace: Workspace, owner: dict[str, str]
) -> None:
    """Tables, columns, rows and views go with their entries; younger entries stay."""
    await workspace.collection(owner, {"name": "A", "type": "text"}, {"name": "B", "type": "text", "unique": True})
    await workspace.collection(owner, {"name": "A", "type": "text"}, name="Old")
    here, database = "/api/v1/collections/Contacts", workspace.app.state.services.database

    async def ask(method: str, path: str, body: object = None) -> None:
        answer = await workspace.client.request(method, path, json=body, headers=owner)
        assert answer.is_success, answer.text

    for value in ("x", "y"):
        await ask("POST", f"{here}/records", {"values": {"A": value, "B": value}})
    await ask("PATCH", f"{here}/fields/A", {"type": "long_text"})
    await ask("DELETE", f"{here}/fields/B")
    await ask("DELETE", f"{here}/records/1")
    await ask("POST", "/api/v1/collections/Old/records", {"values": {"A": "x"}})
    await ask("DELETE", "/api/v1/collections/Old/records/1")
    await ask("DELETE", "/api/v1/collections/Old")
    async with database.transaction() as tx:
        await tx.execute("UPDATE trash SET deleted_at = deleted_at - INTERVAL 31 DAY")
    await ask("DELETE", f"{here}/records/2")
    assert (await keeper.once())["trash"] >= 4
    async with database.read() as connection:
        assert await connection.fetch_all("SELECT kind FROM trash") == [("records",)]
        assert await connection.fetch_one("SELECT COUNT(*) FROM trashed_records") == (1,)
        tables = await connection.fetch_all(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_name REGEXP '^[cd]_[0-9]+$'",
            database.name,
        )
        names = await connection.fetch_all(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND column_name REGEXP '^[fx]_[0-9]+$'",
            database.name,
        )
    assert (len(tables), len(names)) == (1, 1), (tables, names)


async def test_a_column_of_a_change_that_came_to_nothing_goes_an_hour_later(
    keeper: Housekeeping, workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner, {"name": "A", "type": "text"})
    for value in ("1", "1.0"):
        body = {"values": {"A": value}}
        assert (
            await workspace.client.post("/api/v1/collections/Contacts/records", json=body, headers=owner)
        ).is_success
    refused = await workspace.client.patch(
        "/api/v1/collections/Contacts/fields/A", json={"type": "number", "unique": True}, headers=owner
    )
    assert refused.status_code == 409, refused.text
    assert (await keeper.once())["columns"] == 0
    assert (await keeper.once())["columns"] == 1
    assert (await keeper.once())["columns"] == 0
