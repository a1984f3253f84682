"""What scenarios by hand look at, and how they wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from faults.rig import Rig, eventually
from faults.scenarios import born, look, new_slug
from faults.state import Names
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.resources import POD, TENANT
from vivero_core.model import naming
from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import ANNOTATION_PAUSED, ConditionType

AGAIN_SECONDS: Final = 75.0
"""A blocked tenant is looked at once a minute."""
STAYS_SECONDS: Final = 10.0
REST_SECONDS: Final = 12.0
"""After its first proof a tenant is looked at once more."""


async def at_rest(rig: Rig, **spec: object) -> Names:
    """A Tenant in service for a while."""
    names = await born(rig, new_slug(), **spec)
    await asyncio.sleep(REST_SECONDS)
    return names


async def says(rig: Rig, names: Names, reason: str, kind: ConditionType = ConditionType.READY) -> bool:
    """Whether the condition is there for this reason."""
    tenant = await look(rig, names)
    found = find(tenant.status.conditions, kind) if tenant is not None else None
    return found is not None and found.reason == reason


async def is_blocked(rig: Rig, names: Names, reason: str) -> bool:
    """Not Ready for this reason, and since when is told."""
    tenant = await look(rig, names)
    assert tenant is not None
    ready = find(tenant.status.conditions, ConditionType.READY)
    blocked = ready is not None and (ready.status, ready.reason) == (Status.FALSE, reason)
    return blocked and tenant.status.data_lost_at is not None


async def told(rig: Rig, names: Names, reason: str) -> bool:
    """Whether an event says so: it is posted after the status."""
    return bool(await rig.collector.events(names, reason))


async def lost_at(rig: Rig, names: Names) -> str:
    status: Object = (await rig.kube.get(TENANT, names.tenant))["status"]
    return str(status["dataLostAt"])


async def stays(check: Callable[[], Awaitable[bool]], seconds: float = STAYS_SECONDS) -> None:
    """It is so, and goes on being so."""
    async with asyncio.timeout(seconds + 60):
        for _ in range(int(seconds)):
            assert await check()
            await asyncio.sleep(1)


async def annotate(rig: Rig, names: Names, key: str, value: str | None) -> None:
    await rig.kube.patch(TENANT, names.tenant, {"metadata": {"annotations": {key: value}}})


async def pause(rig: Rig, names: Names) -> None:
    """Returns when the operator has said that it lets the tenant alone."""
    await annotate(rig, names, ANNOTATION_PAUSED, "true")
    await eventually(lambda: says(rig, names, "Paused", ConditionType.PAUSED))


async def go_on(rig: Rig, names: Names) -> None:
    await annotate(rig, names, ANNOTATION_PAUSED, None)


async def pods(rig: Rig, names: Names) -> dict[str, Object]:
    """Those that are not on their way out, by uid."""
    listed = (await rig.kube.list(POD, naming.namespace_name(names.id))).items
    return {one["metadata"]["uid"]: one for one in listed if "deletionTimestamp" not in one["metadata"]}
