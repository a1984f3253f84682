"""Every leaf of a custom resource's spec, and values to put there: generated from crds/, so a new field is walked too.

What a pattern or a CEL rule means no schema says; for those fields a table gives the values (as Acto, SOSP 2023, lets
people do), and a leaf that neither the schema nor the table can fill is an error, not a gap.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

CRDS: Final = Path(__file__).parents[2] / "crds"
Schema = dict[str, Any]
Object = dict[str, Any]

_TEXT = "A text"


class NoValueError(Exception):
    """A leaf whose values neither its schema nor the table tells."""


@dataclass(frozen=True)
class Leaf:
    """One field that holds a value, not fields."""

    path: tuple[str, ...]
    schema: Schema

    def __str__(self) -> str:
        """As people write it."""
        return ".".join(self.path)

    def patch(self, value: object) -> Object:
        """A merge patch of the spec."""
        patch: Any = value
        for word in reversed(self.path):
            patch = {word: patch}
        return {"spec": patch}


def spec_schema(plural: str) -> Schema:
    document = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    root: Schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec: Schema = root["properties"]["spec"]
    return spec


def leaves(schema: Schema, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """In the schema's order, each once. An object that may hold anything is one leaf."""
    if "properties" not in schema or "x-kubernetes-preserve-unknown-fields" in schema:
        yield Leaf(path, schema)
        return
    for name, inner in schema["properties"].items():
        yield from leaves(inner, (*path, name))


def values(leaf: Leaf, table: Mapping[str, tuple[Any, Any]]) -> tuple[Any, Any]:
    """Two different ones that the schema allows."""
    if str(leaf) in table:
        return table[str(leaf)]
    schema = leaf.schema
    match schema:
        case {"enum": [one, other, *_]}:
            return one, other
        case {"enum": [only]}:
            return only, only
        case {"type": "boolean"}:
            return True, False
        case {"type": "integer"}:
            low = schema.get("minimum", 0)
            return low + 1, low + 2
        case {"type": "string"} if "pattern" not in schema and "x-kubernetes-validations" not in schema:
            return _TEXT, f"{_TEXT} more"
    raise NoValueError(f"{leaf}: give two values for it in the table")


def invalid(leaf: Leaf) -> Iterator[Any]:
    """Values that the API server has to refuse, one for each bound that the schema sets, and one of a wrong type."""
    schema = leaf.schema
    yield "no list" if schema.get("type") == "array" else ["a list"]
    if "enum" in schema:
        yield "NoSuchWord"
    if "enum" in schema.get("items", {}):
        yield ["no-such-word"]
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield ""
    if "pattern" in schema:
        yield "\N{SNOWMAN}"
    if schema.get("format") == "date-time":
        yield "soon"
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "maxItems" in schema:
        yield [f"item{number}.example.com" for number in range(schema["maxItems"] + 1)]


def optional(leaf: Leaf, schema: Schema) -> bool:
    """Whether it may be absent while what it stands in is there."""
    for word in leaf.path[:-1]:
        schema = schema["properties"][word]
    return leaf.path[-1] not in schema.get("required", ())
