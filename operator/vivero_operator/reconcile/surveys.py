"""Sees that somebody touched what a backing server holds of a tenant: all tenants of a server in one look, in turns.

A server tells nobody that a grant was revoked or a password changed. Two looks
that differ say whose; what and how, the next pass finds out.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from vivero_core.backends.survey import Survey
from vivero_core.errors import BackendError

from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 20.0
"""Mean time between two looks at a server; what was tampered with is found within two of them and mended at once."""
_SPREAD: Final = 0.2

Look = Callable[[], Awaitable[Survey]]

Suspect = Callable[[str, str], None]
"""Called with the id of a tenant and the name of the step that has to look again."""


class Surveyor:
    """Remembers what each server held of each tenant."""

    def __init__(self, services: Services, suspect: Suspect) -> None:
        self._services = services
        self._suspect = suspect
        self._known: dict[str, Survey] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  jitter, no secret
            await asyncio.sleep(EVERY_SECONDS * spread)

    async def look(self) -> None:
        """Every server once; a sick one is left out and looked at again next time."""
        servers = self._services.cluster.servers
        looks = {f"mariadb/{server.name}": ("database", self._database(server.name)) for server in servers}
        looks |= {"s3": ("storage", self._storage), "valkey": ("cache", self._cache)}
        async with asyncio.TaskGroup() as group:
            for system, (step, look) in looks.items():
                group.create_task(self._compare(system, step, look))
        for system in self._known.keys() - looks.keys():
            del self._known[system]

    async def _compare(self, system: str, step: str, look: Look) -> None:
        try:
            now = await look()
        except BackendError as error:
            logger.info("not surveyed: %s", error, extra={"system": system})
            return
        before = self._known.get(system)
        if before is not None:
            # New ones as well: what is seen first may have been tampered with since it was made. Not so at the first
            # look of all: a program that has just begun to lead looks at every tenant anyway.
            for ident in sorted(before.keys() | now.keys()):
                if before.get(ident) != now.get(ident):
                    self._suspect(ident, step)
        # Who is missing is remembered as it was: it may be back, and tampered with again, by the next look.
        living = {tenant.id for tenant in self._services.cluster.tenants}
        self._known[system] = {ident: digest for ident, digest in ((before or {}) | now).items() if ident in living}

    def _database(self, name: str) -> Look:
        async def look() -> Survey:
            server = self._services.cluster.servers.get(name)
            if server is None:
                return {}
            link = await self._services.backends.database(server)
            return await link.lane.call(link.admin.survey)

        return look

    async def _storage(self) -> Survey:
        link = await self._services.backends.storage()
        return await link.lane.call(link.admin.survey)

    async def _cache(self) -> Survey:
        link = await self._services.backends.cache()
        return await link.lane.call(link.admin.survey)
