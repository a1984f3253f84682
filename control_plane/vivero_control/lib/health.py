"""Liveness and readiness, and the port without an ingress on which kubelet and Prometheus ask for them and for metrics."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Final

from litestar import Controller, Litestar, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.openapi import ResponseSpec
from msgspec import Meta, Struct
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from vivero_web.current_request import Proxies
from vivero_web.errors import UnavailableError
from vivero_web.problem import Answers
from vivero_web.request_context import RequestContext

from vivero_control.db.database import Database

ANSWER_SECONDS: Final = 2.0


class Liveness(Struct, frozen=True, kw_only=True):
    """The process."""

    ok: Annotated[bool, Meta(description="Always true.")] = True


class Readiness(Struct, frozen=True, kw_only=True):
    """What is needed to serve. Valkey is not in it: without it we count by ourselves and have no staff sessions."""

    ok: Annotated[bool, Meta(description="Whether requests may come: the cluster was seen, the database has answered.")]
    database: Annotated[bool, Meta(description="Whether the database answers now.")]
    cluster: Annotated[bool, Meta(description="Whether the cluster has been seen whole.")]


class Health:
    """Asks what readiness depends on.

    Once the database has answered, a process stays ready without it: its outage is that of all replicas, and the status
    page and our own words for what is amiss come from a pod that is in service.
    """

    def __init__(self, database: Database, cluster_synced: Callable[[], bool]) -> None:
        self._database = database
        self._cluster_synced = cluster_synced
        self._has_answered = False

    async def readiness(self) -> Readiness:
        database, cluster = await self._database_answers(), self._cluster_synced()
        self._has_answered |= database
        return Readiness(ok=self._has_answered and cluster, database=database, cluster=cluster)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._database.ping()
        except (UnavailableError, TimeoutError):
            return False
        return True


NOT_READY: Final = ResponseSpec(Readiness, description="Something of it does not answer.")


class HealthController(Controller):
    """For kubelet and balancers."""

    tags = ("Health",)

    @get("/healthz", summary="The process lives", sync_to_thread=False)
    def healthz(self) -> Liveness:
        return Liveness()

    @get("/readyz", summary="Requests may come", responses={503: NOT_READY})
    async def readyz(self, health: NamedDependency[Health]) -> Response[Readiness]:
        readiness = await health.readiness()
        return Response(readiness, status_code=200 if readiness.ok else 503)


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What this process has counted (requests by route, signups, the outbox), with exemplars in OpenMetrics."""
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), headers={"Content-Type": kind})


def internal_app(
    health: Health, lifespan: Sequence[Callable[[Litestar], AbstractAsyncContextManager[None]]] = ()
) -> Litestar:
    """Whatever its Host header: who gets here is in the cluster, and the NetworkPolicy has let it in."""
    app = Litestar(
        route_handlers=[HealthController, metrics],
        dependencies={"health": Provide(lambda: health, sync_to_thread=False)},
        exception_handlers={Exception: Answers(None).to},
        lifespan=list(lifespan),
        logging_config=None,
        openapi_config=None,
    )
    app.asgi_handler = RequestContext(app.asgi_handler, Proxies(0), hsts="")
    return app
