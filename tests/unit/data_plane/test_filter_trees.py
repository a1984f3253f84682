"""A tree of conditions is the same as JSON and read again, and nothing in it becomes SQL."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.filter_trees import depth, trees
from unit.data_plane.builders import STORED, collection
from unit.data_plane.strategies import VALUES
from vivero_data.domain.field_types.file import File
from vivero_data.domain.field_types.kind import Operator
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    WHERE_LENGTH,
    AllOf,
    AnyOf,
    Condition,
    Not,
    parse_where,
)
from vivero_data.domain.records.where import compiled, parse_filters
from vivero_data.lib.json import decode, encode
from vivero_web.errors import InvalidInputError

THINGS = collection()
COLUMN = {one.name: f"`f_{one.id}`" for one in THINGS.fields}
_NAMES = File().text_sql("`f_1`").partition("`f_1`")[2]
SAFE_SQL = re.compile(rf"(?:[a-zA-Z_`0-9%<>=(), ]|{re.escape(_NAMES)})+")
SAID = {
    one.name: st.text(min_size=1, max_size=20) | st.sampled_from(["%", "_", "\\", "'", "%s", "`f_10`"])
    if Operator.CONTAINS in one.kind.operators and one.type not in {FieldType.CHOICE, FieldType.EMAIL, FieldType.URL}
    else VALUES[one.type].map(lambda value: decode(encode(value)))
    for one in THINGS.fields
}
TREES = trees(THINGS, SAID).filter(lambda tree: depth(tree) <= MAX_DEPTH)


@given(TREES)
def test_a_tree_is_the_same_as_json_and_read_again(tree: Any) -> None:  # noqa: ANN401  any tree
    written = encode(tree)
    assume(len(written) <= WHERE_LENGTH)
    assert parse_where(written) == tree


@given(TREES)
def test_nothing_typed_becomes_sql(tree: Any) -> None:  # noqa: ANN401  as above
    try:
        clause = compiled(THINGS, tree)
    except InvalidInputError as error:
        assert error.errors[0].field.startswith("where.")  # noqa: PT017  most trees fit, and none is lost
        return
    assert SAFE_SQL.fullmatch(clause.sql)
    assert clause.sql.count("%s") == len(clause.params)


def test_groups_are_sql_groups() -> None:
    one, other = Condition("Integer", "gte", 3), Condition("Text", "eq", "a")
    first, second = f"{COLUMN['Integer']} >= %s", f"{COLUMN['Text']} = %s"
    clause = compiled(THINGS, AllOf((one, AnyOf((one, Not(other))))))
    assert clause.sql == f"({first} AND ({first} OR (({second}) IS NOT TRUE)))"
    assert clause.params == (3, 3, "a")


def test_the_parameter_and_the_tree_must_both_hold() -> None:
    tree = '{"any":[{"field":"Text","operator":"empty"},{"field":"Integer","operator":"in","value":[1,2]}]}'
    flat, whole = parse_filters(THINGS, ["Integer:in:1,2"], tree)
    assert flat.sql == f"{COLUMN['Integer']} IN (%s, %s)"
    assert (whole.sql, whole.params) == (f"({COLUMN['Text']} IS NULL OR {flat.sql})", flat.params)


def nested(depth_wanted: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"field": "Text", "operator": "empty"}
    for _ in range(depth_wanted - 1):
        tree = {"not": tree}
    return tree


LEAF = {"field": "Text", "operator": "filled"}
REFUSED: list[tuple[str, str]] = [
    ("", "where"),
    ("{", "where"),
    ("[]", "where"),
    ("null", "where"),
    ("7", "where"),
    ("[" * 5000, "where"),
    ('"' + "x" * WHERE_LENGTH + '"', "where"),
    (encode({"all": [LEAF] * (MAX_CONDITIONS + 1)}), "where"),
    (encode(nested(MAX_DEPTH + 1)), "where" + ".not" * MAX_DEPTH),
    ('{"all":[]}', "where.all"),
    ('{"any":{}}', "where.any"),
    ('{"not":[]}', "where.not"),
    ('{"all":[{"field":"Text","operator":"filled"}],"any":[{"field":"Text","operator":"filled"}]}', "where"),
    ('{"any":[{"field":"Text","operator":"filled"},{"field":"Text"}]}', "where.any[1]"),
    ('{"field":"Text","operator":"eq","value":"a","also":1}', "where"),
    ('{"field":7,"operator":"eq","value":"a"}', "where.field"),
    ('{"field":"Text","operator":["eq"],"value":"a"}', "where.operator"),
    ('{"not":{"field":"Nothing","operator":"eq","value":"a"}}', "where.not.field"),
    (
        '{"all":[{"not":{"any":[{"field":"Integer","operator":"contains","value":"1"}]}}]}',
        "where.all[0].not.any[0].operator",
    ),
    ('{"field":"Boolean","operator":"lt","value":true}', "where.operator"),
    ('{"all":[{"field":"Integer","operator":"eq","value":"old"}]}', "where.all[0].value"),
    ('{"field":"Integer","operator":"eq"}', "where.value"),
    ('{"field":"Integer","operator":"eq","value":{"a":1}}', "where.value"),
    ('{"field":"Text","operator":"eq","value":null}', "where.value"),
    ('{"field":"Text","operator":"empty","value":"a"}', "where.value"),
    ('{"field":"Text","operator":"contains","value":""}', "where.value"),
    ('{"field":"Text","operator":"starts","value":7}', "where.value"),
    ('{"field":"Integer","operator":"in","value":"1,2"}', "where.value"),
    ('{"field":"Integer","operator":"in","value":[]}', "where.value"),
    ('{"field":"Integer","operator":"in","value":[1,"x"]}', "where.value"),
    (encode({"field": "Integer", "operator": "in", "value": [1] * 101}), "where.value"),
]


@pytest.mark.parametrize(("text", "place"), REFUSED)
def test_what_does_not_fit_is_named_by_its_place(text: str, place: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        compiled(THINGS, parse_where(text))
    assert [error.field for error in caught.value.errors] == [place]


def test_the_bounds_are_inside() -> None:
    assert compiled(THINGS, parse_where(encode(nested(MAX_DEPTH)))).sql.count("IS NOT TRUE") == MAX_DEPTH - 1
    assert compiled(THINGS, parse_where(encode({"all": [LEAF] * MAX_CONDITIONS}))).sql.count("IS NOT NULL") == 50


@given(st.text())
def test_any_text_is_a_tree_or_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_where(f"x{text}")


@pytest.mark.parametrize("kind", STORED)
def test_every_type_says_which_conditions_there_are(kind: FieldType) -> None:
    operators = kind.kind.operators
    equal = set() if kind.kind.uploaded else {Operator.EQ, Operator.NE, Operator.IN}
    assert {*equal, Operator.EMPTY, Operator.FILLED} <= set(operators)
    assert len(set(operators)) == len(operators)
