"""What kubelet and Prometheus ask, on a port that no ingress leads to: /healthz, /readyz, /metrics."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from litestar import Litestar
from litestar.di import Provide
from litestar.plugins.prometheus import PrometheusController
from vivero_web.answers import Answers
from vivero_web.client_address import Proxies
from vivero_web.request_context import RequestContext

from vivero_control.lib.health import Health, HealthController


class Metrics(PrometheusController):
    """Serves what this process has counted: requests by route, signups, the outbox."""

    path = "/metrics"
    openmetrics_format = False
    include_in_schema = False


def internal_app(
    health: Health, lifespan: Sequence[Callable[[Litestar], AbstractAsyncContextManager[None]]] = ()
) -> Litestar:
    """Whatever its Host header: who gets here is in the cluster, and the NetworkPolicy has let it in."""
    app = Litestar(
        route_handlers=[HealthController, Metrics],
        dependencies={"health": Provide(lambda: health, sync_to_thread=False)},
        exception_handlers={Exception: Answers(None).to},
        lifespan=list(lifespan),
        logging_config=None,
        openapi_config=None,
    )
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(0), hsts="")
    return app
