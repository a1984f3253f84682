"""Trees of conditions: any that fit a collection, and what they find, by Python alone."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hypothesis import strategies as st
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.field_types.kind import Operator
from vivero_data.domain.records.filters import AllOf, AnyOf, Condition, Not, Tree

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    Operator.EQ: lambda value, wanted: value == wanted,
    Operator.IN: lambda value, wanted: value in wanted,
    Operator.LT: lambda value, wanted: value < wanted,
    Operator.LTE: lambda value, wanted: value <= wanted,
    Operator.GT: lambda value, wanted: value > wanted,
    Operator.GTE: lambda value, wanted: value >= wanted,
    Operator.CONTAINS: lambda value, wanted: wanted in value,
    Operator.ANY: lambda value, wanted: bool(set(value) & set(wanted)),
    Operator.ALL: lambda value, wanted: set(value) >= set(wanted),
    Operator.STARTS: lambda value, wanted: value.startswith(wanted),
}


def trees(collection: Collection, values: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Tree]:
    """Trees over the collection's fields, with values of theirs as JSON has them, by field name."""
    conditions = st.one_of(
        [
            _condition(field.name, operator, values[field.name])
            for field in collection.fields
            for operator in field.kind.operators
        ]
    )

    def grown(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        several = st.lists(parts, min_size=1, max_size=3).map(tuple)
        return st.one_of(several.map(AllOf), several.map(AnyOf), parts.map(Not))

    # Two conditions of a group may each be a group of three: six leaves are at most six deep.
    return st.recursive(conditions, grown, max_leaves=6)


def _condition(name: str, operator: Operator, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    if operator in {Operator.EMPTY, Operator.FILLED}:
        return st.just(Condition(name, operator))
    wanted = st.lists(values, min_size=1, max_size=4) if operator == Operator.IN else values
    return wanted.map(lambda value: Condition(name, operator, value))


def holds(tree: Tree, values: Mapping[str, Any]) -> bool:
    """Whether a record with these values, as JSON has them, is found; letters are the same in either case."""
    if isinstance(tree, AllOf):
        return all(holds(part, values) for part in tree.all)
    if isinstance(tree, AnyOf):
        return any(holds(part, values) for part in tree.any)
    if isinstance(tree, Not):
        return not holds(tree.part, values)
    value, wanted = _folded(values[tree.field]), _folded(tree.value)
    if tree.operator in {Operator.EMPTY, Operator.FILLED}:
        return (value is None) == (tree.operator == Operator.EMPTY)
    if tree.operator == Operator.NE:
        return bool(value != wanted)
    return value is not None and COMPARE[tree.operator](value, wanted)


def _folded(value: Any) -> Any:  # noqa: ANN401  a value or a list of them
    if isinstance(value, list):
        return [_folded(one) for one in value]
    return value.casefold() if isinstance(value, str) else value


def depth(tree: Tree) -> int:
    """How deep it is; a condition alone is one."""
    if isinstance(tree, Condition):
        return 1
    if isinstance(tree, Not):
        return 1 + depth(tree.part)
    return 1 + max(map(depth, tree.all if isinstance(tree, AllOf) else tree.any))
