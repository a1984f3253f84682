"""Sees that somebody touched what a backing server holds of a tenant: all tenants of a server in one look, in turns.

A server tells nobody that a grant was revoked or a password changed. Two looks
that differ say whose; what and how, the next pass finds out.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from vivero_core.backends.survey import Survey
from vivero_core.errors import BackendError
from vivero_core.model.tenant import Tenant

from vivero_operator.policies import life
from vivero_operator.reconcile.run import Services

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 20.0
"""Mean time between two looks at a server; what was tampered with is found within two of them and mended at once."""
_SPREAD: Final = 0.2

Look = Callable[[], Awaitable[Survey]]

Customers = Callable[[], list[Tenant]]
"""Those who should have something on the server."""

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
        cluster = self._services.cluster
        looks: dict[str, tuple[str, Look, Customers]] = {
            f"mariadb/{server.name}": ("database", self._database(server.name), partial(cluster.placed_on, server.name))
            for server in servers
        }
        looks |= {
            "s3": ("storage", self._storage, partial(list, cluster.tenants)),
            "valkey": ("cache", self._cache, partial(list, cluster.tenants)),
        }
        async with asyncio.TaskGroup() as group:
            for system, (step, look, customers) in looks.items():
                group.create_task(self._compare(system, step, look, customers))
        for system in self._known.keys() - looks.keys():
            del self._known[system]

    async def _compare(self, system: str, step: str, look: Look, customers: Customers) -> None:
        try:
            now = await look()
        except BackendError as error:
            logger.info("not surveyed: %s", error, extra={"system": system})
            return
        before = self._known.get(system)
        if before is None:
            # The first look of a program that has just begun to lead: it knows who should be there, and not more.
            changed = {tenant.id for tenant in customers() if life.settled(tenant)} - now.keys()
        else:
            # New ones as well: what is seen first may have been tampered with since it was made.
            changed = {ident for ident in before.keys() | now.keys() if before.get(ident) != now.get(ident)}
        for ident in sorted(changed):
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
