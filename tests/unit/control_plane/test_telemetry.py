"""Traces and error reports."""

import pytest
from pydantic import AnyHttpUrl, SecretStr
from vivero_control.lib import telemetry
from vivero_control.settings import TelemetrySettings


def test_nothing_is_sent_by_default() -> None:
    assert telemetry.telemetry_plugins(TelemetrySettings()) == []


def test_traces_when_there_is_somewhere_to_send_them() -> None:
    found = telemetry.telemetry_plugins(TelemetrySettings(otlp_endpoint=AnyHttpUrl("http://127.0.0.1:4318")))
    assert [type(plugin).__name__ for plugin in found] == ["OpenTelemetryPlugin"]


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
