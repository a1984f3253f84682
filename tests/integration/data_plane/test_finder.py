"""The palette finds records of every collection by how their names begin."""

import re
from html import unescape
from typing import Any, Final

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.records import finder
from vivero_data.domain.records.finder import MAX_FOUND

CUSTOMERS: Final = ("Äcker & Söhne", "100% Wool", "100 Things", "O'Neill", "<b>Bold</b>", "日本語の名前")


async def found(workspace: Workspace, owner: dict[str, str], words: str) -> list[tuple[str, str]]:
    """Address and words of each record that the palette offers."""
    answer = await workspace.client.get("/palette", params={"q": words}, headers={**owner, "accept": "text/html"})
    assert answer.status_code == 200
    options = re.findall(r'href="([^"]*/records/\d+)"[^>]*>.*?truncate">(.*?)</span>', answer.text)
    return [(address, unescape(words)) for address, words in options]


@pytest.fixture
async def customers(workspace: Workspace, owner: dict[str, str]) -> dict[str, int]:
    await workspace.collection(owner, {"name": "No", "type": "integer"}, {"name": "Name", "type": "text"}, name="Firms")
    await workspace.collection(owner, {"name": "Notes", "type": "long_text"}, name="Notes")
    await workspace.collection(owner, {"name": "Title", "type": "text", "indexed": False}, name="Unindexed")
    rows: dict[str, list[dict[str, Any]]] = {
        "Firms": [{"values": {"No": number, "Name": name}} for number, name in enumerate(CUSTOMERS)],
        "Notes": [{"values": {"Notes": "O'Neill"}}],
        "Unindexed": [{"values": {"Title": "O'Neill"}}],
    }
    for name, new in rows.items():
        address = f"/api/v1/collections/{name}/records/batch"
        answer = await workspace.client.post(address, json={"create": new}, headers=owner)
        assert answer.status_code == 200, answer.text
    page = await workspace.client.get("/api/v1/collections/Firms/records", headers=owner)
    return {one["values"]["Name"]: one["id"] for one in page.json()["items"]}


async def test_by_how_a_name_begins(workspace: Workspace, owner: dict[str, str], customers: dict[str, int]) -> None:
    for typed, names in (
        ("acker", ["Äcker & Söhne"]),
        ("100%", ["100% Wool"]),
        ("100", ["100 Things", "100% Wool"]),
        ("o'n", ["O'Neill"]),
        ("<b", ["<b>Bold</b>"]),
        ("日本", ["日本語の名前"]),
        ("go to o'n", ["O'Neill"]),
        ("Söhne", []),
        ("o", []),
        ("__", []),
        ("' OR 1=1 -- ", []),
    ):
        expected = [(f"/collections/Firms/records/{customers[name]}", f"{name} · Firms") for name in names]
        assert await found(workspace, owner, typed) == expected, typed


async def test_of_many_collections_a_bounded_number(workspace: Workspace, owner: dict[str, str]) -> None:
    for number in range(5):
        await workspace.collection(owner, name=f"Shelf {number}")
        new = [{"values": {"Name": f"Pot {number} {one}"}} for one in range(5)]
        answer = await workspace.client.post(
            f"/api/v1/collections/Shelf {number}/records/batch", json={"create": new}, headers=owner
        )
        assert answer.status_code == 200, answer.text
    assert len(await found(workspace, owner, "pot")) == MAX_FOUND
    assert [words for _, words in await found(workspace, owner, "pot 4")] == [
        f"Pot 4 {one} · Shelf 4" for one in (0, 1, 2)
    ]


async def test_what_takes_too_long_is_left_out(
    workspace: Workspace, owner: dict[str, str], customers: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert customers
    monkeypatch.setattr(finder, "table_name", lambda number: f"`c_{number}` JOIN (SELECT SLEEP(5)) slow")
    assert await found(workspace, owner, "o'n") == []
