"""What only the database decides: decimals, collations, and what a change writes."""

from decimal import Decimal
from typing import Any, Literal
from unicodedata import normalize

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.lib.json import decode

PATH = "/api/v1/collections/Contacts/records"
JSON = {"content-type": "application/json"}


async def send(workspace: Workspace, headers: dict[str, str], value: str) -> int:
    answer = await workspace.client.post(PATH, json={"values": {"F": value}}, headers=headers)
    return answer.status_code


async def found(workspace: Workspace, headers: dict[str, str], *filters: str) -> list[Any]:
    answer = await workspace.client.get(PATH, params={"filter": list(filters)}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["values"]["F"] for item in decode(answer.content)["items"]]


@pytest.mark.parametrize(
    "number", ["99999999999999.99", "0.1", "-9999999999999999.99999999", "0.00000001", "1234567890123456.12345678"]
)
async def test_a_number_is_stored_answered_and_found_exactly(
    workspace: Workspace, owner: dict[str, str], number: str
) -> None:
    await workspace.collection(owner, {"name": "F", "type": "number", "default": 0.1})
    body = f'{{"values": {{"F": {number}}}}}'
    made = await workspace.client.post(PATH, content=body, headers={**owner, **JSON})
    assert made.status_code == 201, made.text
    assert f'"F":{number}' in made.text or decode(made.content)["values"]["F"] == Decimal(number)
    assert await found(workspace, owner, f"F:eq:{number}") == [Decimal(number)]
    assert await found(workspace, owner, f"F:ne:{number}") == []
    audit = await workspace.client.get("/api/v1/audit", params={"action": "record.create"}, headers=owner)
    assert decode(audit.content)["items"][0]["after"]["F"] == Decimal(number)


async def test_a_default_keeps_its_digits(workspace: Workspace, owner: dict[str, str]) -> None:
    body = '{"name": "Contacts", "fields": [{"name": "F", "type": "number", "default": 99999999999999.99}]}'
    made = await workspace.client.post("/api/v1/collections", content=body, headers={**owner, **JSON})
    assert made.status_code == 201, made.text
    assert (await workspace.client.post(PATH, json={"values": {}}, headers=owner)).status_code == 201
    assert await found(workspace, owner) == [Decimal("99999999999999.99")]


@pytest.mark.parametrize("literal", ["1e1000000", "NaN", "9" * 5000])
async def test_what_no_number_field_holds_names_it(workspace: Workspace, owner: dict[str, str], literal: str) -> None:
    await workspace.collection(owner, {"name": "F", "type": "number"})
    answer = await workspace.client.post(PATH, content=f'{{"values": {{"F": {literal}}}}}', headers={**owner, **JSON})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "F"


@pytest.mark.parametrize(
    ("kind", "exact", "first", "other", "taken"),
    [
        ("text", None, "Größe", "grosse", True),
        ("text", False, "Code-A", "code-a", True),
        ("text", True, "Code-A", "code-a", False),
        ("text", True, "Code", "Code ", False),
        ("text", True, "Größe", "Grösse", False),
        ("text", True, "Code-A", "Code-A", True),
        ("url", None, "https://example.com/a", "https://example.com/A", False),
        ("url", None, "https://example.com/é", "https://example.com/e", False),
        ("url", False, "https://example.com/a", "https://example.com/A", True),
        ("url", None, "https://example.com/a", "https://example.com/a", True),
        ("email", None, "ada@example.com", "Ada@example.com", False),
        ("email", None, "ada@example.com", "ada@Example.COM", True),
        ("email", False, "ada@example.com", "Ada@example.com", True),
    ],
)
async def test_what_is_the_same_is_chosen_for_each_field(
    workspace: Workspace,
    owner: dict[str, str],
    kind: str,
    exact: bool | None,  # noqa: FBT001  a column of the table
    first: str,
    other: str,
    taken: bool,  # noqa: FBT001  a column of the table
) -> None:
    asked = {} if exact is None else {"exact": exact}
    await workspace.collection(owner, {"name": "F", "type": kind, "unique": True, **asked})
    assert await send(workspace, owner, first) == 201
    assert await send(workspace, owner, other) == (409 if taken else 201)
    assert first in await found(workspace, owner, f"F:eq:{first.upper() if kind == 'text' else first}")


@pytest.mark.parametrize("stored_as", ["NFC", "NFD"])
@pytest.mark.parametrize("searched_as", ["NFC", "NFD"])
async def test_a_search_finds_letters_however_they_are_composed(
    workspace: Workspace,
    owner: dict[str, str],
    stored_as: Literal["NFC", "NFD"],
    searched_as: Literal["NFC", "NFD"],
) -> None:
    await workspace.collection(owner, {"name": "F", "type": "text"})
    text, wanted = normalize(stored_as, "Die Größe"), normalize(searched_as, "größe")
    assert await send(workspace, owner, text) == 201
    for condition in (f"F:contains:{wanted}", f"F:eq:{normalize(searched_as, 'die größe')}", f"F:in:x,{text}"):
        assert await found(workspace, owner, condition) == [text], condition


@pytest.mark.parametrize("value", ["a,b", "a:b", 'it\'s "so"', "100% _\\", "🌱 \u200d", " padded ", "C:\\new", "a\\,b"])
async def test_a_filters_value_holds_any_text(workspace: Workspace, owner: dict[str, str], value: str) -> None:
    await workspace.collection(owner, {"name": "F", "type": "text"})
    assert await send(workspace, owner, value) == 201
    assert await send(workspace, owner, "another") == 201
    listed = value.replace("\\", "\\\\").replace(",", "\\,")
    for condition in (f"F:eq:{value}", f"F:contains:{value}", f"F:starts:{value}", f"F:in:{listed},x"):
        assert await found(workspace, owner, condition) == [value], condition


async def test_a_change_that_changes_nothing_writes_nothing(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, {"name": "F", "type": "datetime"}, {"name": "N", "type": "number"})
    values = {"F": "2026-01-02T03:04:05.678901Z", "N": 1.5}
    made = (await workspace.client.post(PATH, json={"values": values}, headers=owner)).json()
    again = await workspace.client.patch(f"{PATH}/{made['id']}", json={"values": made["values"]}, headers=owner)
    assert again.json() == made
    audit = await workspace.client.get("/api/v1/audit", params={"action": "record.update"}, headers=owner)
    assert audit.json()["items"] == []
