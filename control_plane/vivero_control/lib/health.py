"""Whether the process lives, and whether it can do its work."""

import asyncio
from collections.abc import Callable
from typing import Final

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from msgspec import Struct
from vivero_web.errors import UnavailableError

from vivero_control.db.database import Database

ANSWER_SECONDS: Final = 2.0


class Readiness(Struct, frozen=True, kw_only=True):
    """What is needed to serve. Valkey is not in it: without it we count by ourselves and have no staff sessions."""

    ok: bool
    database: bool
    cluster: bool


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


class HealthController(Controller):
    """For kubelet and balancers."""

    tags = ("Health",)

    @get("/healthz", summary="The process lives", sync_to_thread=False)
    def live(self) -> dict[str, bool]:
        return {"ok": True}

    @get("/readyz", summary="Database and cluster answer")
    async def ready(self, health: NamedDependency[Health]) -> Response[Readiness]:
        readiness = await health.readiness()
        return Response(readiness, status_code=200 if readiness.ok else 503)
