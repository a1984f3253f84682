"""What a person orders by annotation or with kubectl: a pause, a restart, other credentials."""

import base64
from typing import Any, ClassVar

import pytest
from reconcile.scenes import NAMESPACE, again, body, change, condition, events, pod, serving
from reconcile.world import World
from vivero_core.model.constants import FINALIZER
from vivero_core.model.tenant import Tenant
from vivero_operator.handlers import tenants
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState

DEPLOYMENT = ("Deployment", NAMESPACE, "app")
SERVICE = ("Service", NAMESPACE, "app")
GOING = "2026-11-22T12:01:00Z"
OURS = {
    "manager": "vivero-operator",
    "operation": "Apply",
    "fieldsV1": {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:vivero.dev/revision": {}}}}}},
}
"""What the API server writes down of our Deployment, in part."""


def annotate(world: World, **annotations: str | None) -> None:
    """kubectl annotate; no new generation."""
    named = {f"vivero.dev/{key}": value for key, value in annotations.items()}
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "annotations": named}})


def template(world: World) -> dict[str, str]:
    """The annotations of the pods that the Deployment makes."""
    found: dict[str, str] = world.kube.objects[DEPLOYMENT]["spec"]["template"]["metadata"]["annotations"]
    return found


class TestPause:
    async def paused(self) -> World:
        world = await serving()
        annotate(world, paused="true")
        await world.reconcile()
        return world

    async def test_it_shows_and_says_nothing_else(self) -> None:
        world = await self.paused()
        assert world.kube.writes[0] == "patch status of Tenant acme"
        assert condition(world, "Paused") == "True Paused"
        assert condition(world, "Ready") == "True Proven", "as it was known"
        assert body(world)["status"]["message"] == "Reconciliation is paused by annotation vivero.dev/paused"
        assert events(world)[-1].startswith("Normal Paused")
        await again(world)
        assert world.kube.writes == []

    @pytest.mark.parametrize("value", ["false", "", "True", "yes"])
    async def test_only_one_word_pauses(self, value: str) -> None:
        world = await serving()
        annotate(world, paused=value)
        await world.reconcile()
        assert condition(world, "Paused") is None

    async def test_a_new_spec_waits(self) -> None:
        world = await self.paused()
        change(world, suspended={"reason": "Unpaid"})
        await world.reconcile()
        assert world.kube.objects[DEPLOYMENT]["spec"]["replicas"] == 1
        assert body(world)["status"]["observedGeneration"] == 1
        annotate(world, paused=None)
        await world.reconcile()
        assert condition(world, "Suspended") == "True Unpaid"
        assert condition(world, "Paused") is None

    async def test_what_others_change_is_put_right_afterwards(self) -> None:
        world = await self.paused()
        world.remove(*SERVICE)
        await again(world)
        assert SERVICE not in world.kube.objects
        annotate(world, paused=None)
        await world.reconcile()
        assert SERVICE in world.kube.objects
        assert condition(world, "Ready") == "True Proven"
        assert any("Drift corrected: Service/app" in one for one in events(world))

    async def test_a_deletion_waits(self) -> None:
        world = await self.paused()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING}})
        for _ in range(3):
            await world.reconcile()
        assert DEPLOYMENT in world.kube.objects
        assert FINALIZER in body(world)["metadata"]["finalizers"]
        annotate(world, paused=None)
        for _ in range(3):
            await world.reconcile()
        assert body(world)["metadata"]["finalizers"] == []

    async def test_a_deletion_that_is_under_way_stops_too(self) -> None:
        world = await serving()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING}})
        await world.reconcile()
        annotate(world, paused="true")
        for _ in range(3):
            await world.reconcile()
        assert ("Namespace", None, NAMESPACE) in world.kube.objects
        annotate(world, paused=None)
        await world.reconcile()
        assert condition(world, "Paused") is None

    async def test_one_without_a_plan_is_not_paused_for_ever(self) -> None:
        world = await self.paused()
        change(world, plan="no-such-plan")
        annotate(world, paused=None)
        await world.reconcile()
        assert condition(world, "Paused") is None
        assert condition(world, "Ready") == "False PlanNotFound"


