"""Fields of a collection that has records: added, changed and deleted, each undone."""

import asyncio
from typing import Any, Final

import httpx
import pytest
from integration.data_plane.workspace import Workspace

HERE: Final = "/api/v1/collections/Contacts"
TRASH: Final = "/api/v1/trash"
TEXT: Final = {"name": "Title", "type": "text"}
PRICE: Final = {"name": "Price", "type": "text"}


class Desk:
    """An owner at work on one collection."""

    def __init__(self, workspace: Workspace, owner: dict[str, str]) -> None:
        self.client, self.owner = workspace.client, owner

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  any JSON
        answer = await self.client.request(method, path, json=body, headers=self.owner)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = await self.client.request(method, path, json=body, headers=self.owner)
        assert answer.status_code in {400, 402, 403, 404, 409, 422}, answer.text
        return answer

    async def add(self, **values: object) -> int:
        made = await self.ask("POST", f"{HERE}/records", {"values": values})
        return int(made["id"])

    async def values(self, name: str) -> list[Any]:
        found = await self.ask("GET", f"{HERE}/records")
        return [one["values"].get(name, "no such field") for one in found["items"]]

    async def restore(self, entry: int) -> Any:  # noqa: ANN401  any JSON
        return await self.ask("POST", f"{TRASH}/{entry}/restore")


@pytest.fixture
async def desk(workspace: Workspace, owner: dict[str, str]) -> Desk:
    await workspace.collection(owner, TEXT, PRICE)
    return Desk(workspace, owner)


async def test_a_type_changes_as_the_preview_says_and_back_to_the_byte(desk: Desk) -> None:
    texts = ["12.5", " 007 ", "about ten", None, "1e3"]
    for text in texts:
        await desk.add(Title="x", Price=text)
    foreseen = await desk.ask("PATCH", f"{HERE}/fields/Price?preview=true", {"type": "number"})
    assert (foreseen["records"], foreseen["examined"], foreseen["will_become_empty"]) == (5, 5, 1)
    assert [(one["record"], one["value"]) for one in foreseen["examples"]] == [(3, "about ten")]
    assert await desk.values("Price") == texts, "a preview changes nothing"

    done = await desk.ask("PATCH", f"{HERE}/fields/Price", {"type": "number"})
    assert (done["will_become_empty"], done["job"], done["field"]["type"]) == (1, None, "number")
    assert await desk.values("Price") == [12.5, 7, None, None, 1000]
    await desk.ask("PATCH", f"{HERE}/records/5", {"values": {"Price": 3.25}})
    await desk.add(Title="new", Price=4)

    await desk.restore(done["undo"])
    assert await desk.values("Price") == ["12.5", " 007 ", "about ten", None, "3.25", "4"], (
        "what was written since stays"
    )


async def test_a_deleted_field_comes_back_in_its_place_with_its_values(desk: Desk) -> None:
    await desk.add(Title="a", Price="1")
    gone = await desk.ask("DELETE", f"{HERE}/fields/Title")
    assert gone["will_become_empty"] == 1
    await desk.add(Price="2")
    assert (await desk.refused("DELETE", f"{HERE}/fields/Price")).status_code == 409, "the last one stays"
    await desk.restore(gone["undo"])
    fields = (await desk.ask("GET", HERE))["fields"]
    assert [one["name"] for one in fields] == ["Title", "Price"]
    assert await desk.values("Title") == ["a", None]
    assert (await desk.ask("GET", TRASH))["items"] == []


async def test_a_field_is_added_renamed_and_moved_and_each_is_undone(desk: Desk) -> None:
    await desk.add(Title="a", Price="1")
    made = await desk.ask("POST", f"{HERE}/fields", {"name": "Due", "type": "date", "unique": True})
    assert (made["field"]["name"], made["records"]) == ("Due", 1)
    assert (await desk.refused("POST", f"{HERE}/fields", {"name": "due", "type": "text"})).json()["errors"][0][
        "field"
    ] == "name"
    await desk.add(Title="b", Due="2026-01-01")
    assert (
        await desk.refused("POST", f"{HERE}/records", {"values": {"Title": "c", "Due": "2026-01-01"}})
    ).status_code == 409
    renamed = await desk.ask("PATCH", f"{HERE}/fields/due", {"name": "Deadline"})
    assert await desk.values("Deadline") == [None, "2026-01-01"]
    await desk.restore(renamed["undo"])
    assert await desk.values("Due") == [None, "2026-01-01"]
    await desk.ask("PATCH", HERE, {"fields": ["Due", "Title", "Price"], "description": "x"})
    assert [one["name"] for one in (await desk.ask("GET", HERE))["fields"]] == ["Due", "Title", "Price"]
    entry = (await desk.ask("GET", TRASH))["items"][0]
    assert (entry["kind"], entry["restorable"]) == ("collection_change", True)
    await desk.restore(entry["id"])
    now = await desk.ask("GET", HERE)
    assert ([one["name"] for one in now["fields"]], now["description"]) == (["Title", "Price", "Due"], "")


async def test_a_field_becomes_unique_if_it_is(desk: Desk) -> None:
    for title in ("a", "A", "b"):
        await desk.add(Title=title)
    foreseen = await desk.ask("PATCH", f"{HERE}/fields/Title?preview=true", {"unique": True})
    assert foreseen["duplicates"] == 1
    assert (await desk.refused("PATCH", f"{HERE}/fields/Title", {"unique": True})).status_code == 409
    done = await desk.ask("PATCH", f"{HERE}/fields/Title", {"unique": True, "exact": True})
    assert (await desk.refused("POST", f"{HERE}/records", {"values": {"Title": "a"}})).status_code == 409
    await desk.restore(done["undo"])
    await desk.add(Title="a")


