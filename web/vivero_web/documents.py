"""A program's OpenAPI document: the framework's paths and parameters, msgspec's schemas, and the answers of `promises.py`.

Schemas come from the library that checks what comes in, so that a bound in the
document is the bound that holds. Imported when somebody first asks for a
document (`openapi.py`); pure but for reading the routes.
"""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from inspect import getdoc
from itertools import groupby
from typing import Any, Final

import msgspec
from litestar import Litestar, Response
from litestar.response import ServerSentEvent, Stream
from litestar.routes import HTTPRoute

from vivero_web.errors import WebError
from vivero_web.guards import JSON
from vivero_web.problem import MEDIA_TYPE, Problem
from vivero_web.promises import ACCEPT_RANGES, Operation, body_of

_SCHEMAS: Final = "#/components/schemas/"
_ANSWERS: Final = "#/components/responses/"
_TEXT: Final = {"type": "string"}
_PROBLEM_HEADERS: Final = {
    401: ("WWW-Authenticate", "How to sign in."),
    416: ("Content-Range", "How many bytes there are."),
    429: ("Retry-After", "Seconds until there is room again."),
    503: ("Retry-After", "Seconds after which to try again."),
}

Json = dict[str, Any]


def completed(app: Litestar, told: Mapping[str, Any]) -> Json:
    """The whole document; `told` is what the framework says of the program."""
    operations = list(operations_of(app, told))
    kinds = [kind for one in operations for kind in (_taken(one), *_given(one).values()) if kind is not None]
    schemas, components = msgspec.json.schema_components([*kinds, Problem], ref_template=f"{_SCHEMAS}{{name}}")
    schema_of = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=False)}
    paths: dict[str, Json] = {}
    shared: dict[str, Json] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = {
            "operationId": one.told["operationId"],
            "tags": one.told.get("tags", []),
            **_words(one),
            "security": one.handler.resolve_security() or [],
            **({"parameters": parameters} if (parameters := list(_parameters(one))) else {}),
            **_request(one, schema_of),
            "responses": {**_refusals(one, shared), **_results(one, schema_of)},
        }
    framework = told["components"]
    named = {**framework["schemas"], **components}
    used = _reached({"paths": paths, "shared": shared}, named)
    return {
        **told,
        "paths": paths,
        "components": {**framework, "schemas": {name: named[name] for name in sorted(used)}, "responses": shared},
    }


def operations_of(app: Litestar, told: Mapping[str, Any]) -> Iterator[Operation]:
    """Everything that the document has, by path and method."""
    routes = sorted((route for route in app.routes if isinstance(route, HTTPRoute)), key=lambda one: one.path_format)
    for route in routes:
        for method, (handler, _) in sorted(route.route_handler_map.items()):
            if handler.resolve_include_in_schema():
                path = route.path_format
                yield Operation(path, str(method), handler, told["paths"][path][str(method).lower()])


def _words(one: Operation) -> Json:
    """A summary and a description; the document of a route is that of its function."""
    written = one.handler.description or getdoc(one.handler.fn) or f"{one.handler.summary}."
    summary = one.handler.summary or written.partition("\n")[0].partition(";")[0].rstrip(".")
    return {"summary": summary, "description": " ".join([written, *one.needs()])}


def _parameters(one: Operation) -> Iterator[Json]:
    """The framework's, without what says nothing: a text in an address is never null."""
    for told in one.told.get("parameters", ()):
        schema = {**told["schema"]}
        kinds = [kind for kind in schema.pop("oneOf", ()) if kind.get("type") != "null"]
        for kind in kinds:
            schema = {**kind, **schema}
        description = schema.pop("description", told.get("description", ""))
        given = {name: _whole(value) for name, value in schema.items() if name != "default" or value not in {None, ""}}
        yield {
            "name": told["name"],
            "in": told["in"],
            "description": description,
            "required": told["required"],
            "schema": given,
        }
    if ACCEPT_RANGES in one.headers():
        yield _header_parameter("Range", "One part of it, such as `bytes=0-1023`.")
        yield _header_parameter("If-Range", "The ETag of which a part is wanted; the whole, when it is another by now.")


