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

PATIENCE: Final = 120.0
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


STOCK: Final = (
    {"name": "Number", "type": "text", "unique": True, "required": True},
    {"name": "Label", "type": "text"},
    {"name": "Price", "type": "number"},
)
STOCK_IMPORTS: Final = "/collections/Stock/imports"


@pytest.fixture
async def stock(workspace: Workspace, owner: dict[str, str], importer: Importer) -> Importer:
    """With a collection of three records."""
    await workspace.collection(owner, *STOCK, name="Stock")
    rows = [{"values": {"Number": f"A{number}", "Label": "old", "Price": number}} for number in range(1, 4)]
    batch = "/api/v1/collections/Stock/records/batch"
    assert (await importer.client.post(batch, json={"create": rows}, headers=owner)).status_code == 200
    return importer


def outcome(done: dict[str, Any]) -> list[Any]:
    return [done[name] for name in ("state", "total", "done", "inserted", "updated", "unchanged", "failed")]


async def test_rows_change_records_by_key_and_undo_gives_back_what_they_were(stock: Importer) -> None:
    before = await stock.values("Stock")
    content = "Number,Label,Price\nA1,new,1.5\na2,old,2\nA9,made,9\nA1,again,7\n,none,1\nA3,old,x\nA9,twice,9\n"
    asked = {"mode": "upsert", "key": "Number"}
    dry = await stock.imported(STOCK_IMPORTS, content.encode(), **asked, dry_run=True)
    done = await stock.imported(STOCK_IMPORTS, content.encode(), **asked)
    assert outcome(done) == outcome(dry) == ["done", 7, 7, 1, 2, 0, 4]
    assert (await stock.errors(done["id"])) == (await stock.errors(dry["id"])) == [
        ["row", "field", "reason", "Number", "Label", "Price"],
        ["5", "Number", "is in the file twice: this row and an earlier one have it", "A1", "again", "7"],
        ["6", "Number", "is required", "", "none", "1"],
        ["7", "Price", "must be a number such as 1,234.50", "A3", "old", "x"],
        ["8", "Number", "is in the file twice: this row and an earlier one have it", "A9", "twice", "9"],
    ]  # fmt: skip
    assert await stock.values("Stock") == [
        {"Number": "A1", "Label": "new", "Price": 1.5},
        {"Number": "a2", "Label": "old", "Price": 2},
        {"Number": "A3", "Label": "old", "Price": 3},
        {"Number": "A9", "Label": "made", "Price": 9},
    ]
    assert (await stock.undone(done["id"]))["kept"] == 0
    assert await stock.values("Stock") == before
    assert (await stock.collection("Stock"))["records"] == 3


async def test_undo_leaves_what_somebody_changed_since_and_counts_it(stock: Importer) -> None:
    content = b"Number,Label\nA1,new\nA2,new\nB1,made\nB2,made\nB3,made\n"
    done = await stock.imported(STOCK_IMPORTS, content, mode="upsert", key="Number")
    records = {record["values"]["Number"]: record["id"] for record in await stock.records("Stock")}
    for number in ("A2", "B2"):
        at = f"/api/v1/collections/Stock/records/{records[number]}"
        assert (
            await stock.client.patch(at, json={"values": {"Label": "mine"}}, headers=stock.headers)
        ).status_code == 200
    at = f"/api/v1/collections/Stock/records/{records['B3']}"
    assert (await stock.client.delete(at, headers=stock.headers)).status_code == 204
    undone = await stock.undone(done["id"])
    assert (undone["state"], undone["kept"]) == ("undone", 2)
    labels = {values["Number"]: values["Label"] for values in await stock.values("Stock")}
    assert labels == {"A1": "old", "A2": "mine", "A3": "old", "B2": "mine"}
    assert (await stock.collection("Stock"))["records"] == 4
    usage = (await stock.client.get("/api/v1/usage", headers=stock.headers)).json()
    assert usage["records"]["used"] == 4
    again = await stock.client.post(f"/api/v1/imports/{done['id']}/undo", headers=stock.headers)
    assert again.status_code == 409


async def test_undo_gives_unique_values_back_that_went_from_one_record_to_the_next(importer: Importer) -> None:
    workspace_fields = [{"name": name, "type": "text", "unique": True} for name in ("Number", "Code")]
    body = {"name": "Stock", "fields": workspace_fields}
    assert (await importer.client.post("/api/v1/collections", json=body, headers=importer.headers)).status_code == 201
    first = await importer.imported(STOCK_IMPORTS, b"Number,Code\nA1,3\nA2,2\nA3,1\n")
    before = await importer.values("Stock")
    moved = await importer.imported(STOCK_IMPORTS, b"Number,Code\nA1,4\nA2,3\nA3,2\n", mode="upsert", key="Number")
    assert outcome(first)[3:] == [3, 0, 0, 0]
    assert outcome(moved)[3:] == [0, 3, 0, 0]
    assert (await importer.undone(moved["id"]))["kept"] == 0
    assert await importer.values("Stock") == before


