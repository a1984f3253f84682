import asyncio
import re
from html import unescape
from unicodedata import normalize
from urllib.parse import quote

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.service import MAX_SUGGESTIONS
from vivero_data.housekeeping import drop_orphaned_tables

PATH = "/api/v1/collections"
FIELDS = [{"name": "Name", "type": "text"}]


@pytest.mark.parametrize("name", ["-a", "x" * 65, "a\u202eb", "a\x00b", "\u0301", ""])
async def test_names_that_cannot_be_leave_nothing_behind(
    workspace: Workspace, owner: dict[str, str], name: str
) -> None:
    for body in ({"name": name, "fields": FIELDS}, {"name": "Fine", "fields": [{"name": name, "type": "text"}]}):
        answer = await workspace.client.post(PATH, json=body, headers=owner)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] in {"name", "fields[0].name"}
    assert (await workspace.client.get(PATH, headers=owner)).json()["items"] == []


@pytest.mark.parametrize(
    "name",
    [
        "x'; DROP TABLE users; --",
        "a`b%",
        "Price (€) ?#&",
        "हिन्दी",
        "မြန်မာ",
        "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",
        "\U0001f469\u200d\U0001f4bb",
        "ΐ" * 64,
    ],
)
async def test_names_of_the_world_are_names_and_nothing_else(
    workspace: Workspace, owner: dict[str, str], name: str
) -> None:
    await workspace.collection(owner, {"name": name, "type": "text"}, name=name)
    path = f"{PATH}/{quote(name, safe='')}"
    assert (await workspace.client.get(path, headers=owner)).json()["fields"][0]["name"] == name
    for value in ("a:b,\n", "x"):
        values = {normalize("NFD", name): value.strip()}
        made = await workspace.client.post(f"{path}/records", json={"values": values}, headers=owner)
        assert made.status_code == 201, made.text
    query = {"filter": f"{name}:eq:x", "sort": f"-{name}"}
    found = (await workspace.client.get(f"{path}/records", params=query, headers=owner)).json()
    assert [item["values"] for item in found["items"]] == [{name: "x"}]


async def test_only_what_people_read_as_one_name_is_taken(workspace: Workspace, owner: dict[str, str]) -> None:
    fields = [{"name": name, "type": "text"} for name in ("Größe", "Grosse", "Grösse.")]
    for name in ("Größe", "Grosse"):
        await workspace.collection(owner, *fields, name=name)
    for name in ("GRÖSSE", normalize("NFD", "größe"), "GROSSE", "Große"):
        again = await workspace.client.post(PATH, json={"name": name, "fields": FIELDS}, headers=owner)
        assert again.status_code == 409
        assert again.json()["errors"][0]["field"] == "name"
    listed = (await workspace.client.get(PATH, headers=owner)).json()["items"]
    assert sorted(item["name"] for item in listed) == sorted(["Größe", "Grosse"])


async def test_a_collection_of_an_older_program_is_found_by_its_name_alone(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner, name="Größe")
    async with workspace.app.state.services.database.read() as connection:
        await connection.execute("UPDATE collections SET name_key = NULL, label = NULL")
        await connection.execute("UPDATE fields SET label = NULL")
    assert (await workspace.client.get(f"{PATH}/größe", headers=owner)).json()["name"] == "Größe"
    assert (await workspace.client.get(f"{PATH}/Grosse", headers=owner)).status_code == 404
    await workspace.collection(owner, name="Grosse")
    body = {"name": "größe", "fields": FIELDS}
    assert (await workspace.client.post(PATH, json=body, headers=owner)).status_code == 409


async def test_an_unknown_type_names_its_field(workspace: Workspace, owner: dict[str, str]) -> None:
    body = {"name": "Things", "fields": [{"name": "N", "type": "blob"}]}
    answer = await workspace.client.post(PATH, json=body, headers=owner)
    assert answer.status_code == 422
    assert "fields" in answer.json()["errors"][0]["field"] or "type" in answer.text


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

    async def delete() -> int:
        return (await workspace.client.delete(path, headers=owner)).status_code

    *added, deleted = await asyncio.gather(*(add() for _ in range(8)), delete())
    assert deleted == 204
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


async def test_suggestions_begin_with_what_is_most_likely_meant(workspace: Workspace, owner: dict[str, str]) -> None:
    names = ["Old orders", "Orders", "Orders 2024", "Größe", "All orders ever", "100% wool"]
    for name in [*names, *(f"Border {number:02}" for number in range(12))]:
        await workspace.collection(owner, name=name)
    for typed, first in (
        ("order", "Orders"),
        ("ORDERS 2", "Orders 2024"),
        ("old", "Old orders"),
        ("grosse", "Größe"),
        (normalize("NFD", "größe"), "Größe"),
        ("100%", "100% wool"),
    ):
        answer = await workspace.client.get("/palette", params={"q": typed}, headers={**owner, "accept": "text/html"})
        assert re.findall(r"Go to ([^<]+)<", unescape(answer.text))[0] == first
        assert answer.text.count("Go to ") <= MAX_SUGGESTIONS
    assert "Go to" not in (await workspace.client.get("/palette", params={"q": "_"}, headers=owner)).text
