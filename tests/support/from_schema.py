"""Objects drawn from a definition's OpenAPI schema: good ones, and ones that are at or beyond a bound in a place or two.

A schema does not say what a pattern's language or a CEL rule admits; `hints` give good values for such fields, by their
path. What is good alone may still be refused together: the API server decides, and both is worth knowing.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

Schema = dict[str, Any]
Path = tuple[str, ...]
Strategy = st.SearchStrategy[Any]
Hints = Mapping[str, Strategy]

DATES: Final = (
    "2026-11-22T12:00:00Z",
    "2026-11-22T12:00:00.123456789Z",
    "2026-11-22T12:00:00.9Z",
    "2026-11-22T12:00:00+14:00",
    "2026-11-22T12:00:00-14:59",
    "2026-11-22T12:00:00-00:00",
    "2000-01-01T00:00:00+14:00",
    "2199-12-31T23:59:59.999999999-14:00",
    "2028-02-29T23:59:59Z",
    # Of no calendar, or of one that some program lacks.
    "2026-02-30T00:00:00Z",
    "2027-02-29T00:00:00Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T23:59:60Z",
    "2026-11-22T12:00:00+99:00",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z",
    "2026-11-22t12:00:00z",
    "2026-11-22 12:00:00Z",
    "2026-11-22T12:00:00",
    "2026-11-22T12:00Z",
    "2026-11-22",
    "2026-11-22T12:00:00Z\n",
    "+2026-11-22T12:00:00Z",
    "1795348800",
)
_TEXTS: Final = (
    "",
    " ",
    "x",
    "0",
    "null",
    "Zoë Müller & Söhne 株式会社",
    "🎉🏳️‍🌈",
    "e\u0301",
    "\u202eabc",
    "\u00a0",
    "\u200b",
    "\u0085",
    "\u2028",
    "\ufeff",
    "\x7f",
    "a\nb",
    "a\tb",
    "\\",
    "'\"`$(x)%s{}",
    "{{ .Values }}",
    "<b>&amp;",
    "../../etc/passwd",
    "\U0010ffff",
)
_NUMBERS: Final = (0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 10**30, 0.0, 1.0, 1.5, 1e3, -0.0, 1e300)
_JUNK: Final[tuple[Any, ...]] = (None, True, 0, 1.5, "", "x", [], ["x"], {}, {"x": "y"}, [None], {"x": None})


@dataclass(frozen=True)
class Field:
    """A place in an object."""

    path: Path
    schema: Schema = field(repr=False)

    def __str__(self) -> str:
        return ".".join(self.path)


def fields(schema: Schema, path: Path = ()) -> Iterator[Field]:
    """Every named place, those that hold others as well; of lists of objects the first one's fields."""
    if path:
        yield Field(path, schema)
    inner = schema.get("items", schema)
    for name, one in inner.get("properties", {}).items():
        where = (*path, "0", name) if "items" in schema else (*path, name)
        yield from fields(one, where)


def good(schema: Schema, hints: Hints, path: str = "") -> Strategy:
    """What the schema admits, a CEL rule aside."""
    if path in hints:
        return hints[path]
    if "properties" in schema:
        return _good_object(schema, schema["properties"], hints, path)
    if "items" in schema:
        most = min(3, schema.get("maxItems", 3))
        return st.lists(good(schema["items"], hints, path), max_size=most, unique_by=repr)
    return _good_value(schema)


def _good_value(schema: Schema) -> Strategy:
    match schema:
        case {"enum": values}:
            found: Strategy = st.sampled_from(values)
        case {"type": "object"}:
            found = st.dictionaries(st.text("abc", max_size=3), _JSON, max_size=2)
        case {"type": "boolean"}:
            found = st.booleans()
        case {"type": "integer"}:
            found = st.integers(schema.get("minimum", -(2**53)), schema.get("maximum", 2**53))
        case {"format": "date-time"}:
            found = st.sampled_from(DATES[:9])
        case _:
            found = _good_text(schema)
    return found


