"""The span of a request: what it says, and whose trace it is in."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Request, get
from litestar.datastructures import Headers
from litestar.params import FromPath
from support.asgi import ask, transport_to
from vivero_core.tracing.context import Context
from vivero_core.tracing.spans import Kind, Span, Tracer, span
from vivero_web.current_request import Proxies
from vivero_web.request_context import RequestContext
from vivero_web.request_spans import RequestSpans

OURS, THEIRS = {"authorization": "Bearer operator"}, {"authorization": "Bearer user"}
CALLER = Context(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, sampled=True)


@get("/who/{name:str}")
async def who(name: FromPath[str]) -> str:
    with span("SELECT people", Kind.CLIENT):
        return name


@get("/breaks")
async def breaks(request: Request[Any, Any, Any]) -> str:
    raise RuntimeError(request.url.path)


@get("/healthz")
async def healthz() -> str:
    return "ok"


def made(kept: list[Span], ratio: float = 1.0, is_ours: Callable[[Headers], bool] | None = None) -> Litestar:
    app = Litestar([who, breaks, healthz], logging_config=None)
    tracer = Tracer(kept.append, ratio)
    spans = RequestSpans(tracer, is_ours) if is_ours else RequestSpans(tracer)
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(1), hsts="", spans=spans)
    return app


def client_of(app: Litestar) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport_to(app, raise_app_exceptions=False), base_url="http://test")


def is_operator(headers: Headers) -> bool:
    return headers.get("authorization") == OURS["authorization"]


async def test_it_says_which_route_was_asked_and_how_it_ended_and_nothing_of_who_asked() -> None:
    kept: list[Span] = []
    async with client_of(made(kept)) as client:
        answer = await client.get("/who/hunter2?password=hunter2", headers={"user-agent": "hunter2"})
    below, whole = kept
    assert (whole.name, whole.kind, whole.failed) == ("GET /who/{name}", Kind.SERVER, False)
    assert whole.attributes == {
        "http.request.method": "GET",
        "http.route": "/who/{name}",
        "http.response.status_code": 200,
        "vivero.request_id": answer.headers["x-request-id"],
    }
    assert below.parent_id == whole.context.span_id


@pytest.mark.parametrize(("path", "route", "status"), [("/breaks", "/breaks", 500), ("/nowhere/hunter2", "none", 404)])
async def test_a_fault_of_ours_is_an_error_and_a_callers_is_none(path: str, route: str, status: int) -> None:
    kept: list[Span] = []
    async with client_of(made(kept)) as client:
        assert (await client.get(path)).status_code == status
    assert [(one.name, one.failed) for one in kept] == [(f"GET {route}", status == 500)]


async def test_probes_are_in_no_trace() -> None:
    kept: list[Span] = []
    async with client_of(made(kept)) as client:
        assert (await client.get("/healthz")).status_code == 200
    assert kept == []


async def test_a_method_that_the_caller_made_up_is_no_name() -> None:
    kept: list[Span] = []
    await ask(made(kept), "HUNTER2", "/who/a")
    assert [one.name.partition(" ")[0] for one in kept] == ["_OTHER"]


@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize("is_ours", [None, is_operator])
@given(sent=st.booleans(), flags=st.sampled_from(["00", "01", "03", "ff"]))
async def test_a_stranger_chooses_neither_the_trace_nor_that_it_is_kept(
    ratio: float, is_ours: Callable[[Headers], bool] | None, *, sent: bool, flags: str
) -> None:
    kept: list[Span] = []
    headers = {**(THEIRS if sent else {}), "traceparent": f"{str(CALLER)[:-2]}{flags}", "tracestate": "a=b"}
    async with client_of(made(kept, ratio, is_ours)) as client:
        assert (await client.get("/who/a", headers=headers)).status_code == 200
    assert len(kept) == (2 if ratio else 0)
    assert CALLER.trace_id not in {one.context.trace_id for one in kept}
    assert CALLER.span_id not in {one.parent_id for one in kept}


@pytest.mark.parametrize("ratio", [0.0, 1.0])
async def test_a_program_of_ours_goes_on_in_its_own_trace(ratio: float) -> None:
    kept: list[Span] = []
    async with client_of(made(kept, ratio, is_operator)) as client:
        assert (await client.get("/who/a", headers={**OURS, "traceparent": str(CALLER)})).status_code == 200
    assert {one.context.trace_id for one in kept} == {CALLER.trace_id}
    assert kept[-1].parent_id == CALLER.span_id
