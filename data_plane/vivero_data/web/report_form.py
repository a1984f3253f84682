"""The form of a report: its menus, and the definition that was put together in it; pure."""

from typing import Any, Final

import msgspec
from vivero_web.errors import InvalidInputError
from vivero_web.text import whole_number

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.filters import (
    LISTED,
    VALUELESS,
    AllOf,
    Condition,
    Tree,
    as_json,
    parse_tree,
    parse_where,
)
from vivero_data.domain.records.query import Column, column_of
from vivero_data.domain.reports.labels import field_label, measure_label
from vivero_data.domain.reports.schemas import (
    DEFAULT_GROUPS,
    MAX_GROUPINGS,
    MAX_MEASURES,
    Definition,
    Function,
    Kind,
    Measure,
    Order,
    Period,
)
from vivero_data.lib.json import encode
from vivero_data.lib.lists import join_list, split_list
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.web.forms import Form
from vivero_data.web.operators import condition_value

MEASURE_ROWS: Final = 3
FILTER_ROWS: Final = 3
Options = list[tuple[str, str]]
KINDS: Final = (
    (Kind.BAR, "Bars"),
    (Kind.STACKED_BAR, "Stacked bars"),
    (Kind.LINE, "Line"),
    (Kind.AREA, "Area"),
    (Kind.PIE, "Pie"),
    (Kind.TABLE, "Table"),
    (Kind.PIVOT, "Pivot table"),
    (Kind.NUMBER, "One number"),
)
ORDERS: Final = (
    (Order.GROUP, "Group, ascending"),
    (Order.GROUP_DESCENDING, "Group, descending"),
    (Order.VALUE_DESCENDING, "Largest first"),
    (Order.VALUE, "Smallest first"),
)
_STAMPS: Final = ("created_at", "updated_at")


def groupings(collection: Collection, form: Form) -> Options:
    """What records can be grouped by, dates and times once for each period; and what the form has already."""
    columns = [column for name in _names(collection) if (column := column_of(collection, name))]
    found: Options = []
    for column in columns:
        kind, name = column.field.kind, column.field.name
        if kind.dated:
            found += [(f"{by}:{name}", f"{field_label(name)} by {by}") for by in Period]
        elif kind.sortable:
            found.append((f":{name}", field_label(name)))
    return _with_present(found, [form.get(f"group-{index}", "") for index in range(MAX_GROUPINGS)])


def measures(collection: Collection, form: Form) -> Options:
    """What can be measured: records, each number in four ways, where a field is filled; and what the form has already."""
    numbers = [field.name for field in collection.fields if field.kind.summable]
    counts = [
        Measure(Function.COUNT, field.name)
        for field in collection.fields
        if not field.required and not field.kind.virtual
    ]
    every = [Measure(Function.COUNT), *(Measure(one, name) for name in numbers for one in list(Function)[1:]), *counts]
    found = [(_measure_value(one), measure_label(one)) for one in every]
    return _with_present(found, [form.get(f"measure-{index}", "") for index in range(MAX_MEASURES)])


def measure_rows(form: Form) -> int:
    """How many measures the form has room for."""
    return next(rows for rows in range(MEASURE_ROWS, MAX_MEASURES + 1) if not form.get(f"measure-{rows}"))


def _with_present(options: Options, values: list[str]) -> Options:
    """A report that was made through the API may have what the menus do not offer."""
    known = {value for value, _ in options}
    return [
        *options,
        *((value, " ".join(value.split(":", 1)).strip()) for value in values if value and value not in known),
    ]


def fields(collection: Collection) -> Options:
    """What can be filtered by."""
    return [(name, field_label(name)) for name in _names(collection)]


def _names(collection: Collection) -> list[str]:
    return [*(field.name for field in collection.fields), *_STAMPS]


def _measure_value(measure: Measure) -> str:
    return f"{measure.function}:{measure.field or ''}"