class TestHeard:
    """An annotation is no new generation, and yet an order."""

    ORDERS: ClassVar = [{"vivero.dev/paused": "true"}, {"vivero.dev/restart": "1"}]

    @pytest.mark.parametrize("annotations", ORDERS, ids=str)
    async def test_an_order_is_work_and_any_other_annotation_is_not(self, annotations: dict[str, str]) -> None:
        world = await serving()
        context = HandlerContext(world.cluster, WorkQueue[Key](), ReconcileState(), Heartbeat())
        made: dict[str, Any] = body(world)

        def heard(version: int, **found: str) -> bool:
            meta = {**made["metadata"], "resourceVersion": str(1000 + version), "annotations": found}
            tenants.observe(context, Tenant.parse({**made, "metadata": meta}))
            return len(context.queue) > 0

        assert not heard(1), "it is well, and there is time"
        assert not heard(2, note="x")
        assert heard(3, note="x", **annotations)


class TestRestart:
    async def test_by_annotation_every_new_value_rolls_once(self) -> None:
        world = await serving()
        world.told_revision.add("app-1")  # no controller replaces it
        before = template(world)["vivero.dev/revision"]
        annotate(world, restart="2026-11-22")
        await world.reconcile()
        assert template(world)["vivero.dev/restart"] == "2026-11-22"
        assert template(world)["vivero.dev/revision"] != before
        assert condition(world, "Ready") == "False RollingOut"
        world.put(pod("app-2"))
        world.remove("Pod", NAMESPACE, "app-1")
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert body(world)["status"]["provenAt"] == "2026-11-22T12:00:00Z"
        await again(world)
        assert not any("Deployment" in one for one in world.kube.writes)

    async def test_with_kubectl_it_is_not_taken_back(self) -> None:
        world = await serving()
        fields: dict[str, Any] = {
            "f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}
        }
        live = world.kube.objects[DEPLOYMENT]
        live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = GOING
        live["metadata"]["managedFields"] = [
            OURS,
            {"manager": "kubectl-rollout", "operation": "Update", "fieldsV1": {"f:spec": fields}},
        ]
        await again(world)
        assert not any("Deployment" in one for one in world.kube.writes)
        assert template(world)["kubectl.kubernetes.io/restartedAt"] == GOING
        assert not any("Drift" in one for one in events(world))

    async def test_what_else_is_put_into_the_template_is_taken_out(self) -> None:
        world = await serving()
        live = world.kube.objects[DEPLOYMENT]
        live["metadata"]["managedFields"] = [
            OURS,
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
        ]
        live["spec"]["paused"] = True
        await again(world)
        assert any("Drift corrected: Deployment/app" in one for one in events(world))


class TestCredentials:
    """A pod reads its Secrets once: other credentials have to start it again."""

    PLACES: ClassVar = [
        ("database", "password", "another"),
        ("cache", "password", "another"),
        ("storage", "secret_key", "another"),
        ("app", "signing_key", "a" * 64),
        ("app", "operator_token", "b" * 64),
    ]

    def set(self, world: World, name: str, key: str, value: str) -> None:
        world.kube.objects["Secret", NAMESPACE, name]["data"][key] = base64.b64encode(value.encode()).decode()

    @pytest.mark.parametrize(("name", "key", "value"), PLACES)
    async def test_a_changed_one_is_carried_out_and_the_pods_follow(self, name: str, key: str, value: str) -> None:
        world = await serving()
        world.told_revision.add("app-1")
        before = template(world)["vivero.dev/credentials"]
        self.set(world, name, key, value)
        await again(world)
        assert template(world)["vivero.dev/credentials"] != before
        assert condition(world, "Ready") == "False RollingOut"
        world.remove("Pod", NAMESPACE, "app-1")
        world.put(pod("app-2"))
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"

    @pytest.mark.parametrize("suspect", [False, True])
    async def test_servers_hear_of_it_in_the_same_pass(self, *, suspect: bool) -> None:
        """Also in one that remembers all else, for another reason: the pods start with it at once."""
        world = await serving()
        before = template(world)["vivero.dev/credentials"]
        for name, key, value in self.PLACES[:3]:
            self.set(world, name, key, value)
        await (again(world) if suspect else world.reconcile())
        assert template(world)["vivero.dev/credentials"] != before
        servers = (world.backends.servers["main"], world.backends.valkey, world.backends.s3)
        assert [set(one.users.values()) for one in servers] == [{"another"}] * 3

    async def test_a_server_that_moved_is_followed_too(self) -> None:
        world = await serving()
        world.told_revision.add("app-1")
        server = world.kube.objects["DatabaseServer", None, "main"]
        world.put({**server, "spec": {**server["spec"], "host": "db2.example"}})
        await again(world, suspect=False)
        assert condition(world, "Ready") == "False RollingOut"

    async def test_the_same_again_rolls_nothing(self) -> None:
        world = await serving()
        before = template(world)
        for name in ("database", "cache", "storage", "app"):
            world.remove("Secret", NAMESPACE, name)
        await again(world)
        assert template(world) == before
