"""Imports in the real child process, on real services: a file becomes records, whole, once, and can be taken back."""

import asyncio
import csv
import io
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from integration.data_plane.workspace import Workspace

PATIENCE: Final = 180.0
ENDED: Final = {"ready", "done", "failed", "undone"}


@pytest.fixture(autouse=True)
def environ(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The child inherits the server's, as in a pod."""
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in workspace.environ.items():
        monkeypatch.setenv(name, value)
    return workspace.environ


class Importer:
    """A signed-in person who imports files."""

    def __init__(self, workspace: Workspace, headers: dict[str, str]) -> None:
        self.client = workspace.client
        self.headers = headers

    async def post(self, path: str, content: bytes, file: str = "file.csv", **parts: object) -> Any:  # noqa: ANN401  a response
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parts.items()}
        files = {"file": (file, content, "text/csv")}
        return await self.client.post(f"/api/v1{path}", files=files, data=texts, headers=self.headers)

    async def started(self, path: str, content: bytes, file: str = "file.csv", **parts: object) -> Any:  # noqa: ANN401  a JSON body
        answer = await self.post(path, content, file, **parts)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def get(self, number: int) -> Any:  # noqa: ANN401  as above
        answer = await self.client.get(f"/api/v1/imports/{number}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ended(self, number: int) -> Any:  # noqa: ANN401  as above
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.get(number)
                if found["state"] in ENDED:
                    return found
                await asyncio.sleep(0.2)

    async def imported(self, path: str, content: bytes, file: str = "file.csv", **parts: object) -> Any:  # noqa: ANN401  as above
        return await self.ended((await self.started(path, content, file, **parts))["id"])

    async def undone(self, number: int) -> Any:  # noqa: ANN401  as above
        answer = await self.client.post(f"/api/v1/imports/{number}/undo", headers=self.headers)
        assert answer.status_code == 202, answer.text
        assert answer.json()["state"] in {"undoing", "undone"}
        return await self.ended(number)

    async def collection(self, name: str) -> Any:  # noqa: ANN401  as above
        answer = await self.client.get(f"/api/v1/collections/{name}", headers=self.headers)
        assert answer.status_code in {200, 404}, answer.text
        return answer.json() if answer.status_code == 200 else None

    async def records(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            at = f"/api/v1/collections/{name}/records?limit=200" + (f"&cursor={cursor}" if cursor else "")
            answer = await self.client.get(at, headers=self.headers)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            cursor = answer.json().get("next_cursor", "")
            if not cursor:
                return found

    async def values(self, name: str) -> list[dict[str, Any]]:
        return [record["values"] for record in await self.records(name)]

    async def errors(self, number: int) -> list[list[str]]:
        answer = await self.client.get(f"/api/v1/imports/{number}/errors", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.fixture
def importer(workspace: Workspace, owner: dict[str, str]) -> Importer:
    return Importer(workspace, owner)


Make = Callable[..., Awaitable[None]]

GERMAN: Final = (
    "Artikel;Preis;Menge;Lieferdatum;Aktiv;Kontakt\r\n"
    "Rosenschere;1.234,50;12;31.12.2025;ja;grün@gärtnerei.example\r\n"
    'Gießkanne "groß";7,90;1.000;01.02.2026;nein;\r\n'
    "Töpfe; 0,05 ;3;15.03.2026;ja;info@example.com\r\n"
)


async def test_a_file_becomes_a_collection_with_typed_fields(importer: Importer) -> None:
    answer = await importer.started("/imports", GERMAN.encode("cp1252"), "Lager.csv", name="Lager")
    assert {"id", "state", "total", "done", "failed"} <= answer.keys()
    done = await importer.ended(answer["id"])
    assert (done["state"], done["total"], done["done"], done["failed"], done["problem"]) == ("done", 3, 3, 0, None)
    made = await importer.collection("Lager")
    types = {field["name"]: field["type"] for field in made["fields"]}
    assert types == {
        "Artikel": "text",
        "Preis": "number",
        "Menge": "number",
        "Lieferdatum": "date",
        "Aktiv": "boolean",
        "Kontakt": "email",
    }
    assert await importer.values("Lager") == [
        {"Artikel": "Rosenschere", "Preis": 1234.5, "Menge": 12, "Lieferdatum": "2025-12-31", "Aktiv": True, "Kontakt": "grün@gärtnerei.example"},
        {"Artikel": 'Gießkanne "groß"', "Preis": 7.9, "Menge": 1000, "Lieferdatum": "2026-02-01", "Aktiv": False, "Kontakt": None},
        {"Artikel": "Töpfe", "Preis": 0.05, "Menge": 3, "Lieferdatum": "2026-03-15", "Aktiv": True, "Kontakt": "info@example.com"},
    ]  # fmt: skip
    assert made["records"] == 3
    undone = await importer.undone(done["id"])
    assert (undone["state"], undone["kept"]) == ("undone", 0)
    assert await importer.collection("Lager") is None
    usage = (await importer.client.get("/api/v1/usage", headers=importer.headers)).json()
    assert usage["records"]["used"] == 0
