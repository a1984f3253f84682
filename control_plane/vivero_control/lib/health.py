"""Whether the process lives, and whether it can do its work."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from msgspec import Meta, Struct
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database

ANSWER_SECONDS: Final = 2.0


class Liveness(Struct, frozen=True, kw_only=True):
    """The process."""

    ok: Annotated[bool, Meta(description="Always true.")] = True


class Readiness(Struct, frozen=True, kw_only=True):
    """What is needed to serve. Valkey is not in it: without it we count by ourselves and have no staff sessions."""

    ok: Annotated[bool, Meta(description="Whether all of it answers.")]
    database: Annotated[bool, Meta(description="Whether the database answers.")]
    cluster: Annotated[bool, Meta(description="Whether the cluster has been seen whole.")]


class Health:
    """Asks what readiness depends on."""

    def __init__(self, database: Database, cluster_synced: Callable[[], bool]) -> None:
        self._database = database
        self._cluster_synced = cluster_synced

    async def readiness(self) -> Readiness:
        database, cluster = await self._database_answers(), self._cluster_synced()
        return Readiness(ok=database and cluster, database=database, cluster=cluster)

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

    @get("/readyz", summary="Database and cluster answer", responses={503: NOT_READY})
    async def readyz(self, health: NamedDependency[Health]) -> Response[Readiness]:
        readiness = await health.readiness()
        return Response(readiness, status_code=200 if readiness.ok else 503)
