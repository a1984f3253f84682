"""The rig of tests/faults on the instance under test, with the plans its tenants have; nothing of it is left behind."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from faults.rig import Place, Rig, eventually, put_up
from faults.scenarios import PLANS, clean_up
from faults.servers import Servers
from faults.state import inventory, orphans
from integration.operator.live import Setup
from integration.operator.test_process import free_port
from vivero_core.backends.kube.resources import PLAN, TENANT
from vivero_core.model import naming
from vivero_dev.instance import load_instance

GONE_SECONDS: Final = 120.0


@contextlib.asynccontextmanager
async def rigged(
    platform: dict[str, Any], setup: Setup, servers: Servers, folder: Path, **environment: str
) -> AsyncIterator[Rig]:
    """What is made on it is gone when it ends, from everywhere: no orphans."""
    instance = load_instance(Path(platform["kubeconfig"]).parent.name)
    assert instance is not None
    place = Place(
        Path(setup.administrator),
        setup.environment | environment,
        setup.names,
        servers,
        folder,
        instance.cache_dir,
        free_port(),
    )
    async with put_up(place) as one:
        before = await inventory(one.kube, one.servers)
        for plan in PLANS:
            await one.kube.create(plan)
        yield one
        await clean_up(one)
        try:
            await eventually(lambda: nothing_left(one, before), GONE_SECONDS)
        finally:
            left = orphans(await inventory(one.kube, one.servers), before, set())
            one.tally.orphans = sum(map(len, left.values()))
        for plan in PLANS:
            uid = (await one.kube.get(PLAN, plan["metadata"]["name"]))["metadata"]["uid"]
            await one.kube.delete(PLAN, plan["metadata"]["name"], uid=uid)


async def nothing_left(rig: Rig, before: dict[str, set[str]]) -> bool:
    live = {naming.tenant_id(one["metadata"]["uid"]) for one in (await rig.kube.list(TENANT)).items}
    left = orphans(await inventory(rig.kube, rig.servers), before, set())
    return not left and all(ident in before["schemas"] for ident in live)
