"""One trace from the signup's request to the tenant's pod: what the operator adds, and when it adds nothing."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from reconcile.fakes import merge
from reconcile.scenes import serving
from reconcile.world import PLAN, World, tenant_body
from support.collector import Collector, recording
from vivero_core.model.constants import ANNOTATION_TRACE
from vivero_core.tracing.spans import Tracer
from vivero_operator import data_plane
from vivero_operator.data_plane import DataPlaneClient
from vivero_operator.reconcile.tenant import TenantReconciler
from vivero_operator.settings import Settings
from vivero_operator.tracing import passing, tracer_of

TRACE, SIGNUP = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SIGNUP}-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with recording() as found:
        yield found


def tracer_at(url: str) -> Tracer:
    return tracer_of(Settings(data_plane_image="data-plane", otlp_endpoint=url))


def traced(world: World, tracer: Tracer) -> None:
    world.services = replace(world.services, tracer=tracer)
    world.reconciler = TenantReconciler(world.services, world.state)


async def passes(world: World, collector: Collector, annotation: str | None) -> None:
    """One pass over the tenant, with tracing to the collector."""
    tracer = tracer_at(collector.url)
    traced(world, tracer)
    if annotation is not None:
        known = world.kube.objects["Tenant", None, "acme"]
        world.put(merge(known, {"metadata": {"annotations": {ANNOTATION_TRACE: annotation}}}))
    await world.reconcile()
    tracer.close()


def signed_up() -> World:
    world = World()
    world.put(PLAN)
    world.put(tenant_body())
    return world


async def test_a_pass_and_its_steps_belong_to_the_signups_trace(collector: Collector) -> None:
    await passes(signed_up(), collector, PARENT)
    assert collector.paths == {"/v1/traces"}
    assert {service for service, _ in collector.spans} == {"vivero-operator"}
    assert {span.trace_id.hex() for _, span in collector.spans} == {TRACE}
    (whole,) = collector.named("reconcile Tenant")
    assert whole.parent_span_id.hex() == SIGNUP
    assert {one.key: one.value.string_value for one in whole.attributes}["vivero.tenant"] == "acme"
    steps = [span for _, span in collector.spans if span.parent_span_id == whole.span_id]
    assert {"namespace", "secrets"} <= {span.name for span in steps}
    known = {span.span_id for _, span in collector.spans}
    assert all(span.parent_span_id in known for _, span in collector.spans if span is not whole)
    assert not any(span.status.code for span in steps), "a step that waits is no error"
    assert all(whole.start_time_unix_nano <= span.start_time_unix_nano for span in steps)


@pytest.mark.parametrize(
    "annotation",
    [None, "", "00-0-0-01", f"{PARENT}-x", f"ff-{TRACE}-{SIGNUP}-01", f"00-{TRACE}-{SIGNUP}-00", "x" * 10_000],
)
async def test_without_a_context_there_is_no_trace(annotation: str | None, collector: Collector) -> None:
    await passes(signed_up(), collector, annotation)
    assert collector.spans == []


async def test_a_tenant_that_no_one_waits_for_is_not_traced(collector: Collector) -> None:
    """Its annotation stays, and each of a thousand passes a day would add to a trace that has ended."""
    world = await serving()
    await passes(world, collector, PARENT)
    assert collector.spans == []


async def test_the_pod_is_called_with_the_context_of_the_call(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    async def proof(request: web.Request) -> web.Response:
        seen.append(request.headers.get("traceparent"))
        return web.json_response({"ok": True, "database": {"ok": True}, "storage": {"ok": True}, "cache": {"ok": True}})

    app = web.Application()
    app.add_routes([web.get("/internal/v1/proof", proof)])
    tracer, world = tracer_at(collector.url), signed_up()
    world.put(merge(tenant_body(), {"metadata": {"annotations": {ANNOTATION_TRACE: PARENT}}}))
    tenant = world.cluster.tenants.get("acme")
    assert tenant is not None
    async with TestServer(app) as server, DataPlaneClient() as client:
        monkeypatch.setattr(data_plane, "APP_PORT", server.port)
        assert (await client.proof("127.0.0.1", "token", "neighbour")).ok
        with passing(tracer, tenant):
            assert (await client.proof("127.0.0.1", "token", "neighbour")).ok
    tracer.close()
    (call,) = collector.named("GET /internal/v1/proof")
    assert seen == [None, f"00-{TRACE}-{call.span_id.hex()}-01"]


async def test_a_collector_that_is_away_holds_nothing_up() -> None:
    tracer, world = tracer_at("http://127.0.0.1:1"), signed_up()
    traced(world, tracer)
    world.put(merge(tenant_body(), {"metadata": {"annotations": {ANNOTATION_TRACE: PARENT}}}))
    await world.reconcile()
    assert world.kube.writes
    tracer.close()


def test_without_an_endpoint_nothing_is_loaded() -> None:
    script = (
        "import sys; from vivero_operator import main; from vivero_operator.settings import Settings;"
        "main.tracer_of(Settings(data_plane_image='x')).close(); sys.exit('vivero_core.tracing.exporter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0  # noqa: S603  our own