def _good_object(schema: Schema, properties: Mapping[str, Schema], hints: Hints, path: str) -> Strategy:
    inner = {name: good(one, hints, f"{path}.{name}" if path else name) for name, one in properties.items()}
    needed = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: one for name, one in inner.items() if name in needed},
        optional={name: one for name, one in inner.items() if name not in needed},
    )


def _good_text(schema: Schema) -> Strategy:
    low, high = schema.get("minLength", 0), schema.get("maxLength", 20)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True).filter(lambda text: low <= len(text) <= high)
    return st.one_of(
        st.text(min_size=low, max_size=min(high, max(20, low))),
        st.sampled_from(_TEXTS).filter(lambda text: low <= len(text) <= high),
    )


_JSON: Final[Strategy] = st.sampled_from(_JUNK)


def edge(schema: Schema) -> Strategy:
    """At a bound, one beyond it, another form of the same, or of another type."""
    if "format" in schema:
        return st.sampled_from((*DATES, None, 0))
    match schema.get("type"):
        case "integer":
            bounds = [schema[key] for key in ("minimum", "maximum") if key in schema]
            near = [value for bound in bounds for value in (bound - 1, bound, bound + 1, float(bound))]
            found: Strategy = st.sampled_from([*near, *_NUMBERS, "1", None, True])
        case "boolean":
            found = st.sampled_from((True, False, None, "true", 0, 1))
        case "array":
            found = _edge_list(schema)
        case "object":
            found = st.sampled_from(({}, None, [], "x", {"unknown": {"a": [1]}}))
        case _:
            found = _edge_text(schema)
    return found


def _edge_list(schema: Schema) -> Strategy:
    most, item = schema.get("maxItems", 3), good(schema["items"], {})
    words = schema["items"].get("enum")
    full = st.just(words) if words else st.lists(item, min_size=most, max_size=most, unique_by=repr)
    return st.one_of(
        full,
        st.lists(item, min_size=most + 1, max_size=most + 1),
        item.map(lambda one: [one, one]),
        st.sampled_from(([], None, [None], "x", {})),
    )


def _edge_text(schema: Schema) -> Strategy:
    low, high = schema.get("minLength", 0), schema.get("maxLength", 30)
    sizes = [size for size in (low - 1, low, high, high + 1) if size >= 0]
    texts = [letter * size for size in sizes for letter in ("x", "9", "é", "🎉", "-")]
    choices: list[Strategy] = [st.sampled_from([*texts, *_TEXTS, None, 1, True])]
    if "pattern" in schema:
        matching = st.from_regex(str(schema["pattern"]))
        choices += [matching, matching.map(str.swapcase)]
    return st.one_of(*choices)


@st.composite
def objects(draw: st.DrawFn, schema: Schema, hints: Hints, most_edges: int = 2) -> Any:  # noqa: ANN401  any JSON
    """A good one with something at the edge in up to so many places."""
    found = draw(good(schema, hints))
    places = list(fields(schema))
    for _ in range(draw(st.integers(0, most_edges))):
        place = draw(st.sampled_from(places))
        found = put(found, place.path, draw(edge(place.schema)))
    if draw(st.booleans()):
        found = put(found, ("unknownToEverybody",), draw(_JSON))
    return found


def put(into: Any, path: Path, value: object) -> Any:  # noqa: ANN401  any JSON
    """A copy with the value there; unchanged where there is no such place."""
    if not path:
        return value
    word, rest = path[0], path[1:]
    if isinstance(into, list) and word.isdigit():
        index = int(word)
        return [*into[:index], put(into[index], rest, value), *into[index + 1 :]] if index < len(into) else into
    if not isinstance(into, dict):
        return into
    result = copy.copy(into)
    result[word] = put(into.get(word, {}), rest, value)
    return result
