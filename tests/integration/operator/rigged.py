"""The rig of tests/faults on the instance under test, with the plans its tenants have; nothing of it is left behind."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from faults.rig import Place, Rig, eventually, put_up
from faults.scenarios import PLANS, clean_up, discard, is_ours
from faults.servers import Servers
from faults.state import inventory, orphans
from integration.operator.live import Setup
from integration.operator.test_process import free_port
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeAlreadyExistsError
from vivero_core.backends.kube.resources import PLAN, TENANT, TENANT_POOL
from vivero_core.model import naming
from vivero_core.model.constants import ANNOTATION_PAUSED
from vivero_dev.instance import load_instance

GONE_SECONDS: Final = 120.0


_SETTINGS: Final = {
    # Hosts without a certificate of their own are routed, and wait for one.
    "VIVERO_HOST_ISSUER": "faults-issuer",
}
_SET_ASIDE: Final = "faults.vivero.dev/set-aside"
"""Annotation on what was here before: the rig's operator leaves it as it is."""


@contextlib.asynccontextmanager
async def rigged(
    platform: dict[str, Any], setup: Setup, servers: Servers, folder: Path, **environment: str
) -> AsyncIterator[Rig]:
    """What is made on it is gone when it ends, from everywhere: no orphans."""
    instance = load_instance(Path(platform["kubeconfig"]).parent.name)
    assert instance is not None
    place = Place(
        Path(setup.administrator),
        setup.environment | _SETTINGS | environment,
        setup.names,
        servers,
        folder,
        instance.cache_dir,
        free_port(),
    )
    async with AsyncExitStack() as stack:
        kube = await stack.enter_async_context(
            KubeClient(kube_config.load(place.kubeconfig), field_manager="operator-tests")
        )
        await _set_aside(kube)
        stack.push_async_callback(_bring_back, kube)
        one = await stack.enter_async_context(put_up(place))
        await clean_up(one)  # of a run that was interrupted
        before = await inventory(one.kube, one.servers)
        for plan in PLANS:
            with contextlib.suppress(KubeAlreadyExistsError):
                await one.kube.create(plan)
        yield one
        await clean_up(one)
        try:
            await eventually(lambda: nothing_left(one, before), GONE_SECONDS)
        finally:
            left = orphans(await inventory(one.kube, one.servers), before, set())
            one.tally.orphans = sum(map(len, left.values()))
        for plan in PLANS:
            await discard(one, PLAN, plan["metadata"]["name"])


async def _set_aside(kube: KubeClient) -> None:
    """The demo and the pool: another image and other settings are none of their business."""
    for resource in (TENANT_POOL, TENANT):
        for item in (await kube.list(resource)).items:
            annotations = item["metadata"].get("annotations", {})
            if ANNOTATION_PAUSED not in annotations and not is_ours(item):
                marks = {ANNOTATION_PAUSED: "true", _SET_ASIDE: "true"}
                await kube.patch(resource, item["metadata"]["name"], {"metadata": {"annotations": marks}})


async def _bring_back(kube: KubeClient) -> None:
    for resource in (TENANT, TENANT_POOL):
        for item in (await kube.list(resource)).items:
            if _SET_ASIDE in item["metadata"].get("annotations", {}):
                marks = {ANNOTATION_PAUSED: None, _SET_ASIDE: None}
                await kube.patch(resource, item["metadata"]["name"], {"metadata": {"annotations": marks}})


async def nothing_left(rig: Rig, before: dict[str, set[str]]) -> bool:
    tenants = (await rig.kube.list(TENANT)).items
    live = {one["spec"].get("adopt") or naming.tenant_id(one["metadata"]["uid"]) for one in tenants}
    left = orphans(await inventory(rig.kube, rig.servers), before, set())
    return not left and all(ident in before["schemas"] for ident in live)
