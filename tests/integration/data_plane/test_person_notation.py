"""A person's own notation: pages write and read in it for that person alone, whatever the field's type; all else stays."""

from itertools import product

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.field_types.registry import FieldType

SHARED = "/api/v1/workspace/settings"
OWN = "/api/v1/me/notation"
RECORDS = "/api/v1/collections/Contacts/records"
GERMAN = {"time_zone": "Europe/Berlin", "number_notation": "1.234,50", "date_notation": "29.11.2026"}
NOTHING = {"time_zone": None, "number_notation": None, "date_notation": None}
AMERICAN = {"time_zone": "America/New_York", "number_notation": "1,234.50", "date_notation": "11/29/2026"}
# What an American types, and what is stored; in the German notation of the workspace none of them means the same.
TYPED = {
    FieldType.NUMBER: ("1,234.5", 1234.5),
    FieldType.INTEGER: ("1,234", 1234),
    FieldType.MONEY: ("1,234.50", 1234.5),
    FieldType.DATE: ("11/29/2026", "2026-11-29"),
    FieldType.DATETIME: ("11/29/2026 14:30", "2026-11-29T19:30:00Z"),
}
SHOWN = {
    FieldType.NUMBER: ("1,234.5", "1.234,5"),
    FieldType.INTEGER: ("1,234", "1.234"),
    FieldType.MONEY: ("€1,234.50", "1.234,50\u00a0€"),
    FieldType.DATE: ("11/29/2026", "29.11.2026"),
    FieldType.DATETIME: ("11/29/2026, 14:30", "29.11.2026, 20:30"),
}


@pytest.fixture
async def contacts(workspace: Workspace, owner: dict[str, str]) -> Workspace:
    fields = [{"name": "Name", "type": "text"}]
    fields += [{"name": str(kind), "type": str(kind)} for kind in TYPED if kind is not FieldType.MONEY]
    await workspace.collection(owner, *fields, {"name": "money", "type": "money", "options": {"currency": "EUR"}})
    assert (await workspace.client.patch(SHARED, json=GERMAN, headers=owner)).status_code == 200
    return workspace


async def own(workspace: Workspace, headers: dict[str, str], **changes: str | None) -> dict[str, str | None]:
    answer = await workspace.client.patch(OWN, json=changes, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_each_part_is_ones_own_or_the_workspaces(contacts: Workspace, owner: dict[str, str]) -> None:
    viewer = await contacts.user(owner, "viewer")
    assert (await contacts.client.get(OWN, headers=viewer)).json() == NOTHING
    assert await own(contacts, viewer, number_notation="1,234.50") == {**NOTHING, "number_notation": "1,234.50"}
    assert (await contacts.client.get(OWN, headers=owner)).json() == NOTHING
    assert await own(contacts, viewer, number_notation=None) == NOTHING
    log = await contacts.client.get("/api/v1/audit", params={"action": "user.notation"}, headers=owner)
    assert [entry["after"]["number_notation"] for entry in log.json()["items"]] == [None, "1,234.50"]


async def test_every_type_is_shown_and_typed_as_each_person_wants(contacts: Workspace, owner: dict[str, str]) -> None:
    american = await contacts.user(owner, "member")
    await own(contacts, american, **AMERICAN)
    row = {str(kind): text for kind, (text, _) in TYPED.items()}
    made = await contacts.client.post(
        f"{RECORDS}/batch", json={"create": [{"values": row}], "typed": True}, headers=american
    )
    assert made.status_code in {200, 201}, made.text
    values = (await contacts.client.get(f"{RECORDS}/1", headers=owner)).json()["values"]
    assert {kind: values[str(kind)] for kind in TYPED} == {kind: stored for kind, (_, stored) in TYPED.items()}
    refused = await contacts.client.post(
        f"{RECORDS}/batch", json={"create": [{"values": row}], "typed": True}, headers=owner
    )
    assert refused.status_code == 422, "nobody's text is read in another one's notation"
    for place, headers in enumerate((american, owner)):
        page = (await contacts.client.get("/collections/Contacts", headers=headers)).text
        assert [kind for kind, said in SHOWN.items() if said[place] not in page] == []
        assert [kind for kind, said in SHOWN.items() if f">{said[1 - place]}<" in page] == []


async def test_a_form_and_a_cell_are_read_in_it(contacts: Workspace, owner: dict[str, str]) -> None:
    await own(contacts, owner, number_notation="1,234.50")
    await contacts.client.post(RECORDS, json={"values": {"Name": "x"}}, headers=owner)
    changed = await contacts.client.patch(
        f"{RECORDS}/1", json={"values": {"number": "1,000.5"}, "typed": True}, headers=owner
    )
    assert changed.json()["values"]["number"] == 1000.5
    export = await contacts.client.get("/api/v1/collections/Contacts/export?format=csv", headers=owner)
    assert ",1000.5," in export.text


@pytest.mark.parametrize(("field", "value"), [*product(NOTHING, ["", "nowhere", "../../etc/passwd", 7])])
async def test_what_is_none_is_refused_by_name(
    workspace: Workspace, owner: dict[str, str], field: str, value: object
) -> None:
    answer = await workspace.client.patch(OWN, json={field: value}, headers=owner)
    assert answer.status_code in {400, 422}
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert (await workspace.client.get(OWN, headers=owner)).json() == NOTHING
