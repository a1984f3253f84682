"""Groups of a view on the real database: their figures in the API, and the headings of the page, over all types of fields."""

import re
from html import unescape
from typing import Any, Final

import pytest
from integration.data_plane.workspace import Workspace
from support import good
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records import lists
from vivero_data.lib.json import decode, encode

KINDS: Final = [kind for kind in FieldType if kind.kind.sortable]
"""Also those that the workspace writes, of which every record has a value."""
CONTACTS: Final = "/collections/Contacts"
FOLD: Final = re.compile(
    r'<tr class="v-group">.*?href="([^"]+)" class="v-fold" aria-expanded="(true|false)".*?</tr>', re.DOTALL
)
ROW: Final = re.compile(r'<tr data-id="(\d+)"')


async def made(workspace: Workspace, owner: dict[str, str], kind: FieldType) -> None:
    """Two records with the good value of a type, and one without."""
    field = {"name": "By", "type": str(kind), "options": good.OPTIONS.get(kind, {})}
    choices = {"choices": ["a", "b"]} if kind.kind.has_choices else {}
    await workspace.targets(owner, 1)
    await workspace.collection(
        owner, {"name": "Title", "type": "text"}, {**field, **choices}, {"name": "Amount", "type": "number"}
    )
    value = good.GOOD_VALUES.get(kind)
    rows = [
        {"values": {"Title": name, "Amount": amount, **({} if by is None else {"By": by})}}
        for name, amount, by in (("A", 1, value), ("B", 2, None), ("C", 4, value))
    ]
    answer = await workspace.client.post(f"/api/v1{CONTACTS}/records/batch", json={"create": rows}, headers=owner)
    assert answer.status_code == 200, answer.text


