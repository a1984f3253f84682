"""Health checks of the workspace: cheap pings for readiness, real use of every backing service for the proof."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec
import structlog
from vivero_web.errors import WebError, explained

from vivero_data import __version__
from vivero_data.clients.cache import Cache
from vivero_data.clients.storage import Storage
from vivero_data.db.compatibility import HEAD
from vivero_data.db.database import Database
from vivero_data.db.schema import SchemaReady
from vivero_data.domain.audit.sealing import Sealer
from vivero_data.domain.health import repository
from vivero_data.domain.health.schemas import Probe, Proof, Readiness
from vivero_data.domain.identity.service import IdentityService

_PROBE_SECONDS: Final = 4.0  # a service that takes longer counts as down
_START_SECONDS: Final = 8.0  # below the 10 s that the startup probe waits
_ASPECTS: Final = ("database", "storage", "cache")

log = structlog.get_logger(__name__)


class HealthService:
    """Readiness and proof; `schema_ready` is set once this process has a usable schema."""

    def __init__(  # noqa: PLR0913, PLR0917  one for each thing that is checked
        self,
        database: Database,
        cache: Cache,
        storage: Storage,
        identity: IdentityService,
        schema_ready: SchemaReady,
        sealer: Sealer,
    ) -> None:
        self._sealer = sealer
        self._database = database
        self._cache = cache
        self._storage = storage
        self._identity = identity
        self._schema_ready = schema_ready
        self._running_check: asyncio.Task[Readiness] | None = None
        self._failing: tuple[str, ...] = ()

    async def ready(self) -> Readiness:
        """Whether requests can be served; a probe during start-up waits until it is known."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._schema_ready.wait(), _START_SECONDS)
        # Probes that queued up during start-up share one check.
        if self._running_check is None or self._running_check.done():
            checks = (repository.ping(self._database), self._storage.ping(), self._cache.ping())
            self._running_check = asyncio.create_task(self._check_and_log(*checks))
        return await asyncio.shield(self._running_check)

    async def prove(self, neighbour: str | None = None) -> Proof:
        """Whether our credentials can write, read and delete everywhere, with the stored identity.

        With another workspace's id, also whether access to that one is denied everywhere.
        """
        found = await self._check(
            self._check_access(
                repository.prove(self._database), partial(repository.check_isolation, self._database), neighbour
            ),
            self._check_access(self._storage.prove(), self._storage.check_isolation, neighbour),
            self._check_access(self._cache.prove(), self._cache.check_isolation, neighbour),
        )
        # Without a schema there is no identity; the proof fails anyway.
        stored = await self._identity.stored() if found.ok else None
        return Proof(**msgspec.structs.asdict(found), workspace=stored)

    @staticmethod
    async def _check_access(
        ours: Awaitable[None], theirs: Callable[[str], Awaitable[None]], neighbour: str | None
    ) -> None:
        await ours
        if neighbour is not None:
            await theirs(neighbour)

    async def _check_and_log(self, *checks: Awaitable[None]) -> Readiness:
        """Check, and log failures with their reasons once for each change: responses to probes are not logged."""
        found, reasons = await self._check_all(*checks)
        if found.database.ok and not self._schema_ready.is_set():
            reasons["schema"] = f"is not at revision {HEAD} yet"
        failing, before = tuple(reasons), self._failing
        self._failing = failing
        if failing and failing != before:
            log.warning("not_ready", **reasons)
        elif before and not failing:
            log.info("ready")
        return found

    async def _check(self, *checks: Awaitable[None]) -> Readiness:
        found, _ = await self._check_all(*checks)
        return found

    async def _check_all(self, *checks: Awaitable[None]) -> tuple[Readiness, dict[str, str]]:
        """The readiness, and the reason for each aspect that failed."""
        probes = await asyncio.gather(*(_probe(check) for check in checks))
        database, storage, cache = (probe for probe, _ in probes)
        current = self._schema_ready.is_set()
        ok = current and database.ok and storage.ok and cache.ok
        lag = round(self._sealer.lag(), 1)
        readiness = Readiness(ok, database, storage, cache, self._schema_ready.revision, __version__, lag)
        return readiness, {name: why for name, (_, why) in zip(_ASPECTS, probes, strict=True) if why}


async def _probe(check: Awaitable[None]) -> tuple[Probe, str]:
    """The public result, and the reason for the log, empty on success."""
    started = time.perf_counter()
    problem, why = None, ""
    try:
        await asyncio.wait_for(check, _PROBE_SECONDS)
    except TimeoutError:
        problem = why = "no answer in time"
    except WebError as error:
        problem, why = error.detail, explained(error)
    return Probe(problem is None, round((time.perf_counter() - started) * 1000, 1), problem), why