def _header_parameter(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "required": False, "schema": _TEXT}


def _whole(value: Any) -> Any:  # noqa: ANN401  any JSON
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _request(one: Operation, schema_of: Mapping[str, Json]) -> Json:
    field = body_of(one.handler)
    if field is None:
        return {"requestBody": one.told["requestBody"]} if one.reads_body else {}
    content = {JSON: {"schema": schema_of[repr(_taken(one))]}}
    return {"requestBody": {"required": field.is_required, "content": content}}


def _taken(one: Operation) -> Any:  # noqa: ANN401  a type
    field = body_of(one.handler)
    if field is None:
        return None
    return (
        next(kind.annotation for kind in field.inner_types if not kind.is_none_type)
        if field.is_optional
        else field.annotation
    )


def _given(one: Operation) -> dict[int, Any]:
    """The types of what is answered when all is well, and what else the handler names, by status."""
    field = one.handler.parsed_fn_signature.return_type
    kind = field.inner_types[0].annotation if field.is_subclass_of(Response) and field.inner_types else field.annotation
    others = {status: spec.data_container for status, spec in (one.handler.responses or {}).items()}
    return {one.handler.status_code: None if _is_nothing(kind) or _is_stream(kind) else kind, **others}


def _is_nothing(kind: Any) -> bool:  # noqa: ANN401  a type
    return kind is None or kind is type(None)


def _is_stream(kind: Any) -> bool:  # noqa: ANN401  a type
    return isinstance(kind, type) and issubclass(kind, Stream)


def _results(one: Operation, schema_of: Mapping[str, Json]) -> Json:
    """What it answers when all is well."""
    headers = _headers(one.headers())
    found: Json = {}
    for status, kind in _given(one).items():
        content = {"content": {JSON: {"schema": schema_of[repr(kind)]}}} if kind is not None else _streamed(one)
        said = one.handler.response_description if status == one.handler.status_code else None
        found[str(status)] = {"description": said or HTTPStatus(status).phrase, **headers, **content}
    if ACCEPT_RANGES in one.headers():
        part = {"Content-Range": "Which bytes these are, and of how many."}
        found["206"] = {"description": "The part.", **_headers({**one.headers(), **part}), **_streamed(one)}
    if one.method == "GET" and "ETag" in one.headers():
        found["304"] = {"description": "What you have is what is there.", **_headers({"ETag": one.headers()["ETag"]})}
    return found


def _streamed(one: Operation) -> Json:
    kind = one.handler.parsed_fn_signature.return_type.annotation
    if not _is_stream(kind):
        return {}
    return {"content": {"text/event-stream": {"schema": _TEXT}} if issubclass(kind, ServerSentEvent) else {"*/*": {}}}


def _refusals(one: Operation, shared: Json) -> Json:
    """What it answers when something is wrong, by status; what many answer alike stands once, in `shared`."""
    found: Json = {}
    for status, group in groupby(one.errors(), key=lambda error: error.status):
        errors = list(group)
        if len(errors) == 1:
            name = errors[0].__name__.removesuffix("Error")
            shared[name] = _refusal(status, errors)
            found[str(status)] = {"$ref": f"{_ANSWERS}{name}"}
        else:
            found[str(status)] = _refusal(status, errors)
    return found


def _refusal(status: int, errors: Iterable[type[WebError]]) -> Json:
    header = _PROBLEM_HEADERS.get(status)
    return {
        "description": " ".join(_sentence(error) for error in errors),
        **_headers(dict([header] if header else [])),
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}{Problem.__name__}"}}},
    }


def _sentence(error: type[WebError]) -> str:
    return (getdoc(error) or error.title).partition("\n")[0]


def _headers(said: Mapping[str, str]) -> Json:
    headers = {name: {"description": text, "required": True, "schema": _TEXT} for name, text in said.items()}
    return {"headers": headers} if headers else {}


def _reached(document: Any, schemas: Mapping[str, Any]) -> set[str]:  # noqa: ANN401  any JSON
    """The names of the schemas that something refers to."""
    found: set[str] = set()
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            name = str(part.get("$ref", "")).removeprefix(_SCHEMAS)
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    return found
