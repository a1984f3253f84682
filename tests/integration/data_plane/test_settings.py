"""The workspace's notation: who sets it, and that it changes what pages show and read, never what is stored."""

from urllib.parse import urlencode

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.lib.json import decode

PATH = "/api/v1/workspace/settings"
RECORDS = "/api/v1/collections/Contacts/records"
GERMAN = {"time_zone": "Europe/Berlin", "number_notation": "1.234,50", "date_notation": "29.11.2026"}
UNCHOSEN = {"time_zone": "UTC", "number_notation": None, "date_notation": None}


async def test_settings_are_read_by_all_and_changed_by_administrators(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    member, admin = await workspace.user(owner, "member"), await workspace.user(owner, "admin")
    for headers in (member, admin, owner):
        assert (await workspace.client.get(PATH, headers=headers)).json() == UNCHOSEN
    refused = await workspace.client.patch(PATH, json=GERMAN, headers=member)
    assert refused.status_code == 403
    changed = await workspace.client.patch(PATH, json={"number_notation": "1.234,50"}, headers=admin)
    assert changed.json() == {**UNCHOSEN, "number_notation": "1.234,50"}
    assert (await workspace.client.patch(PATH, json=GERMAN, headers=owner)).json() == GERMAN
    assert (await workspace.client.patch(PATH, json={}, headers=owner)).json() == GERMAN
    log = await workspace.client.get("/api/v1/audit", params={"action": "workspace.settings"}, headers=owner)
    assert [item["after"] for item in log.json()["items"]] == [GERMAN, {**UNCHOSEN, "number_notation": "1.234,50"}]
    back = await workspace.client.patch(PATH, json={"number_notation": None}, headers=owner)
    assert back.json() == {**GERMAN, "number_notation": None}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "right/UTC"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": None}, "time_zone"),
        ({"number_notation": "1_234"}, "number_notation"),
        ({"date_notation": 7}, "date_notation"),
        ({"currency": "EUR"}, "currency"),
    ],
)
async def test_what_is_no_setting_is_named(
    workspace: Workspace, owner: dict[str, str], said: dict[str, object], field: str
) -> None:
    answer = await workspace.client.patch(PATH, json=said, headers=owner)
    assert answer.status_code in {400, 422}
    assert field in answer.text
    assert (await workspace.client.get(PATH, headers=owner)).json() == UNCHOSEN


async def test_pages_write_and_read_in_the_notation_and_the_api_does_not(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.collection(
        owner,
        {"name": "Amount", "type": "number"},
        {"name": "Price", "type": "money", "options": {"currency": "EUR"}},
        {"name": "Day", "type": "date"},
        {"name": "Call", "type": "datetime"},
    )
    values = {"Amount": 1234567.5, "Price": -1234.5, "Day": "2026-02-01", "Call": "2026-07-01T12:30:00Z"}
    assert (await workspace.client.post(RECORDS, json={"values": values}, headers=owner)).status_code == 201
    await workspace.client.patch(PATH, json=GERMAN, headers=owner)
    shown = (await workspace.client.get("/collections/Contacts", headers=owner)).text
    for words in ("1.234.567,5", "-1.234,50\u00a0€", "01.02.2026", "01.07.2026, 14:30"):
        assert words in shown
    form = (await workspace.client.get("/collections/Contacts/records/1", headers=owner)).text
    for typed in ('value="1234567,5"', 'value="-1234,50"', 'value="2026-07-01T14:30"', "Call (Europe/Berlin)"):
        assert typed in form
    listed = decode((await workspace.client.get(RECORDS, headers=owner)).content)["items"][0]["values"]
    assert listed == values

    names = [
        f"f{one['id']}"
        for one in (await workspace.client.get("/api/v1/collections", headers=owner)).json()["items"][0]["fields"]
    ]
    page, sent = (
        "/collections/Contacts/new",
        dict(zip(names, ["1.234", "1.234,50 €", "2026-11-29", "2026-11-29T14:30"], strict=True)),
    )
    made = await workspace.client.post(
        page, content=urlencode(sent), headers={**owner, "content-type": "application/x-www-form-urlencoded"}
    )
    assert made.status_code == 303, made.text
    newest = decode((await workspace.client.get(RECORDS, params={"sort": "-id"}, headers=owner)).content)["items"][0]
    assert newest["values"] == {"Amount": 1234, "Price": 1234.5, "Day": "2026-11-29", "Call": "2026-11-29T13:30:00Z"}
    refused = await workspace.client.post(
        page,
        content=urlencode({names[0]: "1,234.5"}),
        headers={**owner, "content-type": "application/x-www-form-urlencoded"},
    )
    assert refused.status_code == 422
    assert "Must be a number such as 1.234,50." in refused.text
