"""The answers of an operation as its document has them: when all is well, and when something is not."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from inspect import getdoc
from itertools import groupby
from typing import Any, Final

from litestar import Response
from litestar.response import ServerSentEvent, Stream

from vivero_web.conditions import ETAG
from vivero_web.declared import FILES
from vivero_web.errors import WebError
from vivero_web.openapi_operations import ACCEPT_RANGES, Operation
from vivero_web.problem import MEDIA_TYPE, Problem
from vivero_web.security import JSON

SCHEMAS: Final = "#/components/schemas/"
TEXT: Final = {"type": "string"}
_ANSWERS: Final = "#/components/responses/"
_PROBLEM_HEADERS: Final = {
    401: ("WWW-Authenticate", "How to sign in."),
    416: ("Content-Range", "How many bytes there are."),
    429: ("Retry-After", "Seconds until there is room again."),
    503: ("Retry-After", "Seconds after which to try again."),
}

Json = dict[str, Any]


def given_by(one: Operation) -> dict[int, Any]:
    """The types of what is answered when all is well, and what else the handler names, by status."""
    field = one.handler.parsed_fn_signature.return_type
    kind = field.inner_types[0].annotation if field.is_subclass_of(Response) and field.inner_types else field.annotation
    others = {status: spec.data_container for status, spec in (one.handler.responses or {}).items()}
    return {one.handler.status_code: None if _is_nothing(kind) or _is_stream(kind) else kind, **others}


def _is_nothing(kind: Any) -> bool:  # noqa: ANN401  a type
    return kind is None or kind is type(None)


def _is_stream(kind: Any) -> bool:  # noqa: ANN401  a type
    return isinstance(kind, type) and issubclass(kind, Stream)


def results(one: Operation, schema_of: Mapping[str, Json]) -> Json:
    """What it answers when all is well."""
    headers = _headers(one.headers())
    found: Json = {}
    for status, kind in given_by(one).items():
        content = _json(one, schema_of[repr(kind)]) if kind is not None else _streamed(one)
        said = one.handler.response_description if status == one.handler.status_code else None
        found[str(status)] = {"description": said or HTTPStatus(status).phrase, **headers, **content}
    if ACCEPT_RANGES in one.headers():
        part = {"Content-Range": "Which bytes these are, and of how many."}
        found["206"] = {"description": "The part.", **_headers({**one.headers(), **part}), **_streamed(one)}
    if one.method == "GET" and ETAG.name in one.headers():
        found["304"] = {
            "description": "What you have is what is there.",
            **_headers({ETAG.name: one.headers()[ETAG.name]}),
        }
    return found


def _json(one: Operation, schema: Json) -> Json:
    files = {kind: {"schema": TEXT} for kind in one.handler.opt.get(FILES, ())}
    return {"content": {JSON: {"schema": schema}, **files}}


def _streamed(one: Operation) -> Json:
    kind = one.handler.parsed_fn_signature.return_type.annotation
    if not _is_stream(kind):
        return {}
    return {"content": {"text/event-stream": {"schema": TEXT}} if issubclass(kind, ServerSentEvent) else {"*/*": {}}}


def refusals(one: Operation, shared: Json) -> Json:
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
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{SCHEMAS}{Problem.__name__}"}}},
    }


def _sentence(error: type[WebError]) -> str:
    return (getdoc(error) or error.title).partition("\n")[0]


def _headers(said: Mapping[str, str]) -> Json:
    headers = {name: {"description": text, "required": True, "schema": TEXT} for name, text in said.items()}
    return {"headers": headers} if headers else {}
