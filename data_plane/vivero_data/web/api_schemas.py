"""What the schemas of the API's document say, in words and as an example; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

Json = dict[str, Any]

_REF: Final = "#/components/schemas/"
_DEEPEST: Final = 3  # levels of objects in objects that a table of fields shows
_ANY_NUMBER: Final = 2**53
_KINDS: Final = {"string": "text", "integer": "whole number", "boolean": "true or false"}
_FORMATS: Final = {"date-time": "date and time", "binary": "file"}
_BY_FORMAT: Final = {"date-time": "2026-11-30T14:30:00Z", "date": "2026-11-30", "binary": ""}
_BY_NAME: Final = {
    "name": "Contacts",
    "recipients": "ada@example.com",
    "email": "ada@example.com",
    "password": "plum orchard at dawn",
    "new_password": "another orchard at dawn",
    "current_password": "plum orchard at dawn",
    "field": "Name",
    "url": "https://example.com/",
    "code": "123456",
    "file": "contacts.csv",
    "text": "Called, and will call again.",
    "collection": "Contacts",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
}
"""Texts that say more than any text."""


class FieldRow(Struct, frozen=True):
    """One field of an object, for a table.

    Attributes:
        name: with those that it is in: `create[].values`.
        kind: in words.
        text: what it means.
    """

    name: str
    kind: str
    required: bool
    text: str


class Schemas:
    """The schemas of one document, by which references are followed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._named: Mapping[str, Json] = document["components"]["schemas"]

    def of(self, schema: Json) -> Json:
        """What it refers to, with what stands beside the reference."""
        name = str(schema.get("$ref", "")).removeprefix(_REF)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**self.of(self._named[name]), **beside} if name else schema

    def words(self, schema: Json) -> str:
        """Its type and bounds: `text of 1 to 64 characters`, `list of whole number or null`."""
        said = self.of(schema)
        if "anyOf" in said:
            return " or ".join(dict.fromkeys(self.words(one) for one in said["anyOf"]))
        if "enum" in said or "const" in said:
            return " or ".join(f"`{one}`" for one in said.get("enum", [said.get("const")]))
        kind = str(said.get("type", "any value"))
        if kind == "array":
            return f"list of {self.words(said.get('items', {}))}{_amount(said, 'Items')}"
        unit = {"string": (" of", "Length", " characters")}.get(kind)
        plain = _FORMATS.get(said.get("format", ""), _KINDS.get(kind, kind))
        return plain + (_amount(said, unit[1], unit[2], unit[0]) if unit else _range(said))

    def rows(self, schema: Json, path: str = "", depth: int = 0) -> Iterator[FieldRow]:
        """The fields of an object, and of the objects in it."""
        said = self._object(schema)
        for name, one in said.get("properties", {}).items():
            inner = self._inner(one)
            full = f"{path}{name}{'[]' if self._is_list(one) and inner else ''}"
            yield FieldRow(full, self.words(one), name in said.get("required", ()), self._meaning(one))
            if inner and depth < _DEEPEST:
                yield from self.rows(inner, f"{full}.", depth + 1)

    def example(self, schema: Json, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401  any JSON
        """A value that the schema admits."""
        said = self.of(schema)
        if "anyOf" in said:
            return self.example(said["anyOf"][0], name, depth)
        if "const" in said or "enum" in said:
            return said["const"] if "const" in said else said["enum"][0]
        kind = said.get("type")
        if kind == "object":
            required, properties = said.get("required", ()), said.get("properties", {})
            shown = properties if depth == 0 else {one: properties[one] for one in required}
            return {one: self.example(inner, one, depth + 1) for one, inner in shown.items()}
        if kind == "array":
            return [self.example(said["items"], name, depth + 1)] if said.get("items") and depth <= _DEEPEST else []
        if kind == "string":
            return _text(said, name)
        return {"integer": said.get("minimum", 1), "number": 1.5, "boolean": True, "null": None}.get(str(kind))

    def _meaning(self, schema: Json) -> str:
        said = self.of(schema)
        alternatives: Sequence[Json] = said.get("anyOf", ())
        return str(said.get("description") or next(filter(None, map(self._meaning, alternatives)), ""))

    def _object(self, schema: Json) -> Json:
        """The object that it is, or the first one among its alternatives; empty if it is none."""
        said = self.of(schema)
        if "anyOf" in said:
            return next(filter(None, map(self._object, said["anyOf"])), {})
        return said if said.get("properties") else {}

    def _is_list(self, schema: Json) -> bool:
        said = self.of(schema)
        return said.get("type") == "array" or any(map(self._is_list, said.get("anyOf", ())))

    def _inner(self, schema: Json) -> Json:
        """The object that a field holds, or a list of which; empty if it holds none."""
        said = self.of(schema)
        if "anyOf" in said:
            return next(filter(None, map(self._inner, said["anyOf"])), {})
        return self._object(said.get("items", {}) if said.get("type") == "array" else said)


def _amount(said: Json, of: str, unit: str = "", before: str = ",") -> str:
    """Its bounds: ` of 1 to 64 characters`, `, at most 1,000`."""
    least, most = said.get(f"min{of}", 0), said.get(f"max{of}")
    if most is None:
        return f"{before} at least {least:,}{unit}" if least else ""
    return f"{before} {least:,} to {most:,}{unit}" if least else f"{before} at most {most:,}{unit}"


def _range(said: Json) -> str:
    """The bounds of a number, without those of its type."""
    least, most = said.get("minimum"), said.get("maximum")
    if least is None:
        return ""
    return f", {least:,} to {most:,}" if most is not None and most < _ANY_NUMBER else f" from {least:,}"


def _text(said: Json, name: str) -> str:
    text = _BY_FORMAT.get(said.get("format", "")) or _BY_NAME.get(name, "…")
    return text if len(text) >= said.get("minLength", 0) else "x" * said["minLength"]
