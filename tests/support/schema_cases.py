"""Requests that Schemathesis makes of a program's OpenAPI document, good and bad, and whether their answers are promised there.

Cases are sent straight to the application: nothing between tidies them. Checks that are left out, and why:
`positive_data_acceptance`: a document cannot say that a name is taken, a password too common, a cursor of another list.
`ignored_auth`, `missing_required_header`: they send requests of their own, and no header is required; who sends no login
is tried here as `nobody`, of whom `strangers_let_in` tells.
`unsupported_method`, `allow_header_conformance`: tests/unit/web/test_routes.py has every method of every route.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
from support.asgi import Answer, ask

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
    """A program, and one who asks it.

    Attributes:
        document: its OpenAPI document.
        headers: by operation, `GET /api/v1/me`, those that say who asks.
        values: by operation, good values of its path's parameters.
    """

    app: Litestar
    host: str
    document: Mapping[str, Any]
    headers: Callable[[str], Headers]
    values: Callable[[str], Mapping[str, Any]]

    def asked_by(self, who: Headers) -> "Target":
        """The same, asked by somebody else."""
        return replace(self, headers=lambda _: who)


@dataclass(frozen=True)
class Amount:
    """How much is tried of each operation: so many cases of each kind, and so many of those at the bounds."""

    drawn: int
    at_bounds: int | None


async def document_of(app: Litestar, host: str) -> dict[str, Any]:
    """As the program serves it."""
    answer = await ask(app, "GET", "/schema/openapi.json", host=host)
    assert answer.status == 200
    document: dict[str, Any] = requests.models.complexjson.loads(answer.body)
    return document


async def broken_promises(target: Target, amount: Amount, seed: int) -> list[str]:
    """What answers did not keep to the document; as a thread, because Hypothesis waits and the program does not."""
    return await asyncio.to_thread(_try_all, target, amount, seed, asyncio.get_running_loop())


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


def _try_all(target: Target, amount: Amount, seed: int, loop: asyncio.AbstractEventLoop) -> list[str]:
    found: list[str] = []
    schema = _loaded(target.document)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        values = {
            name: value for name, value in target.values(operation.label).items() if f"{{{name}}}" in operation.path
        }
        for case in _cases(operation, amount, seed, values):
            response = _sent(target, case, loop)
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as group:
                sent = response.request
                found += [
                    f"{failure} at {sent.method} {sent.url} {sent.body!r:.300} -> {response.status_code} "
                    f"{response.content[:200]!r}"
                    for failure in group.exceptions
                ]
    return found


def _loaded(document: Mapping[str, Any]) -> Any:  # noqa: ANN401  untyped library
    schema = schemathesis.openapi.from_dict(dict(document))
    schema.config.generation.with_security_parameters = False  # who asks is a role of ours
    schema.config.checks.negative_data_rejection.expected_statuses = _REFUSALS
    return schema


def _cases(operation: Any, amount: Amount, seed: int, values: Mapping[str, Any]) -> Iterator[Any]:  # noqa: ANN401  as above
    """A seeded sample of the cases at the bounds, and drawn ones at a good path."""
    every = operation.schema.iter_coverage_cases(
        operation, generation_modes=list(_MODES), generation_config=operation.schema.config.generation
    )
    bounds = [case for case in every if case.method == operation.method.upper()]
    share = len(bounds) if amount.at_bounds is None else min(amount.at_bounds, len(bounds))
    for case in random.Random(seed).sample(bounds, share):  # noqa: S311  a test's choice
        if case.meta.phase.data.parameter_location is not ParameterLocation.PATH and case.path_parameters:
            case.path_parameters.update(values)
        yield case
    for mode in _MODES:
        yield from _drawn(operation, mode, amount.drawn, seed, values)


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


def _sent(target: Target, case: Any, loop: asyncio.AbstractEventLoop) -> schemathesis.Response:  # noqa: ANN401  as above
    known = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
    given_ = case.as_transport_kwargs(base_url=f"https://{target.host}")
    request = requests.Request(**{name: value for name, value in given_.items() if name in known}).prepare()
    url = urlsplit(request.url or "")
    where = url.path + (f"?{url.query}" if url.query else "")
    own = target.headers(case.operation.label)
    body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
    replaced = {name for name, _ in own}
    kept = [(name, _raw(value)) for name, value in request.headers.items() if name.lower() not in replaced]
    asked = ask(target.app, str(request.method), where, [*kept, *own], [body] if body else [], target.host)
    answer: Answer = asyncio.run_coroutine_threadsafe(asked, loop).result()
    said: dict[str, list[str]] = {}
    for name, value in answer.headers:
        said.setdefault(name.decode(), []).append(value.decode("latin-1"))
    return schemathesis.Response(answer.status, said, answer.body, request, elapsed=0.0, verify=True)


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")
