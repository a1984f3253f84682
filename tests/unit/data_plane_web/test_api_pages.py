"""The documentation of the API: its pages say what the document says, and their examples are good."""

import json
from typing import Any

import jsonschema_rs
import pytest
from support.programs import DOMAIN, data_plane
from support.schema_cases import document_of
from unit.data_plane.builders import collection, field
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World
from vivero_data.domain.collections.schemas import parse
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.lib.json import decode
from vivero_data.web import api_reference, collection_reference
from vivero_data.web.api_reference import Operation, Section

HOST = "https://acme.example"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    import asyncio  # noqa: PLC0415

    return asyncio.run(document_of(data_plane(tmp_path_factory.mktemp("program")), DOMAIN))


@pytest.fixture(scope="module")
def sections(document: dict[str, Any]) -> list[Section]:
    return api_reference.sections(document, HOST)


@pytest.fixture(scope="module")
def operations(sections: list[Section]) -> list[Operation]:
    return [one for section in sections for one in section.operations]


def test_every_operation_of_the_document_is_shown_once(document: dict[str, Any], operations: list[Operation]) -> None:
    known = sorted(one["operationId"] for methods in document["paths"].values() for one in methods.values())
    assert sorted(one.id for one in operations) == known
    assert len(known) > 100


def test_whatever_is_sent_has_an_example_that_its_schema_admits(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    by_id = {one["operationId"]: one for methods in document["paths"].values() for one in methods.values()}
    sent = [one for one in operations if one.body and one.body.media_type == "application/json"]
    assert len(sent) > 30
    for one in sent:
        assert one.body
        schema = by_id[one.id]["requestBody"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema_rs.Draft202012Validator(whole).validate(json.loads(one.body.example))
        assert api_reference.compact(json.loads(one.body.example)).replace("'", "'\"'\"'") in one.call


def test_each_parameter_and_each_field_is_said_in_words(operations: list[Operation]) -> None:
    for one in operations:
        bodies = [one.body, *(answer.body for answer in one.good)]
        rows = [*one.parameters, *(row for body in bodies if body for row in body.fields)]
        assert [(row.name, row.kind) for row in rows if not row.text and "`" not in row.kind] == [], one.id
        assert "{" not in one.call.partition("-d ")[0].partition("?")[0], one.call


def test_a_call_has_the_key_only_where_a_login_is_needed(operations: list[Operation]) -> None:
    open_to_all = {one.id for one in operations if "Authorization" not in one.call}
    assert open_to_all == {one.id for one in operations if one.open}
    assert "login" in open_to_all
    assert "list_records" not in open_to_all


def test_a_call_is_one_that_a_shell_reads() -> None:
    call = api_reference.curl("POST", f"{HOST}/x", body={"Name": "Zoë's"})
    assert call.splitlines() == [
        f'curl -X POST "{HOST}/x" \\',
        '  -H "Authorization: Bearer $VIVERO_KEY" \\',
        "  -H 'Content-Type: application/json' \\",
        """  -d '{"Name": "Zoë'"'"'s"}'""",
    ]


@pytest.mark.parametrize("kind", FieldType)
def test_every_type_has_an_example_that_it_takes_or_is_not_written(kind: FieldType) -> None:
    one = field(kind)
    example = kind.kind.example(one)
    if kind.kind.computed:
        assert example is None
    else:
        parse(one, decode(json.dumps(example).encode()))


def test_the_calls_of_a_collection_name_its_fields_and_its_address() -> None:
    things = collection(*(field(kind, number) for number, kind in enumerate(FieldType, 10)))
    calls = {call.title: call.code for call in collection_reference.calls_of(things, HOST)}
    assert f'"{HOST}/api/v1/collections/Things/records"' in calls["List records"]
    assert '"Money": 10' in calls["Create a record"]
    assert "Autonumber" not in calls["Create a record"]
    assert "Link" not in calls["Create a record"], "a number of a record that may not be there"
    assert len(calls) == 6


def test_the_contents_are_searched(browser: Browser) -> None:
    page = browser.open("/developers")
    assert "export VIVERO_KEY=" in page
    assert "List webhooks" in page or "/api/v1/webhooks" in page
    found = browser.open("/developers?q=webhook+delete")
    assert "/developers/routes/webhooks#delete_webhook" in found
    assert "/developers/routes/records#" not in found
    assert "Nothing matches" in browser.open("/developers?q=%3Cnothing%3E")


def test_a_section_shows_its_operations(browser: Browser) -> None:
    page = browser.open("/developers/routes/records")
    for part in ('id="list_records"', "$VIVERO_KEY", "allow_slow", "409 Conflict", "values"):
        assert part in page
    browser.open("/developers/routes/no-such", 404)


def test_a_collection_shows_its_fields(browser: Browser, world: World) -> None:
    world.collections["Things"] = collection()
    page = browser.open("/developers/collections/Things")
    for part in ("autonumber", "Read only", "2026-11-30", "/api/v1/collections/Things/records"):
        assert part in page
    browser.open("/developers/collections/Nothing", 404)


def test_the_pages_need_a_login(browser: Browser, world: World) -> None:
    world.signed_in = False
    for path in ("/developers", "/developers/routes/records", "/developers/collections/Things"):
        assert browser.client.get(path, follow_redirects=False).headers["location"].startswith("/login")