async def test_a_collection_that_was_imported_goes_to_the_trash_with_its_records_and_comes_back(
    importer: Importer,
) -> None:
    done = await importer.imported("/imports", GERMAN.encode("cp1252"), "Lager.csv", name="Lager")
    before = await importer.records("Lager")
    assert (await importer.undone(done["id"]))["kept"] == 0
    (entry,) = (await importer.client.get("/api/v1/trash", headers=importer.headers)).json()["items"]
    restored = await importer.client.post(f"/api/v1/trash/{entry['id']}/restore", headers=importer.headers)
    assert restored.status_code == 200, restored.text
    assert await importer.records("Lager") == before


@pytest.mark.parametrize("change", ["added", "changed"])
async def test_a_collection_that_was_imported_stays_with_what_others_wrote(importer: Importer, change: str) -> None:
    done = await importer.imported("/imports", GERMAN.encode("cp1252"), "Lager.csv", name="Lager")
    records = "/api/v1/collections/Lager/records"
    values = {"values": {"Artikel": "mine"}}
    if change == "added":
        answer = await importer.client.post(records, json=values, headers=importer.headers)
    else:
        first = (await importer.records("Lager"))[0]["id"]
        answer = await importer.client.patch(f"{records}/{first}", json=values, headers=importer.headers)
    assert answer.status_code in {200, 201}
    undone = await importer.undone(done["id"])
    assert (undone["state"], undone["kept"]) == ("undone", 0 if change == "added" else 1)
    assert [one["Artikel"] for one in await importer.values("Lager")] == ["mine"]
    assert (await importer.collection("Lager"))["records"] == 1


async def test_a_dry_run_leaves_nothing(stock: Importer) -> None:
    before = await stock.records("Stock")
    dry = await stock.imported(STOCK_IMPORTS, b"Number,Label\nA1,x\nC1,x\nC1,x\n", dry_run=True)
    assert outcome(dry) == ["done", 3, 3, 1, 0, 0, 2]
    assert await stock.records("Stock") == before
    assert (await stock.collection("Stock"))["records"] == 3
    made = await stock.imported("/imports", b"Name\nAda\n", name="Nothing", dry_run=True)
    assert outcome(made) == ["done", 1, 1, 1, 0, 0, 0]
    assert await stock.collection("Nothing") is None


async def test_a_record_is_found_by_its_number_too(stock: Importer) -> None:
    first, second, _ = await stock.records("Stock")
    content = f"id,Label\n{first['id']},changed\n999,no\nx,no\n{second['id']},old\n"
    done = await stock.imported(STOCK_IMPORTS, content.encode(), mode="upsert", key="id")
    assert (done["state"], done["problem"]) == ("failed", "mapping: leaves out what every record must have: Number")
    content = f"id,Number,Label\n{first['id']},A1,changed\n999,Z,no\nx,Y,no\n{second['id']},A2,old\n,N,new\n"
    done = await stock.imported(STOCK_IMPORTS, content.encode(), mode="upsert", key="id")
    assert outcome(done) == ["done", 5, 5, 1, 1, 1, 2]


async def test_a_limit_of_the_plan_is_met_exactly_and_what_was_done_can_be_undone(
    stock: Importer, workspace: Workspace
) -> None:
    workspace.set_limits(records=5)
    await asyncio.sleep(1.1)  # the plan is read again after a second
    content = "Number\n" + "".join(f"D{number}\n" for number in range(10))
    done = await stock.imported(STOCK_IMPORTS, content.encode())
    assert outcome(done) == ["failed", 10, 2, 2, 0, 0, 0]
    assert "includes 5 records" in done["problem"]
    assert (await stock.collection("Stock"))["records"] == 5
    assert (await stock.undone(done["id"]))["state"] == "undone"
    assert (await stock.collection("Stock"))["records"] == 3


async def test_what_a_file_leaves_open_is_told_and_decided_by_mapping(stock: Importer) -> None:
    content = b"Number;Price;Extra\nE1;1.234;x\nE2;5.678;y\n"
    open_ = await stock.imported(STOCK_IMPORTS, content)
    assert open_["state"] == "failed"
    assert "Price: may be two numbers, as 1.234 may" in open_["problem"]
    assert "Extra: is no field of this collection" in open_["problem"]
    mapping = {"Price": {"numbers": "1.234,50"}, "Extra": "Label"}
    done = await stock.imported(STOCK_IMPORTS, content, mapping=mapping)
    assert outcome(done) == ["done", 2, 2, 2, 0, 0, 0]
    assert (await stock.values("Stock"))[-2:] == [
        {"Number": "E1", "Label": "x", "Price": 1234},
        {"Number": "E2", "Label": "y", "Price": 5678},
    ]


