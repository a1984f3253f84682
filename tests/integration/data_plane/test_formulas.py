"""Formula fields: calculated with every write, again when they or what they use changes, and never left wrong."""

import asyncio
import sys
from typing import Any, Final

import pytest
from integration.data_plane.test_field_changes import HERE, Desk
from integration.data_plane.test_fields_under_load import ended
from integration.data_plane.workspace import Workspace
from vivero_data.domain.collections import fields as field_service

PRICE: Final = {"name": "Price", "type": "number"}
AMOUNT: Final = {"name": "Amount", "type": "integer"}
NAME: Final = {"name": "Name", "type": "text"}


def formula(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "type": "formula", "options": {"formula": text}}


TOTAL: Final = formula("Total", "{Price} * {amount}")
LABEL: Final = formula("Label", '{Name} & ": " & {Total}')


@pytest.fixture
async def desk(workspace: Workspace, owner: dict[str, str]) -> Desk:
    await workspace.collection(owner, TOTAL, NAME, PRICE, AMOUNT, LABEL)
    return Desk(workspace, owner)


async def test_every_way_of_writing_calculates(desk: Desk) -> None:
    made = await desk.ask("POST", f"{HERE}/records", {"values": {"Name": "a", "Price": 2.5, "Amount": 3}})
    assert (made["values"]["Total"], made["values"]["Label"]) == (7.5, "a: 7.5")
    changed = await desk.ask("PATCH", f"{HERE}/records/1", {"values": {"Amount": 4}})
    assert (changed["values"]["Total"], changed["values"]["Label"]) == (10, "a: 10")
    rows = {
        "create": [{"values": {"Name": "b", "Price": 1, "Amount": 1}}, {"values": {"Name": "c"}}],
        "update": [{"id": 1, "values": {"Price": 3}}],
    }
    batch = await desk.ask("POST", f"{HERE}/records/batch", rows)
    assert len(batch["created"]) == 2
    assert await desk.values("Total") == [12, 1, None]
    assert await desk.values("Label") == ["a: 12", "b: 1", "c: "]
    gone = await desk.client.delete(f"{HERE}/records/1", headers=desk.owner)
    assert gone.is_success
    entry = (await desk.ask("GET", "/api/v1/trash"))["items"][0]["id"]
    await desk.ask("PATCH", f"{HERE}/fields/Total", {"options": {"formula": "{Price} + {Amount}"}})
    await desk.restore(entry)
    assert await desk.values("Total") == [7, 2, None], "what comes back is calculated as formulas are now"
    assert await desk.values("Label") == ["a: 7", "b: 2", "c: "]


async def test_a_formula_is_written_by_no_person_and_found_by_its_value(desk: Desk) -> None:
    await desk.add(Name="a", Price="0.1", Amount=3)
    await desk.add(Name="b", Price=7, Amount=1)
    refused = await desk.refused("POST", f"{HERE}/records", {"values": {"Total": 5}})
    assert [error["field"] for error in refused.json()["errors"]] == ["Total"]
    query = f"{HERE}/records?filter=Total:gt:1&sort=-Label"
    assert [one["values"]["Name"] for one in (await desk.ask("GET", query))["items"]] == ["b"]
    found = await desk.ask("GET", f"{HERE}/records?filter=Total:eq:0.3")
    assert [one["values"]["Total"] for one in found["items"]] == [0.3]
    found = await desk.ask("GET", f"{HERE}/records?search=b:")
    assert [one["id"] for one in found["items"]] == [2]
    pages = [f"{HERE}/records?sort=Label&limit=1"]
    page = await desk.ask("GET", pages[0])
    assert (await desk.ask("GET", f"{pages[0]}&cursor={page['next_cursor']}"))["items"][0]["id"] == 2


async def test_a_definition_names_the_place_of_its_mistake(desk: Desk) -> None:
    for text, said in (
        ("{Price} *", "but the formula ends (at character 10)"),
        ("{Cost} + 1", "There is no field named Cost (at character 1)"),
        ("{Name} * 2", "Expected a number, found a text (at character 1)"),
        ("NOW()", "calculated only when its record is saved (at character 1)"),
        ("BLANK()", "always empty"),
        ("", "but the formula ends"),
        ("1;DROP TABLE x", "Expected an operator or the end"),
    ):
        refused = await desk.refused("POST", f"{HERE}/fields", formula("Odd", text))
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (422, "options.formula")
        assert said in error["message"], text
    circle = await desk.refused("PATCH", f"{HERE}/fields/Total", {"options": {"formula": "LEN({Label})"}})
    assert "Label is calculated from this field itself (at character 5)" in circle.text
    unfit = await desk.refused("POST", f"{HERE}/fields", {**formula("Odd", "1"), "unique": True, "required": True})
    assert {error["field"] for error in unfit.json()["errors"]} == {"unique", "required"}


async def test_a_preview_shows_results_and_what_becomes_empty(desk: Desk) -> None:
    for amount in (0, 2, None):
        await desk.add(Name="a", Price=5, Amount=amount)
    new = await desk.ask("POST", f"{HERE}/fields?preview=true", formula("Share", "{Price} / {Amount}"))
    assert [(one["record"], one["value"]) for one in new["results"]] == [(1, None), (2, 2.5), (3, None)]
    assert (new["examined"], new["will_become_empty"], new["field"]["options"]["result"]) == (3, 2, "number")
    path = f"{HERE}/fields/Total"
    foreseen = await desk.ask("PATCH", f"{path}?preview=true", {"options": {"formula": "{Price} / {Amount}"}})
    assert (foreseen["will_become_empty"], foreseen["formulas"]) == (1, ["Label"])
    assert await desk.values("Total") == [0, 10, None], "a preview changes nothing"
    done = await desk.ask("PATCH", path, {"options": {"formula": "{Price} / {Amount}"}})
    assert await desk.values("Label") == ["a: ", "a: 2.5", "a: "]
    await desk.restore(done["undo"])
    assert await desk.values("Label") == ["a: 0", "a: 10", "a: "]


