"""Owners are told by mail when a limit of the plan is nearly or fully used: once, until there was room again.

The level that was told stands beside the counter, whose row is locked meanwhile: several pods and restarts tell once.
"""

import asyncio
from typing import Final, get_args

from vivero_web import clock

from vivero_data.db.database import Connection, Database
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.limits.service import Limits, LimitService, Resource
from vivero_data.domain.usage.job import KIND, TellOfLimit
from vivero_data.domain.usage.levels import level_now
from vivero_data.domain.users import repository as users

_RESOURCES: Final[tuple[Resource, ...]] = get_args(Resource)


async def tell_owners(database: Database, limits: LimitService, started: asyncio.Event) -> int:
    """Begin the mails of what was reached since the last call; returns how many. `started` wakes the runner of jobs."""
    begun = 0
    for resource in _RESOURCES:
        async with database.transaction() as tx:
            begun += await _tell(tx, limits.current, resource)
    if begun:
        started.set()
    return begun


async def _tell(tx: Connection, limits: Limits, resource: Resource) -> int:
    row = await tx.fetch_one("SELECT value, told FROM counters WHERE name = %s FOR UPDATE", resource)
    used, told = (int(row[0]), int(row[1])) if row else (0, 0)
    level = level_now(told, used, getattr(limits, resource))
    if level == told:
        return 0
    await tx.execute("UPDATE counters SET told = %s WHERE name = %s", level, resource)
    owners = await users.active_owners(tx) if level > told else []
    for owner in owners:
        await jobs.insert(tx, KIND, resource, TellOfLimit(resource, level, clock.now()), owner)
    return len(owners)
