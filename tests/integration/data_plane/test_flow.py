"""The interfaces at the end of the design, one after the other, as a client would."""

from integration.data_plane.workspace import Workspace


async def test_a_workspace_from_login_to_deletion(workspace: Workspace) -> None:
    client = workspace.client
    assert (await client.get("/healthz")).status_code == 200
    ready = await client.get("/readyz")
    assert ready.status_code == 200, ready.text

    answer = await client.post(
        "/api/v1/auth/login", json={"email": "Owner@Example.com", "password": "plum orchard at dawn"}
    )
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    headers = {"authorization": f"Bearer {tokens['access_token']}"}

    me = (await client.get("/api/v1/me", headers=headers)).json()
    assert me["email"] == "owner@example.com"
    assert me["role"] == "owner"

    fields = [
        {"name": "Name", "type": "text", "required": True},
        {"name": "Age", "type": "integer"},
        {"name": "Balance", "type": "number"},
        {"name": "Since", "type": "datetime"},
    ]
    made = await client.post("/api/v1/collections", json={"name": "Contacts", "fields": fields}, headers=headers)
    assert made.status_code == 201, made.text
    assert (await client.get("/api/v1/collections", headers=headers)).json()["items"][0]["name"] == "Contacts"

    values = {"Name": "Ada", "Age": 36, "Balance": 12.5, "Since": "2026-01-01T12:00:00+02:00"}
    record = await client.post("/api/v1/collections/Contacts/records", json={"values": values}, headers=headers)
    assert record.status_code == 201, record.text
    body = record.json()
    assert body["version"] == 1
    assert body["values"] == {**values, "Since": "2026-01-01T10:00:00Z"}

    path = f"/api/v1/collections/Contacts/records/{body['id']}"
    changed = await client.patch(path, json={"values": {"Age": 37}, "version": 1}, headers=headers)
    assert changed.json()["version"] == 2
    assert changed.json()["values"]["Age"] == 37
    assert (await client.get(path, headers=headers)).json() == changed.json()

    listed = (await client.get("/api/v1/collections/Contacts/records", headers=headers)).json()
    assert listed["total"] == 1
    assert listed["items"] == [changed.json()]

    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.get(path, headers=headers)).status_code == 404

    usage = (await client.get("/api/v1/usage", headers=headers)).json()
    assert usage["records"] == {"used": 0, "limit": None}
    assert usage["users"]["used"] == 1

    audit = (await client.get("/api/v1/audit", headers=headers)).json()["items"]
    assert [entry["action"] for entry in audit] == [
        "record.delete",
        "record.update",
        "record.create",
        "collection.create",
        "session.start",
        "user.create",
    ]
    assert audit[1]["before"] == {"Age": 36}
    assert audit[1]["after"] == {"Age": 37}
