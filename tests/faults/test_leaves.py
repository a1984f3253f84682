from typing import Any

import pytest
from faults.leaves import Leaf, NoValueError, invalid, leaves, optional, spec_schema, values

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 3},
        "size": {"type": "object", "properties": {"count": {"type": "integer", "minimum": 2, "maximum": 9}}},
    },
}


def test_every_leaf_is_found_once() -> None:
    assert [str(leaf) for leaf in leaves(SCHEMA)] == ["name", "size.count"]


def test_a_patch_reaches_the_leaf_and_nothing_else() -> None:
    assert Leaf(("size", "count"), {}).patch(5) == {"spec": {"size": {"count": 5}}}


def test_values_are_two_that_the_schema_allows() -> None:
    assert values(Leaf(("count",), {"type": "integer", "minimum": 2}), {}) == (3, 4)
    assert values(Leaf(("on",), {"type": "boolean"}), {}) == (True, False)
    assert values(Leaf(("why",), {"type": "string", "enum": ["A", "B", "C"]}), {}) == ("A", "B")
    assert values(Leaf(("slug",), {"type": "string", "pattern": "^a$"}), {"slug": ("a", "b")}) == ("a", "b")


def test_what_nobody_can_fill_is_an_error() -> None:
    with pytest.raises(NoValueError, match="host: give two values"):
        values(Leaf(("host",), {"type": "string", "pattern": "^x$"}), {})


def test_each_bound_has_a_value_beyond_it() -> None:
    count = Leaf(("count",), {"type": "integer", "minimum": 2, "maximum": 9})
    assert list(invalid(count)) == [["a list"], 1, 10]
    name = Leaf(("name",), {"type": "string", "minLength": 1, "maxLength": 3})
    assert list(invalid(name)) == [["a list"], "xxxx", ""]


def test_required_fields_are_told_from_optional_ones() -> None:
    assert not optional(Leaf(("name",), {}), SCHEMA)
    assert optional(Leaf(("size", "count"), {}), SCHEMA)


@pytest.mark.parametrize("plural", ["tenants", "plans", "databaseservers", "tenantpools"])
def test_the_real_definitions_have_leaves(plural: str) -> None:
    assert len(list(leaves(spec_schema(plural)))) >= 2
