"""Whether a new workspace is reached at its public address: the ingress learns of a route after the operator made it.

A browser that comes in between gets the page for hosts without a workspace,
and keeps it for as long as its connection lives. So what waits for a signup
is told that it is ready only when somebody like that browser, on a new
connection, was answered by the workspace. ADR 0015.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from vivero_core.model import conditions
from vivero_core.model.constants import ConditionType
from vivero_core.model.tenant import Tenant
from vivero_web.clock import Clock

logger = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.03
LONGEST_PAUSE: Final = 0.5
GROWTH: Final = 1.3  # ingresses take 0.1 to 0.6 s: six to nine questions
ROUTE_IS_NEW: Final = timedelta(minutes=1)
"""An older route is known to every ingress: nobody asks, and nothing need be remembered."""

Ask = Callable[[str, str], Awaitable[bool]]
"""Whether the workspace of this id answers at the address of this slug, asked once."""


class Reachability:
    """Looks for each new workspace once, however many wait for it; what was found is kept while the route is new."""

    def __init__(self, ask: Ask, patience: float, clock: Clock) -> None:
        self._ask = ask
        self._patience = patience
        self._clock = clock
        self._reached: dict[str, datetime] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}

    def reached(self, tenant: Tenant) -> bool:
        """Whether people may be sent there: seen to answer, given up on, or there for long."""
        return not self._patience or tenant.metadata.uid in self._reached or not is_new(tenant, self._clock())

    def look(self, tenant: Tenant, *, then: Callable[[], None]) -> asyncio.Task[None] | None:
        """Begin to look for a ready workspace unless somebody does; None when it is reached.

        `then` is called when the look that this call began has ended.
        """
        slug, uid = tenant.spec.slug, tenant.metadata.uid
        if slug is None or self.reached(tenant):
            return None
        if uid not in self._looking:
            task = asyncio.create_task(self._look(uid, slug, tenant.id))
            self._looking[uid] = task
            task.add_done_callback(lambda _: self._ended(uid, then))
        return self._looking[uid]

    def close(self) -> None:
        """End every look."""
        for task in self._looking.values():
            task.cancel()

    async def _look(self, uid: str, slug: str, tenant_id: str) -> None:
        begin = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._patience):
                await self._until_answered(slug, tenant_id)
        except TimeoutError:
            waited = asyncio.get_running_loop().time() - begin
            logger.warning(
                "workspace not reachable through the ingress, assumed ready",
                extra={"slug": slug, "seconds": round(waited, 1)},
            )
        finally:
            # Also when it broke: who waits would else have it begun again for ever.
            self._reached = remembered(self._reached, uid, self._clock())

    async def _until_answered(self, slug: str, tenant_id: str) -> None:
        pause = FIRST_PAUSE
        while not await self._ask(slug, tenant_id):
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  jitter
            pause = min(pause * GROWTH, LONGEST_PAUSE)

    def _ended(self, uid: str, then: Callable[[], None]) -> None:
        del self._looking[uid]
        then()


def remembered(reached: Mapping[str, datetime], uid: str, now: datetime) -> dict[str, datetime]:
    """With one more, without those whose routes are no longer new."""
    return {one: at for one, at in reached.items() if now - at <= 2 * ROUTE_IS_NEW} | {uid: now}


def is_new(tenant: Tenant, now: datetime) -> bool:
    """Whether an ingress may not have heard of its route."""
    route = conditions.find(tenant.status.conditions, ConditionType.ROUTE_READY)
    return route is None or now - route.last_transition_time < ROUTE_IS_NEW
