from datetime import timedelta

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data import housekeeping
from vivero_data.clients.storage import StorageError
from vivero_data.housekeeping import Housekeeping
from vivero_web.errors import UnavailableError


@pytest.fixture
def keeper(workspace: Workspace) -> Housekeeping:
    services = workspace.app.state.services
    return Housekeeping(services.database, services.storage, services.files, services.audit, services.trash)


async def test_what_is_in_use_stays(keeper: Housekeeping, workspace: Workspace, owner: dict[str, str]) -> None:
    assert await keeper.once() == {
        "tables": 0,
        "files": 0,
        "sessions": 0,
        "tickets": 0,
        "links": 0,
        "trash": 0,
        "jobs": 0,
        "changes": 0,
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
        "links": 1,
        "trash": 0,
        "jobs": 0,
        "changes": 0,
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
    assert set(await keeper.once()) == {"tables", "sessions", "tickets", "links", "trash", "jobs", "changes", "audit"}


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
