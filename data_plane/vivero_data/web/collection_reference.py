"""The API of one collection: its fields with example values, and calls that work with a key; pure."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from vivero_data.domain.collections.schemas import Collection, Field
from vivero_data.domain.field_types.kind import Operator
from vivero_data.web.api_reference import compact, curl
from vivero_data.web.filters import rules
from vivero_data.web.listing import segment


class FieldOfApi(Struct, frozen=True):
    """One field: its type's name in the API, an example as JSON, and the operators of its filters."""

    name: str
    type: str
    example: str
    rules: str
    operators: str


class Call(Struct, frozen=True):
    """One call, and what it does."""

    title: str
    text: str
    code: str


def fields_of(collection: Collection) -> list[FieldOfApi]:
    return [
        FieldOfApi(
            one.name,
            one.type.value,
            "" if one.kind.computed else compact(one.kind.example(one)),
            "The workspace writes it" if one.kind.computed else rules(one),
            ", ".join(one.kind.operators),
        )
        for one in collection.fields
    ]


def example_values(collection: Collection) -> Mapping[str, Any]:
    """Values of a good record, but for what is unique or leads to something."""
    written = (one for one in collection.fields if not one.kind.computed)
    return {
        one.name: one.kind.example(one) for one in written if one.required or not (one.kind.refers or one.kind.uploaded)
    }


def calls_of(collection: Collection, address: str) -> list[Call]:
    """How its records are read and written."""
    here = f"{address}/api/v1/collections/{segment(collection.name)}/records"
    values = example_values(collection)
    changed = dict(list(values.items())[:1])
    made = [
        Call("List records", "A page of at most 50, with where the next one begins.", curl("GET", here)),
        Call(
            "Create a record", "Answers with its number and its version.", curl("POST", here, body={"values": values})
        ),
        Call(
            "Change a record",
            "Fields that are left out stay. With `version`, what others changed since in the same field is a conflict.",
            curl("PATCH", f"{here}/1", body={"values": changed, "version": 1}),
        ),
        Call(
            "Write many at once",
            "Up to 1,000 in one transaction: all or none.",
            curl("POST", f"{here}/batch", body={"create": [{"values": values}, {"values": values}]}),
        ),
        Call("Delete a record", "It can be restored for 30 days.", curl("DELETE", f"{here}/1")),
    ]
    asked = next((one for one in collection.fields if Operator.EQ in one.kind.operators and one.indexed), None)
    return [made[0], _filtered(asked, here), *made[1:]] if asked else made


def _filtered(field: Field, here: str) -> Call:
    condition = {"field": field.name, "operator": "filled"}
    url = f"{here}?where={segment(json.dumps(condition, separators=(',', ':'), ensure_ascii=False))}"
    text = "`where` is a tree of conditions as JSON; in an address it is encoded."
    return Call(f"Only those with {field.name}", text, curl("GET", url))
