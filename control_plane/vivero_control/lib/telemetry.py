"""Traces and error reports: off unless the settings say where to send them, and then without personal data."""

import sys
from typing import Any

from litestar.plugins import PluginProtocol
from vivero_web.logs import redact

from vivero_control.settings import TelemetrySettings

SERVICE = "vivero-control-plane"
_PRIVATE = ("query_string", "data", "cookies", "headers", "env")


def telemetry_plugins(settings: TelemetrySettings) -> list[PluginProtocol]:
    """Litestar's plugins for what is switched on; also starts Sentry."""
    if settings.sentry_dsn:
        _start_sentry(settings.sentry_dsn.get_secret_value())
    return [_tracing(str(settings.otlp_endpoint))] if settings.otlp_endpoint else []


# Imported only when wanted: the two cost 30 MiB that most installations do not use.


def _tracing(endpoint: str) -> PluginProtocol:
    from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryPlugin  # noqa: PLC0415  see above
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    return OpenTelemetryPlugin(OpenTelemetryConfig(tracer_provider=provider))


def current_traceparent() -> str | None:
    """Context of the request under way (W3C Trace Context), to go on elsewhere; None where nothing is traced."""
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry.trace import get_current_span  # noqa: PLC0415  see above

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _start_sentry(dsn: str) -> None:
    import sentry_sdk  # noqa: PLC0415  see above

    sentry_sdk.init(dsn=dsn, send_default_pii=False, include_local_variables=False, before_send=without_private)


def without_private(event: Any, _: Any) -> Any:  # noqa: ANN401  Sentry's event is an open dictionary
    """Drop what may hold a secret or a person's data from a report."""
    request = event.get("request", {})
    for key in _PRIVATE:
        request.pop(key, None)
    for value in event.get("exception", {}).get("values", []):
        value["value"] = redact(str(value.get("value", "")))
    return event
