"""Requests that Schemathesis makes of a program's OpenAPI document, good and bad, and whether their answers are promised there.

Cases are sent straight to the application: nothing between tidies them. Checks that are left out, and why:
`positive_data_acceptance`: a document cannot say that a name is taken, a password too common, a cursor of another list.
`ignored_auth`, `missing_required_header`: they send requests of their own, and no header is required; who sends no login
is a role of ours, of whom `strangers_let_in` tells too.
`unsupported_method`, `allow_header_conformance`: tests/unit/web/test_routes.py has every method of every route.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from litestar import Litestar
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.asgi import ask

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
_REFUSALS: Final = ["4XX"]  # what is wrong may be refused for another reason first: a role, a state, a size
_MODES: Final = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Target:
    """A program, and those who ask it.

    Attributes:
        document: its OpenAPI document.
        roles: by name and by operation, `GET /api/v1/me`, the headers that say who asks.
        values: by operation, good values of its path's parameters.
    """

    app: Litestar
    host: str
    document: Mapping[str, Any]
    roles: Mapping[str, Callable[[str], Headers]]
    values: Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True)
class Amount:
    """How much is tried of each operation: so many cases of each kind, and so many of those at the bounds."""

    drawn: int
    at_bounds: int | None


async def document_of(app: Litestar, host: str) -> dict[str, Any]:
    """As the program serves it."""
    answer = await ask(app, "GET", "/schema/openapi.json", host=host)
    assert answer.status == 200
    document: dict[str, Any] = json.loads(answer.body)
    return document


async def broken_promises(target: Target, amount: Amount, seed: int) -> list[str]:
    """What answers did not keep to the document."""
    found: list[str] = []
    for result in _loaded(target.document).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        values = {
            name: value for name, value in target.values(operation.label).items() if f"{{{name}}}" in operation.path
        }
        for case in _cases(operation, amount, seed, values):
            for role, headers in target.roles.items():
                response = await _sent(target, case, headers(operation.label))
                found += [f"{role}: {problem}" for problem in _problems(case, response)]
    return found


async def strangers_let_in(target: Target) -> list[str]:
    """Operations that need a login by the document, and are answered to who has none."""
    found = []
    for path, operations in target.document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            where = path.format(**target.values(route))
            status = (await ask(target.app, method.upper(), where, host=target.host)).status
            ways = operation["security"]
            if (status == 401) != (bool(ways) and all(ways)):
                found.append(f"{status} of {route}")
    return found


def _problems(case: Any, response: schemathesis.Response) -> list[str]:  # noqa: ANN401  untyped library
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        sent = response.request
        place = f"{sent.method} {sent.url} {sent.body!r:.300} -> {response.status_code} {response.content[:200]!r}"
        return [f"{failure} at {place}" for failure in group.exceptions]
    return []


def _loaded(document: Mapping[str, Any]) -> Any:  # noqa: ANN401  untyped library
    schema = schemathesis.openapi.from_dict(dict(document))
    schema.config.generation.with_security_parameters = False  # who asks is a role of ours
    schema.config.checks.negative_data_rejection.expected_statuses = _REFUSALS
    return schema


def _cases(operation: Any, amount: Amount, seed: int, values: Mapping[str, Any]) -> Iterator[Any]:  # noqa: ANN401  as above
    """A seeded sample of the cases at the bounds, and drawn ones at a good path."""
    for case in _at_bounds(operation, amount.at_bounds, seed):
        if case.meta.phase.data.parameter_location is not ParameterLocation.PATH and case.path_parameters:
            case.path_parameters.update(values)
        yield case
    for mode in _MODES:
        yield from _drawn(operation, mode, amount.drawn, seed, values)


def _at_bounds(operation: Any, amount: int | None, seed: int) -> list[Any]:  # noqa: ANN401  as above
    if amount == 0:
        return []  # listing them takes longer than trying some
    every = operation.schema.iter_coverage_cases(
        operation, generation_modes=list(_MODES), generation_config=operation.schema.config.generation
    )
    found = [case for case in every if case.method == operation.method.upper()]
    share = len(found) if amount is None else min(amount, len(found))
    return random.Random(seed).sample(found, share)  # noqa: S311  a test's choice


def _drawn(operation: Any, mode: Any, count: int, seed: int, values: Mapping[str, Any]) -> list[Any]:  # noqa: ANN401  as above
    found: list[Any] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, path_parameters=dict(values) or None))
    def draw(case: Any) -> None:  # noqa: ANN401  as above
        found.append(case)

    with suppress(Unsatisfiable):  # nothing can be wrong about what takes nothing
        draw()
    return found


async def _sent(target: Target, case: Any, own: Headers) -> schemathesis.Response:  # noqa: ANN401  as above
    known = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
    given_ = case.as_transport_kwargs(base_url=f"https://{target.host}")
    request = requests.Request(**{name: value for name, value in given_.items() if name in known}).prepare()
    url = urlsplit(request.url or "")
    where = url.path + (f"?{url.query}" if url.query else "")
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    assert isinstance(body, bytes), "no stream"
    replaced = {name for name, _ in own}
    kept = [(name, _raw(value)) for name, value in request.headers.items() if name.lower() not in replaced]
    answer = await ask(target.app, str(request.method), where, [*kept, *own], [body] if body else [], target.host)
    said: dict[str, list[str]] = {}
    for name, value in answer.headers:
        said.setdefault(name.decode(), []).append(value.decode("latin-1"))
    return schemathesis.Response(answer.status, said, answer.body, request, elapsed=0.0, verify=True)


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")
