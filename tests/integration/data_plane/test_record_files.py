"""Files in the fields of records and attached to them: how they come, who reads them, how they go and come back."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.data_plane.workspace import Workspace
from vivero_data import housekeeping
from vivero_data.clients.storage import StorageError
from vivero_data.domain.field_types.file import MAX_FILES
from vivero_data.domain.records import files as record_files
from vivero_data.domain.records.bulk import Action, Bulk
from vivero_data.domain.records.schemas import RecordChanges
from vivero_data.domain.roles.rights import CollectionRights, OwnRole
from vivero_data.domain.users.schemas import Actor, Role
from vivero_web.errors import InvalidInputError, NotAllowedError, NotFoundError, UnavailableError

HERE = "/api/v1/collections/Contacts"
RECORDS = f"{HERE}/records"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Desk:
    """A collection with two fields for files, and requests to it by one user."""

    def __init__(self, workspace: Workspace, headers: dict[str, str]) -> None:
        self.workspace = workspace
        self.headers = headers

    async def ask(self, method: str, path: str, body: object = None, expected: int | None = None, **more: Any) -> Any:  # noqa: ANN401  JSON, and what httpx takes
        answer = await self.workspace.client.request(method, path, json=body, headers=self.headers, **more)
        assert answer.is_success if expected is None else answer.status_code == expected, answer.text
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else answer

    async def record(self, **values: object) -> int:
        made = await self.ask("POST", RECORDS, {"values": values})
        return int(made["id"])

    async def put(
        self, record: int, field: str = "", content: bytes = b"x", name: str = "a.txt", expected: int = 201
    ) -> Any:  # noqa: ANN401  JSON
        sent = {"file": (name, content, "text/plain")}
        path = f"{RECORDS}/{record}/files?field={field}"
        answer = await self.workspace.client.post(path, files=sent, headers=self.headers)
        assert answer.status_code == expected, answer.text
        return answer.json()

    async def listed(self, name: str = "a.txt", content: bytes = b"x") -> str:
        sent = {"file": (name, content, "text/plain")}
        answer = await self.workspace.client.post("/api/v1/files", files=sent, headers=self.headers)
        return str(answer.json()["id"])

    async def values(self, record: int) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("GET", f"{RECORDS}/{record}"))["values"]
        return found

    async def names(self, record: int, field: str = "Scans") -> list[str]:
        return [file["name"] for file in (await self.values(record))[field] or []]

    async def used(self) -> int:
        return int((await self.ask("GET", "/api/v1/usage"))["storage_bytes"]["used"])

    async def trash(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.ask("GET", "/api/v1/trash"))["items"]
        return items

    async def undo_last(self) -> None:
        await self.ask("POST", f"/api/v1/trash/{(await self.trash())[0]['id']}/restore")

    async def after_days(self, days: int) -> None:
        """All that waits has waited so many days longer."""
        async with self.workspace.app.state.services.database.transaction() as tx:
            await tx.execute("UPDATE trash SET deleted_at = deleted_at - INTERVAL %s DAY", days)
            await tx.execute("UPDATE record_files SET checked_at = checked_at - INTERVAL %s DAY", days)

    async def tidy(self) -> int:
        """What housekeeping does; how many files it removed."""
        services = self.workspace.app.state.services
        await services.trash.destroy_expired(500)
        return await housekeeping.remove_unused_files(services.database, services.files)


@pytest.fixture
async def desk(workspace: Workspace, owner: dict[str, str]) -> Desk:
    await workspace.collection(
        owner,
        {"name": "Name", "type": "text"},
        {"name": "Scans", "type": "file"},
        {"name": "Photos", "type": "file"},
    )
    return Desk(workspace, owner)


async def test_the_form_of_a_new_record_takes_what_it_uploaded(desk: Desk) -> None:
    name, scans, _ = (field["id"] for field in (await desk.ask("GET", HERE))["fields"])
    uploaded, unknown = await desk.listed("one.txt"), "a" * 26

    async def sent(file: str) -> httpx.Response:
        form = urlencode({f"f{name}": "Oak", f"f{scans}.{file}": "<b>other</b>.txt"})
        headers = {**desk.headers, "content-type": "application/x-www-form-urlencoded"}
        return await desk.workspace.client.post("/collections/Contacts/new", content=form, headers=headers)

    for wrong in (unknown, "1", "../x"):
        refused = await sent(wrong)
        assert refused.status_code == 422, refused.text
        assert "&lt;b&gt;other&lt;/b&gt;.txt" in refused.text, "what was chosen is not lost"
    assert (await sent(uploaded)).status_code == 303
    assert await desk.names(1) == ["one.txt"], "a form does not name files"
    assert (await desk.ask("GET", "/api/v1/files"))["items"] == []
    assert (await sent(uploaded)).status_code == 422, "it belongs to a record already"


@pytest.mark.parametrize("field", ["Scans", ""])
async def test_what_goes_into_a_record_comes_out_of_it(desk: Desk, field: str) -> None:
    record = await desk.record(Name="Oak")
    made = await desk.put(record, field, PNG, "../../o\u202eak.png")
    assert (made["name"], made["size"], made["media_type"]) == ("oak.png", len(PNG), "image/png")
    found = await desk.ask("GET", f"{RECORDS}/{record}/files")
    there = found["fields"]["Scans"] if field else found["attachments"]
    assert [one["id"] for one in there] == [made["id"]]
    answer = await desk.ask("GET", f"{RECORDS}/{record}/files/{made['id']}")
    assert answer.content == PNG
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (await desk.ask("GET", "/api/v1/files"))["items"] == []
    await desk.ask("GET", f"/api/v1/files/{made['id']}", expected=404)
    assert await desk.used() == len(PNG)
    history = await desk.ask("GET", f"{RECORDS}/{record}/history")
    assert history["items"][0]["action"] == ("record.update" if field else "record.attach")


async def test_only_who_may_read_or_write_the_record_does(desk: Desk) -> None:
    record, other = await desk.record(Name="Oak"), await desk.record(Name="Elm")
    made = await desk.put(record, "Scans")
    viewer = Desk(desk.workspace, await desk.workspace.user(desk.headers, "viewer"))
    assert (await viewer.ask("GET", f"{RECORDS}/{record}/files/{made['id']}")).content == b"x"
    await viewer.put(record, "Scans", expected=403)
    await viewer.ask("DELETE", f"{RECORDS}/{record}/files/{made['id']}?field=Scans", expected=403)
    for path in (f"{RECORDS}/{other}/files/{made['id']}", f"{RECORDS}/99/files/{made['id']}"):
        await viewer.ask("GET", path, expected=404)
    stranger = Desk(desk.workspace, {})
    await stranger.ask("GET", f"{RECORDS}/{record}/files/{made['id']}", expected=401)


async def test_a_role_of_the_workspaces_own_reads_and_writes_only_what_it_allows(desk: Desk) -> None:
    record, other, listed = await desk.record(Name="Oak"), await desk.record(Name="Elm"), await desk.listed()
    scan, photo = await desk.put(record, "Scans"), await desk.put(record, "Photos")
    hers = await desk.put(other, "Scans")
    definition = await desk.ask("GET", HERE)
    name, scans, photos = (field["id"] for field in definition["fields"])
    mine = {"field": f"f{name}", "operator": "eq", "value": "Oak"}
    rights = CollectionRights(change=True, hidden=frozenset({photos}), read_only=frozenset({scans}), where=mine)
    actor = Actor(
        1, "r@example.com", "R", Role.MEMBER, own=OwnRole(1, "Reader", collections={definition["id"]: rights})
    )
    services = desk.workspace.app.state.services
    files = services.record_files
    assert [*(await files.list(actor, "Contacts", record)).fields] == ["Scans"]
    assert (await files.get(actor, "Contacts", record, scan["id"])).id == scan["id"]
    for number, file in ((record, photo), (other, hers)):
        with pytest.raises(NotFoundError):
            await files.get(actor, "Contacts", number, file["id"])
    for field in ("Scans", "Photos"):  # read only, and hidden
        with pytest.raises(InvalidInputError):
            await files.check(actor, "Contacts", record, field)
        with pytest.raises(InvalidInputError):
            await files.remove(actor, "Contacts", record, field, scan["id"])
    with pytest.raises(NotFoundError):
        await files.check(actor, "Contacts", other, "")
    writes = msgspec.structs.replace(rights, read_only=frozenset())
    writer = msgspec.structs.replace(actor, own=OwnRole(1, "Writer", collections={definition["id"]: writes}))
    with pytest.raises(InvalidInputError):  # the list of files is not theirs
        await services.records.update(writer, "Contacts", record, RecordChanges(values={"Scans": [listed]}))
    assert await desk.names(record) == ["a.txt"]
    looks = msgspec.structs.replace(rights, change=False)
    looker = msgspec.structs.replace(actor, own=OwnRole(1, "Looker", collections={definition["id"]: looks}))
    with pytest.raises(NotAllowedError):
        await files.check(looker, "Contacts", record, "")


async def test_files_of_the_list_are_put_into_records_by_their_ids(desk: Desk) -> None:
    first, second = await desk.listed("a.txt"), await desk.listed("b.txt")
    record = await desk.record(Name="Oak", Scans=[first])
    assert await desk.names(record) == ["a.txt"]
    await desk.ask("PATCH", f"{RECORDS}/{record}", {"values": {"Scans": [{"id": second}, first]}})
    assert await desk.names(record) == ["b.txt", "a.txt"]
    assert (await desk.ask("GET", "/api/v1/files"))["items"] == []
    sent = await desk.ask("GET", f"{RECORDS}/{record}")
    back = await desk.ask("PATCH", f"{RECORDS}/{record}", {"values": sent["values"]})
    assert back["version"] == sent["version"]
    lies = [{"id": first, "name": "evil.exe", "size": 1, "media_type": "text/html"}]
    await desk.ask("PATCH", f"{RECORDS}/{record}", {"values": {"Scans": lies}})
    assert (await desk.values(record))["Scans"] == [
        {"id": first, "name": "a.txt", "size": 1, "media_type": "text/plain"}
    ]


async def test_a_record_takes_no_file_of_another(desk: Desk) -> None:
    record, other = await desk.record(Name="Oak"), await desk.record(Name="Elm")
    made = await desk.put(record, "Scans")
    refused: tuple[Any, ...] = ([made["id"]], ["a" * 26], ["x"], "x", [17], [{}], [{"id": 3}])
    for bad in refused:
        answer = await desk.ask("PATCH", f"{RECORDS}/{other}", {"values": {"Scans": bad}}, expected=422)
        assert answer["errors"][0]["field"] == "Scans"
    rows = {"create": [{"values": {"Scans": [made["id"]]}}]}
    answer = await desk.ask("POST", f"{RECORDS}/batch", rows, expected=409)
    assert answer["errors"][0]["field"] == "create[0].values.Scans"
    await desk.ask("PATCH", f"{RECORDS}/{record}", {"values": {"Photos": [made["id"]]}})
    assert await desk.names(record, "Photos") == ["a.txt"]


async def test_a_batch_writes_files(desk: Desk) -> None:
    one, two = await desk.listed("a.txt"), await desk.listed("b.txt")
    record = await desk.record(Name="Oak")
    rows = {
        "create": [{"values": {"Scans": [one]}}],
        "update": [{"id": record, "values": {"Scans": [one, two]}}],
    }
    made = (await desk.ask("POST", f"{RECORDS}/batch", rows))["created"][0]["id"]
    assert (await desk.names(made), await desk.names(record)) == (["a.txt"], ["a.txt", "b.txt"])
    await desk.ask("POST", f"{RECORDS}/batch", {"update": [{"id": record, "values": {"Scans": [two]}}]})
    await desk.undo_last()
    assert await desk.names(record) == ["b.txt", "a.txt"]


async def test_people_who_add_at_once_lose_nothing(desk: Desk) -> None:
    record = await desk.record(Name="Oak")
    await asyncio.gather(*(desk.put(record, "Scans", name=f"{number}.txt") for number in range(6)))
    assert sorted(await desk.names(record)) == [f"{number}.txt" for number in range(6)]


async def test_a_field_and_a_record_have_so_many_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = await desk.record(Name="Oak")
    ids = [await desk.listed(f"{number}.txt") for number in range(MAX_FILES)]
    await desk.ask("PATCH", f"{RECORDS}/{record}", {"values": {"Scans": ids}})
    used = await desk.used()
    assert "20 files" in (await desk.put(record, "Scans", expected=409))["detail"]
    monkeypatch.setattr(record_files, "MAX_ATTACHMENTS", 1)
    await desk.put(record)
    await desk.put(record, expected=409)
    assert await desk.used() == used + 1
    await desk.put(record, "Name", expected=422)
    await desk.put(99, expected=404)


@pytest.mark.parametrize("field", ["Scans", ""])
async def test_what_is_removed_comes_back_for_thirty_days(desk: Desk, field: str) -> None:
    record = await desk.record(Name="Oak")
    made, stays = await desk.put(record, field, name="a.txt"), await desk.put(record, field, name="b.txt")
    path = f"{RECORDS}/{record}/files/{made['id']}"
    await desk.ask("DELETE", f"{path}?field={field}")
    await desk.ask("DELETE", f"{path}?field={field}", expected=404)
    await desk.ask("GET", path, expected=404)
    assert (await desk.trash())[0]["name"] == "a.txt of Contacts"
    await desk.after_days(29)
    assert await desk.tidy() == 0
    await desk.undo_last()
    assert (await desk.ask("GET", path)).content == b"x"
    await desk.ask("DELETE", f"{path}?field={field}")
    await desk.after_days(31)
    assert (await desk.tidy(), await desk.used()) == (1, 1)
    assert (await desk.ask("GET", f"{RECORDS}/{record}/files/{stays['id']}")).content == b"x"


async def test_a_record_takes_its_files_to_the_trash_and_back(desk: Desk) -> None:
    record = await desk.record(Name="Oak")
    made, attached = await desk.put(record, "Scans"), await desk.put(record)
    await desk.ask("DELETE", f"{RECORDS}/{record}")
    await desk.after_days(29)
    assert await desk.tidy() == 0
    await desk.undo_last()
    for one in (made, attached):
        assert (await desk.ask("GET", f"{RECORDS}/{record}/files/{one['id']}")).content == b"x"
    await desk.ask("DELETE", f"{RECORDS}/{record}")
    await desk.after_days(31)
    assert (await desk.tidy(), await desk.used()) == (2, 0)


async def test_a_field_or_collection_takes_its_files_along(desk: Desk) -> None:
    record = await desk.record(Name="Oak")
    made = await desk.put(record, "Scans")
    await desk.ask("DELETE", f"{HERE}/fields/Scans")
    await desk.after_days(2)
    assert await desk.tidy() == 0
    await desk.undo_last()
    assert (await desk.ask("GET", f"{RECORDS}/{record}/files/{made['id']}")).content == b"x"
    await desk.ask("DELETE", f"{HERE}/fields/Scans")
    await desk.after_days(31)
    assert (await desk.tidy(), await desk.used()) == (1, 0)
    await desk.put(record, "Photos")
    await desk.ask("DELETE", HERE)
    await desk.after_days(2)
    assert await desk.tidy() == 0
    await desk.undo_last()
    assert await desk.names(record, "Photos") == ["a.txt"]
    await desk.ask("DELETE", HERE)
    await desk.after_days(31)
    assert (await desk.tidy(), await desk.used()) == (1, 0)


async def test_copies_share_a_file_until_the_last_of_them_goes(desk: Desk) -> None:
    record = await desk.record(Name="Oak")
    made = await desk.put(record, "Scans")
    services = desk.workspace.app.state.services

    actor = await actor_of(desk)
    await services.bulk.start(actor, "Contacts", Bulk(Action.DUPLICATE, (record,)))
    copy = record + 1
    assert (await desk.ask("GET", f"{RECORDS}/{copy}/files/{made['id']}")).content == b"x"
    assert await desk.used() == 1
    await desk.ask("DELETE", f"{RECORDS}/{record}")
    await desk.after_days(31)
    assert await desk.tidy() == 0
    assert (await desk.ask("GET", f"{RECORDS}/{copy}/files/{made['id']}")).content == b"x"
    await desk.ask("DELETE", f"{RECORDS}/{copy}/files/{made['id']}?field=Scans")
    await desk.after_days(31)
    assert (await desk.tidy(), await desk.used()) == (1, 0)


async def test_many_records_are_emptied_and_filled_again(desk: Desk) -> None:

    record = await desk.record(Name="Oak")
    made = await desk.put(record, "Scans")
    bulk, actor = desk.workspace.app.state.services.bulk, await actor_of(desk)
    for bad in ([made["id"]], "a.txt"):
        with pytest.raises(InvalidInputError):
            await bulk.start(actor, "Contacts", Bulk(Action.EDIT, (record,), field="Scans", value=bad))
    done = await bulk.start(actor, "Contacts", Bulk(Action.EDIT, (record,), field="Scans", value=None))
    assert await desk.names(record) == []
    await desk.after_days(2)
    assert await desk.tidy() == 0
    await desk.ask("POST", f"/api/v1/trash/{done.entry}/restore")
    assert await desk.names(record) == ["a.txt"]


async def actor_of(desk: Desk) -> Actor:
    me = await desk.ask("GET", "/api/v1/me")
    return Actor(me["id"], me["email"], me["name"], Role.OWNER)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Scans:filled", [1, 2]),
        ("Scans:empty", [3]),
        ("Scans:contains:Plan", [1]),
        ("Scans:contains:größe", [2]),
        ('Scans:contains:"a"', [2]),
        ("Scans:contains:media", []),
        ("Scans:contains:%", []),
    ],
)
async def test_filters_ask_for_names(desk: Desk, asked: str, found: list[int]) -> None:
    for name in ("site plan.pdf", 'Größe "a".txt', ""):
        record = await desk.record(Name="Oak")
        if name:
            await desk.put(record, "Scans", name=name)
    page = await desk.ask("GET", RECORDS, params={"filter": asked})
    assert [record["id"] for record in page["items"]] == found
    if asked.startswith("Scans:contains:"):
        page = await desk.ask("GET", RECORDS, params={"search": asked.removeprefix("Scans:contains:")})
        assert [record["id"] for record in page["items"]] == found


@pytest.mark.parametrize("format_", ["csv", "json", "xlsx"])
async def test_an_export_names_the_files(desk: Desk, format_: str) -> None:
    record = await desk.record(Name="Oak")
    await desk.put(record, "Scans", name="plan, old.txt")
    answer = await desk.workspace.client.get(f"{HERE}/export", params={"format": format_}, headers=desk.headers)
    assert answer.status_code == 200
    assert format_ == "xlsx" or b"plan" in answer.content


async def test_an_import_takes_no_files(desk: Desk) -> None:
    sent = {"file": ("a.csv", b"Name,Scans\nOak,a.txt\n", "text/csv")}
    answer = await desk.workspace.client.post(
        f"{HERE}/imports", files=sent, data={"mode": "insert"}, headers=desk.headers
    )
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"name": "F", "type": "file", "required": True},
        {"name": "F", "type": "file", "default": ["a" * 26]},
        {"name": "F", "type": "file", "unique": True},
        {"name": "F", "type": "file", "choices": ["a"]},
    ],
)
async def test_a_field_of_files_has_few_rules(desk: Desk, body: dict[str, object]) -> None:
    await desk.ask("POST", f"{HERE}/fields", body, expected=422)


async def test_a_field_of_files_becomes_text_and_no_text_becomes_files(desk: Desk) -> None:
    record = await desk.record(Name="Oak")
    made = await desk.put(record, "Scans", name="plan.txt")
    await desk.ask("PATCH", f"{HERE}/fields/Name", {"type": "file"}, expected=422)
    await desk.ask("PATCH", f"{HERE}/fields/Scans", {"type": "text"})
    assert (await desk.values(record))["Scans"] == "plan.txt"
    await desk.after_days(2)
    assert await desk.tidy() == 0
    await desk.undo_last()
    assert (await desk.ask("GET", f"{RECORDS}/{record}/files/{made['id']}")).content == b"x"


class StoppedError(Exception):
    """What nobody foresaw."""


@pytest.mark.parametrize("error", [UnavailableError("away"), StorageError("refused"), StoppedError()])
@pytest.mark.parametrize("moment", ["put", "late put", "commit"])
async def test_an_upload_that_fails_leaves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, moment: str
) -> None:
    """Whatever fails, and whether or not the object is there by then: no room is taken, and no object is left."""
    record, services = await desk.record(Name="Oak"), desk.workspace.app.state.services
    put, kept = services.storage.put, []

    def failing(key: str, body: Iterable[bytes], size: int) -> None:
        kept.append(key)
        if moment != "put":
            put(key, body, size)
        if moment != "commit":
            raise error

    async def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr(services.storage, "put", failing)
    if moment == "commit":
        monkeypatch.setattr(record_files, "_add", refused)
    sent = {"file": ("a.txt", b"x", "text/plain")}
    answer = await desk.workspace.client.post(f"{RECORDS}/{record}/files", files=sent, headers=desk.headers)
    assert answer.status_code >= 500
    monkeypatch.undo()
    assert await desk.used() == 0
    async with services.database.read() as connection:
        assert await connection.fetch_all("SELECT id FROM files") == []
    for key in kept:
        with pytest.raises(Exception, match="not in the bucket"):
            services.storage.get(key)


async def test_while_the_bucket_is_away_a_failed_upload_waits_to_be_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, services = await desk.record(Name="Oak"), desk.workspace.app.state.services

    def away(*_: object) -> None:
        raise UnavailableError("away")

    monkeypatch.setattr(services.storage, "put", away)
    monkeypatch.setattr(services.storage, "delete", away)
    await desk.put(record, expected=503)
    assert await desk.used() == 1
    monkeypatch.undo()
    monkeypatch.setattr(housekeeping, "_UPLOAD_AGE", timedelta(hours=-1))
    assert await housekeeping.finish_interrupted(services.database, services.storage, services.files) == 1
    assert await desk.used() == 0


@pytest.mark.parametrize("keep", ["reading", "deleting", "exporting"])
async def test_storage_over_its_limit_keeps_working(desk: Desk, keep: str) -> None:
    record = await desk.record(Name="Oak")
    made = await desk.put(record, "Scans", b"x" * 100)
    desk.workspace.set_limits(storage_bytes=10)
    await asyncio.sleep(1.1)
    await desk.put(record, "Scans", expected=402)
    if keep == "reading":
        assert (await desk.ask("GET", f"{RECORDS}/{record}/files/{made['id']}")).content == b"x" * 100
    elif keep == "exporting":
        answer = await desk.workspace.client.get(f"{HERE}/export?format=csv", headers=desk.headers)
        assert b"a.txt" in answer.content
    else:
        await desk.ask("DELETE", f"{RECORDS}/{record}/files/{made['id']}?field=Scans")
        await desk.after_days(31)
        assert (await desk.tidy(), await desk.used()) == (1, 0)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(["put", "attach", "remove", "delete", "copy", "undo", "tidy", "empty"]), max_size=14)
)
async def test_what_a_record_shows_can_always_be_read(desk: Desk, steps: list[str]) -> None:  # noqa: C901, PLR0912  steps
    """Any order of changes, undoing and housekeeping: no file of a record is ever gone, and what is gone is not counted."""

    services, actor = desk.workspace.app.state.services, await actor_of(desk)
    await desk.record(Name="Oak")
    for step in steps:
        page = (await desk.ask("GET", f"{RECORDS}?sort=-id"))["items"]
        newest = page[0]["id"] if page else await desk.record(Name="Elm")
        if step in {"put", "attach"}:
            await desk.put(newest, "Scans" if step == "put" else "")
        elif step == "remove":
            for file in (await desk.values(newest))["Scans"] or []:
                await desk.ask("DELETE", f"{RECORDS}/{newest}/files/{file['id']}?field=Scans")
        elif step == "delete":
            await desk.ask("DELETE", f"{RECORDS}/{newest}")
        elif step == "empty":
            await services.bulk.start(actor, "Contacts", Bulk(Action.EDIT, (newest,), field="Scans", value=None))
        elif step == "copy":
            await services.bulk.start(actor, "Contacts", Bulk(Action.DUPLICATE, (newest,)))
        elif step == "undo":
            for entry in (await desk.trash())[:1]:
                path = f"/api/v1/trash/{entry['id']}/restore"
                await desk.workspace.client.post(path, headers=desk.headers)
        else:
            await desk.after_days(16)
            await desk.tidy()
    seen = set()
    for record in (await desk.ask("GET", f"{RECORDS}?limit=200"))["items"]:
        found = await desk.ask("GET", f"{RECORDS}/{record['id']}/files")
        for file in [*found["fields"]["Scans"], *found["attachments"]]:
            seen.add(file["id"])
            answer = await desk.ask("GET", f"{RECORDS}/{record['id']}/files/{file['id']}")
            assert answer.content == b"x"
    assert await desk.used() >= len(seen)
    left = [{"id": one["id"]} for one in (await desk.ask("GET", f"{RECORDS}?limit=200"))["items"]]
    if left:
        await desk.ask("POST", f"{RECORDS}/batch", {"delete": left})
    await desk.after_days(31)
    await desk.tidy()
    await desk.after_days(31)
    await desk.tidy()
    assert await desk.used() == 0
