"""What a role does not see comes out nowhere: every address that the program answers is asked by a person who is limited.

Values, names of fields, names of collections and words about records that are hidden hold a mark. No answer has it, and
no answer, count or order changes when what is hidden changes.
"""

import io
import json
import random
import re
import zipfile
from difflib import ndiff
from typing import Any, Final

import httpx
import pytest
from integration.data_plane.conftest import NOWHERE
from integration.data_plane.workspace import PASSWORD, Workspace
from support.programs import Answered, answered

MARK: Final = "zq7x"
SALARIES: Final = f"Salaries {MARK}"
SECRET: Final = f"Secret {MARK}"
SAMPLE: Final = 300
Headers = dict[str, str]


class Shop:
    """Sam sees orders that are Sam's without a field, customers that are public, and no salaries."""

    def __init__(self, workspace: Workspace, owner: Headers, sam: Headers, numbers: dict[str, list[str]]) -> None:
        self.workspace = workspace
        self.owner = owner
        self.sam = sam
        self.numbers = numbers
        """What placeholders in paths stand for."""

    async def ask(self, path: str, query: dict[str, str] | None = None) -> httpx.Response:
        headers = {**self.sam, "accept": "*/*"}
        return await self.workspace.client.get(path, params=query or {}, headers=headers)


