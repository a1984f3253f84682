"""Where this program's traces go."""

from typing import Final

from vivero_core.tracing.setup import tracer_to
from vivero_core.tracing.spans import Tracer

from vivero_data import __version__
from vivero_data.settings import Settings

SERVICE: Final = "vivero-data-plane"


def tracer_of(settings: Settings) -> Tracer:
    env = settings.env
    resource = {"service.name": SERVICE, "service.version": __version__, "vivero.tenant_id": env.tenant_id}
    return tracer_to(env.otlp_endpoint, resource, ratio=env.otlp_ratio, authority=settings.ca_file)
