"""The tenant's namespace: our rights in it take a moment, another's is left alone, and what opens it is taken out."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.scenes import IDENT, NAMESPACE, again, begun, body, change, condition, events, serving
from reconcile.world import PLAN, SERVER, Object, World, tenant_body
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeForbiddenError, KubeNotFoundError
from vivero_core.backends.kube.resources import Resource
from vivero_operator.manifests import pull_secret
from vivero_operator.policies.intruders import is_intruder
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
        world.memory.since_begin(body(world)["metadata"]["uid"])
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
        assert "Warning DriftCorrected: Drift corrected: RoleBinding vivero-operator" in events(world)

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
        """Known from an old list: nobody would clean up after it."""
        world = await begun()
        world.remove(*SPACE)
        world.kube.writes.clear()
        real = world.kube.get

        async def get(resource: Resource, name: str, namespace: str | None = None) -> Object:
            if resource.kind == "Tenant":
                raise KubeNotFoundError("kubernetes", "no such tenant")
            return await real(resource, name, namespace)

        monkeypatch.setattr(world.kube, "get", get)
        world.memory.forget(body(world)["metadata"]["uid"])
        await world.reconcile()
        assert SPACE not in world.kube.objects

    async def test_its_labels_are_put_back(self) -> None:
        world = await serving()
        world.kube.objects[SPACE]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "privileged"
        await again(world)
        labels = world.kube.objects[SPACE]["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        assert f"Warning DriftCorrected: Drift corrected: Namespace {NAMESPACE}" in events(world)


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


def binding(name: str = "extra", *subjects: Object, namespace: str = NAMESPACE) -> Object:
    meta = {"name": name, "namespace": namespace}
    return {
        "kind": "RoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": meta,
        "subjects": list(subjects),
    }


OWN_GROUP = {"kind": "Group", "name": f"system:serviceaccounts:{NAMESPACE}"}
OWN_ACCOUNT = {"kind": "ServiceAccount", "name": "builder", "namespace": NAMESPACE}
SUBJECTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["User", "Group", "ServiceAccount"]), "name": st.sampled_from(["eve", "system:masters"])},
    optional={"namespace": st.sampled_from(["default", "kube-system", f"tenant-{'b' * 10}"])},
)


class TestIntruders:
    @pytest.mark.parametrize(
        ("one", "intrudes"),
        [
            (binding("vivero-operator", {"kind": "User", "name": "eve"}), False),
            (binding("extra", OWN_GROUP), True),
            (binding("system:image-pullers", OWN_GROUP), False),
            (binding("system:deployers", OWN_ACCOUNT), False),
            (binding("system:nobody"), False),
            (binding("system:image-pullers", OWN_GROUP, {"kind": "User", "name": "eve"}), True),
            (binding("system:image-pullers", {"kind": "Group", "name": "system:authenticated"}), True),
            (binding("system:image-pullers", {**OWN_ACCOUNT, "namespace": "default"}), True),
            ({"kind": "NetworkPolicy", "metadata": {"name": "app", "namespace": NAMESPACE}}, False),
            ({"kind": "NetworkPolicy", "metadata": {"name": "system:allow", "namespace": NAMESPACE}}, True),
        ],
        ids=lambda one: one["metadata"]["name"] if isinstance(one, dict) else str(one),
    )
    def test_who_opens_it(self, one: Object, intrudes: bool) -> None:  # noqa: FBT001
        assert is_intruder(one) == intrudes

    @given(st.sampled_from(["extra", "system:extra"]), st.lists(SUBJECTS, min_size=1, max_size=3), st.booleans())
    def test_rights_of_anybody_outside_always_do(self, name: str, subjects: list[Object], beside: bool) -> None:  # noqa: FBT001
        assert is_intruder(binding(name, *subjects, *([OWN_GROUP] if beside else [])))

    def test_without_a_list_of_subjects(self) -> None:
        assert not is_intruder({**binding("system:nobody"), "subjects": None})

    async def test_they_go_and_a_warning_says_so(self) -> None:
        world = await serving()
        world.kube.put(binding("eve", {"kind": "User", "name": "eve"}))
        world.kube.put({"kind": "NetworkPolicy", "metadata": {"name": "allow-all", "namespace": NAMESPACE}, "spec": {}})
        world.kube.put(binding("system:image-pullers", OWN_GROUP))
        world.kube.put(binding("elsewhere", {"kind": "User", "name": "eve"}, namespace="default"))
        await again(world)
        assert ("RoleBinding", NAMESPACE, "eve") not in world.kube.objects
        assert ("NetworkPolicy", NAMESPACE, "allow-all") not in world.kube.objects
        assert ("RoleBinding", NAMESPACE, "system:image-pullers") in world.kube.objects
        assert ("RoleBinding", "default", "elsewhere") in world.kube.objects
        words = "foreign NetworkPolicy allow-all, foreign RoleBinding eve"
        assert f"Warning DriftCorrected: Drift corrected: {words}" in events(world)

    async def test_also_while_it_is_suspended(self) -> None:
        world = await serving()
        change(world, suspended={"reason": "Abuse"})
        await world.reconcile()
        world.kube.put(binding("eve", {"kind": "User", "name": "eve"}))
        await again(world)
        assert ("RoleBinding", NAMESPACE, "eve") not in world.kube.objects

    async def test_one_that_goes_by_itself_is_no_correction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await serving()
        world.kube.put(binding("eve", {"kind": "User", "name": "eve"}))

        async def delete(*_: object, **__: object) -> None:
            raise KubeNotFoundError("kubernetes", "gone")

        monkeypatch.setattr(world.kube, "delete", delete)
        await again(world)
        assert not any("eve" in one for one in events(world))


class TestPullSecrets:
    """Kubelet looks for a registry's login in the pod's own namespace."""

    async def upgraded(self, *names: str) -> World:
        world = await serving()
        options = world.settings.data_plane_pod.model_validate({"imagePullSecrets": [{"name": name} for name in names]})
        world.settings = world.settings.model_copy(update={"data_plane_pod": options})
        world.restart()
        return world

    def login(self, world: World, name: str = "registry", content: str = "e30=") -> None:
        meta = {"name": name, "namespace": "vivero-system"}
        kind = "kubernetes.io/dockerconfigjson"
        world.put(
            {
                "kind": "Secret",
                "apiVersion": "v1",
                "metadata": meta,
                "type": kind,
                "data": {".dockerconfigjson": content},
            }
        )

    async def test_it_is_copied_with_its_type_and_the_pods_name_it(self) -> None:
        world = await self.upgraded("registry")
        self.login(world)
        await world.reconcile()
        copy = world.kube.objects["Secret", NAMESPACE, "pull-registry"]
        assert (copy["type"], copy["data"]) == ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": "e30="})
        assert copy["metadata"]["labels"]["vivero.dev/tenant"] == IDENT

    async def test_a_renewed_login_is_copied_again_and_is_no_drift(self) -> None:
        world = await self.upgraded("registry")
        self.login(world)
        await world.reconcile()
        self.login(world, content="eyJhIjoxfQ==")
        await again(world)
        assert world.kube.objects["Secret", NAMESPACE, "pull-registry"]["data"] == {".dockerconfigjson": "eyJhIjoxfQ=="}
        assert not any("Drift" in one for one in events(world))

    async def test_a_copy_that_somebody_deletes_comes_back(self) -> None:
        world = await self.upgraded("registry")
        self.login(world)
        await world.reconcile()
        world.remove("Secret", NAMESPACE, "pull-registry")
        await again(world)
        assert ("Secret", NAMESPACE, "pull-registry") in world.kube.objects
        assert any("Drift corrected: Secret pull-registry" in one for one in events(world))

    async def test_one_that_is_missing_is_named(self) -> None:
        world = await self.upgraded("registry", "second")
        self.login(world)
        result = await world.reconcile()
        assert condition(world, "Ready") == "False PullSecretMissing"
        assert "Secret second" in body(world)["status"]["message"]
        assert result.retry_after == 30
        self.login(world, "second")
        await world.reconcile()
        assert ("Secret", NAMESPACE, "pull-second") in world.kube.objects

    @given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?", fullmatch=True))
    def test_its_name_is_one_however_long_the_first_is(self, source: str) -> None:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?", pull_secret.name(source))

    @pytest.mark.parametrize("length", [248, 249, 253])
    def test_no_two_have_the_same(self, length: int) -> None:
        assert pull_secret.name("a" * length) != pull_secret.name("a" * (length - 1) + "b")

    @pytest.mark.parametrize("data", [None, {}])
    async def test_an_empty_one_is_copied_as_it_is(self, data: object) -> None:
        world = await self.upgraded("registry")
        meta = {"name": "registry", "namespace": "vivero-system"}
        world.put({"kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})
        await world.reconcile()
        assert world.kube.objects["Secret", NAMESPACE, "pull-registry"]["data"] == {}
