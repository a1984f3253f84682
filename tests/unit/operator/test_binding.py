"""A spare is claimed while something of it is amiss, a server is chosen, a pod is told: what short passes leave to whole ones."""

import pytest
from reconcile.scenes import IDENT, NAMESPACE, body, change, condition, password, pod, secret
from reconcile.world import PLAN, SERVER, World, tenant_body
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import DEPLOYMENT, POD, SERVICE
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState


async def spare() -> World:
    world = World()
    for manifest in (PLAN, SERVER, tenant_body(slug=None, owner=None, pool="trial", displayName="Spare")):
        world.put(manifest)
    await world.reconcile()
    world.put(pod())
    await world.reconcile()
    assert condition(world, "Ready") == "True Proven"
    return world


def claim(world: World) -> None:
    password(world)
    owner = {"email": "a@b.co", "passwordHashSecret": "signup-1"}
    change(world, slug="acme", owner=owner, displayName="Acme", claimedAt="2026-11-22T12:00:00Z")


class TestClaimed:
    @pytest.mark.parametrize("name", ["app", "database", "cache", "storage"])
    async def test_a_secret_that_is_gone_is_written_again_by_the_next_pass(self, name: str) -> None:
        world = await spare()
        before = secret(world, name)
        world.remove("Secret", NAMESPACE, name)
        claim(world)
        result = await world.reconcile()
        assert (result.failed, result.retry_after) == (False, 10.0)
        assert condition(world, "Ready") == "False Provisioning"
        assert ("Secret", "vivero-signups", "signup-1") in world.kube.objects
        await world.reconcile()
        assert secret(world, name) == before
        assert condition(world, "Ready") == "True Proven"
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$"}

    async def test_a_pod_that_is_away_is_waited_for_and_loses_no_password(self) -> None:
        world = await spare()
        world.remove("Pod", NAMESPACE, "app-1")
        claim(world)
        await world.reconcile()
        assert condition(world, "OwnerReady") == "False Starting"
        assert ("Secret", "vivero-signups", "signup-1") in world.kube.objects
        world.put(pod("app-2"))
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert world.data_plane.accounts == {"a@b.co": "$argon2id$"}


class TestPlacement:
    def world(self, *servers: str, **spec: object) -> World:
        world = World()
        for manifest in (PLAN, tenant_body(**spec)):
            world.put(manifest)
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "labels": {"vivero.dev/signup": "f00d"}}})
        for name in servers:
            world.put({**SERVER, "metadata": {"name": name}})
        return world

    async def test_without_any_server_it_waits(self) -> None:
        world = self.world()
        await world.reconcile()
        assert condition(world, "Ready") == "False NoDatabaseServer"
        world.put(SERVER)
        await world.reconcile()
        assert world.backends.servers["main"].databases == {f"vt{IDENT}"}

    async def test_a_mistyped_one_is_waited_for_and_can_be_corrected(self) -> None:
        world = self.world("main", databaseServer="mian")
        await world.reconcile()
        assert condition(world, "Ready") == "False DatabaseServerNotFound"
        change(world, databaseServer="main")
        await world.reconcile()
        assert world.backends.servers["main"].databases == {f"vt{IDENT}"}

    @pytest.mark.parametrize(
        ("edit", "reason"), [({"cordoned": True}, "DatabaseServerCordoned"), ({"capacity": 0}, "DatabaseServerFull")]
    )
    async def test_one_that_takes_no_more_is_not_forced(self, edit: dict[str, object], reason: str) -> None:
        world = self.world("main", databaseServer="main")
        world.put({**SERVER, "spec": {**SERVER["spec"], **edit}})
        await world.reconcile()
        assert condition(world, "Ready") == f"False {reason}"
        assert world.backends.servers["main"].databases == set()

    async def test_who_is_there_already_stays(self) -> None:
        world = self.world("main")
        await world.reconcile()
        world.put({**SERVER, "spec": {**SERVER["spec"], "cordoned": True, "capacity": 0}})
        world.put(pod())
        await world.reconcile()
        assert condition(world, "Ready") == "True Proven"
        assert body(world)["status"]["databaseServer"] == "main"


async def test_a_pod_that_goes_while_it_is_told_of_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await spare()
    limits = {**PLAN["spec"]["limits"], "records": 7}
    world.put({**PLAN, "spec": {**PLAN["spec"], "limits": limits}})

    async def gone(*_: object, **__: object) -> None:
        raise KubeNotFoundError("kubernetes", "no such pod")

    real = world.kube.patch

    async def patch(resource: object, *args: object, **how: object) -> object:
        return await (gone() if resource is POD else real(resource, *args, **how))  # type: ignore[arg-type]

    monkeypatch.setattr(world.kube, "patch", patch)
    assert not (await world.reconcile()).failed
    assert '"records": 7' in secret(world, "limits")["limits.json"]


class TestDesk:
    """What a touched object makes work of depends on whose it is."""

    async def keys(self, context: HandlerContext) -> list[Key]:
        found = []
        while len(context.queue):
            found.append(await context.queue.get())
            context.queue.done(found[-1])
        return found

    async def test_of_a_tenant_that_stays_it_is_looked_into(self) -> None:
        world = await spare()
        context = HandlerContext(world.cluster, WorkQueue[Key](), ReconcileState(), Heartbeat())
        context.touched(IDENT, SERVICE)
        assert await self.keys(context) == [Key("Tenant", "acme")]
        assert context.state.take_suspicion(body(world)["metadata"]["uid"])

    async def test_of_one_that_goes_only_what_it_waits_for_counts(self) -> None:
        world = await spare()
        world.put({"kind": "Tenant", "metadata": {"name": "acme", "deletionTimestamp": "2026-11-22T12:01:00Z"}})
        context = HandlerContext(world.cluster, WorkQueue[Key](), ReconcileState(), Heartbeat())
        context.touched(IDENT, SERVICE)
        assert await self.keys(context) == []
        context.touched(IDENT, DEPLOYMENT)
        assert await self.keys(context) == [Key("Tenant", "acme")]
        assert not context.state.take_suspicion(body(world)["metadata"]["uid"])

    async def test_of_one_that_is_gone_it_is_an_orphans(self) -> None:
        context = HandlerContext(World().cluster, WorkQueue[Key](), ReconcileState(), Heartbeat())
        context.touched(IDENT, SERVICE)
        assert await self.keys(context) == [Key("Orphan", IDENT)]
