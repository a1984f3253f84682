"""Roles of the workspace's own on the real server: what one allows, to whom it is given, and that it counts at once."""

import asyncio
from typing import Any, Final

import pytest
from integration.data_plane.workspace import PASSWORD, Workspace
from vivero_data.domain.records.bulk import Action, Bulk

ROLES: Final = "/api/v1/roles"
RIGHTS: Final = ("create", "change", "delete", "export")
Headers = dict[str, str]


async def make(workspace: Workspace, owner: Headers, *rules: dict[str, Any], files: bool = False) -> int:
    body = {"name": "Sales", "files": files, "collections": list(rules)}
    answer = await workspace.client.post(ROLES, json=body, headers=owner)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


async def person(workspace: Workspace, owner: Headers, role: int, email: str = "sam@example.com") -> Headers:
    body = {"email": email, "password": PASSWORD, "own_role": role}
    answer = await workspace.client.post("/api/v1/users", json=body, headers=owner)
    assert answer.status_code == 201, answer.text
    return await workspace.login(email)


async def status(workspace: Workspace, method: str, path: str, headers: Headers, body: object = None) -> int:
    return (await workspace.client.request(method, f"/api/v1{path}", json=body, headers=headers)).status_code


@pytest.fixture
async def shop(workspace: Workspace, owner: Headers) -> Workspace:
    """Two collections with a record each; what is secret is in the second."""
    await workspace.collection(owner, name="Orders")
    await workspace.collection(
        owner,
        {"name": "Name", "type": "text", "indexed": True},
        {"name": "Order", "type": "link", "options": {"collection": 1}},
        name="Salaries",
    )
    for name, values in (("Orders", {"Name": "Plum"}), ("Salaries", {"Name": "Quince", "Order": 1})):
        path = f"/collections/{name}/records"
        assert await status(workspace, "POST", path, owner, {"values": values}) == 201
    return workspace


@pytest.mark.parametrize("right", [None, *RIGHTS])
async def test_a_role_may_do_what_it_says_and_nothing_else(shop: Workspace, owner: Headers, right: str | None) -> None:
    role = await make(shop, owner, {"collection": "orders", **({right: True} if right else {})})
    sam = await person(shop, owner, role)
    records = "/collections/Orders/records"
    found = {
        "read": await status(shop, "GET", records, sam) == 200,
        "create": await status(shop, "POST", records, sam, {"values": {"Name": "Fig"}}) == 201,
        "change": await status(shop, "PATCH", f"{records}/1", sam, {"values": {"Name": "Pear"}}) == 200,
        "export": await status(shop, "GET", "/collections/Orders/export?format=csv", sam) == 200,
        "delete": await status(shop, "DELETE", f"{records}/1", sam) == 204,
    }
    assert {name for name, worked in found.items() if worked} == {"read", *([right] if right else [])}


async def test_a_collection_without_a_rule_is_not_there(shop: Workspace, owner: Headers) -> None:
    sam = await person(shop, owner, await make(shop, owner, {"collection": "Orders", **dict.fromkeys(RIGHTS, True)}))
    for path in ("", "/records", "/records/1", "/export", "/views", "/records/1/comments", "/records/1/history"):
        assert await status(shop, "GET", f"/collections/Salaries{path}", sam) == 404, path
    assert await status(shop, "POST", "/collections/Salaries/records", sam, {"values": {"Name": "x"}}) == 404
    for path in ("/collections", "/collections/Orders/records/1/related", "/reports", "/trash", "/jobs", "/imports"):
        answer = await shop.client.get(f"/api/v1{path}", headers=sam)
        assert answer.status_code == 200, path
        assert "Salaries" not in answer.text
        assert "Quince" not in answer.text
    for path in ("/", "/collections", "/palette?q=qu", "/palette?q=sal", "/collections/Orders/records/1"):
        page = await shop.client.get(path, headers=sam)
        assert page.status_code == 200, path
        assert "Salaries" not in page.text
        assert "Quince" not in page.text


@pytest.mark.parametrize("path", ["/users", "/roles", "/audit", "/webhooks", "/workspace-exports"])
async def test_it_manages_nothing(shop: Workspace, owner: Headers, path: str) -> None:
    every = [{"collection": name, **dict.fromkeys(RIGHTS, True)} for name in ("Orders", "Salaries")]
    sam = await person(shop, owner, await make(shop, owner, *every, files=True))
    assert await status(shop, "GET", path, sam) == 403
    assert await status(shop, "POST", "/collections", sam, {"name": "X", "fields": []}) == 403


