"""One change of many records, at once or by a job, and its undo, which spares what somebody changed since."""

import asyncio
import sys
from typing import Any, Final

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.jobs.repository import Job, JobState
from vivero_data.domain.jobs.service import JobService
from vivero_data.domain.records.bulk import Action, Bulk, Matching
from vivero_data.domain.records.selections import BulkService
from vivero_data.domain.users.schemas import Actor, Role
from vivero_web.errors import InvalidInputError, NotAllowedError

PATH = "/api/v1/collections/Contacts/records"
FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "Name", "type": "text"},
    {"name": "Age", "type": "integer"},
    {"name": "Code", "type": "text", "unique": True},
    {"name": "Number", "type": "autonumber"},
    {"name": "Parent", "type": "person"},
)
PATIENCE: Final = 120.0
OWNER = Actor(1, "owner@example.com", "Olive", Role.OWNER, 1)
Header = dict[str, str]


@pytest.fixture
async def contacts(workspace: Workspace, owner: Header, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Its jobs' processes find what the server finds."""
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():
        monkeypatch.setenv(name, value)
    await workspace.collection(owner, *FIELDS)
    return workspace


@pytest.fixture
def bulk(contacts: Workspace) -> BulkService:
    service: BulkService = contacts.app.state.services.bulk
    return service


async def fill(contacts: Workspace, owner: Header, count: int) -> tuple[int, ...]:
    made: list[int] = []
    for start in range(0, count, 500):
        rows = [{"values": {"Name": f"n{one}", "Age": one % 7}} for one in range(start, min(count, start + 500))]
        answer = await contacts.client.post(f"{PATH}/batch", json={"create": rows}, headers=owner)
        made += [one["id"] for one in answer.json()["created"]]
    return tuple(made)


async def stored(contacts: Workspace, owner: Header) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        page = (await contacts.client.get(PATH, params={"limit": "200", **cursor}, headers=owner)).json()
        found |= {one["id"]: one["values"] for one in page["items"]}
        if "next_cursor" not in page:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def used(contacts: Workspace, owner: Header) -> int:
    usage = (await contacts.client.get("/api/v1/usage", headers=owner)).json()
    return int(usage["records"]["used"])


async def restore(contacts: Workspace, owner: Header, entry: int) -> None:
    answer = await contacts.client.post(f"/api/v1/trash/{entry}/restore", headers=owner)
    assert answer.status_code == 200, answer.text


async def ended(jobs: JobService, number: int) -> Job:
    async with asyncio.timeout(PATIENCE):
        while True:
            job = await jobs.get(OWNER, number)
            if job.ended:
                return job
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("action", list(Action))
async def test_a_selection_is_changed_and_taken_back(
    contacts: Workspace, owner: Header, bulk: BulkService, action: Action
) -> None:
    one, two, three = await fill(contacts, owner, 3)
    before = await stored(contacts, owner)
    done = await bulk.start(OWNER, "Contacts", Bulk(action, (one, two, 9999), field="Age", value="40"))
    assert (done.records, done.job) == (2, None)
    after = await stored(contacts, owner)
    assert after[three] == before[three]
    if action is Action.EDIT:
        assert [after[number]["Age"] for number in (one, two)] == [40, 40]
    elif action is Action.DELETE:
        assert set(after) == {three}
    else:
        assert [after[number]["Name"] for number in sorted(after)[3:]] == ["n0", "n1"]
    assert await used(contacts, owner) == len(after)
    await restore(contacts, owner, done.entry)
    assert await stored(contacts, owner) == before
    assert await used(contacts, owner) == 3


async def test_undo_spares_what_somebody_changed_since(contacts: Workspace, owner: Header, bulk: BulkService) -> None:
    one, two, three = ids = await fill(contacts, owner, 3)
    done = await bulk.start(OWNER, "Contacts", Bulk(Action.EDIT, ids, field="Age", value="40"))
    await contacts.client.patch(f"{PATH}/{one}", json={"values": {"Age": 41}}, headers=owner)
    await contacts.client.patch(f"{PATH}/{two}", json={"values": {"Name": "other"}}, headers=owner)
    await contacts.client.delete(f"{PATH}/{three}", headers=owner)
    await restore(contacts, owner, done.entry)
    now = await stored(contacts, owner)
    assert (now[one]["Age"], now[two]["Age"], now[two]["Name"]) == (41, 1, "other")
    copies = await bulk.start(OWNER, "Contacts", Bulk(Action.DUPLICATE, (one, two)))
    changed = max(await stored(contacts, owner))
    await contacts.client.patch(f"{PATH}/{changed}", json={"values": {"Age": 1_000}}, headers=owner)
    await restore(contacts, owner, copies.entry)
    assert set(await stored(contacts, owner)) == {one, two, changed}


async def test_what_changes_nothing_leaves_nothing(contacts: Workspace, owner: Header, bulk: BulkService) -> None:
    ids = await fill(contacts, owner, 2)
    await bulk.start(OWNER, "Contacts", Bulk(Action.EDIT, ids, field="Age", value="40"))
    again = await bulk.start(OWNER, "Contacts", Bulk(Action.EDIT, ids, field="Age", value="40"))
    assert (again.records, again.entry) == (0, 0)
    trash = (await contacts.client.get("/api/v1/trash", headers=owner)).json()["items"]
    assert [(one["kind"], one["name"], one["records"]) for one in trash] == [("record_changes", "Age of Contacts", 2)]


async def test_all_that_match_are_changed_by_a_job_and_copies_are_not_copied(
    contacts: Workspace, owner: Header, bulk: BulkService
) -> None:
    await fill(contacts, owner, 700)
    jobs: JobService = contacts.app.state.services.jobs
    for action, count in ((Action.DUPLICATE, 800), (Action.EDIT, 200), (Action.DELETE, 200)):
        done = await bulk.start(
            OWNER, "Contacts", Bulk(action, matching=Matching(filters=("Age:eq:3",)), field="Name", value="three")
        )
        assert done.job
        job = await ended(jobs, done.job)
        assert (job.state, job.problem) == (JobState.DONE, None)
        now = await stored(contacts, owner)
        threes = [values for values in now.values() if values["Age"] == 3]
        if action is Action.DUPLICATE:
            assert (len(now), len(threes)) == (count, 200)
        elif action is Action.EDIT:
            assert {values["Name"] for values in threes} == {"three"}
        else:
            assert (len(now), threes) == (600, [])
        assert job.result
        assert job.result["records"] == (100 if action is Action.DUPLICATE else 200)
        assert await used(contacts, owner) == len(now)


async def test_what_many_records_cannot_have_is_refused(contacts: Workspace, owner: Header, bulk: BulkService) -> None:
    ids = await fill(contacts, owner, 2)
    for field, value in (("Code", "same"), ("Age", "many"), ("Nowhere", "x"), ("Number", 9), ("Parent", 999)):
        with pytest.raises(InvalidInputError) as caught:
            await bulk.start(OWNER, "Contacts", Bulk(Action.EDIT, ids, field=field, value=value))
        assert caught.value.errors[0].field == field
    with pytest.raises(InvalidInputError):
        await bulk.start(OWNER, "Contacts", Bulk(Action.DELETE, matching=Matching(filters=("Nowhere:eq:1",))))
    viewer = Actor(2, "viewer@example.com", "Vera", Role.VIEWER, 1)
    with pytest.raises(NotAllowedError):
        await bulk.start(viewer, "Contacts", Bulk(Action.DELETE, ids))
    assert len(await stored(contacts, owner)) == 2
    assert (await contacts.client.get("/api/v1/trash", headers=owner)).json()["items"] == []