async def test_a_field_that_a_formula_uses_goes_only_when_the_formula_does(desk: Desk) -> None:
    await desk.add(Name="a", Price=5, Amount=2)
    refused = await desk.refused("DELETE", f"{HERE}/fields/Price?preview=true")
    assert (refused.status_code, "Total: There is no field named Price" in refused.text) == (409, True)
    assert (await desk.refused("PATCH", f"{HERE}/fields/Price", {"type": "text"})).status_code == 409
    renamed = await desk.ask("PATCH", f"{HERE}/fields/Price", {"name": "Unit } price"})
    assert renamed["job"] is None
    fields = (await desk.ask("GET", HERE))["fields"]
    options = {one["name"]: one["options"] for one in fields}
    numbers = {one["name"]: one["id"] for one in fields}
    assert options["Total"]["formula"] == "{Unit }} price} * {amount}"
    price = f"{HERE}/fields/Unit%20%7D%20price"
    foreseen = await desk.ask("PATCH", f"{price}?preview=true", {"type": "integer"})
    assert foreseen["formulas"] == ["Total", "Label"]
    await desk.ask("PATCH", price, {"type": "integer"})
    await desk.ask("PATCH", f"{HERE}/records/1", {"values": {"Amount": 3}})
    assert await desk.values("Label") == ["a: 15"]
    twice = await desk.ask("POST", f"{HERE}/fields", formula("Twice", "{Total} * 2"))
    assert twice["field"]["options"]["fields"] == {"Total": numbers["Total"]}
    refused = await desk.refused("PATCH", f"{HERE}/fields/Total", {"options": {"formula": '"text"'}})
    assert (refused.status_code, "Twice: Expected a number, found a text" in refused.text) == (409, True)
    assert await desk.values("Twice") == [30]


async def test_a_result_of_another_type_takes_another_column(desk: Desk) -> None:
    await desk.ask("DELETE", f"{HERE}/fields/Label")
    await desk.add(Name="a", Price=5, Amount=2)
    done = await desk.ask("PATCH", f"{HERE}/fields/Total", {"options": {"formula": "{Price} > {Amount}"}})
    assert done["field"]["options"]["result"] == "boolean"
    assert await desk.values("Total") == [True]
    await desk.add(Name="b", Price=1, Amount=2)
    await desk.restore(done["undo"])
    assert await desk.values("Total") == [10, 2]
    plain = await desk.ask("PATCH", f"{HERE}/fields/Total", {"type": "number", "options": {}})
    assert await desk.values("Total") == [10, 2]
    await desk.ask("PATCH", f"{HERE}/records/1", {"values": {"Total": 99}})
    await desk.restore(plain["undo"])
    assert await desk.values("Total") == [10, 2], "a formula again"


async def test_a_deleted_formula_comes_back_calculated(desk: Desk) -> None:
    await desk.add(Name="a", Price=5, Amount=2)
    label = await desk.ask("DELETE", f"{HERE}/fields/Label")
    gone = await desk.ask("DELETE", f"{HERE}/fields/Total")
    refused = await desk.refused("POST", f"/api/v1/trash/{label['undo']}/restore")
    assert "There is no field named Total" in refused.text
    await desk.ask("PATCH", f"{HERE}/records/1", {"values": {"Amount": 3}})
    await desk.restore(gone["undo"])
    await desk.restore(label["undo"])
    assert (await desk.values("Total"), await desk.values("Label")) == ([15], ["a: 15"])


async def test_many_records_are_calculated_by_a_job_while_others_write(
    desk: Desk, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field_service, "AT_ONCE", 10)
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():  # the child inherits them, as in a pod
        monkeypatch.setenv(name, value)
    rows = [{"values": {"Name": str(number), "Price": number, "Amount": 2}} for number in range(1000)]
    for _ in range(3):
        await desk.ask("POST", f"{HERE}/records/batch", {"create": rows})
    done = await desk.ask("PATCH", f"{HERE}/fields/Total", {"options": {"formula": "{Price} - {Amount}"}})
    running = asyncio.create_task(ended(desk, done["job"]))
    while not running.done():
        written = await desk.ask("PATCH", f"{HERE}/records/2999", {"values": {"Amount": 5}})
        assert written["values"]["Total"] == 993
        await desk.ask("PATCH", f"{HERE}/records/2999", {"values": {"Amount": 2}})
    assert (await running)["result"]["records"] == 3000
    wrong = await desk.ask("GET", f"{HERE}/records?filter=Total:gt:997")
    assert wrong["items"] == []
    assert (await desk.ask("GET", f"{HERE}/records/1"))["values"]["Label"] == "0: -2"
    added = await desk.ask("POST", f"{HERE}/fields", formula("Twice", "{Total} * 2"))
    assert (await ended(desk, added["job"]))["state"] == "done"
    for job in (await desk.ask("GET", "/api/v1/jobs"))["items"]:
        assert (await ended(desk, job["id"]))["state"] == "done", "with the index, it is calculated"
    assert (await desk.ask("GET", f"{HERE}/records/3000"))["values"]["Twice"] == 1994
