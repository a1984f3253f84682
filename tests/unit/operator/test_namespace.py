"""The tenant's namespace: our rights in it take a moment, another's is left alone, and what opens it is taken out."""

from collections.abc import Callable
from typing import Any

import pytest
from reconcile.scenes import NAMESPACE, again, begun, body, condition, events, serving
from reconcile.world import PLAN, SERVER, Object, World, tenant_body
from vivero_core.backends.kube.errors import (
    KubeAlreadyExistsError,
    KubeForbiddenError,
    KubeInvalidError,
    KubeNotFoundError,
)
from vivero_core.backends.kube.resources import Resource
from vivero_operator.reconcile.steps import namespace

SPACE = ("Namespace", None, NAMESPACE)
RIGHTS = ("RoleBinding", NAMESPACE, "vivero-operator")
GOING = "2026-11-22T12:01:00Z"


def forbidding(world: World, monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """The API server honours new rights only after so many requests in the namespace."""
    refused: list[str] = []

    def wrap(verb: str) -> Callable[..., Any]:
        real = getattr(world.kube, verb)

        async def request(subject: Any, *args: Any, **how: Any) -> Any:  # noqa: ANN401  passes on what it gets
            kind = subject.kind if isinstance(subject, Resource) else subject["kind"]
            where = how.get("namespace") or (args[-1] if args else None)
            inside = NAMESPACE in (where, subject["metadata"].get("namespace") if isinstance(subject, dict) else None)
            if inside and kind not in ("Namespace", "RoleBinding") and len(refused) < times:
                refused.append(f"{verb} {kind}")
                raise KubeForbiddenError("kubernetes", f"{verb} {kind} is forbidden")
            return await real(subject, *args, **how)

        return request

    for verb in ("get", "list", "apply", "create"):
        monkeypatch.setattr(world.kube, verb, wrap(verb))
    return refused


def is_ours(binding: Object) -> bool:
    role, subjects = binding["roleRef"]["name"], binding.get("subjects") or []
    return role == "vivero-operator-tenant" and any(one["name"] == "vivero-operator" for one in subjects)


def only_with_rights(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In the namespace all but reading and creating RoleBindings takes one that gives us the role; what was asked for."""
    used: list[str] = []

    def wrap(verb: str) -> Callable[..., Any]:
        real = getattr(world.kube, verb)

        async def request(subject: Any, *args: Any, **how: Any) -> Any:  # noqa: ANN401  passes on what it gets
            kind = subject.kind if isinstance(subject, Resource) else subject["kind"]
            where = subject["metadata"].get("namespace") if isinstance(subject, dict) else NAMESPACE in args
            bound = [one for (kind, where, _), one in world.kube.objects.items() if (kind, where) == RIGHTS[:2]]
            used.append(f"{verb} {kind}")
            if kind == "RoleBinding" and where and verb != "create" and not any(map(is_ours, bound)):
                raise KubeForbiddenError("kubernetes", f"{verb} {kind} is forbidden")
            return await real(subject, *args, **how)

        return request

    for verb in ("apply", "create", "patch", "delete"):
        monkeypatch.setattr(world.kube, verb, wrap(verb))
    return used


def new() -> World:
    world = World()
    for manifest in (PLAN, SERVER, tenant_body()):
        world.put(manifest)
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "labels": {"vivero.dev/signup": "f00d"}}})
    return world


class TestRights:
    @pytest.mark.parametrize("times", [1, 4])
    async def test_a_first_pass_waits_for_them(self, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(namespace, "_RIGHTS_PAUSES", (0.0, 0.0, 0.0, 0.0))
        world = new()
        refused = forbidding(world, monkeypatch, times)
        await world.reconcile()
        assert refused == ["get ServiceAccount"] * times, "one small question until they count"
        assert ("Deployment", NAMESPACE, "app") in world.kube.objects

    async def test_that_take_longer_are_waited_for_and_no_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(namespace, "_RIGHTS_PAUSES", (0.0,))
        world = new()
        refused = forbidding(world, monkeypatch, 12)
        result = await world.reconcile()
        assert (result.failed, result.retry_after) == (False, 0.05)
        assert condition(world, "Ready") == "False Provisioning"
        assert len(refused) < 12, "the next pass, whose namespace is not new any more, meets it too"
        for _ in range(12):
            assert not (await world.reconcile()).failed
        assert ("Deployment", NAMESPACE, "app") in world.kube.objects

    async def test_that_never_come_are_a_fault_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await serving()
        forbidding(world, monkeypatch, 1000)
        world.state.since_begin(body(world)["metadata"]["uid"])
        world.now = world.now.replace(minute=30)
        result = await world.reconcile()
        assert result.failed
        assert condition(world, "Ready") == "False KubernetesError"

    async def test_what_is_left_of_another_start_is_no_obstacle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The rights are there already, for a pass that was interrupted made them."""
        world = new()
        real = world.kube.create

        async def create(manifest: Object) -> Object:
            if manifest["kind"] == "RoleBinding":
                world.kube.put(manifest)
                raise KubeAlreadyExistsError("kubernetes", "exists")
            return await real(manifest)

        monkeypatch.setattr(world.kube, "create", create)
        await world.reconcile()
        assert ("Deployment", NAMESPACE, "app") in world.kube.objects

    @pytest.mark.parametrize("hand", ["deleted", "emptied"])
    async def test_taken_away_they_come_back_with_a_warning(self, hand: str) -> None:
        world = await serving()
        if hand == "deleted":
            world.remove(*RIGHTS)
        else:
            world.kube.objects[RIGHTS]["subjects"] = []
        await again(world)
        assert world.kube.objects[RIGHTS]["subjects"][0]["name"] == "vivero-operator"
        assert (
            "Warning DriftCorrected: Drift corrected: RoleBinding/vivero-operator was changed outside Vivero"
            in events(world)
        )

    @pytest.mark.parametrize("hand", ["another role", "no subjects", "another's subjects"])
    async def test_that_are_another_s_are_put_right_with_a_second_binding(
        self, hand: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who gave our RoleBinding away took the rights to change and delete it: creating one is all that is left."""
        world = await serving()
        live = world.kube.objects[RIGHTS]
        if hand == "another role":
            live["roleRef"] = {**live["roleRef"], "name": "view"}
            live["metadata"]["managedFields"] = [{"manager": "kubectl-create", "operation": "Update", "fieldsV1": {}}]
        else:
            live["subjects"] = [{"kind": "User", "name": "mallory"}] if "another" in hand else []
        used = only_with_rights(world, monkeypatch)
        await again(world)
        bound = [one for (kind, where, _), one in world.kube.objects.items() if (kind, where) == RIGHTS[:2]]
        assert [is_ours(one) for one in bound] == [True], "and the second one is gone again"
        assert "create RoleBinding" in used
        assert condition(world, "Ready") == "True Proven"
        assert (
            "Warning DriftCorrected: Drift corrected: RoleBinding/vivero-operator was changed outside Vivero"
            in events(world)
        )

    async def test_a_deletion_gets_them_back_first(self) -> None:
        world = await serving()
        world.remove(*RIGHTS)
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING}})
        await world.reconcile()
        assert RIGHTS in world.kube.objects


class TestWhose:
    async def test_anothers_namespace_is_left_alone(self) -> None:
        world = new()
        world.put({"kind": "Namespace", "metadata": {"name": NAMESPACE, "annotations": {"vivero.dev/tenant-uid": "x"}}})
        await world.reconcile()
        assert condition(world, "Ready") == "False NamespaceConflict"
        assert not any(where == NAMESPACE for _, where, _ in world.kube.objects)
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING}})
        for _ in range(3):
            await world.reconcile()
        assert SPACE in world.kube.objects
        assert body(world)["metadata"]["finalizers"] == []

    async def test_a_tenant_that_is_gone_by_now_makes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Known from an old list: nothing would clean up after it."""
        world = await begun()
        world.remove(*SPACE)
        world.kube.writes.clear()
        real = world.kube.get

        async def get(resource: Resource, name: str, namespace: str | None = None) -> Object:
            if resource.kind == "Tenant":
                raise KubeNotFoundError("kubernetes", "no such tenant")
            return await real(resource, name, namespace)

        monkeypatch.setattr(world.kube, "get", get)
        world.state.forget(body(world)["metadata"]["uid"])
        await world.reconcile()
        assert SPACE not in world.kube.objects

    async def test_its_labels_are_put_back(self) -> None:
        world = await serving()
        world.kube.objects[SPACE]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "privileged"
        await again(world)
        labels = world.kube.objects[SPACE]["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        assert f"Warning DriftCorrected: Drift corrected: Namespace/{NAMESPACE} was changed outside Vivero" in events(
            world
        )


class TestDeletedByHand:
    async def test_it_is_told_also_when_its_end_took_a_while(self) -> None:
        """While it goes the tenant is not Ready, so its status does not tell any more that there was one."""
        world = await serving()
        world.kube.objects[SPACE]["metadata"]["deletionTimestamp"] = GOING
        await again(world)
        assert condition(world, "Ready") == "False Provisioning"
        world.remove(*SPACE)
        await again(world)
        assert SPACE in world.kube.objects
        assert f"Warning DriftCorrected: Drift corrected: Namespace/{NAMESPACE} was changed outside Vivero" in events(
            world
        )

    async def test_the_first_is_no_drift(self) -> None:
        world = new()
        await world.reconcile()
        assert SPACE in world.kube.objects
        assert not any("Drift" in one for one in events(world))


REMADE: dict[str, Object] = {
    "Service": {"spec": {"selector": {"app": "other"}, "ports": [{"port": 81}]}},
    "ServiceAccount": {"automountServiceAccountToken": True},
    "Deployment": {
        "spec": {
            "selector": {"matchLabels": {"app": "other"}},
            "template": {"metadata": {"annotations": {"vivero.dev/revision": "theirs"}}, "spec": {}},
        }
    },
    "Ingress": {"spec": {"rules": []}},
    "ResourceQuota": {"spec": {"scopes": ["BestEffort"]}},
    "PodDisruptionBudget": {"spec": {"minAvailable": 1}},
    "NetworkPolicy": {"spec": {"podSelector": {}}},
}


class TestInTheWay:
    @pytest.mark.parametrize("kind", REMADE)
    async def test_what_someone_else_made_under_our_name_is_made_again(self, kind: str) -> None:
        world = await serving()
        key = (kind, NAMESPACE, "app")
        api = world.kube.objects[key]["apiVersion"]
        world.remove(*key)
        fields: dict[str, Any] = {f"f:{part}": {} for part in REMADE[kind]}
        managed = [{"manager": "kubectl-create", "operation": "Update", "fieldsV1": fields}]
        meta = {"name": "app", "namespace": NAMESPACE, "managedFields": managed}
        world.put({"kind": kind, "apiVersion": api, "metadata": meta, **REMADE[kind]})
        world.kube.writes.clear()
        await again(world)
        assert f"delete {kind} {NAMESPACE}/app" in world.kube.writes
        found = world.kube.objects[key]
        assert all(found.get(part) != value for part, value in REMADE[kind].items())
        assert any(f"Drift corrected: {kind}/app" in one for one in events(world))

    @pytest.mark.parametrize("stubborn", [False, True])
    async def test_what_makes_ours_invalid_is_taken_out_first(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        stubborn: bool,
    ) -> None:
        """Of `minAvailable` and `maxUnavailable` one may be set; the API server refuses ours beside another's."""
        world = await serving()
        key = ("PodDisruptionBudget", NAMESPACE, "app")
        live = world.kube.objects[key]
        del live["spec"]["maxUnavailable"]
        live["spec"]["minAvailable"] = 1
        theirs = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:minAvailable": {}}}}
        live["metadata"]["managedFields"] = [*live["metadata"].get("managedFields", ()), theirs]
        real, uid = world.kube.apply, live["metadata"]["uid"]

        async def apply(manifest: Object, **how: Any) -> Object:  # noqa: ANN401
            known = world.kube.objects.get(key)
            if manifest["kind"] == key[0] and known and (stubborn or "minAvailable" in known["spec"]):
                raise KubeInvalidError("kubernetes", "minAvailable and maxUnavailable cannot be both set")
            return await real(manifest, **how)

        monkeypatch.setattr(world.kube, "apply", apply)
        await again(world)
        found = world.kube.objects[key]
        assert found["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in found["spec"]
        assert f"delete {key[0]} {NAMESPACE}/app" in world.kube.writes if stubborn else found["metadata"]["uid"] == uid

    async def test_a_manifest_that_is_refused_as_such_costs_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a Plan wants may be refused: the Deployment that runs is not deleted for it."""
        world = await serving()
        real = world.kube.apply

        async def apply(manifest: Object, **how: Any) -> Object:  # noqa: ANN401
            if manifest["kind"] == "Deployment":
                raise KubeInvalidError("kubernetes", "limit below request")
            return await real(manifest, **how)

        monkeypatch.setattr(world.kube, "apply", apply)
        world.put({"kind": "Plan", "metadata": {"name": "trial"}, "spec": {"resources": {"memoryLimit": "512Mi"}}})
        await again(world)
        assert ("Deployment", NAMESPACE, "app") in world.kube.objects
        assert not any("delete Deployment" in one for one in world.kube.writes)


class TestGoing:
    async def leaving(self) -> World:
        world = await serving()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING}})
        return world

    async def test_pods_end_first_then_the_namespace_then_the_finalizer(self) -> None:
        world = await self.leaving()
        await world.reconcile()
        assert any("delete Deployment" in one for one in world.kube.writes)
        assert SPACE in world.kube.objects
        await world.reconcile()
        assert SPACE not in world.kube.objects

    @pytest.mark.parametrize("kind", ["Deployment", "Namespace"])
    async def test_one_that_is_on_its_way_is_waited_for(self, kind: str) -> None:
        world = await self.leaving()
        if kind == "Namespace":
            world.remove("Deployment", NAMESPACE, "app")
        key = ("Deployment", NAMESPACE, "app") if kind == "Deployment" else SPACE
        world.kube.objects[key]["metadata"]["deletionTimestamp"] = GOING
        result = await world.reconcile()
        assert not any(f"delete {kind}" in one for one in world.kube.writes)
        assert result.retry_after == 30.0

    @pytest.mark.parametrize("kind", ["Deployment", "Namespace"])
    async def test_one_that_went_between_two_requests_is_gone(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await self.leaving()
        if kind == "Namespace":
            world.remove("Deployment", NAMESPACE, "app")
        real = world.kube.delete

        async def delete(resource: Resource, name: str, namespace: str | None = None, **how: Any) -> None:  # noqa: ANN401
            await real(resource, name, namespace, **how)
            if resource.kind == kind:
                raise KubeNotFoundError("kubernetes", "gone")

        monkeypatch.setattr(world.kube, "delete", delete)
        for _ in range(3):
            assert not (await world.reconcile()).failed
        assert body(world)["metadata"]["finalizers"] == []
