"""Detects drift on backing servers: a survey of all tenants of a server, at regular intervals.

A server reports no revoked grant and no changed password. Two surveys that
differ tell whose; what and how, the next pass finds out. Each server has a
loop of its own: one that hangs, or whose response cannot be parsed, delays no other.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from vivero_core.backends.survey import Survey
from vivero_core.errors import BackendError, BackendNotFoundError, BackendUnfinishedError
from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant

from vivero_operator import metrics
from vivero_operator.backend_clients import BackendClient
from vivero_operator.policies import backoff, life
from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 20.0
"""Mean time between two surveys of a server; drift is found within two of them and corrected at once."""
SERVERS_SECONDS: Final = 1.0
"""How soon a DatabaseServer that is new gets its loop, and one that is gone loses it."""
GOES_ON_SECONDS: Final = 1.0
"""Pause before a look that was too long for one call goes on."""
DOUBTFUL: Final = ""
"""In place of a digest: the next look finds it different, whatever it is."""
_SPREAD: Final = 0.2

Customers = Callable[[], list[Tenant]]
"""Those who should have something on the server."""

Suspect = Callable[[str, str], None]
"""Called with the id of a tenant and the name of the step that has to look again."""


class Surveyed(Protocol):
    """What every admin client has."""

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def survey(self) -> Survey: ...


@dataclass(frozen=True)
class Target:
    """A server to look at."""

    step: str
    aspect: ConditionType
    client: Callable[[], Awaitable[BackendClient[Surveyed]]]
    customers: Customers


class Surveyor:
    """Remembers what each server held of each tenant."""

    def __init__(self, services: Services, suspect: Suspect) -> None:
        self._services = services
        self._suspect = suspect
        self._known: dict[str, Survey] = {}

    async def run(self) -> None:
        """Until cancelled."""
        loops: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                targets = self._targets()
                for system in targets.keys() - loops.keys():
                    loops[system] = group.create_task(self._follow(system, targets[system]), name=f"survey {system}")
                for system in loops.keys() - targets.keys():
                    loops.pop(system).cancel()
                    self._forget(system)
                await asyncio.sleep(SERVERS_SECONDS)

    async def look(self) -> None:
        """Every server once, each for itself."""
        async with asyncio.TaskGroup() as group:
            for system, target in self._targets().items():
                group.create_task(self._look(system, target, broken=0))

    def _targets(self) -> dict[str, Target]:
        backends, cluster = self._services.backends, self._services.cluster
        databases = {
            f"mariadb/{server.name}": Target(
                "database",
                ConditionType.DATABASE_READY,
                partial(self._database, server.name),
                partial(cluster.placed_on, server.name),
            )
            for server in cluster.servers
        }
        everybody: Customers = partial(list, cluster.tenants)
        return databases | {
            "s3": Target("storage", ConditionType.STORAGE_READY, backends.storage, everybody),
            "valkey": Target("cache", ConditionType.CACHE_READY, backends.cache, everybody),
        }

    async def _database(self, name: str) -> BackendClient[Surveyed]:
        """By its name, for its address may have changed since the last look."""
        server = self._services.cluster.servers.get(name)
        if server is None:
            raise BackendNotFoundError("mariadb", f"DatabaseServer {name} is gone")
        return await self._services.backends.database(server)

    async def _follow(self, system: str, target: Target) -> None:
        """Until cancelled."""
        broken = 0
        while True:
            pause, broken = await self._look(system, target, broken)
            await asyncio.sleep(pause)

    async def _look(self, system: str, target: Target, broken: int) -> tuple[float, int]:
        """Look once; how long to wait then, and how many looks in a row have broken by now."""
        try:
            client = await target.client()
            self._compare(system, target, await client.breaker.call(client.admin.survey))
        except BackendUnfinishedError as error:
            logger.info("survey not finished, continuing: %s", error, extra={"system": system})
            return GOES_ON_SECONDS, 0
        except BackendError as error:
            logger.info("survey failed, retrying: %s", error, extra={"system": system})
        except Exception:
            # A bug, or an answer that we cannot read, at one server: loud, counted, tried again with back-off.
            logger.exception("survey failed with an unexpected error", extra={"system": system})
            metrics.SURVEY_ERRORS.labels(system).inc()
            return backoff.delay(broken + 1, random.random()), broken + 1  # noqa: S311  jitter, no secret
        return EVERY_SECONDS * random.uniform(1 - _SPREAD, 1 + _SPREAD), 0  # noqa: S311  jitter, no secret

    def _compare(self, system: str, target: Target, now: Survey) -> None:
        before = self._known.get(system)
        if before is None:
            # The first look of a program that has just begun to lead: it knows who should be there, and not more.
            changed = {tenant.id for tenant in target.customers() if life.settled(tenant)} - now.keys()
        else:
            # New ones as well: what is seen first may have been changed since it was made.
            changed = {ident for ident in before.keys() | now.keys() if before.get(ident) != now.get(ident)}
        for ident in sorted(changed):
            self._suspect(ident, target.step)
        known = before or {}
        self._known[system] = {
            one.id: _to_remember(one, target.aspect, known, now)
            for one in self._services.cluster.tenants
            if one.id in known or one.id in now
        }

    def _forget(self, system: str) -> None:
        """Drop the results of a deleted DatabaseServer."""
        self._known.pop(system, None)
        self._services.backends.forget_database(system.removeprefix("mariadb/"))


def _to_remember(tenant: Tenant, aspect: ConditionType, before: Survey, now: Survey) -> str:
    """A missing tenant is remembered as it was: it may reappear, changed again, by the next survey.

    What is not as it was, or as it should be, is no measure for the next look:
    by then it may have been corrected, and be the same once more.
    """
    ident = tenant.id
    if ident not in now:
        return before[ident]
    changed = before.get(ident, now[ident]) not in (now[ident], DOUBTFUL)
    return DOUBTFUL if changed or _is_harmed(tenant, aspect) else now[ident]


def _is_harmed(tenant: Tenant, aspect: ConditionType) -> bool:
    """Whether what it has on the server was well, and is not any more."""
    known = find(tenant.status.conditions, aspect)
    return tenant.status.proven_at is not None and known is not None and known.status is Status.FALSE