async def shown(workspace: Workspace, owner: dict[str, str], address: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The records of a page, and its headings as where they lead and whether they are unfolded."""
    answer = await workspace.client.get(address, headers={**owner, "accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return ROW.findall(answer.text), [(unescape(href), state) for href, state in FOLD.findall(answer.text)]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_group_is_folded_and_unfolded(workspace: Workspace, owner: dict[str, str], kind: FieldType) -> None:
    await made(workspace, owner, kind)
    every, headings = await shown(workspace, owner, f"{CONTACTS}?group=By&sums=Amount:sum")
    assert sorted(every) == ["1", "2", "3"]
    assert headings, "there are groups"
    address = ""
    for _ in headings:
        _, now = await shown(workspace, owner, address or f"{CONTACTS}?group=By")
        assert len(now) == len(headings), "a folded group keeps its heading, in its place"
        address = next(href for href, state in now if state == "true")
    rows, folded = await shown(workspace, owner, address)
    assert (rows, {state for _, state in folded}) == ([], {"false"})
    rows, _ = await shown(workspace, owner, folded[0][0])
    assert rows, "the records of the first group are there again"


@pytest.mark.parametrize("kind", KINDS)
async def test_groups_have_counts_and_totals(workspace: Workspace, owner: dict[str, str], kind: FieldType) -> None:
    await made(workspace, owner, kind)
    body = {"name": "Grouped", "group_by": "By", "sums": {"Amount": "sum", "Title": "empty"}}
    view = (await workspace.client.post(f"/api/v1{CONTACTS}/views", json=body, headers=owner)).json()
    groups: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        path = f"/api/v1{CONTACTS}/views/{view['id']}/groups"
        answer = await workspace.client.get(path, params={"limit": 1, **cursor}, headers=owner)
        assert answer.status_code == 200, answer.text
        groups += decode(answer.content)["items"]
        if "next_cursor" not in answer.json():
            break
        cursor = {"cursor": answer.json()["next_cursor"]}
    listed = decode(
        (await workspace.client.get(f"/api/v1{CONTACTS}/records", params={"view": "Grouped"}, headers=owner)).content
    )["items"]
    assert [one["value"] for one in groups] == list(
        {encode(one["values"]["By"]): one["values"]["By"] for one in listed}.values()
    )
    for one in groups:
        own = [record for record in listed if record["values"]["By"] == one["value"]]
        assert one["count"] == len(own)
        assert one["totals"] == {"Amount": sum(record["values"]["Amount"] for record in own), "Title": 0}


async def test_texts_that_people_read_as_equal_are_one_group(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, {"name": "Title", "type": "text"}, {"name": "Town", "type": "text"})
    towns = ("Zürich", "ZURICH", "Bern", "bern", "Ähren")
    created = [{"values": {"Title": str(number), "Town": town}} for number, town in enumerate(towns)]
    await workspace.client.post(f"/api/v1{CONTACTS}/records/batch", json={"create": created}, headers=owner)
    rows, headings = await shown(workspace, owner, f"{CONTACTS}?group=Town&sort=-Town")
    assert (len(rows), len(headings)) == (5, 3)
    rows, headings = await shown(workspace, owner, headings[0][0])
    assert (len(rows), [state for _, state in headings]) == (3, ["false", "true", "true"])


async def test_what_is_folded_is_kept_in_the_view(workspace: Workspace, owner: dict[str, str]) -> None:
    await made(workspace, owner, FieldType.CHOICE)
    views = f"/api/v1{CONTACTS}/views"
    body = {"name": "Grouped", "group_by": "By", "folded": [None], "shared": True}
    view = (await workspace.client.post(views, json=body, headers=owner)).json()
    assert view["folded"] == [None]
    rows, headings = await shown(workspace, owner, f"{CONTACTS}?view={view['id']}")
    assert (rows, [state for _, state in headings]) == (["1", "3"], ["false", "true"])
    listed = await workspace.client.get(f"/api/v1{CONTACTS}/records", params={"view": "Grouped"}, headers=owner)
    assert len(listed.json()["items"]) == 3, "the API lists what is folded"
    for changes, folded in (({"folded": ["a", None]}, ["a", None]), ({"group_by": "Title"}, [])):
        changed = await workspace.client.patch(f"{views}/{view['id']}", json=changes, headers=owner)
        assert changed.json()["folded"] == folded, changed.text
    for wrong in ({"folded": ["a"], "group_by": None}, {"folded": ["nothing"], "group_by": "By"}):
        refused = await workspace.client.patch(f"{views}/{view['id']}", json=wrong, headers=owner)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["field"].startswith("folded")


async def test_headings_without_figures_come_at_once_where_counting_takes_long(
    workspace: Workspace, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(workspace, owner, FieldType.CHOICE)
    value = good.GOOD_VALUES[FieldType.CHOICE]
    await workspace.grow("Contacts", 40_000, {"By": f"IF(seq % 2, '{value}', NULL)", "Amount": "seq"})
    monkeypatch.setattr(lists, "LARGE", 0)
    monkeypatch.setattr(lists, "MOMENT", 0.001)
    monkeypatch.setattr(lists, "surely_fast", lambda *_: True)
    address = f'{CONTACTS}?group=By&folded=["b"]&sums=Amount:sum'
    page = (await workspace.client.get(address, headers={**owner, "accept": "text/html"})).text
    assert "Counting these groups takes long" in page
    assert len(FOLD.findall(page)) == 2, "what is folded, and what a page of records begins with"
    page = (await workspace.client.get(f"{address}&slow=1", headers={**owner, "accept": "text/html"})).text
    assert "Counting these groups takes long" not in page


@pytest.mark.parametrize("folded", ["x", "{}", "[" * 200, '["nothing"]', encode([1] * 51), "[[1]]", '[{"a": 1}]'])
async def test_an_address_that_folds_what_is_no_value_is_refused(
    workspace: Workspace, owner: dict[str, str], folded: str
) -> None:
    await made(workspace, owner, FieldType.CHOICE)
    answer = await workspace.client.get(
        CONTACTS, params={"group": "By", "folded": folded}, headers={**owner, "accept": "text/html"}
    )
    assert (answer.status_code, "This view cannot be shown" in answer.text) == (422, True)
