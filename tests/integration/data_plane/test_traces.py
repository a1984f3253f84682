"""Traces of a workspace's program on the real services: what is in them, who decides, and one from signup to answer."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.control_plane.leftovers import erase_signups
from integration.control_plane.own import own_settings
from integration.control_plane.support import DOMAIN, Names, TestClock, listening, signup_body
from integration.data_plane.workspace import Workspace
from litestar import Litestar
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import AnyHttpUrl
from support.collector import Collector, recording
from unit.data_plane.test_tokens import ticket
from vivero_control.settings import TelemetrySettings
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Tenant
from vivero_operator import data_plane as pods
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.settings import Settings as OperatorSettings
from vivero_operator.tracing import passing, tracer_of

CALLER = "0af7651916cd43dd8448eb211c80319c"
CALLERS_SPAN = "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{CALLER}-{CALLERS_SPAN}-01"}
SIGNUP = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PROOF = "/internal/v1/proof"
RECORDS = "/api/v1/collections/Contacts/records"
PATIENCE = 120.0

New = Callable[..., Awaitable[Workspace]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with recording() as found:
        yield found


@pytest.fixture
async def traced(new_workspace: New, collector: Collector) -> Workspace:
    return await new_workspace(variables={"VIVERO_OTLP_ENDPOINT": collector.url})


async def sent(workspace: Workspace) -> None:
    """All spans of what was done so far."""
    await asyncio.to_thread(workspace.app.state.services.tracer.close)


def texts(span: Span) -> set[str]:
    return {span.name, *(f"{one.key}={one.value}" for one in span.attributes)}


async def test_a_request_leads_to_its_statements_and_calls_and_to_no_value(
    traced: Workspace, collector: Collector
) -> None:
    owner = await traced.login()
    await traced.collection(owner)
    made = await traced.client.post(RECORDS, json={"values": {"Name": "hunter2"}}, headers=owner)
    assert made.status_code == 201
    found = await traced.client.get(RECORDS, params={"search": "hunter2"}, headers=owner)
    assert found.json()["items"][0]["values"]["Name"] == "hunter2"
    file = {"file": ("hunter2.txt", b"hunter2", "text/plain")}
    assert (await traced.client.post("/api/v1/files", files=file, headers=owner)).status_code == 201
    await sent(traced)
    spans = {span.span_id: span for _, span in collector.spans}
    whole = {span.trace_id: span for span in spans.values() if not span.parent_span_id}
    assert {span.trace_id for span in spans.values()} == set(whole), "each below a request"
    assert all(span.kind == Span.SpanKind.SPAN_KIND_SERVER for span in whole.values())
    below: dict[str, set[str]] = {}
    for span in spans.values():
        if span.parent_span_id:
            assert span.parent_span_id in spans
            below.setdefault(whole[span.trace_id].name, set()).add(span.name)
    assert {"BEGIN", "COMMIT", "INSERT c_1"} <= below["POST /api/v1/collections/{name}/records"]
    assert "PUT object store" in below["POST /api/v1/files"]
    assert "valkey" in below["POST /api/v1/auth/login"]
    assert [text for span in spans.values() for text in texts(span) if "hunter2" in text] == []
    assert {resource["service.name"] for resource in collector.resources} == {"vivero-data-plane"}
    assert {one["vivero.tenant_id"] for one in collector.resources} == {traced.settings.env.tenant_id}


@pytest.mark.parametrize("who", ["nobody", "a user", "somebody with another token", "the operator"])
async def test_only_the_operator_says_in_which_trace_a_request_is(
    new_workspace: New, collector: Collector, who: str
) -> None:
    """With its own share of nothing: what is kept then, the caller has decided."""
    made = await new_workspace(variables={"VIVERO_OTLP_ENDPOINT": collector.url, "VIVERO_OTLP_RATIO": "0"})
    headers = {
        "nobody": {},
        "a user": await made.login(),
        "somebody with another token": {"authorization": f"Bearer {'0' * 64}"},
        "the operator": made.operator,
    }[who]
    answer = await made.client.get(PROOF, headers={**headers, **TRACEPARENT})
    assert answer.status_code == (200 if who == "the operator" else 401)
    await sent(made)
    assert {span.trace_id.hex() for _, span in collector.spans} == ({CALLER} if who == "the operator" else set())


async def test_a_job_goes_on_in_the_trace_of_its_request(
    traced: Workspace, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    for name, value in traced.environ.items():
        monkeypatch.setenv(name, value)
    owner = await traced.login()
    await traced.collection(owner)
    assert (await traced.client.post(f"{RECORDS}/export", json={}, headers=owner)).status_code == 202
    async with asyncio.timeout(PATIENCE):
        while not collector.named("job export"):  # noqa: ASYNC110  another process sends them
            await asyncio.sleep(0.1)
    await sent(traced)
    (job,) = collector.named("job export")
    (request,) = collector.named("POST /api/v1/collections/{name}/records/export")
    assert (job.trace_id, job.parent_span_id) == (request.trace_id, request.span_id)
    assert job.kind == Span.SpanKind.SPAN_KIND_CONSUMER
    done = {span.name for _, span in collector.spans if span.parent_span_id == job.span_id}
    assert {"SELECT c_1", "PUT object store"} <= done


@asynccontextmanager
async def on_a_port(app: Litestar) -> AsyncIterator[int]:
    """Its life is another's."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, lifespan="off", log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  the server says nothing
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def names(platform: dict[str, Any]) -> Iterator[Names]:
    made = Names("traced")
    yield made
    erase_signups(Path(platform["kubeconfig"]), made.used)


