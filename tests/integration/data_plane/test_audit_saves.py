"""A save without a change writes nothing into the audit log, and what is written calls its subject by name."""

from typing import Any

import httpx
import pytest
from integration.data_plane.workspace import OWNER, Workspace
from support.hostile import Program

RECORDS = "/api/v1/collections/Contacts/records"
CHOICE_OF_A_PASSWORD = "PUT /api/v1/me/password"  # an act, whatever was chosen before: nobody can compare the two
SAVES = (
    "PATCH /api/v1/api-keys/{key_id}",
    "PATCH /api/v1/collections/{name}",
    "PATCH /api/v1/collections/{name}/fields/{field}",
    "PATCH /api/v1/collections/{name}/records/{record_id}",
    "PATCH /api/v1/collections/{name}/records/{record_id}/comments/{comment_id}",
    "PATCH /api/v1/collections/{name}/views/{view_id}",
    "PATCH /api/v1/dashboards/{dashboard_id}",
    "PATCH /api/v1/report-schedules/{schedule_id}",
    "PATCH /api/v1/me/notation",
    "PATCH /api/v1/reports/{report_id}",
    "PATCH /api/v1/users/{user_id}",
    "PATCH /api/v1/roles/{role_id}",
    "PATCH /api/v1/webhooks/{webhook_id}",
    "PATCH /api/v1/workspace/settings",
    "PUT /api/v1/collections/{name}/favourite",
    "PUT /api/v1/collections/{name}/views/{view_id}/favourite",
    "PUT /api/v1/workspace/login-rules",
)


async def entries(workspace: Workspace, owner: dict[str, str], action: str = "") -> list[dict[str, Any]]:
    query: dict[str, str | int] = {"limit": 200, "action": action}
    return list((await workspace.client.get("/api/v1/audit", params=query, headers=owner)).json()["items"])


def test_every_route_that_saves_is_listed(workspace: Workspace) -> None:
    paths = workspace.app.openapi_schema.to_schema()["paths"]
    there = {f"{method.upper()} {path}" for path, at in paths.items() for method in at if method in {"patch", "put"}}
    assert there - {CHOICE_OF_A_PASSWORD} == {*SAVES}


@pytest.mark.parametrize("route", SAVES)
async def test_the_same_save_again_writes_no_entry(
    workspace: Workspace, owner: dict[str, str], program: Program, route: str
) -> None:
    method, path = route.split()
    await workspace.client.post(f"{RECORDS}/1/comments", json={"text": "First"}, headers=owner)
    address = path.format_map(program.values(route))

    async def save() -> httpx.Response:
        body = program.bodies.get(route)
        return await workspace.client.request(method, address, json=body, headers=owner)

    first = await save()
    assert first.status_code < 300, first.text
    before = await entries(workspace, owner)
    again = await save()
    assert again.status_code < 300, again.text
    assert await entries(workspace, owner) == before


async def test_records_and_people_are_called_by_name(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    await workspace.collection(
        owner, {"name": "Name", "type": "text", "indexed": True}, {"name": "City", "type": "text"}
    )
    made = (await client.post(RECORDS, json={"values": {"Name": "Ada", "City": "Bern"}}, headers=owner)).json()
    await client.patch(f"{RECORDS}/{made['id']}", json={"values": {"City": "Rome"}}, headers=owner)
    await client.patch(f"{RECORDS}/{made['id']}", json={"values": {"Name": "Ada L."}}, headers=owner)
    await client.delete(f"{RECORDS}/{made['id']}", headers=owner)
    found = [
        (one["action"], one["name"], one["before"], one["after"]) for one in await entries(workspace, owner, "record")
    ]
    assert found == [
        ("record.delete", "Ada L.", {"Name": "Ada L.", "City": "Rome"}, None),
        ("record.update", "Ada L.", {"Name": "Ada"}, {"Name": "Ada L."}),
        ("record.update", "Ada", {"City": "Bern"}, {"City": "Rome"}),
        ("record.create", "Ada", None, {"Name": "Ada", "City": "Bern"}),
    ]
    person = {"email": "eve@example.com", "name": "Eve Online", "password": "plum orchard at dawn", "role": "member"}
    assert (await client.post("/api/v1/users", json=person, headers=owner)).status_code == 201
    (entry,) = [one for one in await entries(workspace, owner, "user.create") if one["subject"] != OWNER]
    assert (entry["subject"], entry["name"]) == ("eve@example.com", "Eve Online")
