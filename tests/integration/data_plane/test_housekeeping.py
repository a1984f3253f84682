from datetime import timedelta

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data import housekeeping
from vivero_data.errors import UnavailableError
from vivero_data.housekeeping import Housekeeping


@pytest.fixture
def keeper(workspace: Workspace) -> Housekeeping:
    services = workspace.app.state.services
    return Housekeeping(services.database, services.storage, services.files)


async def test_what_is_in_use_stays(keeper: Housekeeping, workspace: Workspace, owner: dict[str, str]) -> None:
    assert await keeper.once() == {"tables": 0, "files": 0, "sessions": 0, "tickets": 0}
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 200


async def test_what_has_ended_goes(
    keeper: Housekeeping, workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"email": "nobody@example.com", "password": "wrong wrong wrong"}
    await workspace.client.post("/api/v1/auth/login", json=body)
    async with workspace.app.state.services.database.transaction() as tx:
        await tx.execute("INSERT INTO spent_tickets VALUES ('signup-1', CURRENT_TIMESTAMP(6))")
        await tx.execute("UPDATE sessions SET expires_at = CURRENT_TIMESTAMP(6)")
    monkeypatch.setattr(housekeeping, "_KEEP", timedelta(minutes=-1))
    # One failed login, one refresh token, one session; one ticket.
    assert await keeper.once() == {"tables": 0, "files": 0, "sessions": 3, "tickets": 1}
    assert (await workspace.client.get("/api/v1/me", headers=owner)).status_code == 401


async def test_one_task_that_fails_does_not_stop_the_others(
    keeper: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> int:
        raise UnavailableError("The bucket does not answer.")

    monkeypatch.setattr(housekeeping, "finish_interrupted", fail)
    assert set(await keeper.once()) == {"tables", "sessions", "tickets"}
