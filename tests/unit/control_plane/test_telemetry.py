"""Traces and error reports."""

import pytest
from litestar import Litestar, get
from litestar.plugins.opentelemetry import OpenTelemetryPlugin
from litestar.testing import TestClient
from opentelemetry.sdk.trace import TracerProvider
from pydantic import AnyHttpUrl, SecretStr
from support.collector import recording
from vivero_control.lib import telemetry
from vivero_control.settings import TelemetrySettings


def test_nothing_is_sent_by_default() -> None:
    assert telemetry.telemetry_plugins(TelemetrySettings()) == []


def test_traces_when_there_is_somewhere_to_send_them() -> None:
    found = telemetry.telemetry_plugins(TelemetrySettings(otlp_endpoint=AnyHttpUrl("http://127.0.0.1:4318")))
    assert [type(plugin).__name__ for plugin in found] == ["OpenTelemetryPlugin"]


def test_a_request_tells_its_context_to_what_follows_from_it() -> None:
    """The span of the request itself, in the words of W3C Trace Context."""
    with recording() as collector:
        (plugin,) = telemetry.telemetry_plugins(TelemetrySettings(otlp_endpoint=AnyHttpUrl(collector.url)))

        @get("/context")
        async def context() -> str:
            return telemetry.current_traceparent() or ""

        with TestClient(Litestar([context], plugins=[plugin])) as client:
            told = client.get("/context").text
        assert isinstance(plugin, OpenTelemetryPlugin)
        provider = plugin.config.tracer_provider
        assert isinstance(provider, TracerProvider)
        provider.shutdown()
    version, trace, span, flags = told.split("-")
    assert (version, int(flags, 16) & 1) == ("00", 1)
    assert (trace, span) in {(one.trace_id.hex(), one.span_id.hex()) for _, one in collector.spans}
    assert {service for service, _ in collector.spans} == {"vivero-control-plane"}


def test_outside_of_a_request_there_is_no_context() -> None:
    assert telemetry.current_traceparent() is None


def test_sentry_starts_with_a_dsn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, object] = {}
    monkeypatch.setattr("sentry_sdk.init", lambda **options: started.update(options))
    telemetry.telemetry_plugins(TelemetrySettings(sentry_dsn=SecretStr("https://key@sentry.example.com/1")))
    assert started["send_default_pii"] is False
    assert started["include_local_variables"] is False


def test_an_error_report_contains_no_private_data() -> None:
    event = {
        "request": {"url": "https://x/y", "query_string": "ticket=1", "data": {"password": "p"}, "cookies": {"a": "b"}},
        "exception": {"values": [{"type": "E", "value": "no way to db://u:hunter2@host/"}]},
    }
    sent = telemetry.without_private(event, None)
    assert sent["request"] == {"url": "https://x/y"}
    assert "hunter2" not in sent["exception"]["values"][0]["value"]
