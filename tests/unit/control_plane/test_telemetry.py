"""Where the control plane's traces and reports of errors go."""

import pytest
from pydantic import AnyHttpUrl, SecretStr, ValidationError
from support.collector import recording
from support.reports import taking_reports
from vivero_control.lib import telemetry
from vivero_control.settings import TelemetrySettings
from vivero_core.tracing.spans import Kind


def test_nothing_is_sent_by_default() -> None:
    with telemetry.tracer_of(TelemetrySettings()).begin("GET /", Kind.SERVER) as span:
        assert span is None


def test_traces_when_there_is_somewhere_to_send_them() -> None:
    with recording() as collector:
        headers = SecretStr("api-key=hunter2")
        tracer = telemetry.tracer_of(TelemetrySettings(otlp_endpoint=AnyHttpUrl(collector.url), otlp_headers=headers))
        with tracer.begin("GET /", Kind.SERVER):
            pass
        tracer.close()
    assert [service for service, _ in collector.spans] == ["vivero-control-plane"]
    assert collector.headers[0]["api-key"] == "hunter2"


def test_errors_are_reported_when_there_is_an_address() -> None:
    with taking_reports() as sentry:
        for address in (None, SecretStr(sentry.dsn)):
            with telemetry.reporter_of(TelemetrySettings(sentry_dsn=address)) as reporter:
                reporter.report("failed", "error", None)
    assert [event["server_name"] for event in sentry.events] == ["vivero-control-plane"]


def test_headers_that_are_none_are_refused_without_their_words() -> None:
    with pytest.raises(ValidationError, match="has to be name=value") as found:
        TelemetrySettings.model_validate({"otlp_headers": "hunter2"})
    assert "hunter2" not in str([{**one, "input": ""} for one in found.value.errors()])
