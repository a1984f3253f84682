"""Favourites: a person's own, in their sidebar."""

from integration.data_plane.workspace import Workspace
from vivero_data.domain.favourites.service import MAX_FAVOURITES


async def favourites(workspace: Workspace, headers: dict[str, str]) -> str:
    page = await workspace.client.get("/", headers={**headers, "accept": "text/html"})
    return page.text.partition(">Favourites<")[2].partition(">Workspace<")[0].partition(">Collections<")[0]


async def test_they_are_a_persons_own(workspace: Workspace, owner: dict[str, str]) -> None:
    viewer = await workspace.user(owner, "viewer")
    await workspace.collection(owner, name="Zebras")
    for _ in range(2):
        assert (await workspace.client.put("/api/v1/collections/zebras/favourite", headers=viewer)).status_code == 204
    assert "Zebras" in await favourites(workspace, viewer)
    assert await favourites(workspace, owner) == ""
    for _ in range(2):
        answer = await workspace.client.delete("/api/v1/collections/Zebras/favourite", headers=viewer)
        assert answer.status_code == 204
    assert await favourites(workspace, viewer) == ""
    page = {**owner, "accept": "text/html"}
    for value, shown in (("1", True), ("", False)):
        answer = await workspace.client.post("/collections/Zebras/favourite", data={"on": value}, headers=page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/collections/Zebras")
        assert ("Zebras" in await favourites(workspace, owner)) is shown
    missing = await workspace.client.put("/api/v1/collections/Nowhere/favourite", headers=owner)
    assert missing.status_code == 404


async def test_one_whose_collection_is_gone_is_none(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, name="Zebras")
    await workspace.client.put("/api/v1/collections/Zebras/favourite", headers=owner)
    await workspace.client.delete("/api/v1/collections/Zebras", headers=owner)
    assert await favourites(workspace, owner) == ""


async def test_there_are_no_more_than_a_sidebar_shows(workspace: Workspace, owner: dict[str, str]) -> None:
    for number in range(MAX_FAVOURITES + 1):
        await workspace.collection(owner, name=f"Shelf {number}")
    answers = [
        await workspace.client.put(f"/api/v1/collections/Shelf {number}/favourite", headers=owner)
        for number in range(MAX_FAVOURITES + 1)
    ]
    assert [one.status_code for one in answers] == [204] * MAX_FAVOURITES + [409]
    assert "no room" in answers[-1].json()["detail"]
