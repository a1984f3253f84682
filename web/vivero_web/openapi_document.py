"""A program's OpenAPI document: the framework's paths and parameters, msgspec's schemas, and the derived answers.

Schemas come from the library that checks what comes in, so that a bound in the
document is the bound that holds. Imported when somebody first asks for a
document (`openapi.py`); pure but for reading the routes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from vivero_web.openapi_operations import ACCEPT_RANGES, Operation, body_of
from vivero_web.openapi_responses import SCHEMAS, TEXT, Json, given_by, refusals, results
from vivero_web.problem import Problem
from vivero_web.security import JSON


def completed(app: Litestar, generated: Mapping[str, Any]) -> Json:
    """The whole document; `generated` is the one that Litestar generates."""
    operations = list(operations_of(app, generated))
    kinds = [kind for one in operations for kind in (_taken(one), *given_by(one).values()) if kind is not None]
    schemas, components = msgspec.json.schema_components([*kinds, Problem], ref_template=f"{SCHEMAS}{{name}}")
    schema_of = {repr(kind): schema for kind, schema in zip(kinds, schemas[:-1], strict=True)}
    paths: dict[str, Json] = {}
    shared: dict[str, Json] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = {
            "operationId": one.framework_spec["operationId"],
            "tags": one.framework_spec.get("tags", []),
            **_words(one),
            "security": one.handler.resolve_security() or [],
            **({"parameters": parameters} if (parameters := list(_parameters(one))) else {}),
            **_request(one, schema_of),
            "responses": {**refusals(one, shared), **results(one, schema_of)},
        }
    framework = generated["components"]
    named = {**framework["schemas"], **components}
    used = _reached({"paths": paths, "shared": shared}, named)
    return {
        **generated,
        "paths": paths,
        "components": {**framework, "schemas": {name: named[name] for name in sorted(used)}, "responses": shared},
    }


def operations_of(app: Litestar, generated: Mapping[str, Any]) -> Iterator[Operation]:
    """Everything that the document has, by path and method."""
    routes = sorted((route for route in app.routes if isinstance(route, HTTPRoute)), key=lambda one: one.path_format)
    for route in routes:
        for method, (handler, _) in sorted(route.route_handler_map.items()):
            if handler.resolve_include_in_schema():
                path = route.path_format
                yield Operation(path, str(method), handler, generated["paths"][path][str(method).lower()])


def _words(one: Operation) -> Json:
    """A summary and a description; the document of a route is that of its function."""
    written = one.framework_spec.get("description") or f"{one.handler.summary}."
    summary = one.handler.summary or written.partition("\n")[0].partition(";")[0].rstrip(".")
    return {"summary": summary, "description": " ".join([written, *one.needs()])}


def _parameters(one: Operation) -> Iterator[Json]:
    """The framework's, without what says nothing: a text in an address is never null."""
    for parameter in one.framework_spec.get("parameters", ()):
        schema = {**parameter["schema"]}
        kinds = [kind for kind in schema.pop("oneOf", ()) if kind.get("type") != "null"]
        for kind in kinds:
            schema = {**kind, **schema}
        description = schema.pop("description", parameter.get("description", ""))
        given = {name: _whole(value) for name, value in schema.items() if name != "default" or value not in {None, ""}}
        yield {
            "name": parameter["name"],
            "in": parameter["in"],
            "description": description,
            "required": parameter["required"],
            "schema": given,
        }
    if ACCEPT_RANGES in one.headers():
        yield _header_parameter("Range", "One part of it, such as `bytes=0-1023`.")
        yield _header_parameter("If-Range", "The ETag of which a part is wanted; the whole, when it is another by now.")


def _header_parameter(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "required": False, "schema": TEXT}


def _whole(value: Any) -> Any:  # noqa: ANN401  any JSON
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _request(one: Operation, schema_of: Mapping[str, Json]) -> Json:
    field = body_of(one.handler)
    if field is None:
        return {"requestBody": one.framework_spec["requestBody"]} if one.reads_body else {}
    content = {JSON: {"schema": schema_of[repr(_taken(one))]}}
    return {"requestBody": {"required": field.is_required, "content": content}}


def _taken(one: Operation) -> Any:  # noqa: ANN401  a type
    field = body_of(one.handler)
    return field and field.annotation


def _reached(document: Any, schemas: Mapping[str, Any]) -> set[str]:  # noqa: ANN401  any JSON
    """The names of the schemas that something refers to."""
    found: set[str] = set()
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            name = str(part.get("$ref", "")).removeprefix(SCHEMAS)
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    return found
