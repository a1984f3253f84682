"""What people type into a table is read in their notation or the workspace's, and what a cell shows there means what is stored."""

import re
from html import unescape

import pytest
from integration.data_plane.workspace import Workspace
from support import good

PATH = "/api/v1/collections/Contacts/records"
GERMAN = {"time_zone": "Europe/Berlin", "number_notation": "1.234,50", "date_notation": "29.11.2026"}


@pytest.fixture(params=["", "/api/v1/workspace/settings", "/api/v1/me/notation"], ids=["unset", "German", "own German"])
async def contacts(request: pytest.FixtureRequest, workspace: Workspace, owner: dict[str, str]) -> Workspace:
    if request.param:
        await workspace.client.patch(request.param, json=GERMAN, headers=owner)
    kinds = [{"name": str(kind), "type": str(kind), "options": good.OPTIONS.get(kind, {})} for kind in good.GOOD_VALUES]
    fields = [{**kind, "choices": ["a", "b"]} if kind["type"] in {"choice", "choices"} else kind for kind in kinds]
    await workspace.targets(owner, 1)
    await workspace.collection(owner, *fields)
    return workspace


async def test_what_a_cell_is_edited_with_means_what_is_stored(contacts: Workspace, owner: dict[str, str]) -> None:
    values = {str(kind): value for kind, value in good.GOOD_VALUES.items()}
    made = (await contacts.client.post(PATH, json={"values": values}, headers=owner)).json()
    page = await contacts.client.get(f"/collections/Contacts/rows?ids={made['id']}", headers=owner)
    shown = [unescape(text) for text in re.findall(r'data-raw="([^"]*)"', page.text)]
    assert len(shown) == len(values)
    assert all(shown)
    typed = dict(zip(values, shown, strict=True))
    one = await contacts.client.patch(f"{PATH}/{made['id']}", json={"values": typed, "typed": True}, headers=owner)
    assert (one.status_code, one.json()["version"]) == (200, 1), one.text
    batch = {"update": [{"id": made["id"], "values": typed}], "typed": True}
    many = await contacts.client.post(f"{PATH}/batch", json=batch, headers=owner)
    assert (many.status_code, many.json()["updated"]) == (200, [{"id": made["id"], "version": 1}]), many.text


async def test_german_is_read_where_it_was_chosen(contacts: Workspace, owner: dict[str, str]) -> None:
    chosen = [
        (await contacts.client.get(path, headers=owner)).json()["number_notation"]
        for path in ("/api/v1/workspace/settings", "/api/v1/me/notation")
    ]
    typed = {"number": "1.234", "date": "31.12.2026", "boolean": "yes"}
    answer = await contacts.client.post(
        f"{PATH}/batch", json={"create": [{"values": typed}], "typed": True}, headers=owner
    )
    if chosen == [None, None]:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "create[0].values.number")
        return
    assert answer.status_code == 200, answer.text
    stored = (await contacts.client.get(PATH, headers=owner)).json()["items"][0]["values"]
    assert (stored["number"], stored["date"], stored["boolean"]) == (1234, "2026-12-31", True)
