import asyncio

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.jobs import drop_orphaned_tables

PATH = "/api/v1/collections"
FIELDS = [{"name": "Name", "type": "text"}]


@pytest.mark.parametrize(
    "name", ["a`b", "x'; DROP TABLE users; --", "..", "a%b", "🌱", "x" * 65, "a\u202eb", "", "a/b"]
)
async def test_hostile_names_leave_nothing_behind(workspace: Workspace, owner: dict[str, str], name: str) -> None:
    for body in ({"name": name, "fields": FIELDS}, {"name": "Fine", "fields": [{"name": name, "type": "text"}]}):
        answer = await workspace.client.post(PATH, json=body, headers=owner)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] in {"name", "fields[0].name"}
    assert (await workspace.client.get(PATH, headers=owner)).json()["items"] == []


async def test_an_unknown_type_names_its_field(workspace: Workspace, owner: dict[str, str]) -> None:
    body = {"name": "Things", "fields": [{"name": "N", "type": "blob"}]}
    answer = await workspace.client.post(PATH, json=body, headers=owner)
    assert answer.status_code == 422
    assert "fields" in answer.json()["errors"][0]["field"] or "type" in answer.text


async def test_a_name_is_taken_whatever_its_case(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, name="Größe")
    again = await workspace.client.post(PATH, json={"name": "GRÖSSE", "fields": FIELDS}, headers=owner)
    assert again.status_code in {201, 409}  # sharp s equals ss in this collation
    same = await workspace.client.post(PATH, json={"name": "größe", "fields": FIELDS}, headers=owner)
    assert same.status_code == 409
    assert same.json()["errors"][0]["field"] == "name"


async def test_of_many_of_one_name_one_is_made(workspace: Workspace, owner: dict[str, str]) -> None:
    answers = await asyncio.gather(
        *(workspace.client.post(PATH, json={"name": "Things", "fields": FIELDS}, headers=owner) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    async with workspace.app.state.services.database.read() as connection:
        rows = await connection.fetch_all(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name REGEXP '^c_[0-9]+$'"
        )
    assert len(rows) == 1


async def test_unicode_names_work_in_paths(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, name="Kunden und Größen")
    answer = await workspace.client.get(f"{PATH}/Kunden und Größen", headers=owner)
    assert answer.json()["name"] == "Kunden und Größen"
    assert (await workspace.client.get(f"{PATH}/kunden%20und%20größen", headers=owner)).status_code == 200


async def test_a_deleted_collection_gives_its_room_back(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner)
    for _ in range(3):
        await workspace.client.post(f"{PATH}/Contacts/records", json={"values": {"Name": "x"}}, headers=owner)
    assert (await workspace.client.delete(f"{PATH}/Contacts", headers=owner)).status_code == 204
    assert (await workspace.client.delete(f"{PATH}/Contacts", headers=owner)).status_code == 404
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["records"]["used"] == 0
    await workspace.collection(owner)
    listed = (await workspace.client.get(f"{PATH}/Contacts/records", headers=owner)).json()
    assert listed["items"] == []


async def test_records_may_be_added_while_it_is_deleted(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner)
    path = f"{PATH}/Contacts"

    async def add() -> int:
        body = {"values": {"Name": "x"}}
        return (await workspace.client.post(f"{path}/records", json=body, headers=owner)).status_code

    *added, deleted = await asyncio.gather(*(add() for _ in range(8)), workspace.client.delete(path, headers=owner))
    assert deleted.status_code == 204
    assert set(added) <= {201, 404}
    assert (await workspace.client.get("/api/v1/usage", headers=owner)).json()["records"]["used"] == 0


async def test_a_table_without_its_collection_is_tidied_away(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner)
    database = workspace.app.state.services.database
    async with database.read() as connection:
        await connection.execute("CREATE TABLE c_999 (id INT)")
    assert await drop_orphaned_tables(database) == 0  # it may be one that is being made
    async with database.read() as connection:
        await connection.execute("SET SESSION timestamp = UNIX_TIMESTAMP() + 7200")
        assert await repository.orphaned_tables(connection, database.name) == [999]
        await connection.execute("SET SESSION timestamp = DEFAULT")