async def _sent(workspace: Workspace, owner: Headers, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
    answer = await workspace.client.request(method, f"/api/v1{path}", json=body, headers=owner)
    assert answer.status_code < 300, f"{path}: {answer.text}"
    return answer.json() if answer.content else None


@pytest.fixture
async def shop(workspace: Workspace, owner: Headers) -> Shop:
    async def send(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        return await _sent(workspace, owner, method, path, body)

    role = (await send("POST", "/roles", {"name": "Sales"}))["id"]
    sam = {"email": "sam@example.com", "name": "Sam", "password": PASSWORD, "own_role": role}
    sam_id = (await send("POST", "/users", sam))["id"]
    text = {"type": "text", "indexed": True}
    public = {"name": "Public", "type": "boolean"}
    customers = [{"name": "Name", **text}, public, {"name": f"Revenue {MARK}", "type": "integer"}]
    await send("POST", "/collections", {"name": "Customers", "fields": customers})
    orders = [
        {"name": "Name", **text},
        {"name": "Price", "type": "integer"},
        {"name": "Owner", "type": "person"},
        {"name": SECRET, **text},
        {"name": "Day", "type": "date"},
        {"name": "State", "type": "choice", "choices": ["new", "sent"]},
        {"name": "Customer", "type": "link", "options": {"collection": 1}},
    ]
    made = await send("POST", "/collections", {"name": "Orders", "fields": orders})
    link = next(one["id"] for one in made["fields"] if one["name"] == "Customer")
    hidden = next(one["id"] for one in made["fields"] if one["name"] == SECRET)
    price = next(one["id"] for one in made["fields"] if one["name"] == "Price")
    await send("POST", "/collections", {"name": SALARIES, "fields": [{"name": "Name", **text}]})
    revenue = (await send("GET", "/collections/Customers"))["fields"][2]["id"]
    looked_up = {"name": "Looked up", "type": "lookup", "options": {"link": link, "field": revenue}}
    await send("POST", "/collections/Orders/fields", looked_up)
    for name, figure, field in (("Sum", "sum", price), ("Last", "max", hidden), ("Orders", "count", None)):
        options = {"link": link, "figure": figure, **({"field": field} if field else {})}
        if name != "Last":
            await send("POST", "/collections/Customers/fields", {"name": name, "type": "rollup", "options": options})
    rows = [
        {"Name": "Anna", "Public": True, f"Revenue {MARK}": 7171},
        {"Name": f"{MARK} customer", "Public": False, f"Revenue {MARK}": 7272},
    ]
    await send("POST", "/collections/Customers/records/batch", {"create": [{"values": one} for one in rows]})
    await send("POST", f"/collections/{SALARIES}/records", {"values": {"Name": f"{MARK} salary"}})
    seen = [
        {
            "Name": f"Order {number}",
            "Price": number * 10,
            "Owner": sam_id,
            SECRET: f"{MARK} value {number}",
            "Day": f"2026-11-0{number}",
            "State": ("new", "sent")[number % 2],
            "Customer": 1 + number % 2,
        }
        for number in range(1, 6)
    ]
    unseen = [{**one, "Name": f"{MARK} {one['Name']}", "Owner": 1, "Price": 99_991} for one in seen]
    await send("POST", "/collections/Orders/records/batch", {"create": [{"values": one} for one in [*seen, *unseen]]})
    await send("PATCH", "/collections/Orders/records/1", {"values": {SECRET: f"{MARK} changed"}})
    await send("POST", "/collections/Orders/records/7/comments", {"text": f"{MARK} said"})
    await send("DELETE", "/collections/Orders/records/8")
    view = {"shared": True, "columns": [{"field": "Name"}, {"field": SECRET}]}
    await send("POST", "/collections/Orders/views", {"name": "Plain", **view})
    broken = {"where": {"field": SECRET, "operator": "contains", "value": f"{MARK} value"}}
    await send("POST", "/collections/Orders/views", {"name": f"Narrow {MARK}", **view, **broken})
    sorts = {"sort": [SECRET], "group_by": SECRET, "sums": {"Price": "sum"}}
    await send("POST", "/collections/Orders/views", {"name": "Sorted", "shared": True, **sorts})
    count = {"shared": True, "kind": "bar", "measures": [{"function": "count"}]}
    for name, collection, field in (
        ("By state", "Orders", "State"),
        (f"By secret {MARK}", "Orders", SECRET),
        (f"Pay {MARK}", SALARIES, "Name"),
    ):
        body = {"name": name, "collection": collection, **count, "group_by": [{"field": field}]}
        await send("POST", "/reports", body)
    tiles = [
        *({"type": "list", "collection": name} for name in ("Orders", SALARIES)),
        *({"type": "report", "report": number} for number in (1, 2, 3)),
    ]
    await send("POST", "/dashboards", {"name": "Home", "shared": True, "home": True, "tiles": tiles})
    upload = {"file": (f"{MARK}.txt", f"{MARK}".encode(), "text/plain")}
    file = (await workspace.client.post("/api/v1/files", files=upload, headers=owner)).json()["id"]
    rights = dict.fromkeys(("create", "change", "delete", "export"), True)
    rules = [
        {
            "collection": "Orders",
            **rights,
            "hidden": [SECRET],
            "read_only": ["Price"],
            "where": {"field": "Owner", "operator": "eq", "value": "me"},
        },
        {
            "collection": "Customers",
            "export": True,
            "hidden": [f"Revenue {MARK}", "Public"],
            "where": {"field": "Public", "operator": "eq", "value": True},
        },
    ]
    await send("PATCH", f"/roles/{role}", {"collections": rules})
    numbers = {
        **{name: [NOWHERE.get(name, "x"), "1", "2", "3"] for name in NOWHERE},
        "name": ["Orders", "Customers", SALARIES],
        "record_id": ["1", "2", "7", "8"],
        "collection_id": ["1", str(made["id"]), "999"],
        "file_id": [file],
        "index": ["0", "1", "2", "3", "4"],
    }
    return Shop(workspace, owner, await workspace.login("sam@example.com"), numbers)


def asked(shop: Shop) -> list[Answered]:
    """What is read of a workspace, from the program itself: a new route is asked too."""
    found = [one for one in answered(shop.workspace.app) if one.method == "GET"]
    left = ("/internal", "/static", "/schema", "/login/ticket", "/stop-mails", "/healthz", "/readyz")
    return [one for one in found if not one.path.startswith(left)]


def content(answer: httpx.Response) -> str:
    """All that an answer says, its headers and the cells of a spreadsheet among it."""
    head = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
            return head + " ".join(packed.read(name).decode(errors="replace") for name in packed.namelist())
    return f"{head} {answer.text}"


def told(answer: httpx.Response, path: str) -> str:
    """What is said apart from what was asked: a page repeats its address."""
    text = content(answer)
    for word in (path, path.replace(" ", "%20")):
        text = text.replace(word, "")
    return text


async def test_no_answer_has_the_mark(shop: Shop) -> None:
    """Every address with each of some numbers in its placeholders, also of what is hidden."""
    found, answers = 0, 0
    for one in asked(shop):
        for place in range(max([1, *(len(shop.numbers.get(name, ["x"])) for name in one.in_path)])):
            values = {name: _at(shop.numbers.get(name, ["x"]), place) for name in one.in_path}
            path = one.path.format_map(values)
            answer = await shop.ask(path, {"format": "xlsx"} if path.endswith("/export") else None)
            assert answer.status_code < 500, f"{path}: {answer.text}"
            answers += 1
            found += answer.status_code == 200
            if answer.status_code == 200 or SALARIES not in path:
                assert MARK not in told(answer, path), path
    assert answers > 150
    assert found > 60


def _at(values: list[str], place: int) -> str:
    return values[place % len(values)]


async def test_what_is_hidden_is_as_if_it_were_not(shop: Shop) -> None:
    """Reads and writes of hidden records and collections are answered as those of what does not exist."""
    client = shop.workspace.client
    for method, body in (("GET", None), ("PATCH", {"values": {"Name": "x"}}), ("DELETE", None)):
        answers = []
        for path in ("Orders/records/7", "Orders/records/999", f"{SALARIES}/records/1", "Nowhere/records/1"):
            answer = await client.request(method, f"/api/v1/collections/{path}", json=body, headers=shop.sam)
            answers.append((answer.status_code, answer.json()["detail"]))
        assert answers[0] == answers[1]
        assert answers[2] == answers[3]
        assert {status for status, _ in answers} == {404}
    batch = {"update": [{"id": number, "values": {"Name": "x"}} for number in (7, 999)]}
    refused = await client.post("/api/v1/collections/Orders/records/batch", json=batch, headers=shop.sam)
    assert len({error["message"] for error in refused.json()["errors"]}) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "", {"values": {"Name": "New", "Owner": 1}}, 403),  # it would be somebody else's
        ("PATCH", "/1", {"values": {"Owner": 1}}, 403),
        ("PATCH", "/1", {"values": {"Price": 5}}, 422),
        ("PATCH", "/1", {"values": {SECRET: "x"}}, 422),
        ("PATCH", "/2", {"values": {"Customer": 2}}, 422),
        ("PATCH", "/1", {"values": {"Name": "Renamed", "Price": 10}}, 200),  # a value that it has is no change
        ("POST", "/batch", {"create": [{"values": {"Name": "New", "Owner": 1}}]}, 403),
        ("POST", "/batch", {"update": [{"id": 1, "values": {"Owner": 1}}]}, 403),
        ("POST", "/batch", {"update": [{"id": 1, "values": {"Price": 5}}]}, 422),
    ],
)
async def test_writing_stays_inside_what_one_sees(
    shop: Shop, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    before = await _sent(shop.workspace, shop.owner, "GET", "/collections/Orders/records")
    address = f"/api/v1/collections/Orders/records{path}"
    answer = await shop.workspace.client.request(method, address, json=body, headers=shop.sam)
    assert answer.status_code == status, answer.text
    assert MARK not in answer.text.replace(SECRET, "")
    after = await _sent(shop.workspace, shop.owner, "GET", "/collections/Orders/records")
    assert (after == before) is (status != 200)


async def test_what_one_adds_has_the_hidden_defaults_and_the_audit_log_all_of_it(shop: Shop) -> None:
    me = (await shop.ask("/api/v1/me")).json()["id"]
    body = {"values": {"Name": "Mine", "Owner": me}}
    made = await shop.workspace.client.post("/api/v1/collections/Orders/records", json=body, headers=shop.sam)
    assert made.status_code == 201, made.text
    assert SECRET not in made.text
    gone = await shop.workspace.client.delete("/api/v1/collections/Orders/records/1", headers=shop.sam)
    assert gone.status_code == 204
    entries = (await _sent(shop.workspace, shop.owner, "GET", "/audit?action=record.delete"))["items"]
    assert entries[0]["before"][SECRET] == f"{MARK} changed"
    assert entries[0]["name"] == "Order 1"


async def test_an_import_needs_all_of_the_collection(shop: Shop) -> None:
    files = {"file": ("a.csv", b"Name\nOrder 1\n", "text/csv")}
    form = {"mode": "upsert", "key": "Name"}
    answer = await shop.workspace.client.post(
        "/api/v1/collections/Orders/imports", files=files, data=form, headers=shop.sam
    )
    assert answer.status_code == 403
    assert "needs all records and fields" in answer.text


OPERATORS: Final = ("eq", "ne", "gt", "lt", "gte", "lte", "contains", "starts", "empty", "filled", "in")
VALUES: Final = (MARK, f"{MARK} value 1", "Order 2", "99991", "20", "me", "1", "2", "2026-11-03", "new", "", "true")
FIELDS: Final = ("Name", "Price", "Owner", "Day", "State", "Customer", "id", "created_at", SECRET, "Looked up")


def probe(chance: random.Random, shop: Shop) -> tuple[str, dict[str, str]]:
    """An address that lists, counts, sums, searches or exports, with a query."""

    def condition() -> dict[str, object]:
        operator = chance.choice(OPERATORS)
        value: object = chance.choice(VALUES)
        said: dict[str, object] = {"field": chance.choice(FIELDS), "operator": operator}
        return said if operator in {"empty", "filled"} else {**said, "value": [value] if operator == "in" else value}

    def tree() -> dict[str, object]:
        one, other = condition(), condition()
        return chance.choice([one, {"not": one}, {"any": [one, other]}, {"all": [one, {"not": other}]}])

    query = {
        "filter": f"{chance.choice(FIELDS)}:{chance.choice(OPERATORS)}:{chance.choice(VALUES)}",
        "where": json.dumps(tree()),
        "sort": chance.choice(("", "-")) + chance.choice(FIELDS),
        "search": chance.choice(VALUES),
        "limit": str(chance.randint(1, 5)),
        "view": chance.choice(("Plain", f"Narrow {MARK}", "Sorted", "1", "2", "3")),
        "format": chance.choice(("csv", "json", "xlsx")),
        "sums": f"{chance.choice(FIELDS)}:{chance.choice(('sum', 'count', 'unique', 'max'))}",
        "group": chance.choice(FIELDS),
        "folded": json.dumps([chance.choice(VALUES)]),
        "kind": chance.choice(("grid", "board", "calendar")),
        "start": chance.choice(FIELDS),
        "q": chance.choice(VALUES),
        "exact": "true",
        "allow_slow": "true",
    }
    one = chance.choice(asked(shop))
    path = one.path.format_map({name: chance.choice(shop.numbers.get(name, ["x"])) for name in one.in_path})
    offered = sorted(one.in_query & query.keys()) or ([] if one.path.startswith("/api/") else sorted(query))
    chosen = chance.sample(offered, min(len(offered), chance.randint(0, 3)))
    return path, {name: query[name] for name in chosen}


NOISE: Final = (
    re.compile(r"[0-9a-f]{16,}"),  # of requests
    re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)?"),
    re.compile(r'"?(version|etag|content-length|date|x-request-id|server-timing)"?: ?"?[^ ,}]*', re.IGNORECASE),
    re.compile(r'(data-version|name="version" value)="\d+"'),
    re.compile(r"<dt[^>]*>Version</dt>\s*<dd[^>]*>\d+</dd>"),
    re.compile(r"\d+ (seconds?|minutes?) ago|just now|\d{4}-\d\d-\d\d(?:%20| )\d{4}"),
    re.compile(r"\d\d:\d\d"),  # of a page; who changes a hidden field changes when its record was changed
)


