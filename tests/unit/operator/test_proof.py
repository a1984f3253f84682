"""Ready is a proof by a pod of the wanted revision; and kubelet is asked for that pod once."""

from datetime import timedelta
from typing import Any

import pytest
from reconcile.scenes import NAMESPACE, again, begun, body, change, condition, pod, serving
from reconcile.world import World
from vivero_core.model.conditions import find
from vivero_core.model.tenant import Tenant


def message(world: World, kind: str) -> str:
    found = find(Tenant.parse(body(world)).status.conditions, kind)
    assert found is not None
    return found.message


def for_some_time(world: World) -> None:
    """It is no tenant of the last five seconds."""
    world.state.since_begin = lambda _: timedelta(seconds=6)  # type: ignore[method-assign, assignment]  # another clock


class TestProof:
    async def test_ready_without_an_address_is_not_proven(self) -> None:
        world = await begun()
        made = pod()
        del made["status"]["podIP"]
        world.put(made)
        for_some_time(world)
        await world.reconcile()
        assert condition(world, "Ready") == "False Starting"
        assert world.data_plane.neighbours == []

    async def test_the_pod_of_the_wanted_revision_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await begun()
        asked: list[str] = []
        real = world.data_plane.proof

        async def proof(address: str, *args: Any) -> Any:  # noqa: ANN401  passes on what it gets
            asked.append(address)
            return await real(address, *args)

        monkeypatch.setattr(world.data_plane, "proof", proof)
        going = pod("app-0", revision="old")
        going["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
        wanted = pod("app-1")
        wanted["status"]["podIP"] = "10.0.0.10"
        world.put(going)
        world.put(wanted)
        await world.reconcile()
        assert asked == ["10.0.0.10"]

    @pytest.mark.parametrize(
        ("failing", "words"),
        [(("database",), "database"), (("storage", "cache"), "storage, cache"), (("",), "the workspace")],
    )
    async def test_a_proof_that_fails_says_what(self, failing: tuple[str, ...], words: str) -> None:
        world = await serving()
        world.data_plane.failing = failing
        world.now += timedelta(days=1)
        await again(world)
        assert condition(world, "Ready") == "False ProofFailed"
        assert message(world, "Ready").endswith(f": {words}")

    async def test_another_release_needs_another_one(self) -> None:
        world = await serving()
        before = len(world.data_plane.neighbours)
        world.put({"kind": "Tenant", "metadata": {"name": "acme"}, "status": {"release": "rformer"}})
        await world.reconcile()
        assert len(world.data_plane.neighbours) == before + 1

    async def test_a_changed_spec_needs_another_one(self) -> None:
        world = await serving()
        before = len(world.data_plane.neighbours)
        change(world, displayName="Acme Limited")
        await world.reconcile()
        assert len(world.data_plane.neighbours) == before + 1

    async def test_one_that_stands_is_not_repeated(self) -> None:
        world = await serving()
        before = len(world.data_plane.neighbours)
        await again(world, suspect=False)
        assert len(world.data_plane.neighbours) == before


class TestAsking:
    """Kubelet is asked to look at a pod whose program has just begun (ADR 0010)."""

    async def test_once(self) -> None:
        world = await begun()
        world.put(pod(ready=False, containerStatuses=[{"state": {"running": {}}}]))
        await world.reconcile()
        assert "patch object of Pod tenant-u5g5446au3/app-1" in world.kube.writes
        world.put(world.kube.objects["Pod", NAMESPACE, "app-1"])
        await world.reconcile()
        assert not any("Pod" in one for one in world.kube.writes)

    async def test_one_that_went_while_it_was_looked_at(self) -> None:
        world = await begun()
        world.put(pod(ready=False, containerStatuses=[{"state": {"running": {}}}]))
        del world.kube.objects["Pod", NAMESPACE, "app-1"]
        assert not (await world.reconcile()).failed
