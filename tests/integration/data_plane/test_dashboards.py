"""Dashboards on real services: tiles that survive what becomes of what they show, and the one of the home page."""

from typing import Any, Final

import pytest
from integration.data_plane.workspace import Workspace

DASHBOARDS: Final = "/api/v1/dashboards"


@pytest.fixture
async def tiles(workspace: Workspace, owner: dict[str, str]) -> list[dict[str, Any]]:
    """One of each kind."""
    await workspace.collection(owner, name="Things")
    body = {"name": "Count", "collection": "Things"}
    report = (await workspace.client.post("/api/v1/reports", json=body, headers=owner)).json()["id"]
    return [
        {"type": "report", "report": report, "width": "full"},
        {"type": "list", "collection": "Things", "view": None, "width": "half"},
        {"type": "text", "text": "Water them.\n<b>All</b>", "width": "half"},
    ]


async def test_a_dashboard_is_made_changed_and_removed(
    workspace: Workspace, owner: dict[str, str], tiles: list[dict[str, Any]]
) -> None:
    client = workspace.client
    made = await client.post(DASHBOARDS, json={"name": "Nursery", "tiles": tiles}, headers=owner)
    assert made.status_code == 201, made.text
    board = made.json()
    assert (board["tiles"], board["shared"], board["home"], board["owner"]) == (tiles, True, False, "owner@example.com")
    place = f"{DASHBOARDS}/{board['id']}"
    assert (await client.get(place, headers=owner)).json() == board
    turned = await client.patch(place, json={"tiles": tiles[::-1]}, headers=owner)
    assert (turned.json()["tiles"], turned.json()["name"]) == (tiles[::-1], "Nursery")
    assert (await client.patch(place, json={"name": "Nursery"}, headers=owner)).json() == turned.json()
    assert (await client.get(DASHBOARDS, headers=owner)).json()["items"] == [turned.json()]
    assert (await client.delete(place, headers=owner)).status_code == 204
    assert (await client.get(place, headers=owner)).status_code == 404
    log = (await client.get("/api/v1/audit?action=dashboard", headers=owner)).json()["items"]
    assert [one["action"] for one in log] == ["dashboard.delete", "dashboard.update", "dashboard.create"]


async def test_tiles_stay_when_what_they_show_is_gone(
    workspace: Workspace, owner: dict[str, str], tiles: list[dict[str, Any]]
) -> None:
    client = workspace.client
    body = {"name": "Nursery", "tiles": tiles, "home": True}
    place = f"{DASHBOARDS}/{(await client.post(DASHBOARDS, json=body, headers=owner)).json()['id']}"
    await client.delete(f"/api/v1/reports/{tiles[0]['report']}", headers=owner)
    await client.delete("/api/v1/collections/Things", headers=owner)
    found = (await client.get(place, headers=owner)).json()["tiles"]
    assert [one["type"] for one in found] == ["report", "list", "text"]
    assert (await client.patch(place, json={"tiles": found[::-1]}, headers=owner)).status_code == 200
    page = await client.get("/", headers={**owner, "accept": "text/html"})
    assert page.status_code == 200
    assert "A report that was deleted" in page.text
    for index in range(3):
        tile = await client.get(f"{place.removeprefix('/api/v1')}/tiles/{index}", headers=owner)
        assert tile.status_code == (404 if found[::-1][index]["type"] == "report" else 200)
    new = await client.post(DASHBOARDS, json={"name": "New", "tiles": tiles}, headers=owner)
    assert new.status_code == 422
    assert [one["field"] for one in new.json()["errors"]] == ["tiles[0].report", "tiles[1].collection"]


async def test_one_dashboard_is_the_home_pages_and_administrators_choose_it(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    client = workspace.client
    member, admin = await workspace.user(owner, "member"), await workspace.user(owner, "admin")
    first = (await client.post(DASHBOARDS, json={"name": "First", "home": True}, headers=admin)).json()
    second = (await client.post(DASHBOARDS, json={"name": "Second", "home": True}, headers=owner)).json()
    assert (first["home"], second["home"]) == (True, True)
    assert not (await client.get(f"{DASHBOARDS}/{first['id']}", headers=member)).json()["home"]
    own = (await client.post(DASHBOARDS, json={"name": "Own", "shared": False}, headers=member)).json()
    assert (await client.get(f"{DASHBOARDS}/{own['id']}", headers=owner)).status_code == 404
    refused = await client.patch(f"{DASHBOARDS}/{own['id']}", json={"shared": True, "home": True}, headers=member)
    assert refused.status_code == 403
    hidden = await client.patch(f"{DASHBOARDS}/{second['id']}", json={"shared": False}, headers=owner)
    assert [one["field"] for one in hidden.json()["errors"]] == ["home"]
    assert (await client.post(DASHBOARDS, json={"name": "x", "home": True}, headers=member)).status_code == 403
    assert (await client.patch(f"{DASHBOARDS}/{second['id']}", json={"name": "x"}, headers=member)).status_code == 403
    freed = await client.patch(f"{DASHBOARDS}/{second['id']}", json={"home": False, "shared": False}, headers=owner)
    assert (freed.status_code, freed.json()["home"]) == (200, False)
