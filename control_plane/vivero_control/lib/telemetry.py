"""Where traces and reports of errors go."""

from vivero_core.error_reports.reporter import Program, Reporter
from vivero_core.error_reports.settings import address_of
from vivero_core.tracing.setup import tracer_to
from vivero_core.tracing.spans import Tracer

from vivero_control import __version__
from vivero_control.settings import TelemetrySettings

SERVICE = "vivero-control-plane"


def tracer_of(settings: TelemetrySettings) -> Tracer:
    """Of requests and jobs."""
    endpoint, headers = settings.otlp_endpoint, settings.otlp_headers
    return tracer_to(
        str(endpoint) if endpoint else None,
        {"service.name": SERVICE, "service.version": __version__},
        ratio=settings.otlp_ratio,
        headers=headers.get_secret_value() if headers else "",
    )


def reporter_of(settings: TelemetrySettings) -> Reporter:
    """Of what the program logs as an error."""
    return Reporter(address_of(settings.sentry_dsn), Program(SERVICE, __version__))
