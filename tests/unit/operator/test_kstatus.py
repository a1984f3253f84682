"""What Flux and Argo make of a Tenant: the rules of kstatus, and a Tenant at the points of its life.

kstatus (sigs.k8s.io/cli-utils/pkg/kstatus) reads of a custom resource the generation that its status speaks of, and the
conditions Reconciling, Stalled and Ready.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from reconcile.scenes import again, begun, body, change, condition, pod, serving
from reconcile.world import World


def kstatus(item: dict[str, Any]) -> str:
    """As cli-utils computes it for kinds that it does not know."""
    meta, status = item["metadata"], item.get("status", {})
    found = {one["type"]: one["status"] for one in status.get("conditions", ())}
    if "deletionTimestamp" in meta:
        return "Terminating"
    if status.get("observedGeneration", meta["generation"]) != meta["generation"]:
        return "InProgress"
    if found.get("Reconciling") == "True":
        return "InProgress"
    if found.get("Stalled") == "True":
        return "Failed"
    return "Current" if found.get("Ready", "True") == "True" else "InProgress"


async def starting() -> World:
    world = await begun()
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "labels": {"vivero.dev/signup": "f00d"}}})
    await world.reconcile()
    return world


async def edited() -> World:
    """A change that no pass has seen yet."""
    world = await serving()
    change(world, displayName="Acme Limited")
    return world


async def rolling() -> World:
    world = await serving()
    world.put(pod("app-1", revision="old"))
    await again(world)
    return world


async def crashing() -> World:
    world = await serving()
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    world.put(pod(ready=False, containerStatuses=[{"state": waiting}]))
    await again(world)
    return world


async def without_plan() -> World:
    world = await serving()
    change(world, plan="no-such-plan")
    await world.reconcile()
    return world


async def suspended() -> World:
    world = await serving()
    change(world, suspended={"reason": "Unpaid"})
    await world.reconcile()
    return world


async def suspending() -> World:
    """No pass has seen it yet."""
    world = await serving()
    change(world, suspended={"reason": "Unpaid"})
    return world


async def resumed() -> World:
    world = await suspended()
    change(world, suspended=None)
    for _ in range(2):
        await world.reconcile()
    return world


async def paused() -> World:
    world = await serving()
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "annotations": {"vivero.dev/paused": "true"}}})
    await world.reconcile()
    return world


async def paused_and_edited() -> World:
    world = await paused()
    change(world, displayName="Acme Limited")
    await world.reconcile()
    return world


async def going() -> World:
    world = await serving()
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": "2026-11-22T12:01:00Z"}})
    await world.reconcile()
    return world


async def lost() -> World:
    world = await serving()
    world.backends.servers["main"].databases.clear()
    await again(world)
    return world


SCENES: Final[dict[Callable[[], Awaitable[World]], str]] = {
    starting: "InProgress",
    serving: "Current",
    edited: "InProgress",
    rolling: "InProgress",
    crashing: "InProgress",
    without_plan: "InProgress",
    suspending: "InProgress",
    suspended: "Current",
    resumed: "Current",
    paused: "Current",
    paused_and_edited: "InProgress",
    going: "Terminating",
    lost: "InProgress",
}


@pytest.mark.parametrize(("scene", "expected"), SCENES.items(), ids=[one.__name__ for one in SCENES])
async def test_a_tenant_is_what_kstatus_says(scene: Callable[[], Awaitable[World]], expected: str) -> None:
    assert kstatus(body(await scene())) == expected


@pytest.mark.parametrize(
    ("conditions", "generation", "expected"),
    [
        ([], 1, "Current"),
        ([("Ready", "True")], 1, "Current"),
        ([("Ready", "True")], 0, "InProgress"),
        ([("Ready", "False")], 1, "InProgress"),
        ([("Ready", "Unknown")], 1, "InProgress"),
        ([("Ready", "True"), ("Reconciling", "True")], 1, "InProgress"),
        ([("Ready", "True"), ("Stalled", "True")], 1, "Failed"),
    ],
)
def test_the_rules_themselves(conditions: list[tuple[str, str]], generation: int, expected: str) -> None:
    found = [{"type": kind, "status": status} for kind, status in conditions]
    item = {"metadata": {"generation": 1}, "status": {"observedGeneration": generation, "conditions": found}}
    assert kstatus(item) == expected


async def test_of_a_suspended_one_nothing_says_that_it_works() -> None:
    world = await suspended()
    assert condition(world, "Ready") is None
    assert condition(world, "Suspended") == "True Unpaid"
    assert condition(world, "Progressing") == condition(world, "Degraded") == "False Unpaid"