async def test_files_are_there_for_who_has_them(shop: Workspace, owner: Headers) -> None:
    files = {"file": ("secret.txt", b"x", "text/plain")}
    made = (await shop.client.post("/api/v1/files", files=files, headers=owner)).json()["id"]
    role = await make(shop, owner)
    sam = await person(shop, owner, role)
    assert [await status(shop, "GET", path, sam) for path in ("/files", f"/files/{made}")] == [403, 403]
    assert await status(shop, "PATCH", f"/roles/{role}", owner, {"files": True}) == 200
    assert [await status(shop, "GET", path, sam) for path in ("/files", f"/files/{made}")] == [200, 200]


async def test_a_change_counts_at_the_next_request(shop: Workspace, owner: Headers) -> None:
    role = await make(shop, owner)
    sam = await person(shop, owner, role)
    key = {"name": "Program", "scopes": ["read", "write_records"]}
    made = await shop.client.post("/api/v1/api-keys", json={"name": "P", "scopes": ["read"]}, headers=sam)
    assert made.status_code == 201, made.text
    program = {"authorization": f"Bearer {made.json()['token']}"}
    refused = await shop.client.post("/api/v1/api-keys", json=key, headers=sam)
    assert refused.status_code == 422
    assert "Sales" in refused.text
    for rules, expected in (([{"collection": "Orders"}], 200), ([], 404), ([{"collection": "Orders"}], 200)):
        assert await status(shop, "PATCH", f"/roles/{role}", owner, {"collections": rules}) == 200
        for headers in (sam, program):
            assert await status(shop, "GET", "/collections/Orders/records", headers) == expected
    mine = (await shop.client.get("/api/v1/me", headers=sam)).json()
    assert (mine["role"], mine["own_role"]) == ("own", {"id": role, "name": "Sales"})
    assert await status(shop, "PATCH", f"/users/{mine['id']}", owner, {"role": "viewer"}) == 200
    assert await status(shop, "GET", "/collections/Salaries/records", program) == 200


async def test_a_role_that_somebody_has_stays(shop: Workspace, owner: Headers) -> None:
    role = await make(shop, owner)
    assert await status(shop, "DELETE", f"/roles/{role}", owner) in {200, 204}
    role = await make(shop, owner)
    sam = await person(shop, owner, role)
    refused = await shop.client.delete(f"{ROLES}/{role}", headers=owner)
    assert refused.status_code == 409
    assert "sam@example.com" in refused.text
    number = (await shop.client.get("/api/v1/me", headers=sam)).json()["id"]
    assert await status(shop, "PATCH", f"/users/{number}", owner, {"role": "member"}) == 200
    assert await status(shop, "DELETE", f"/roles/{role}", owner) == 204
    assert await status(shop, "GET", f"/roles/{role}", owner) == 404
    assert await status(shop, "PATCH", f"/users/{number}", owner, {"own_role": role}) == 422


async def test_one_is_given_or_deleted_but_not_both(shop: Workspace, owner: Headers) -> None:
    for turn in range(5):
        role = await make(shop, owner)
        body = {"email": f"p{turn}@example.com", "password": PASSWORD, "own_role": role}
        given, gone = await asyncio.gather(
            status(shop, "POST", "/users", owner, body), status(shop, "DELETE", f"/roles/{role}", owner)
        )
        assert (given, gone) in {(201, 409), (422, 204)}
        if gone == 409:
            assert await status(shop, "PATCH", f"/roles/{role}", owner, {"name": f"Kept {turn}"}) == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "owner"}, "name"),
        ({"name": "Editor"}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x\u202ey"}, "name"),
        ({"name": "A", "collections": [{"collection": "Nowhere"}]}, "collections[0].collection"),
        (
            {"name": "A", "collections": [{"collection": "Orders"}, {"collection": "ORDERS"}]},
            "collections[1].collection",
        ),
        ({"name": "A", "collections": [{"collection": "Orders", "create": 1}]}, "collections[0].create"),
        ({"name": "A", "rights": []}, "rights"),
    ],
)
async def test_bad_roles_name_the_field(shop: Workspace, owner: Headers, body: dict[str, Any], field: str) -> None:
    answer = await shop.client.post(ROLES, json=body, headers=owner)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_names_are_compared_without_case(shop: Workspace, owner: Headers) -> None:
    await make(shop, owner)
    answer = await shop.client.post(ROLES, json={"name": "sales"}, headers=owner)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "name")