async def test_a_person_looks_at_the_plan_first(importer: Importer) -> None:
    ready = await importer.imported("/imports", b"Day,Sum\n01/02/2026,1\n", name="Looked at", preview=True)
    assert (ready["state"], ready["total"], ready["done"]) == ("ready", 1, 0)
    at = f"/api/v1/imports/{ready['id']}"
    plan = (await importer.client.get(f"{at}/plan", headers=importer.headers)).json()
    assert [(one["name"], one["type"], one["open"]) for one in plan["columns"]] == [
        ("Day", "date", "dates"),
        ("Sum", "integer", ""),
    ]
    refused = await importer.client.post(f"{at}/start", json={}, headers=importer.headers)
    assert refused.status_code == 422
    order = {"mapping": {"Day": {"dates": "29/11/2026"}, "Sum": {"field": "Total", "type": "number"}}}
    answer = await importer.client.post(f"{at}/start", json=order, headers=importer.headers)
    assert answer.status_code == 202, answer.text
    assert (await importer.ended(ready["id"]))["state"] == "done"
    assert await importer.values("Looked at") == [{"Day": "2026-02-01", "Total": 1}]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
async def test_an_export_is_whole_and_comes_back(stock: Importer, kind: str) -> None:
    content = "Number,Label,Price\n" + "".join(f"N{number},=SUM({number}),{number}.25\n" for number in range(1, 1201))
    assert (await stock.imported(STOCK_IMPORTS, content.encode()))["state"] == "done"
    answer = await stock.client.get(f"/api/v1/collections/Stock/export?format={kind}", headers=stock.headers)
    assert answer.status_code == 200, answer.text
    assert f".{kind}" in answer.headers["content-disposition"]
    again = await stock.imported("/imports", answer.content, f"again.{kind}", name="Again")
    assert outcome(again)[:4] == ["done", 1203, 1203, 1203]
    values = await stock.values("Again")
    assert [{name: one[name] for name in ("Number", "Label", "Price")} for one in values] == await stock.values("Stock")
    some = await stock.client.get(
        "/api/v1/collections/Stock/export", params={"format": "csv", "filter": "Price:gt:1199"}, headers=stock.headers
    )
    lines = list(csv.reader(io.StringIO(some.content.decode("utf-8-sig"), newline="")))
    assert [line[1] for line in lines] == ["Number", "N1199", "N1200"]
    assert lines[1][2] == "'=SUM(1199)"
    refused = await stock.client.get("/api/v1/collections/Stock/export?filter=No:eq:1", headers=stock.headers)
    assert refused.status_code == 422


async def test_what_fields_of_every_kind_are_exported_as_is_imported_again(
    importer: Importer, workspace: Workspace, owner: dict[str, str]
) -> None:
    await workspace.targets(owner, 2)
    await workspace.collection(
        owner,
        {"name": "Number", "type": "autonumber", "options": {"prefix": "INV-", "digits": 5}},
        {"name": "Price", "type": "money", "options": {"currency": "EUR"}},
        {"name": "Labels", "type": "choices", "choices": ["a", "b,c"]},
        {"name": "Target", "type": "link", "options": {"collection": 1}},
        name="Invoices",
    )
    content = b'Number,Price,Labels,Target\nINV-00099,"1,234.50","a,b\\,c",2\nINV-00098,7.5,,\n'
    done = await importer.imported("/collections/Invoices/imports", content)
    assert (done["state"], done["done"], done["failed"]) == ("done", 2, 0), done
    assert [one["values"] for one in await importer.records("Invoices")] == [
        {"Number": "INV-00001", "Price": 1234.5, "Labels": ["a", "b,c"], "Target": {"id": 2, "title": "Target 2"}},
        {"Number": "INV-00002", "Price": 7.5, "Labels": None, "Target": None},
    ]
    for kind in ("csv", "xlsx", "json"):
        answer = await importer.client.get(f"/api/v1/collections/Invoices/export?format={kind}", headers=owner)
        assert answer.status_code == 200, answer.text
        assert (await importer.imported("/collections/Invoices/imports", answer.content, f"a.{kind}"))["failed"] == 0
    values = [one["values"] for one in await importer.records("Invoices")]
    assert [one["Number"] for one in values] == [f"INV-{number:05}" for number in range(1, len(values) + 1)]
    assert {name: [one[name] for one in values[:2]] for name in ("Price", "Labels", "Target")} == {
        name: [one[name] for one in values[-2:]] for name in ("Price", "Labels", "Target")
    }


