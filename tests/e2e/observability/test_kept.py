"""Logs and traces of the platform in a VictoriaLogs and a Jaeger of the tests' own, run by the code of `up --observability`."""

import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import Kubectl
from e2e.observability.accounts import forget
from support.api_server import free_ports
from vivero_dev.instance import Instance
from vivero_dev.localhost import local_client
from vivero_dev.native.services import alerting, telemetry
from vivero_dev.native.services.base import LOOPBACK, ServiceHost
from vivero_dev.native.tools import ensure_tools
from vivero_dev.observability.account import LOGS, ensure_token
from vivero_dev.probing import until
from vivero_dev.processes import ProcessTable
from vivero_dev.providers import provider_for
from vivero_dev.steps import silently

SECONDS = 60.0
PORTS = ("logs", "logs-agent", "jaeger", "otlp")


@pytest.fixture(scope="session")
def host(instance: Instance, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceHost]:
    """A folder and ports of their own beside the platform's."""
    provider = provider_for(instance, "auto")
    if provider.name != "native":
        pytest.skip("they read what containers of the native provider write")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    folder = tmp_path_factory.mktemp("kept")
    beside = replace(instance, name=f"{instance.name}-kept", state_dir=folder, ports=ports)
    yield ServiceHost(beside, (LOOPBACK,))
    for name in telemetry.STOP_ORDER:
        ProcessTable(beside).stop(name)
    forget(kubectl, LOGS, provider)


@contextmanager
def asked(host: ServiceHost, url: str) -> Iterator[httpx.Client]:
    tls = ssl.create_default_context(cafile=str(host.authority.certificate))
    with httpx.Client(base_url=url, verify=tls, timeout=10) as client:
        yield client


def found(ask: Callable[[], list[dict[str, Any]]], what: str) -> list[dict[str, Any]]:
    until(what, lambda: None if ask() else "not there yet", SECONDS)
    return ask()


def test_a_requests_number_finds_its_line_in_the_logs(
    instance: Instance, platform: dict[str, Any], host: ServiceHost
) -> None:
    watched = alerting.Watched.of(instance)
    source = telemetry.Source(
        watched.server, watched.authority, ensure_token(provider_for(instance, "auto").kubectl(), LOGS)
    )
    ensure_tools(instance.cache_dir, ("victoria-logs", "vlagent"), instance.log_dir / "tools.log", silently)
    url = telemetry.ensure_logs(host, silently)
    telemetry.ensure_agent(host, source, silently)
    with local_client(Path(platform["ca"])) as visitor:
        answer = visitor.get(f"{platform['control_plane_url']}/api/v1/nowhere/{secrets.token_hex(4)}")
    number = answer.headers["x-request-id"]
    with asked(host, url) as client:

        def lines() -> list[dict[str, Any]]:
            said = client.post("/select/logsql/query", data={"query": f'request_id:"{number}"'}).raise_for_status()
            return [httpx.Response(200, text=line).json() for line in said.text.splitlines()]

        (line,) = found(lines, "the request's line")
    assert (line["_msg"], line["status"]) == ("request", str(answer.status_code))
    assert line["kubernetes.container_name"] == "serve"


@pytest.mark.full
def test_a_trace_that_is_sent_is_found(instance: Instance, host: ServiceHost) -> None:
    """It compiles Jaeger, which takes ten minutes on a machine that has not done so before."""
    ensure_tools(instance.cache_dir, ("jaeger",), instance.log_dir / "tools.log", silently)
    url, trace = telemetry.ensure_jaeger(host, silently), secrets.token_hex(16)
    now = time.time_ns()
    span = {
        "traceId": trace,
        "spanId": secrets.token_hex(8),
        "name": "a step",
        "kind": 1,
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1000),
    }
    named = {"attributes": [{"key": "service.name", "value": {"stringValue": "a-program"}}]}
    sent = {"resourceSpans": [{"resource": named, "scopeSpans": [{"spans": [span]}]}]}
    httpx.post(f"http://{LOOPBACK}:{host.instance.ports['otlp']}/v1/traces", json=sent).raise_for_status()
    with asked(host, url) as client:

        def traces() -> list[dict[str, Any]]:
            answer = client.get(f"/api/traces/{trace}")
            return answer.json()["data"] if answer.is_success else []

        (one,) = found(traces, "the trace")
    assert [step["operationName"] for step in one["spans"]] == ["a step"]
