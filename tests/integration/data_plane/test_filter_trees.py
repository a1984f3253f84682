"""What MariaDB finds for a tree of conditions is what Python finds in the same records."""

import random
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from integration.data_plane.workspace import Workspace
from support.filter_trees import depth, holds, trees
from unit.data_plane.builders import collection
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import MAX_DEPTH, WHERE_LENGTH
from vivero_data.lib.json import encode

RECORDS: Final = "/api/v1/collections/Things/records"
WORDS: Final = ["a", "A", "ab", "b", "Ba", "bA1", "1", "abba"]
# Few values a field, so that conditions find something; texts of letters that Python and the collation order alike.
SOME: Final[dict[FieldType, list[Any]]] = {
    FieldType.TEXT: WORDS,
    FieldType.LONG_TEXT: [f"{one}\n{other}" for one in WORDS[:4] for other in WORDS[:2]],
    FieldType.NUMBER: [-1.5, 0, 0.25, 2, 1000000.75],
    FieldType.INTEGER: [-(2**63), -1, 0, 1, 2**63 - 1],
    FieldType.BOOLEAN: [True, False],
    FieldType.DATE: ["1815-12-10", "2026-02-28", "2026-03-01"],
    FieldType.DATETIME: ["1815-12-10T00:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"],
    FieldType.CHOICE: ["red", "green"],
    FieldType.EMAIL: ["a@b.example", "A@b.example", "c@b.example"],
    FieldType.LINK: [1, 2, 3],
    FieldType.PERSON: [1],
    FieldType.AUTONUMBER: ["INV-00001", "INV-00007", "INV-00020"],
    FieldType.CHOICES: [["red"], ["green"], ["red", "green"]],
    FieldType.MONEY: [-1.5, 0, 0.25, 2, 1000000.75],
    FieldType.FORMULA: [1, 2, 3],  # it is 1 + 1
    FieldType.URL: ["https://a.example/", "https://a.example/b", "http://b.example/"],
}
THINGS: Final = collection(*(one for one in collection().fields if not one.type.kind.uploaded))
"""Names of files are asked for in test_record_files.py, where there are some."""
VALUES: Final = {one.name: SOME[one.type] for one in THINGS.fields}
WRITTEN: Final = {one.name: SOME[one.type] for one in THINGS.fields if not one.kind.computed}
TREES: Final = trees(THINGS, {name: st.sampled_from(values) for name, values in VALUES.items()})


@pytest.fixture
async def things(workspace: Workspace, owner: dict[str, str]) -> dict[int, dict[str, Any]]:
    """The values of forty records, a third of them empty, by id."""
    fields = [
        {"name": one.name, "type": one.type, "choices": one.choices, "options": msgspec.to_builtins(one.options)}
        for one in THINGS.fields
    ]
    await workspace.targets(owner, 3)
    await workspace.collection(owner, *fields, name="Things")
    chance = random.Random(7)  # noqa: S311  a test's choice
    found = {}
    for _ in range(40):
        values = {name: chance.choice([*some, *[None] * (len(some) // 2)]) for name, some in WRITTEN.items()}
        answer = await workspace.client.post(RECORDS, json={"values": values}, headers=owner)
        assert answer.status_code == 201, answer.text
        # What a link leads to comes with its title.
        found[answer.json()["id"]] = {
            name: one["id"] if isinstance(one, dict) else one for name, one in answer.json()["values"].items()
        }
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(TREES)
async def test_the_database_finds_what_python_finds(
    workspace: Workspace,
    owner: dict[str, str],
    things: dict[int, dict[str, Any]],
    tree: Any,  # noqa: ANN401  any tree
) -> None:
    where = encode(tree)
    assume(depth(tree) <= MAX_DEPTH and len(where) <= WHERE_LENGTH)
    answer = await workspace.client.get(RECORDS, params={"where": where, "limit": 200}, headers=owner)
    assert answer.status_code == 200, answer.text
    found = [item["id"] for item in answer.json()["items"]]
    assert found == [number for number, values in things.items() if holds(tree, values)], where


async def test_a_tree_that_does_not_fit_is_refused_by_its_place(
    workspace: Workspace, owner: dict[str, str], things: dict[int, dict[str, Any]]
) -> None:
    assert things
    where = '{"all":[{"field":"Text","operator":"filled"},{"not":{"field":"Integer","operator":"eq","value":"old"}}]}'
    answer = await workspace.client.get(RECORDS, params={"where": where}, headers=owner)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == ["where.all[1].not.value"]
