"""What the whole world writes, in the real database: stored, found, told apart, sorted and paged."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from unicodedata import normalize

from integration.data_plane.workspace import Workspace
from support.world import ADDRESSES, DATES, MOMENTS, NAMES, NUMBERS
from vivero_data.lib.json import decode, encode

PATH = "/api/v1/collections/Contacts/records"
TEXTS = list(dict.fromkeys(normalize("NFC", name) for name in NAMES.values()))
KINDS = {
    "Name": "text",
    "Number": "number",
    "Day": "date",
    "Moment": "datetime",
    "Address": "email",
}


async def ask(workspace: Workspace, headers: dict[str, str], **params: Any) -> dict[str, Any]:  # noqa: ANN401  a query's values
    answer = await workspace.client.get(PATH, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(decode(answer.content))


async def add(workspace: Workspace, headers: dict[str, str], field: str, value: Any, status: int = 201) -> None:  # noqa: ANN401  any JSON
    body = encode({"values": {field: value}})
    answer = await workspace.client.post(PATH, content=body, headers={**headers, "content-type": "application/json"})
    assert answer.status_code == status, f"{value!r}: {answer.text}"


async def pages(workspace: Workspace, headers: dict[str, str], field: str) -> list[Any]:
    """All values of a field, in its order, seven at a time."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await ask(workspace, headers, sort=field, limit=7, **cursor)
        found += [item["values"][field] for item in page["items"]]
        if not page.get("next_cursor"):
            return found
        cursor = {"cursor": page["next_cursor"]}


async def test_names_are_stored_found_and_told_apart(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, {"name": "Name", "type": "text", "unique": True, "exact": True})
    for name in TEXTS:
        await add(workspace, owner, "Name", name)
        await add(workspace, owner, "Name", name, status=409)
    for name in TEXTS:
        for condition in (f"Name:eq:{name}", f"Name:contains:{normalize('NFD', name)}"):
            found = await ask(workspace, owner, filter=condition)
            assert name in [item["values"]["Name"] for item in found["items"]], condition
    through = await pages(workspace, owner, "Name")
    assert sorted(through) == sorted(TEXTS), "each once, whatever the order"


async def test_numbers_days_moments_and_addresses_come_back_as_they_went_in(
    workspace: Workspace, owner: dict[str, str]
) -> None:
    fields = [{"name": name, "type": kind, "unique": True} for name, kind in KINDS.items()]
    await workspace.collection(owner, *fields)
    stored: dict[str, set[Any]] = {
        "Number": {Decimal(number) for _, number in NUMBERS if number},
        "Day": {day.isoformat() for _, day in DATES if day},
        "Moment": {_utc(moment) for _, moment in MOMENTS if moment},
        "Address": {text for text, fits in ADDRESSES if fits},
    }
    for field, values in stored.items():
        for value in values:
            await add(workspace, owner, field, value)
            await add(workspace, owner, field, value, status=409)
            found = await ask(workspace, owner, filter=f"{field}:eq:{value}")
            assert [item["values"][field] for item in found["items"]] == [value]
        through = [value for value in await pages(workspace, owner, field) if value is not None]
        assert len(through) == len(values), field
        assert set(through) == values


def _utc(moment: datetime) -> str:
    """A moment as the API's JSON has it."""
    return str(decode(encode(moment.astimezone(UTC))))


async def test_what_does_not_fit_is_named_and_stores_nothing(workspace: Workspace, owner: dict[str, str]) -> None:
    await workspace.collection(owner, *[{"name": name, "type": kind} for name, kind in KINDS.items()])
    wrong = {
        "Day": [text for text, day in DATES if day is None],
        "Moment": [text for text, moment in MOMENTS if moment is None],
        "Address": [text for text, fits in ADDRESSES if not fits],
    }
    for field, texts in wrong.items():
        for text in texts:
            await add(workspace, owner, field, text, status=422)
    assert (await ask(workspace, owner))["items"] == []


async def test_every_collection_is_found_by_its_name(workspace: Workspace, owner: dict[str, str]) -> None:
    names = TEXTS[::3]
    for name in names:
        await workspace.collection(owner, name=name)
    headers = {**owner, "accept": "text/html"}
    for name in names:
        page = await workspace.client.get("/palette", params={"q": normalize("NFD", name)}, headers=headers)
        assert f"Go to {name}<" in unescape(page.text), name
    found, path = [], "/collections"
    while path:
        page = await workspace.client.get(path, headers=headers)
        found += re.findall(r'hover:underline">([^<]+)<', page.text)
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = unescape(following[1]) if following else ""
    assert sorted(unescape(name) for name in found) == sorted(names)
    one = await workspace.client.get("/collections", params={"q": "100%_"}, headers=headers)
    assert "No collection matches" in one.text, "nothing that is typed is a wildcard"
