"""A Tenant goes, or comes for what another one left: what is kept, where it is looked for, and what it waits for."""

from typing import Any

import pytest
from reconcile.scenes import BUCKET, IDENT, NAMESPACE, SCHEMA, begun, body, change, condition, events, secret, serving
from reconcile.world import PLAN, SERVER, World, tenant_body
from vivero_core.backends.kube.errors import KubeForbiddenError
from vivero_core.backends.kube.resources import SECRET, Resource
from vivero_core.model.conditions import find
from vivero_core.model.constants import FINALIZER
from vivero_core.model.tenant import Tenant

GOING = "2026-11-22T12:01:00Z"
RECORD = ("Secret", "vivero-system", f"escrow-{IDENT}")


def leave(world: World, **spec: object) -> None:
    """kubectl delete"""
    change(world, **spec)
    world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": GOING}})


async def until_gone(world: World) -> None:
    for _ in range(4):
        await world.reconcile()
    assert FINALIZER not in body(world)["metadata"].get("finalizers", ())


def message(world: World, kind: str = "Ready", name: str = "acme") -> str:
    found = find(Tenant.parse(body(world, name)).status.conditions, kind)
    assert found is not None
    return found.message


class TestRetained:
    async def test_what_was_kept_can_be_adopted_with_the_same_keys(self) -> None:
        world = await serving()
        before = secret(world)
        leave(world)
        await until_gone(world)
        assert f"Normal Retained: Data retained for spec.adopt {IDENT}: schema {SCHEMA}, bucket {BUCKET}" in events(
            world
        )
        world.remove("Tenant", None, "acme")
        world.put(heir())
        await world.reconcile("heir")
        assert secret(world) == before
        assert world.kube.objects[RECORD]["metadata"]["labels"].get("vivero.dev/retained") is None

    async def test_keys_that_were_given_up_are_replaced_so_that_the_rest_can_be_adopted(self) -> None:
        world = await serving()
        world.remove(*RECORD)
        world.remove("Secret", NAMESPACE, "app")
        world.restart()
        leave(world)
        await world.reconcile()
        assert "Restore Secret app" in message(world)
        change(world, acceptDataLossAt=body(world)["status"]["dataLostAt"])
        await until_gone(world)
        world.remove("Tenant", None, "acme")
        world.put(heir())
        await world.reconcile("heir")
        assert len(secret(world)["file_key"]) == 64

    async def test_of_what_was_never_made_nothing_is_kept(self) -> None:
        world = World()
        for manifest in (PLAN, SERVER, tenant_body()):
            world.put(manifest)
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "finalizers": [FINALIZER]}})
        leave(world)
        await until_gone(world)
        assert (
            events(world)[-1]
            == f"Normal Retained: Data retained for spec.adopt {IDENT}: nothing, because it was never provisioned"
        )

    async def test_what_was_never_in_service_need_not_be_found(self) -> None:
        world = await begun()
        for name in ("app", "database"):
            world.remove("Secret", NAMESPACE, name)
        world.remove(*RECORD)
        leave(world)
        await until_gone(world)
        assert "nothing, because it was never in service" in events(world)[-1]

    @pytest.mark.parametrize("held", [False, True])
    async def test_keys_of_what_was_never_in_service_matter_where_something_is_held(self, *, held: bool) -> None:
        world = await begun()
        world.remove(*RECORD)
        world.remove("Secret", NAMESPACE, "app")
        world.restart()
        if not held:
            world.backends.servers["main"].empty.add(SCHEMA)
            world.backends.s3.empty.add(BUCKET)
        leave(world)
        for _ in range(4):
            await world.reconcile()
        finalizers = body(world)["metadata"]["finalizers"]
        assert (FINALIZER in finalizers) == held

    async def test_where_the_data_is_a_person_can_say(self) -> None:
        """An adopted record that was emptied by hand, before the first pass has written a status."""
        world = await serving()
        leave(world)
        await until_gone(world)
        world.remove("Tenant", None, "acme")
        world.kube.objects[RECORD]["metadata"]["annotations"].pop("vivero.dev/database-server")
        world.kube.objects[RECORD]["metadata"]["labels"].pop("vivero.dev/retained")
        world.kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/tenant-uid"] = "uid-heir"
        world.put(heir(finalizers=[FINALIZER], deletionTimestamp=GOING))
        await world.reconcile("heir")
        assert "set spec.databaseServer" in message(world, name="heir")
        world.put({"kind": "Tenant", "metadata": {"name": "heir"}, "spec": {"databaseServer": "main"}})
        await world.reconcile("heir")
        assert world.kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/database-server"] == "main"
        assert body(world, "heir")["metadata"]["finalizers"] == []

    async def test_marked_once_it_needs_no_secret_any_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The namespace and our rights in it go before the last step of a deletion."""
        world = await serving()
        leave(world)
        await world.reconcile()
        forbid_secrets(world, monkeypatch)
        world.state.forget(body(world)["metadata"]["uid"])
        await until_gone(world)


class TestErased:
    async def test_nothing_is_left_to_adopt(self) -> None:
        world = await serving()
        leave(world, deletionPolicy="Delete")
        await until_gone(world)
        assert RECORD not in world.kube.objects
        assert world.backends.servers["main"].databases == set()
        assert world.backends.s3.buckets == {}
        assert f"Normal Erased: Data erased: schema {SCHEMA}, bucket {BUCKET}" in events(world)

    async def test_it_needs_no_key_for_that(self) -> None:
        world = await serving()
        world.remove(*RECORD)
        world.remove("Secret", NAMESPACE, "app")
        leave(world, deletionPolicy="Delete")
        await until_gone(world)


class TestWhere:
    async def test_every_server_is_asked_when_none_is_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await begun(deletionPolicy="Delete")
        world.put({**SERVER, "metadata": {"name": "second"}})
        body(world)["status"] = {}
        world.put(body(world))
        world.remove(*RECORD)
        forbid_secrets(world, monkeypatch)
        leave(world)
        for _ in range(2):
            await world.reconcile()
        assert world.backends.servers["main"].databases == set()
        assert "drop_database" in world.backends.servers["second"].calls

    async def test_the_one_that_a_secret_names_is_enough(self) -> None:
        world = await begun(deletionPolicy="Delete")
        world.put({**SERVER, "metadata": {"name": "second"}})
        leave(world)
        await world.reconcile()
        assert world.backends.servers["main"].databases == set()
        assert world.backends.servers["second"].calls == []

    async def test_a_server_that_is_gone_is_waited_for(self) -> None:
        world = await serving(deletionPolicy="Delete")
        world.remove("DatabaseServer", None, "main")
        leave(world)
        await world.reconcile()
        assert condition(world, "DatabaseReady") == "False DatabaseServerNotFound"
        assert message(world) == "Deleting: DatabaseServer main does not exist"
        world.put({**SERVER, "metadata": {"name": "main", "uid": "another"}})
        await until_gone(world)


class TestAdoption:
    async def test_who_is_overtaken_looks_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = await serving()
        leave(world)
        await until_gone(world)
        world.remove("Tenant", None, "acme")
        world.put(heir())
        real = world.kube.get

        async def overtaken(resource: Resource, name: str, namespace: str | None = None) -> Any:  # noqa: ANN401
            found = await real(resource, name, namespace)
            if name == RECORD[2]:
                world.put({"kind": "Secret", "metadata": {"name": name, "namespace": namespace, "labels": {"x": "y"}}})
            return found

        monkeypatch.setattr(world.kube, "get", overtaken)
        await world.reconcile("heir")
        assert world.kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/tenant-uid"] != "uid-heir"
        monkeypatch.undo()
        await world.reconcile("heir")
        assert world.kube.objects[RECORD]["metadata"]["annotations"]["vivero.dev/tenant-uid"] == "uid-heir"

    async def test_one_that_never_got_the_data_leaves_it_alone(self) -> None:
        world = await serving()
        users = dict(world.backends.servers["main"].users)
        world.put(heir())
        await world.reconcile("heir")
        assert condition(world, "Ready", "heir") == "False AlreadyAdopted"
        world.put({"kind": "Tenant", "metadata": {"name": "heir", "deletionTimestamp": GOING}})
        await world.reconcile("heir")
        assert body(world, "heir")["metadata"]["finalizers"] == []
        assert world.backends.servers["main"].users == users
        assert "vivero.dev/retained" not in world.kube.objects[RECORD]["metadata"]["labels"]
        assert ("Namespace", None, NAMESPACE) in world.kube.objects


def heir(**metadata: object) -> dict[str, Any]:
    made = tenant_body("heir", slug="heir", adopt=IDENT)
    return {**made, "metadata": {**made["metadata"], "uid": "uid-heir", **metadata}}


def forbid_secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the RoleBinding in the tenant's namespace is gone."""
    real = world.kube.list

    async def listing(resource: Resource, namespace: str | None = None, **how: Any) -> Any:  # noqa: ANN401
        if resource is SECRET and namespace == NAMESPACE:
            raise KubeForbiddenError("kubernetes", "secrets is forbidden")
        return await real(resource, namespace, **how)

    monkeypatch.setattr(world.kube, "list", listing)
