"""What a plan does not include is refused, and what is there already stays."""

import asyncio
from typing import Any

from integration.data_plane.workspace import Workspace

PIVOT = {
    "name": "Kinds by name",
    "collection": "Contacts",
    "kind": "pivot",
    "group_by": [{"field": "Name"}, {"field": "Kind"}],
}
BARS = PIVOT | {"name": "Names", "kind": "bar", "group_by": [{"field": "Name"}]}
OWN = {"name": "Sales", "home": False}


async def send(workspace: Workspace, owner: dict[str, str], noun: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = await workspace.client.post(f"/api/v1/{noun}", json=body, headers=owner)
    return answer.status_code, answer.json()


async def test_analytics(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, {"name": "Name", "type": "text"}, {"name": "Kind", "type": "text"})
    made = [await send(workspace, owner, *one) for one in (("reports", PIVOT), ("dashboards", OWN))]
    assert [status for status, _ in made] == [201, 201]

    workspace.set_limits(plan="starter", features=["reports"])
    await asyncio.sleep(1.1)  # the file is looked at once a second
    for noun, body in (("reports", PIVOT | {"name": "x"}), ("dashboards", OWN | {"name": "x"})):
        status, told = await send(workspace, owner, noun, body)
        assert (status, told["type"]) == (402, "urn:vivero:problem:plan-feature")
        assert "The starter plan does not include" in told["detail"]
    status, bars = await send(workspace, owner, "reports", BARS)
    assert status == 201
    address = f"/api/v1/reports/{bars['id']}"
    changed = await workspace.client.patch(
        address, json={"kind": "pivot", "group_by": PIVOT["group_by"]}, headers=owner
    )
    assert changed.status_code == 402
    assert (await send(workspace, owner, "dashboards", {"name": "Home", "home": True}))[0] == 201
    pivot, dashboard = (one["id"] for _, one in made)
    for path in (f"/api/v1/reports/{pivot}/data", f"/api/v1/dashboards/{dashboard}"):
        assert (await workspace.client.get(path, headers=owner)).status_code == 200
    renamed = await workspace.client.patch(f"/api/v1/reports/{pivot}", json={"name": "Renamed"}, headers=owner)
    assert renamed.status_code == 200
