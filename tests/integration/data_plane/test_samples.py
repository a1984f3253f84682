"""Templates on real services: all of them work at once, and nothing is left of what is removed."""

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.samples.service import TEMPLATES, template
from vivero_data.domain.users.schemas import Actor, Role

OWNER = Actor(1, "owner@example.com", "", Role.OWNER)


@pytest.mark.parametrize("name", TEMPLATES)
async def test_a_template_is_made_and_removed_as_one(workspace: Workspace, owner: dict[str, str], name: str) -> None:
    client, wanted = workspace.client, template(name)
    started = await client.post(f"/templates/{name}", headers=owner)
    assert (started.status_code, started.headers["location"]) == (303, "/"), started.text
    collections = (await client.get("/api/v1/collections", headers=owner)).json()["items"]
    made = {one["name"]: one["records"] for one in collections}
    assert made == {one.name: len(one.rows) for one in wanted.collections}
    reports = (await client.get("/api/v1/reports", headers=owner)).json()["items"]
    assert len(reports) == len(wanted.reports) > 0
    for report in reports:
        data = (await client.get(f"/api/v1/reports/{report['id']}/data", headers=owner)).json()
        assert len(data["rows"]) > 1, report["name"]
    home = (await client.get("/", headers={**owner, "accept": "text/html"})).text
    assert home.count('hx-trigger="load"') == len(wanted.reports) + len(wanted.lists)
    (sample,) = await workspace.app.state.services.samples.list(OWNER)
    removed = await client.post(f"/samples/{sample.id}/delete", headers=owner)
    assert removed.status_code == 303
    for what in ("collections", "reports", "dashboards"):
        assert (await client.get(f"/api/v1/{what}", headers=owner)).json()["items"] == []
    assert (await client.get("/api/v1/usage", headers=owner)).json()["records"]["used"] == 0
    assert (await client.post(f"/samples/{sample.id}/delete", headers=owner)).status_code == 404


async def test_ones_own_stays_when_sample_data_goes(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    await workspace.collection(owner, name="Mine")
    note = {"type": "text", "text": "Mine", "width": "half"}
    own = {"type": "list", "collection": "Mine", "view": None, "width": "half"}
    board = (
        await client.post(
            "/api/v1/dashboards", json={"name": "Ours", "tiles": [note, own], "home": True}, headers=owner
        )
    ).json()
    for name in ("nursery", "assets"):
        assert (await client.post(f"/templates/{name}", headers=owner)).status_code == 303
    services = workspace.app.state.services
    for sample in await services.samples.list(OWNER):
        await services.samples.remove(OWNER, sample.id)
    found = (await client.get(f"/api/v1/dashboards/{board['id']}", headers=owner)).json()
    assert (found["tiles"], found["home"]) == ([note, own], True)
    assert [one["name"] for one in (await client.get("/api/v1/collections", headers=owner)).json()["items"]] == ["Mine"]


async def test_what_was_changed_or_interrupted_is_removed_too(workspace: Workspace, owner: dict[str, str]) -> None:
    client = workspace.client
    workspace.set_limits(records=25)
    services = workspace.app.state.services
    services.limits._reload()  # noqa: SLF001  the plan is looked at once a second
    refused = await client.post("/templates/nursery", headers={**owner, "accept": "text/html"})
    assert refused.status_code == 402, "its second collection has no room any more"
    (sample,) = await services.samples.list(OWNER)
    assert len(sample.collections) == 2
    await client.delete("/api/v1/collections/Plants", headers=owner)
    await services.samples.remove(OWNER, sample.id)
    assert (await client.get("/api/v1/collections", headers=owner)).json()["items"] == []


async def test_a_name_that_is_taken_is_told_before_anything_is_made(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(owner, name="orders")
    refused = await workspace.client.post("/templates/orders", headers={**owner, "accept": "text/html"})
    assert refused.status_code == 409
    assert "There is a collection Orders already." in refused.text
    assert await workspace.app.state.services.samples.list(OWNER) == []
    assert (await workspace.client.post("/templates/nothing", headers=owner)).status_code == 404
    member = await workspace.user(owner, "member")
    assert (await workspace.client.post("/templates/assets", headers=member)).status_code == 403