def quiet(text: str) -> str:
    """Without what is another one at each request, and without the version of a record, which counts hidden changes."""
    for noise in NOISE:
        text = noise.sub("", text)
    return text


async def answers_of(shop: Shop, probes: list[tuple[str, dict[str, str]]]) -> list[tuple[int, str]]:
    found = []
    for path, query in probes:
        answer = await shop.ask(path, query)
        assert answer.status_code < 500, f"{path} {query}: {answer.text}"
        text = "" if answer.content.startswith(b"PK") else quiet(content(answer))
        found.append((answer.status_code, text))
    return found


async def change_what_is_hidden(shop: Shop) -> None:
    """Other hidden values, and hidden records that are more, fewer and others."""

    async def send(method: str, path: str, body: object = None) -> None:
        await _sent(shop.workspace, shop.owner, method, path, body)

    for number in range(1, 6):
        await send("PATCH", f"/collections/Orders/records/{number}", {"values": {SECRET: f"other {9 - number}"}})
    rows = [{"Name": f"A{number}", "Price": 20, "Owner": 1, "State": "new", "Customer": 1} for number in range(7)]
    await send("POST", "/collections/Orders/records/batch", {"create": [{"values": one} for one in rows]})
    await send("DELETE", "/collections/Orders/records/7")
    await send("PATCH", "/collections/Customers/records/2", {"values": {"Name": "Zoe", f"Revenue {MARK}": 1}})
    await send("PATCH", "/collections/Customers/records/1", {"values": {f"Revenue {MARK}": 2}})
    await send("POST", f"/collections/{SALARIES}/records", {"values": {"Name": "Another"}})