async def test_deleted_records_come_back_with_their_numbers(desk: Desk, workspace: Workspace) -> None:
    for number in range(3):
        await desk.add(Title=f"t{number}", Price="1,5")
    await desk.ask("DELETE", f"{HERE}/records/2")
    await desk.ask("POST", f"{HERE}/records/batch", {"delete": [{"id": 1}, {"id": 3}]})
    retyped = await desk.ask("PATCH", f"{HERE}/fields/Price", {"type": "number"})
    many, one = (await desk.ask("GET", TRASH))["items"][1:]
    assert [(item["kind"], item["records"]) for item in (many, one)] == [("records", 2), ("records", 1)]
    assert one["name"] == "t1 of Contacts"
    workspace.set_limits(records=1)
    await asyncio.sleep(1.1)  # the file is looked at once a second
    full = await desk.refused("POST", f"{TRASH}/{many['id']}/restore")
    assert "includes 1 records" in full.json()["detail"]
    workspace.set_limits()
    await asyncio.sleep(1.1)
    await desk.restore(many["id"])
    await desk.restore(one["id"])
    assert await desk.values("Price") == [1.5, 1.5, 1.5], "converted on the way back"
    assert (await desk.ask("GET", HERE))["records"] == 3
    await desk.restore(retyped["undo"])
    assert await desk.values("Price") == ["1,5", "1,5", "1,5"]
    again = await desk.refused("POST", f"{TRASH}/{one['id']}/restore")
    assert again.status_code == 404


async def test_a_unique_value_that_is_taken_meanwhile_keeps_a_record_out(desk: Desk) -> None:
    await desk.ask("PATCH", f"{HERE}/fields/Title", {"unique": True})
    first = await desk.add(Title="a")
    await desk.ask("DELETE", f"{HERE}/records/{first}")
    await desk.add(Title="a")
    entry = (await desk.ask("GET", TRASH))["items"][0]["id"]
    refusal = await desk.refused("POST", f"{TRASH}/{entry}/restore")
    assert "same Title" in refusal.json()["detail"]
    assert (await desk.ask("GET", HERE))["records"] == 1


async def test_a_deleted_collection_comes_back_whole(desk: Desk, workspace: Workspace, owner: dict[str, str]) -> None:
    await desk.add(Title="a", Price="1")
    gone = await desk.add(Title="b", Price="2")
    await desk.ask("DELETE", f"{HERE}/records/{gone}")
    await desk.ask("DELETE", HERE)
    whole, record = (await desk.ask("GET", TRASH))["items"]
    assert (whole["kind"], whole["name"], whole["records"]) == ("collection", "Contacts", 1)
    assert (record["restorable"], record["reason"]) == (False, "Its collection is deleted. Restore that first.")
    await workspace.collection(owner, TEXT)
    assert "named Contacts" in (await desk.refused("POST", f"{TRASH}/{whole['id']}/restore")).json()["detail"]
    await desk.ask("PATCH", HERE, {"name": "Others"})
    await desk.restore(whole["id"])
    await desk.restore(record["id"])
    assert await desk.values("Title") == ["a", "b"]
    usage = await desk.ask("GET", "/api/v1/usage")
    assert usage["records"]["used"] == 2


async def test_automatic_numbers_go_on_whatever_becomes_of_their_field(desk: Desk) -> None:
    await desk.ask("POST", f"{HERE}/fields", {"name": "No", "type": "autonumber", "options": {"prefix": "A-"}})
    await desk.add(Title="a")
    await desk.ask("PATCH", f"{HERE}/fields/No", {"name": "Number"})
    await desk.add(Title="b")
    gone = await desk.ask("DELETE", f"{HERE}/fields/Number")
    await desk.restore(gone["undo"])
    await desk.add(Title="c")
    await desk.ask("DELETE", HERE)
    await desk.restore((await desk.ask("GET", TRASH))["items"][0]["id"])
    await desk.add(Title="d")
    assert await desk.values("Number") == ["A-1", "A-2", "A-3", "A-4"]
    refusal = await desk.refused("PATCH", f"{HERE}/fields/Title", {"type": "autonumber"})
    assert refusal.json()["errors"][0]["field"] == "type"


async def test_no_field_becomes_a_link_and_a_link_stays_with_its_collection(
    desk: Desk, workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner, TEXT, name="Others")
    ids = {one["name"]: one["id"] for one in (await desk.ask("GET", "/api/v1/collections"))["items"]}
    link = {"type": "link", "options": {"collection": ids["Others"]}}
    refusal = await desk.refused("PATCH", f"{HERE}/fields/Title", link)
    assert refusal.json()["errors"][0]["field"] == "type"
    await desk.ask("POST", f"{HERE}/fields", {"name": "To", **link})
    refusal = await desk.refused("PATCH", f"{HERE}/fields/To", {"options": {"collection": ids["Contacts"]}})
    assert refusal.json()["errors"][0]["field"] == "options.collection"
    await desk.ask("PATCH", f"{HERE}/fields/To", {"name": "Leads to"})