async def test_files_are_answered_to_head_without_a_body(stock: Importer) -> None:
    done = await stock.imported(STOCK_IMPORTS, b"Number\nA1\nZ1\n")
    for path in (f"/imports/{done['id']}/errors", "/collections/Stock/export", "/collections/Stock/export?format=xlsx"):
        whole = await stock.client.get(f"/api/v1{path}", headers=stock.headers)
        head = await stock.client.head(f"/api/v1{path}", headers=stock.headers)
        assert (whole.status_code, head.status_code, head.content) == (200, 200, b""), path
        assert whole.content
        assert "no-store" in whole.headers["cache-control"]
        assert whole.headers["content-disposition"].startswith("attachment")


async def test_a_form_that_says_too_much_or_nonsense_is_refused_by_name(stock: Importer, workspace: Workspace) -> None:
    for parts, field in (
        ({"mode": "replace"}, "mode"),
        ({"mode": "upsert"}, "key"),
        ({"key": "Number"}, "key"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"mapping": "[]"}, "mapping"),
        ({"mapping": "{"}, "mapping"),
        ({"mapping": {"a": {"typo": 1}}}, "mapping"),
        ({"name": "x"}, "name"),
        ({"colour": "red"}, "colour"),
    ):
        answer = await stock.post(STOCK_IMPORTS, b"Number\nA\n", **parts)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field
    assert (await stock.post("/imports", b"a\n1\n", name="stock")).status_code == 409
    assert (await stock.post("/imports", b"a\n1\n", name="a/b")).status_code == 422
    assert (await stock.post("/collections/Nowhere/imports", b"a\n1\n")).status_code == 404
    answer = await stock.client.post(f"/api/v1{STOCK_IMPORTS}", files={"other": ("x", b"x")}, headers=stock.headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file")
    viewer = Importer(workspace, await workspace.user(stock.headers, "viewer"))
    member = Importer(workspace, await workspace.user(stock.headers, "member"))
    assert (await viewer.post(STOCK_IMPORTS, b"Number\nA\n")).status_code == 403
    assert (await member.post("/imports", b"Number\nA\n")).status_code == 403
    mine = await stock.imported(STOCK_IMPORTS, b"Number\nM1\n")
    for path in ("", "/plan", "/errors"):
        answer = await member.client.get(f"/api/v1/imports/{mine['id']}{path}", headers=member.headers)
        assert answer.status_code == 404
    theirs = await member.imported(STOCK_IMPORTS, b"Number\nM2\n")
    assert (await stock.get(theirs["id"]))["created_by"].startswith("member")


async def test_a_stranger_with_a_german_spreadsheet_is_at_work(importer: Importer) -> None:
    heads = "Artikelnummer;Bezeichnung;Einzelpreis;Bestand;Letzte Lieferung;Lieferbar;Warengruppe;Kontakt"
    rows = [
        f"{number:06};Größe {number % 17} für Gärten;{number // 100}.{number % 1000:03},{number % 100:02};"
        f"{number % 90};{number % 28 + 1:02}.{number % 12 + 1:02}.2026;{'ja' if number % 3 else 'nein'};"
        f"{('Töpfe', 'Bäume', 'Sträucher')[number % 3]};verkauf{number}@gärtnerei.example"
        for number in range(100, 20_100)
    ]
    content = "\r\n".join([heads, *rows, ""]).encode("cp1252")
    done = await importer.imported("/imports", content, "Lagerbestand.csv")
    assert outcome(done) == ["done", 20_000, 20_000, 20_000, 0, 0, 0], done["problem"]
    made = await importer.collection("Lagerbestand")
    assert {field["name"]: field["type"] for field in made["fields"]} == {
        "Artikelnummer": "text",
        "Bezeichnung": "text",
        "Einzelpreis": "number",
        "Bestand": "integer",
        "Letzte Lieferung": "date",
        "Lieferbar": "boolean",
        "Warengruppe": "choice",
        "Kontakt": "email",
    }
    answer = await importer.client.get(
        "/api/v1/collections/Lagerbestand/records?limit=1&sort=-id", headers=importer.headers
    )
    assert answer.json()["items"][0]["values"] == {
        "Artikelnummer": "020099",
        "Bezeichnung": "Größe 5 für Gärten",
        "Einzelpreis": 200099.99,
        "Bestand": 29,
        "Letzte Lieferung": "2026-12-24",
        "Lieferbar": True,
        "Warengruppe": "Sträucher",
        "Kontakt": "verkauf20099@gärtnerei.example",
    }
