"""Ready means that the wanted revision serves, proven; what stands in the way is said in the pod's own words, in time."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from reconcile.scenes import NAMESPACE, again, begun, body, change, condition, events, pod, serving
from reconcile.world import NOW, PLAN, World
from vivero_core.model.conditions import find
from vivero_core.model.tenant import Tenant

TWO: dict[str, Any] = {**PLAN, "spec": {**PLAN["spec"], "workload": {"replicas": 2}}}
DEPLOYMENT = ("Deployment", NAMESPACE, "app")


def message(world: World, kind: str) -> str:
    found = find(Tenant.parse(body(world)).status.conditions, kind)
    assert found is not None
    return found.message


def waits(reason: str, text: str = "") -> dict[str, Any]:
    return {"containerStatuses": [{"name": "app", "state": {"waiting": {"reason": reason, "message": text}}}]}


def unready(name: str = "app-1", since: timedelta = timedelta(), **status: Any) -> dict[str, Any]:  # noqa: ANN401
    """A pod that says what every pod says that is not ready, `since` so long."""
    made = pod(name, ready=False, **status)
    made["status"]["conditions"][0] |= {
        "reason": "ContainersNotReady",
        "message": "containers with unready status: [app]",
        "lastTransitionTime": (NOW - since).isoformat(),
    }
    return made


def quota(world: World) -> None:
    """The Deployment's controller may not make a pod."""
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "pods is forbidden: exceeded quota: app, requested: limits.memory=1Gi",
    }
    world.kube.objects[DEPLOYMENT]["status"] = {"conditions": [failure]}


def for_some_time(world: World) -> None:
    """It is no tenant of the last five seconds."""
    world.state.since_begin = lambda _: timedelta(seconds=6)  # type: ignore[method-assign, assignment]  # another clock


