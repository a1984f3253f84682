"""What the OpenAPI documents of both programs say of every operation, and what they leave unsaid."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from litestar import Litestar
from support.programs import DOMAIN, PROGRAMS
from support.schema_cases import document_of
from vivero_web.declared import declared_by
from vivero_web.openapi_document import operations_of
from vivero_web.problem import MEDIA_TYPE


@pytest.fixture(scope="module", params=PROGRAMS)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    return PROGRAMS[request.param](tmp_path_factory.mktemp("program"))


@pytest.fixture(scope="module")
def document(app: Litestar) -> dict[str, Any]:
    return asyncio.run(document_of(app, DOMAIN))


STORED = (
    "/api/v1/quotes",  # whether anything is sold by contract, the settings say
    "/api/v1/collections/{name}/records",
    "/api/v1/collections/{name}/views",
    "/api/v1/collections/{name}/export",
    "/api/v1/reports",
    "/api/v1/platform-backup",
    "/api/v1/contract-invoices",  # whose document may still be made
)
"""What is read through a definition that somebody stored, which what became of the rest may contradict."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(document: dict[str, Any], part: Any) -> Any:  # noqa: ANN401  any JSON
    while isinstance(part, dict) and "$ref" in part:
        where = part["$ref"].removeprefix("#/").split("/")
        part = document
        for step in where:
            part = part[step]
    return part


def parts(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  any JSON
    """Every object in it."""
    if isinstance(document, dict):
        yield document
    for part in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from parts(part)


def described(document: dict[str, Any], schema: Any) -> bool:  # noqa: ANN401  any JSON
    schema = resolved(document, schema)
    one_word = "const" in schema or len(schema.get("enum", ())) == 1  # it says itself
    return (
        one_word or bool(schema.get("description")) or any(described(document, one) for one in schema.get("anyOf", ()))
    )


def test_it_is_openapi_3_1_and_refers_to_nothing_that_is_not_there(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()
    assert document["openapi"].startswith("3.1")
    for part in parts(document):
        if isinstance(part.get("$ref"), str):
            resolved(document, part)


def test_everything_is_said_in_words(document: dict[str, Any]) -> None:
    for word in ("operationId", "description"):
        said = [operation[word] for _, operation in operations(document)]
        assert len(set(said)) == len(said)
    known = {tag["name"] for tag in document["tags"]}
    for route, operation in operations(document):
        assert operation["summary"], route
        assert operation["description"].endswith((".", "`")), (route, operation["description"])
        assert set(operation["tags"]) <= known, route
        assert operation["tags"], route
        for one in operation.get("parameters", ()):
            assert one["description"], (route, one["name"])
        for status, answer in operation["responses"].items():
            framework_spec = resolved(document, answer)
            assert framework_spec["description"], (route, status)
            assert all(header["description"] for header in framework_spec.get("headers", {}).values()), (route, status)
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, one in schema.get("properties", {}).items():
            assert described(document, one), (name, field)


def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for route, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and (status, route) != ("503", "GET /readyz"):
                content = resolved(document, answer)["content"]
                assert content == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}, (route, status)


def test_texts_and_numbers_that_come_in_are_bounded(document: dict[str, Any]) -> None:
    for route, operation in operations(document):
        bodies = operation.get("requestBody", {}).get("content", {})
        schemas = [("body", body["schema"]) for kind, body in bodies.items() if kind == "application/json"]
        schemas += [(one["name"], one["schema"]) for one in operation.get("parameters", ()) if one["in"] != "header"]
        for name, schema in schemas:
            assert not list(unbounded(document, schema, name)), route


def unbounded(document: dict[str, Any], schema: Any, name: str) -> Iterator[str]:  # noqa: ANN401  any JSON
    schema = resolved(document, schema)
    kind = schema.get("type")
    if kind == "string" and not {"maxLength", "enum", "format", "const", "pattern", "anyOf"} & set(schema):
        yield name
    if kind == "integer" and not {"minimum", "maximum"} <= set(schema):
        yield name
    if kind == "array":
        if "maxItems" not in schema:
            yield name
        yield from unbounded(document, schema["items"], f"{name}[]")
    for one in schema.get("anyOf", ()):
        yield from unbounded(document, one, name)
    for field, one in schema.get("properties", {}).items():
        yield from unbounded(document, one, f"{name}.{field}")


def test_answers_follow_from_what_a_route_is(app: Litestar, document: dict[str, Any]) -> None:
    """By hand and without the rule: what a reader of the route expects."""
    for one in operations_of(app, document):
        operation = document["paths"][one.path][one.method.lower()]
        said = set(operation["responses"])
        guards = {getattr(guard, "__name__", "") for guard in one.handler.resolve_guards()}
        ways = operation["security"]
        login = bool(ways) and all(ways)
        assert ("signed_in" in guards) <= login, one.path
        assert login <= ("401" in said), one.path
        assert ("{" in one.path) == ("404" in said), one.path
        assert ("requestBody" in operation) == ("413" in said), one.path
        assert ("requestBody" in operation) <= ({"415", "422", "400"} <= said), one.path
        assert one.path.startswith("/api/") == ("429" in said), one.path
        assert ("If-Match" in {parameter["name"] for parameter in operation.get("parameters", ())}) == ("412" in said)
        assert one.path.startswith("/api/") <= ("503" in said), one.path
        if one.method == "GET":
            assert not {"413", "415", "402"} & said, one.path
            assert ("409" in said) <= one.path.startswith(STORED), one.path


def test_no_guard_refuses_in_silence(app: Litestar, document: dict[str, Any]) -> None:
    for one in operations_of(app, document):
        said = set(document["paths"][one.path][one.method.lower()]["responses"])
        for guard in one.handler.resolve_guards():
            declared = declared_by(guard)
            assert declared.errors, (one.path, guard)
            if not declared.on_writes:
                assert {str(error.status) for error in declared.errors} <= said, (one.path, guard)


def test_no_word_in_an_address_is_taken_for_nothing(app: Litestar) -> None:
    """The framework reads `null` as null wherever something else than a text may be left out."""
    framework_spec = app.openapi_schema.to_schema()
    for one in operations_of(app, framework_spec):
        for parameter in one.framework_spec.get("parameters", ()):
            kinds = [kind.get("type") for kind in parameter["schema"].get("oneOf", ())]
            assert set(kinds) <= {"string", "array", "null"}, (one.path, parameter["name"])


def test_it_is_rendered_once(app: Litestar, document: dict[str, Any]) -> None:
    assert asyncio.run(document_of(app, DOMAIN)) == document
