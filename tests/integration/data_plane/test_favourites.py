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


async def test_a_view_is_a_favourite_of_who_sees_it(workspace: Workspace, owner: dict[str, str]) -> None:
    viewer = await workspace.user(owner, "viewer")
    await workspace.collection(owner, name="Zebras")
    views = "/api/v1/collections/Zebras/views"
    made = [
        (await workspace.client.post(views, json={"name": name, "shared": shared}, headers=owner)).json()["id"]
        for name, shared in (("Striped", True), ("Secret", False))
    ]
    star = f"{views}/{made[0]}/favourite"
    for _ in range(2):
        assert (await workspace.client.put(star, headers=viewer)).status_code == 204
    shown = await favourites(workspace, viewer)
    assert f'href="/collections/Zebras?view={made[0]}"' in shown
    assert "Striped" in shown
    assert await favourites(workspace, owner) == ""
    for number in (made[1], 999):
        for method in ("PUT", "DELETE"):
            hidden = await workspace.client.request(method, f"{views}/{number}/favourite", headers=viewer)
            assert hidden.status_code == 404
    await workspace.client.patch(f"{views}/{made[0]}", json={"shared": False}, headers=owner)
    assert await favourites(workspace, viewer) == "", "it is the owner's alone now"
    await workspace.client.patch(f"{views}/{made[0]}", json={"shared": True}, headers=owner)
    assert (await workspace.client.delete(star, headers=viewer)).status_code == 204
    assert await favourites(workspace, viewer) == ""
    await workspace.client.put(star, headers=viewer)
    await workspace.client.delete("/api/v1/collections/Zebras", headers=owner)
    assert await favourites(workspace, viewer) == ""


async def test_views_and_collections_share_the_room(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, name="Zebras")
    views = "/api/v1/collections/Zebras/views"
    answers = []
    for number in range(MAX_FAVOURITES + 1):
        view = (await workspace.client.post(views, json={"name": f"View {number}"}, headers=owner)).json()
        answers.append(await workspace.client.put(f"{views}/{view['id']}/favourite", headers=owner))
    assert [one.status_code for one in answers] == [204] * MAX_FAVOURITES + [409]
    assert (await workspace.client.put("/api/v1/collections/Zebras/favourite", headers=owner)).status_code == 409


async def test_views_are_found_by_a_part_of_their_name(workspace: Workspace, owner: dict[str, str]) -> None:
    viewer = await workspace.user(owner, "viewer")
    await workspace.collection(owner, name="Zebras")
    for name, shared in (("100% striped", True), ("100 plain", True), ("Striped secret", False)):
        body = {"name": name, "shared": shared}
        await workspace.client.post("/api/v1/collections/Zebras/views", json=body, headers=owner)

    async def found(headers: dict[str, str], words: str) -> list[str]:
        page = await workspace.client.get("/palette", params={"q": words}, headers={**headers, "accept": "text/html"})
        return [
            name for name in ("100% striped", "100 plain", "Striped secret") if f"Go to {name} · Zebras" in page.text
        ]

    assert await found(owner, "striped") == ["100% striped", "Striped secret"]
    assert await found(viewer, "STRIPED") == ["100% striped"]
    assert await found(viewer, "Go to 100%") == ["100% striped"]
    assert await found(viewer, "") == []