@pytest.mark.parametrize(
    ("body", "status_code"),
    [({"role": "own"}, 422), ({"own_role": 999}, 422), ({"own_role": 0}, 422), ({"role": "sales"}, 422)],
)
async def test_only_a_role_that_there_is_is_given(
    shop: Workspace, owner: Headers, body: dict[str, Any], status_code: int
) -> None:
    new = {"email": "new@example.com", "password": PASSWORD, **body}
    assert await status(shop, "POST", "/users", owner, new) == status_code


async def test_the_last_owner_keeps_their_role(shop: Workspace, owner: Headers) -> None:
    role = await make(shop, owner)
    number = (await shop.client.get("/api/v1/me", headers=owner)).json()["id"]
    assert await status(shop, "PATCH", f"/users/{number}", owner, {"own_role": role}) == 409


async def test_administrators_give_roles_and_keys_of_programs_do_not_make_them(shop: Workspace, owner: Headers) -> None:
    admin = await shop.user(owner, "admin")
    role = await make(shop, admin)
    await person(shop, admin, role)
    for kind in ("member", "viewer"):
        assert await status(shop, "GET", "/roles", await shop.user(owner, kind)) == 403
    entries = (await shop.client.get("/api/v1/audit?subject=Sales", headers=owner)).text
    assert "role.create" in entries


async def test_what_one_deleted_oneself_comes_back(shop: Workspace, owner: Headers) -> None:
    """The trash has what others deleted too; with a role of the workspace's own one sees one's own."""
    role = await make(shop, owner, {"collection": "Orders", "create": True, "delete": True})
    sam = await person(shop, owner, role)
    for headers in (owner, sam):
        path = "/collections/Orders/records"
        made = await shop.client.post(f"/api/v1{path}", json={"values": {"Name": "Fig"}}, headers=headers)
        assert await status(shop, "DELETE", f"{path}/{made.json()['id']}", headers) == 204
    every = (await shop.client.get("/api/v1/trash", headers=owner)).json()["items"]
    mine = (await shop.client.get("/api/v1/trash", headers=sam)).json()["items"]
    assert len(every) == 2
    assert len(mine) == 1
    others = next(one["id"] for one in every if one["id"] != mine[0]["id"])
    assert await status(shop, "POST", f"/trash/{others}/restore", sam) == 404
    assert await status(shop, "PATCH", f"/roles/{role}", owner, {"collections": [{"collection": "Orders"}]}) == 200
    assert await status(shop, "POST", f"/trash/{mine[0]['id']}/restore", sam) in {403, 404}
    rules = [{"collection": "Orders", "delete": True}]
    assert await status(shop, "PATCH", f"/roles/{role}", owner, {"collections": rules}) == 200
    assert await status(shop, "POST", f"/trash/{mine[0]['id']}/restore", sam) in {200, 201}


async def test_a_view_on_what_is_hidden_is_neither_found_nor_a_favourite(shop: Workspace, owner: Headers) -> None:
    field = {"name": "Code", "type": "text"}
    assert await status(shop, "POST", "/collections/Orders/fields", owner, field) in {200, 201}
    role = await make(shop, owner, {"collection": "Orders"})
    sam = await person(shop, owner, role)
    views = []
    for name, on, collection in (("Plums", "Name", "Orders"), ("Codes", "Code", "Orders"), ("Pay", "Name", "Salaries")):
        view = {"name": name, "shared": True, "where": {"field": on, "operator": "filled"}}
        made = await shop.client.post(f"/api/v1/collections/{collection}/views", json=view, headers=owner)
        views.append((name, f"/collections/{collection}/views/{made.json()['id']}"))

    async def seen() -> list[str]:
        pages = [(await shop.client.get(f"/palette?q={name}", headers=sam)).text for name, _ in views]
        pages.append((await shop.client.get("/", headers={**sam, "accept": "text/html"})).text)
        return [name for name, _ in views if any(name in page for page in pages)]

    assert [await status(shop, "PUT", f"{path}/favourite", sam) for _, path in views] == [204, 204, 404]
    assert await seen() == ["Plums", "Codes"]
    hidden = {"collections": [{"collection": "Orders", "hidden": ["Code"]}]}
    assert await status(shop, "PATCH", f"/roles/{role}", owner, hidden) == 200
    assert await seen() == ["Plums"]
    assert await status(shop, "PUT", f"{views[1][1]}/favourite", sam) == 404