async def assert_nothing_is_learned(shop: Shop, amount: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a test's choice
    probes = [probe(chance, shop) for _ in range(amount)]
    before = await answers_of(shop, probes)
    for (path, query), (status, text) in zip(probes, before, strict=True):
        said = json.dumps(query)
        assert status != 200 or MARK in said or MARK in path or MARK not in text, f"{path} {query}"
    await change_what_is_hidden(shop)
    after = await answers_of(shop, probes)
    for asked_for, old, new in zip(probes, before, after, strict=True):
        other = (
            [line for line in ndiff(old[1].splitlines(), new[1].splitlines()) if line[0] in "+-"] if new != old else []
        )
        assert new == old, f"{asked_for} tells of what is hidden: {other[:6]}"
    assert sum(status == 200 for status, _ in before) > amount // 3


async def test_answers_are_the_same_when_what_is_hidden_changes(shop: Shop) -> None:
    await assert_nothing_is_learned(shop, SAMPLE, seed=7)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100))
async def test_answers_are_the_same_in_a_hundred_thousand_probes(shop: Shop, seed: int) -> None:
    """A thousand each, so that no login ends before its probes do, however busy the machine is."""
    await assert_nothing_is_learned(shop, 1_000, seed)


async def test_a_hidden_field_is_named_by_no_refusal(shop: Shop) -> None:
    """A filter, a sort and a value on it are refused as those on a field that there is not."""
    records = "/api/v1/collections/Orders/records"
    for query in ({"filter": "{}:eq:x"}, {"sort": "-{}"}, {"where": '{{"field": "{}", "operator": "filled"}}'}):
        said = []
        for name in (SECRET, "Nowhere"):
            answer = await shop.ask(records, {key: text.format(name) for key, text in query.items()})
            said.append((answer.status_code, quiet(content(answer)).replace(name, "?")))
        assert said[0] == said[1]
        assert said[0][0] == 422