def signed_up(platform: dict[str, Any], admin_sql: pymysql.Connection, slug: str, collector: Collector) -> str:
    """The name of the Tenant that a signup made, at a control plane whose caller would like another trace."""
    with own_settings(platform, admin_sql) as settings:
        telemetry = TelemetrySettings(otlp_endpoint=AnyHttpUrl(collector.url))
        with listening(settings.model_copy(update={"telemetry": telemetry}), TestClock()) as address:
            headers = {"Host": f"{DOMAIN}:8443", **TRACEPARENT}
            answer = httpx.post(f"{address}/api/v1/signups", json=signup_body(slug), headers=headers, timeout=60)
    assert answer.status_code in {201, 202}, answer.text
    name: str = answer.json()["tenant"]["name"]
    return name


async def test_from_the_signups_click_to_the_workspaces_first_answer_it_is_one_trace(
    new_workspace: New,
    collector: Collector,
    platform: dict[str, Any],
    admin_sql: pymysql.Connection,
    names: Names,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = await new_workspace(variables={"VIVERO_OTLP_ENDPOINT": collector.url, "VIVERO_OTLP_RATIO": "0"})
    name = signed_up(platform, admin_sql, names.new(), collector)
    async with KubeClient(kube_config.load(Path(platform["kubeconfig"])), field_manager="tests") as kube:
        tenant = Tenant.parse({**await kube.get(TENANT, name), "status": {}})  # as the operator first saw it
    tracer = tracer_of(OperatorSettings(data_plane_image="data-plane", otlp_endpoint=collector.url))
    async with on_a_port(workspace.app) as port, DataPlaneClient() as client:
        monkeypatch.setattr(pods, "APP_PORT", port)
        with passing(tracer, tenant):
            assert (await client.proof("127.0.0.1", workspace.settings.app.operator_token, None)).ok
    await asyncio.to_thread(tracer.close)
    await sent(workspace)
    of = {service: [span for sender, span in collector.spans if sender == service] for service, _ in collector.spans}
    assert set(of) == {"vivero-control-plane", "vivero-operator", "vivero-data-plane"}
    assert len({span.trace_id for _, span in collector.spans}) == 1
    assert CALLER not in {span.trace_id.hex() for _, span in collector.spans}
    (first,) = [span for _, span in collector.spans if not span.parent_span_id]
    assert first.name == "POST /api/v1/signups"
    known = {span.span_id for _, span in collector.spans}
    assert all(span.parent_span_id in known for _, span in collector.spans if span is not first)
    (answer,) = [span for span in of["vivero-data-plane"] if span.kind == Span.SpanKind.SPAN_KIND_SERVER]
    (call,) = [span for span in of["vivero-operator"] if span.kind == Span.SpanKind.SPAN_KIND_CLIENT]
    assert (answer.name, answer.parent_span_id) == (f"GET {PROOF}", call.span_id)
    done = {span.name for span in of["vivero-data-plane"] if span.parent_span_id == answer.span_id}
    assert {"valkey", "BEGIN", "ROLLBACK"} <= done
    made = {span.name for span in of["vivero-control-plane"]}
    assert {"INSERT signups", "INSERT outbox", "valkey", "PATCH kubernetes"} <= made | {"PATCH kubernetes"}
    assert made & {"PATCH kubernetes", "POST kubernetes"}, "a spare was claimed, or a Tenant made"


async def visited(workspace: Workspace, **claims: object) -> httpx.Response:
    """The answer to a person who comes with a ticket of the control plane, and says of another trace."""
    text = ticket(workspace.ticket_key, aud=workspace.settings.env.tenant_id, jti=secrets.token_hex(8), **claims)
    return await workspace.client.post("/login/ticket", data={"ticket": text}, headers=TRACEPARENT)


@pytest.mark.parametrize("claim", [None, "", "hunter2" * 100, f"00-{'0' * 32}-{CALLERS_SPAN}-01", SIGNUP])
async def test_the_first_visit_is_in_the_trace_that_its_ticket_names_and_in_no_other(
    new_workspace: New, collector: Collector, claim: str | None
) -> None:
    """With a share of nothing: what is kept is of the signup's trace. A claim that is none keeps nobody out."""
    made = await new_workspace(variables={"VIVERO_OTLP_ENDPOINT": collector.url, "VIVERO_OTLP_RATIO": "0"})
    answer = await visited(made, traceparent=claim)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    await sent(made)
    if claim != SIGNUP:
        assert collector.spans == []
        return
    spans = [span for _, span in collector.spans]
    assert f"00-{spans[0].trace_id.hex()}" == SIGNUP[:35]
    assert len({span.trace_id for span in spans}) == 1
    (visit,) = collector.named("login by ticket")
    assert visit.parent_span_id.hex() == SIGNUP[36:52]
    below = {span.name for span in spans if span.parent_span_id == visit.span_id}
    assert {"BEGIN", "INSERT spent_tickets", "COMMIT"} <= below


async def test_a_ticket_that_others_signed_names_no_trace(new_workspace: New, collector: Collector) -> None:
    made = await new_workspace(variables={"VIVERO_OTLP_ENDPOINT": collector.url, "VIVERO_OTLP_RATIO": "0"})
    made.ticket_key = Ed25519PrivateKey.generate()
    assert (await visited(made, traceparent=SIGNUP)).status_code != 303
    await sent(made)
    assert collector.spans == []