class TestRevision:
    async def test_a_ready_pod_of_an_old_revision_does_not_count(self) -> None:
        world = await serving()
        world.put(pod("app-1", revision="old"))
        await again(world)
        assert condition(world, "Ready") == condition(world, "WorkloadReady") == "False RollingOut"
        assert condition(world, "Progressing") == "True RollingOut"
        assert body(world)["status"]["updatedReplicas"] == 0
        world.put(pod("app-2"))
        await world.reconcile()
        assert condition(world, "Ready") == "False RollingOut", "the old one is still there"
        assert body(world)["status"]["updatedReplicas"] == 1
        world.remove("Pod", NAMESPACE, "app-1")
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert condition(world, "Progressing") == "False UpToDate"

    async def test_one_on_its_way_out_is_not_waited_for(self) -> None:
        world = await serving()
        old = pod("app-0", revision="old")
        old["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
        world.put(old)
        await again(world)
        assert condition(world, "Ready") == "True Proven"

    async def test_another_size_is_not_ready_before_its_pods_are(self) -> None:
        world = await serving()
        world.told_revision.add("app-1")  # no controller replaces it
        world.put({**PLAN, "metadata": {"name": "large"}, "spec": {**PLAN["spec"], "workload": {"memoryLimit": "2Gi"}}})
        change(world, plan="large")
        await world.reconcile()
        assert condition(world, "Ready") == "False RollingOut"
        assert body(world)["status"]["observedGeneration"] == 2

    async def test_limits_alone_need_no_other_pod(self) -> None:
        world = await serving()
        world.told_revision.add("app-1")
        limits = {**PLAN["spec"]["limits"], "records": 7}
        world.put({**PLAN, "metadata": {"name": "small"}, "spec": {**PLAN["spec"], "limits": limits}})
        change(world, plan="small")
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"

    async def test_pods_of_a_release_that_nothing_describes_any_more_stay(self) -> None:
        world = await serving()
        world.put({"kind": "Tenant", "metadata": {"name": "acme"}, "status": {"release": "rgone"}})
        world.put(pod("app-1", revision="old"))
        world.services.rollout.release_for = lambda _: "rgone"  # type: ignore[method-assign, assignment]  # as the status says
        await again(world)
        assert condition(world, "Ready") == "True Proven"
        assert not any("Deployment" in one for one in world.kube.writes)


class TestTrouble:
    CASES: ClassVar = [
        ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}, "Unschedulable"),
        (waits("ImagePullBackOff"), "ImagePullBackOff"),
        (waits("CrashLoopBackOff"), "CrashLoopBackOff"),
        (waits("CreateContainerConfigError"), "CreateContainerConfigError"),
        ({"containerStatuses": [{"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}, "OOMKilled"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
    ]

    @pytest.mark.parametrize(("status", "reason"), CASES)
    async def test_a_new_tenant_says_why_it_does_not_start(self, status: dict[str, Any], reason: str) -> None:
        world = await begun()
        world.put(pod(ready=False, **status))
        await world.reconcile()
        assert condition(world, "Ready") == condition(world, "WorkloadReady") == f"False {reason}"
        assert condition(world, "Degraded") == f"True {reason}"
        assert condition(world, "Progressing") == f"False {reason}"
        assert message(world, "Ready").startswith(f"The pod cannot start: {reason}")
        assert any(one.startswith(f"Warning {reason}") for one in events(world))

    @pytest.mark.parametrize(("status", "reason"), CASES)
    async def test_so_does_a_rollout_that_is_stuck(self, status: dict[str, Any], reason: str) -> None:
        world = await serving()
        world.put(pod("app-1", revision="old"))
        world.put(pod("app-2", ready=False, **status))
        await again(world)
        assert condition(world, "Ready") == f"False {reason}"
        assert condition(world, "Degraded") == f"True {reason}"

    async def test_of_an_old_revision_it_does_not_matter(self) -> None:
        world = await serving()
        world.put(pod("app-0", revision="old", ready=False, **waits("CrashLoopBackOff")))
        await again(world)
        assert condition(world, "Ready") == "False RollingOut"

    async def test_a_quota_that_allows_no_pod_is_named(self) -> None:
        world = await begun()
        quota(world)
        for_some_time(world)
        result = await world.reconcile()
        assert condition(world, "Ready") == "False FailedCreate"
        assert "exceeded quota" in message(world, "Degraded")
        assert result.retry_after == 10.0

    async def test_one_that_is_there_and_well_is_not_asked_for_twice(self) -> None:
        world = await serving()
        quota(world)
        await again(world)
        assert condition(world, "Ready") == "True Proven"


class TestTime:
    """No wait is without an end: after a minute what the pod itself says is said."""

    async def test_a_start_is_no_trouble_at_first(self) -> None:
        world = await begun()
        world.put(unready(since=timedelta(seconds=59), **waits("ContainerCreating")))
        for_some_time(world)
        await world.reconcile()
        assert condition(world, "Ready") == "False Starting"
        assert condition(world, "Progressing") == "True Starting"
        assert condition(world, "Degraded") == "False Running"

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            (waits("ContainerCreating"), "ContainerCreating"),
            ({"containerStatuses": [{"state": {"running": {}}}]}, "ContainersNotReady"),
            ({}, "ContainersNotReady"),
        ],
    )
    async def test_after_a_minute_it_is(self, status: dict[str, Any], reason: str) -> None:
        world = await begun()
        world.put(unready(since=timedelta(seconds=61), **status))
        await world.reconcile()
        assert condition(world, "Ready") == f"False {reason}"
        assert condition(world, "Degraded") == f"True {reason}"


class TestSeveralPods:
    """One of them serves, and the tenant is Ready; what is wrong with the others is said nevertheless."""

    async def serving_one(self) -> World:
        world = await begun()
        world.put(TWO)
        for_some_time(world)
        await again(world, suspect=False)
        world.put(pod("app-1"))
        return world

    async def test_the_second_one_starts(self) -> None:
        world = await self.serving_one()
        world.put(pod("app-2", ready=False))
        result = await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert condition(world, "WorkloadReady") == "True PodsMissing"
        assert condition(world, "Progressing") == "True PodsMissing"
        assert condition(world, "Degraded") == "False Running"
        assert result.retry_after == 10.0

    async def test_the_second_one_crashes(self) -> None:
        world = await self.serving_one()
        world.put(pod("app-2", ready=False, **waits("CrashLoopBackOff", "back-off")))
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert condition(world, "Degraded") == "True CrashLoopBackOff"
        assert message(world, "Degraded") == "1 of 2 pods ready. CrashLoopBackOff: back-off"

    async def test_the_second_one_may_not_be_made(self) -> None:
        world = await self.serving_one()
        quota(world)
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert condition(world, "Degraded") == "True FailedCreate"

    async def test_both_serve(self) -> None:
        world = await self.serving_one()
        world.put(pod("app-2"))
        await world.reconcile()
        assert condition(world, "WorkloadReady") == "True Running"
        assert condition(world, "Degraded") == "False Running"
