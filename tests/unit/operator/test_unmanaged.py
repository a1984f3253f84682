"""What is in a tenant's namespace beside ours: what opens it goes, logins of registries come."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.scenes import IDENT, NAMESPACE, again, body, change, condition, events, serving
from reconcile.world import Object, World
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_operator.manifests import copies
from vivero_operator.policies.expected_objects import is_unmanaged


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


class TestUnmanaged:
    @pytest.mark.parametrize(
        ("one", "intrudes"),
        [
            (binding("vivero-operator", {"kind": "User", "name": "eve"}), False),
            (binding("extra", OWN_GROUP), True),
            (binding("system:image-pullers", OWN_GROUP), False),
            (binding("system:deployers", OWN_ACCOUNT), False),
            (binding("system:empty"), False),
            (binding("system:image-pullers", OWN_GROUP, {"kind": "User", "name": "eve"}), True),
            (binding("system:image-pullers", {"kind": "Group", "name": "system:authenticated"}), True),
            (binding("system:image-pullers", {**OWN_ACCOUNT, "namespace": "default"}), True),
            ({"kind": "NetworkPolicy", "metadata": {"name": "app", "namespace": NAMESPACE}}, False),
            ({"kind": "NetworkPolicy", "metadata": {"name": "system:allow", "namespace": NAMESPACE}}, True),
        ],
        ids=lambda one: one["metadata"]["name"] if isinstance(one, dict) else str(one),
    )
    def test_who_opens_it(self, one: Object, intrudes: bool) -> None:  # noqa: FBT001
        assert is_unmanaged(one) == intrudes

    @given(st.sampled_from(["extra", "system:extra"]), st.lists(SUBJECTS, min_size=1, max_size=3), st.booleans())
    def test_rights_of_anybody_outside_always_do(self, name: str, subjects: list[Object], beside: bool) -> None:  # noqa: FBT001
        assert is_unmanaged(binding(name, *subjects, *([OWN_GROUP] if beside else [])))

    def test_without_a_list_of_subjects(self) -> None:
        assert not is_unmanaged({**binding("system:empty"), "subjects": None})

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
        words = "removed unmanaged NetworkPolicy/allow-all, unmanaged RoleBinding/eve"
        assert f"Warning DriftCorrected: Drift corrected: {words}" in events(world)

    async def test_one_event_says_what_was_changed_and_what_is_removed(self) -> None:
        world = await serving()
        world.kube.put(binding("eve", {"kind": "User", "name": "eve"}))
        world.remove("Service", NAMESPACE, "app")
        await again(world)
        note = "Drift corrected: Service/app was changed outside Vivero; removed unmanaged RoleBinding/eve"
        assert f"Warning DriftCorrected: {note}" in events(world)

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

    async def test_a_copy_that_is_deleted_comes_back(self) -> None:
        world = await self.upgraded("registry")
        self.login(world)
        await world.reconcile()
        world.remove("Secret", NAMESPACE, "pull-registry")
        await again(world)
        assert ("Secret", NAMESPACE, "pull-registry") in world.kube.objects
        assert any("Drift corrected: Secret/pull-registry" in one for one in events(world))

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
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?", copies.login_name(source))

    @pytest.mark.parametrize("length", [248, 249, 253])
    def test_no_two_have_the_same(self, length: int) -> None:
        assert copies.login_name("a" * length) != copies.login_name("a" * (length - 1) + "b")

    @pytest.mark.parametrize("data", [None, {}])
    async def test_an_empty_one_is_copied_as_it_is(self, data: object) -> None:
        world = await self.upgraded("registry")
        meta = {"name": "registry", "namespace": "vivero-system"}
        world.put({"kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})
        await world.reconcile()
        assert world.kube.objects["Secret", NAMESPACE, "pull-registry"]["data"] == {}