def first_form(collection: Collection) -> dict[str, str]:
    """What the form of a new report proposes: records by the first field with few values, else by when they were made."""
    few = next((one for one in collection.fields if one.choices or one.kind.two_valued), None)
    grouping, kind = (f":{few.name}", Kind.BAR) if few else ("month:created_at", Kind.LINE)
    return {
        "collection": collection.name,
        "group-0": grouping,
        "measure-0": f"{Function.COUNT}:",
        "kind": kind,
        "shared": "true",
    }


def form_of(definition: Definition) -> dict[str, str]:
    """The form's values for a stored definition; a filter that it has no rows for stays in `where`."""
    made = {"kind": definition.kind.value, "order": definition.order.value, "limit": str(definition.limit)}
    for index, grouping in enumerate(definition.group_by):
        made[f"group-{index}"] = f"{grouping.by or ''}:{grouping.field}"
    for index, measure in enumerate(definition.measures):
        made[f"measure-{index}"] = _measure_value(measure)
    conditions = _conditions(parse_tree(definition.where)) if definition.where is not None else []
    if conditions is None:
        return {**made, "where": encode(definition.where)}
    for index, one in enumerate(conditions):
        made |= {f"field-{index}": one.field, f"operator-{index}": one.operator, f"value-{index}": _text(one.value)}
    return made


def _conditions(tree: Tree) -> list[Condition] | None:
    """The conditions that rows of the form can show; None if the tree has another shape."""
    parts = tree.all if isinstance(tree, AllOf) else (tree,)
    found = [part for part in parts if isinstance(part, Condition)]
    return found if len(found) == len(parts) <= FILTER_ROWS else None


def _text(value: Any) -> str:  # noqa: ANN401  any JSON value
    if value is None:
        return ""
    if isinstance(value, list):
        return join_list(_text(one) for one in value)
    return value if isinstance(value, str) else encode(value)


def definition_of(form: Form, collection: Collection, notation: Notation = UNSET) -> Definition:
    """The definition in the form.

    Raises:
        InvalidInputError: a part of it is nothing that the form offers.
    """
    said = {
        "where": _where(form, collection, notation),
        "group_by": [_grouping(text) for index in range(MAX_GROUPINGS) if (text := form.get(f"group-{index}", ""))],
        "measures": [_measure(text) for index in range(MAX_MEASURES) if (text := form.get(f"measure-{index}", ""))],
        "kind": form.get("kind", Kind.BAR),
        "order": form.get("order") or Order.GROUP,
        "limit": _limit(form.get("limit", "")),
    }
    try:
        return msgspec.convert(said, Definition)
    except msgspec.ValidationError as error:
        raise InvalidInputError.of("form", f"cannot be read: {error}") from error


def _grouping(text: str) -> dict[str, str | None]:
    by, _, field = text.partition(":")
    return {"field": field, "by": by or None}


def _measure(text: str) -> dict[str, str | None]:
    function, _, field = text.partition(":")
    return {"function": function, "field": field or None}


def _limit(text: str) -> int:
    if not text.strip():
        return DEFAULT_GROUPS
    number = whole_number(text)
    if number is None:
        raise InvalidInputError.of("limit", "must be a whole number")
    return number


def _where(form: Form, collection: Collection, notation: Notation) -> dict[str, Any] | None:
    rows = [_condition(form, index, collection, notation) for index in range(FILTER_ROWS) if form.get(f"field-{index}")]
    if not rows:
        kept = form.get("where", "")
        return as_json(parse_where(kept)) if kept else None
    return as_json(rows[0] if len(rows) == 1 else AllOf(tuple(rows)))


def _condition(form: Form, index: int, collection: Collection, notation: Notation) -> Condition:
    column = column_of(collection, form[f"field-{index}"])
    if column is None:
        raise InvalidInputError.of("filter", f"names no field of {collection.name}")
    operator, text = form.get(f"operator-{index}", ""), form.get(f"value-{index}", "")
    return Condition(column.field.name, operator, _value(column, operator, text, notation))


def _value(column: Column, operator: str, text: str, notation: Notation) -> str | list[str] | None:
    if operator in VALUELESS:
        return None
    if operator in LISTED:
        return [condition_value(column.field, part.strip(), notation) for part in split_list(text)]
    return condition_value(column.field, text, notation)