async def test_what_one_deleted_is_not_called_after_what_is_hidden_since(shop: Workspace, owner: Headers) -> None:
    """Records, changes of many and files, whose entries have names of a field that the role saw at that time."""
    for field in ({"name": "Code", "type": "text"}, {"name": "Papers", "type": "file"}):
        assert await status(shop, "POST", "/collections/Orders/fields", owner, field) in {200, 201}
    order = {"fields": ["Code", "Papers", "Name"]}
    assert await status(shop, "PATCH", "/collections/Orders", owner, order) == 200
    rule = {"collection": "Orders", "create": True, "change": True, "delete": True}
    role = await make(shop, owner, rule, files=True)
    sam = await person(shop, owner, role)
    path = "/api/v1/collections/Orders/records"
    numbers = [
        (await shop.client.post(path, json={"values": {"Code": f"secret {place}"}}, headers=sam)).json()["id"]
        for place in range(2)
    ]
    paper = {"file": ("secret.txt", b"x", "text/plain")}
    added = await shop.client.post(f"{path}/{numbers[0]}/files?field=Papers", files=paper, headers=sam)
    assert added.status_code == 201, added.text
    assert (
        await status(shop, "PATCH", f"/collections/Orders/records/{numbers[0]}", sam, {"values": {"Papers": []}}) == 200
    )
    service, me = shop.app.state.services, sam["authorization"].removeprefix("Bearer ")
    change = Bulk(Action.EDIT, tuple(numbers), field="Code", value="secret")
    await service.bulk.start(await service.auth.authenticate(me), "Orders", change)
    assert await status(shop, "DELETE", f"/collections/Orders/records/{numbers[1]}", sam) == 204

    async def listed(search: str = "") -> list[str]:
        found = await service.trash.list(await service.auth.authenticate(me), search)
        return [one.name for one in found.items]

    assert await listed() == ["secret of Orders", "Code of Orders", "secret.txt of Orders"]
    assert await listed("SECRET") == ["secret of Orders", "secret.txt of Orders"]
    hidden = {**rule, "hidden": ["Code", "Papers"]}
    assert await status(shop, "PATCH", f"/roles/{role}", owner, {"collections": [hidden]}) == 200
    assert await listed() == ["Records of Orders", "Change of records of Orders", "Files of a record of Orders"]
    assert await listed("secret") == []
    entries = (await shop.client.get("/api/v1/trash", headers=sam)).json()["items"]
    back = await shop.client.post(f"/api/v1/trash/{entries[0]['id']}/restore", headers=sam)
    assert "secret" not in back.text


async def test_reports_and_dashboards_speak_of_what_one_sees(shop: Workspace, owner: Headers) -> None:
    sam = await person(shop, owner, await make(shop, owner, {"collection": "Orders", "create": True}))
    numbers = {}
    for name in ("Orders", "Salaries"):
        body = {
            "name": f"All {name}",
            "collection": name,
            "shared": True,
            "kind": "number",
            "measures": [{"function": "count"}],
        }
        answer = await shop.client.post("/api/v1/reports", json=body, headers=owner)
        assert answer.status_code == 201, answer.text
        numbers[name] = answer.json()["id"]
    tiles = [{"type": "list", "collection": "Salaries"}, {"type": "report", "report": numbers["Salaries"]}]
    board = {"name": "Home", "shared": True, "home": True, "tiles": tiles}
    made = await shop.client.post("/api/v1/dashboards", json=board, headers=owner)
    assert made.status_code == 201, made.text
    listed = await shop.client.get("/api/v1/reports", headers=sam)
    assert [one["name"] for one in listed.json()["items"]] == ["All Orders"]
    secret = numbers["Salaries"]
    for path in (f"/reports/{secret}", f"/reports/{secret}/data"):
        assert await status(shop, "GET", path, sam) == 404
    schedule = {"subject": "report", "subject_id": secret, "every": "day", "recipients": ["sam@example.com"]}
    assert await status(shop, "POST", "/report-schedules", sam, schedule) in {409, 422}
    for path in ("/api/v1/dashboards", f"/api/v1/dashboards/{made.json()['id']}", "/", "/dashboards", "/reports"):
        answer = await shop.client.get(path, headers=sam)
        assert answer.status_code == 200
        assert "Salaries" not in answer.text
