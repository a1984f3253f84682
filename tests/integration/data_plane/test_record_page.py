"""What stands around a record: its neighbours in a list, its history and its comments."""

from typing import Any

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.records.schemas import RecordQuery
from vivero_data.domain.records.service import RecordService
from vivero_data.domain.users.schemas import Actor, Role

PATH = "/api/v1/collections/Contacts/records"
OWNER = Actor(1, "owner@example.com", "Olive", Role.OWNER, 1)
FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "Name", "type": "text"},
    {"name": "Age", "type": "integer"},
    {"name": "City", "type": "text"},
)
ROWS = [("a", 3, "x"), ("b", None, "x"), ("c", 1, "y"), ("d", 3, "x"), ("e", None, "y"), ("f", 2, "x")]
Header = dict[str, str]


@pytest.fixture
async def contacts(workspace: Workspace, owner: Header) -> Workspace:
    await workspace.collection(owner, *FIELDS)
    rows = [{"values": {"Name": name, "Age": age, "City": city}} for name, age, city in ROWS]
    answer = await workspace.client.post(f"{PATH}/batch", json={"create": rows}, headers=owner)
    assert answer.status_code == 200, answer.text
    return workspace


@pytest.mark.parametrize("sort", ["", "Age", "-Age", "City,-Age", "-City,Age", "-id", "updated_at"])
@pytest.mark.parametrize("filters", [(), ("City:eq:x",)])
async def test_the_neighbours_are_those_of_the_list(contacts: Workspace, sort: str, filters: tuple[str, ...]) -> None:
    records: RecordService = contacts.app.state.services.records
    query = RecordQuery(sort=sort, filters=filters)
    listed = [one.id for one in (await records.list(OWNER, "Contacts", query)).items]
    assert len(listed) == (4 if filters else 6)
    for before, number, behind in zip([None, *listed], listed, [*listed[1:], None], strict=False):
        found = await records.neighbours(OWNER, "Contacts", number, query)
        assert (found.previous and found.previous.id, found.next and found.next.id) == (before, behind)


async def test_a_history_has_names_and_is_that_of_one_record(contacts: Workspace, owner: Header) -> None:
    made = (await contacts.client.get(PATH, headers=owner)).json()["items"]
    one, ten = made[0]["id"], f"{made[0]['id']}0"
    viewer = await contacts.user(owner, "viewer")
    await contacts.client.patch(f"{PATH}/{one}", json={"values": {"Age": 4}}, headers=owner)
    await contacts.client.post(f"{PATH}/{one}/comments", json={"text": "so be it"}, headers=owner)
    page = (await contacts.client.get(f"{PATH}/{one}/history", headers=viewer)).json()
    assert [(entry["action"], entry["actor"], entry["after"]) for entry in page["items"]] == [
        ("comment.create", "Olive", {"text": "so be it"}),
        ("record.update", "Olive", {"Age": 4}),
        ("record.create", "Olive", {"Name": "a", "Age": 3, "City": "x"}),
    ]
    first = (await contacts.client.get(f"{PATH}/{one}/history", params={"limit": "2"}, headers=viewer)).json()
    rest = {"limit": "2", "cursor": first["next_cursor"]}
    second = (await contacts.client.get(f"{PATH}/{one}/history", params=rest, headers=viewer)).json()
    assert first["items"] + second["items"] == page["items"]
    assert (await contacts.client.get(f"{PATH}/{ten}/history", headers=viewer)).status_code == 404


async def test_comments_are_everybodys_to_read_and_each_persons_own_to_change(
    contacts: Workspace, owner: Header
) -> None:
    one = (await contacts.client.get(PATH, headers=owner)).json()["items"][0]["id"]
    path, client = f"{PATH}/{one}/comments", contacts.client
    member, viewer = await contacts.user(owner, "member"), await contacts.user(owner, "viewer")
    made = await client.post(path, json={"text": " first\r\nline 🌱 "}, headers=member)
    assert (made.status_code, made.json()["text"], made.json()["edited_at"]) == (201, "first\nline 🌱", None)
    number = made.json()["id"]
    assert [item["id"] for item in (await client.get(path, headers=viewer)).json()["items"]] == [number]
    assert (await client.post(path, json={"text": "x"}, headers=viewer)).status_code == 403
    assert (await client.patch(f"{path}/{number}", json={"text": "x"}, headers=owner)).status_code == 403
    changed = await client.patch(f"{path}/{number}", json={"text": "second"}, headers=member)
    assert changed.json()["text"] == "second"
    assert changed.json()["edited_at"]
    theirs = (await client.post(path, json={"text": "theirs"}, headers=owner)).json()["id"]
    assert (await client.delete(f"{path}/{theirs}", headers=member)).status_code == 403
    assert (await client.delete(f"{path}/{number}", headers=owner)).status_code == 204
    assert [item["text"] for item in (await client.get(path, headers=viewer)).json()["items"]] == ["theirs"]
    log = await client.get("/api/v1/audit", params={"action": "comment"}, headers=owner)
    said = [(entry["action"], entry["before"], entry["after"]) for entry in log.json()["items"]]
    assert said[::-1] == [
        ("comment.create", None, {"text": "first\nline 🌱"}),
        ("comment.update", {"text": "first\nline 🌱"}, {"text": "second"}),
        ("comment.create", None, {"text": "theirs"}),
        ("comment.delete", {"text": "second"}, None),
    ]


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001, "a\u0000b"])
async def test_a_text_that_is_none_is_refused(contacts: Workspace, owner: Header, text: str) -> None:
    one = (await contacts.client.get(PATH, headers=owner)).json()["items"][0]["id"]
    answer = await contacts.client.post(f"{PATH}/{one}/comments", json={"text": text}, headers=owner)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "text")


async def test_a_comment_belongs_to_its_record(contacts: Workspace, owner: Header) -> None:
    one, two = [item["id"] for item in (await contacts.client.get(PATH, headers=owner)).json()["items"]][:2]
    number = (await contacts.client.post(f"{PATH}/{one}/comments", json={"text": "x"}, headers=owner)).json()["id"]
    for path in (f"{PATH}/{two}/comments/{number}", f"{PATH}/999/comments/{number}"):
        assert (await contacts.client.delete(path, headers=owner)).status_code == 404
