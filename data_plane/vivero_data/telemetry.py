"""Where this program's traces and reports of errors go."""

from typing import TYPE_CHECKING, Final

import structlog
from vivero_core.error_reports.reporter import Program, Reporter
from vivero_core.tracing.setup import tracer_to
from vivero_core.tracing.spans import Tracer

from vivero_data import __version__
from vivero_data.errors import SettingsError
from vivero_data.settings import Settings, read_sentry_dsn

if TYPE_CHECKING:
    from vivero_core.error_reports.dsn import Dsn

SERVICE: Final = "vivero-data-plane"
log = structlog.get_logger(__name__)


def tracer_of(settings: Settings) -> Tracer:
    env = settings.env
    resource = {"service.name": SERVICE, "service.version": __version__, "vivero.tenant_id": env.tenant_id}
    return tracer_to(env.otlp_endpoint, resource, ratio=env.otlp_ratio, authority=settings.ca_file)


def reporter_of(settings: Settings) -> Reporter:
    """Of what the program logs as an error, to the address that is in its file at that moment."""

    def address() -> "Dsn | None":
        try:
            return read_sentry_dsn(settings.sentry_dsn_file)
        except SettingsError as error:
            log.warning("error_not_reported", problem=error.detail)
            return None

    tags = {"tenant_id": settings.env.tenant_id}
    return Reporter(address, Program(SERVICE, __version__, tags, settings.ca_file))
