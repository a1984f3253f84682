"""Plans and DatabaseServers stay while they are used; a Plan that is gone all the same is known as it last was."""

import asyncio
import json
from collections.abc import Callable

import pytest
from reconcile.fakes import FakeKube, merge
from reconcile.world import NOW, PLAN, SERVER, Object, World, tenant_body
from unit.operator.made import KIND_SPECS, KINDS, body, served
from vivero_core.backends.kube.errors import SYSTEM, KubeConflictError, KubeNotFoundError
from vivero_core.backends.kube.resources import PLAN as PLAN_KIND
from vivero_core.model.base import Metadata
from vivero_core.model.constants import FINALIZER_IN_USE
from vivero_core.model.plan import Plan
from vivero_core.model.reading import Unreadable, read
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool
from vivero_operator.handlers import tenants
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile import in_use, plan, tenant_pool, unreadable
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key, Reconcile
from vivero_operator.reconcile.database_server import DatabaseServerReconciler
from vivero_operator.reconcile.plan import SNAPSHOTS, PlanReconciler
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState

OTHER = "example.com/other"
GOING: Object = {"deletionTimestamp": NOW.isoformat()}
CONFIG = ("ConfigMap", "vivero-system", SNAPSHOTS)


class TestSettle:
    @pytest.mark.parametrize(
        ("going", "used", "before", "after"),
        [
            (False, False, [], [FINALIZER_IN_USE]),
            (False, True, [OTHER], [OTHER, FINALIZER_IN_USE]),
            (False, False, [FINALIZER_IN_USE], None),
            (True, True, [FINALIZER_IN_USE], None),
            (True, False, [FINALIZER_IN_USE, OTHER], [OTHER]),
            (True, False, [OTHER], None),
            (True, True, [OTHER], None),  # none can be added to what is going
        ],
    )
    async def test_the_finalizer(self, *, going: bool, used: bool, before: list[str], after: list[str] | None) -> None:
        world = World()
        world.put(body("Plan", "trial", finalizers=before, **(GOING if going else {})))
        metadata = Metadata.model_validate(world.kube.objects["Plan", None, "trial"]["metadata"])
        await in_use.settle(world.services, PLAN_KIND, metadata, ["Tenant acme"] if used else [])
        found = world.kube.objects["Plan", None, "trial"]["metadata"]["finalizers"]
        assert found == (before if after is None else after)
        assert len(world.kube.writes) == (0 if after is None else 1)

    async def test_another_finalizer_that_is_added_at_this_moment_is_not_lost(self) -> None:
        world = World()
        world.put(body("Plan", "trial"))
        late = Metadata.model_validate(world.kube.objects["Plan", None, "trial"]["metadata"])
        world.put({"kind": "Plan", "metadata": {"name": "trial", "finalizers": [OTHER]}})
        await in_use.settle(world.services, PLAN_KIND, late, [])
        assert world.kube.objects["Plan", None, "trial"]["metadata"]["finalizers"] == [OTHER]

    @pytest.mark.parametrize("error", [KubeConflictError, KubeNotFoundError])
    async def test_what_changed_or_went_meanwhile_comes_back_by_itself(
        self, error: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()

        async def refuse(*_: object, **__: object) -> None:
            raise error(SYSTEM, "late")

        monkeypatch.setattr(world.kube, "patch", refuse)
        await in_use.settle(world.services, PLAN_KIND, Metadata(name="trial", uid="u"), [])

    def test_who_uses_it(self) -> None:
        assert in_use.held_by([]) == "Not in use"
        assert in_use.held_by(["Tenant a", "TenantPool b"]) == "In use by Tenant a, TenantPool b"
        assert in_use.held_by([f"Tenant {one}" for one in range(7)]).endswith("Tenant 4 and 2 more")


class Used:
    """A Plan `trial` and a DatabaseServer `main`, and the reconcilers of both."""

    def __init__(self) -> None:
        self.world = World()
        self.world.put(merge(PLAN, {"metadata": {"uid": "plan", "generation": 1}}))
        self.world.put(merge(SERVER, {"metadata": {"uid": "server", "generation": 1}}))
        self.begin()

    def begin(self) -> None:
        """As a program that has just started to lead."""
        self.plans = PlanReconciler(self.world.services)
        self.servers = DatabaseServerReconciler(self.world.services, lambda _: None, lambda: None)

    def reconcilers(self) -> dict[str, tuple[str, Reconcile]]:
        return {"Plan": ("trial", self.plans.reconcile), "DatabaseServer": ("main", self.servers.reconcile)}

    async def pass_(self, kind: str) -> Object:
        """The object after it."""
        name, reconcile = self.reconcilers()[kind]
        self.world.kube.writes.clear()
        await unreadable.skipping_unreadable(self.world.services, KIND_SPECS[kind], reconcile)(name)
        return self.world.kube.objects[kind, None, name]

    def delete(self, kind: str) -> None:
        name, _ = self.reconcilers()[kind]
        self.world.put({"kind": kind, "metadata": {"name": name, "generation": 2, **GOING}})

    def use(self) -> Tenant:
        """By a Tenant in service."""
        self.world.put({"kind": "Tenant", **served("acme").dump()})
        return self.tenant()

    def tenant(self) -> Tenant:
        found = self.world.cluster.tenants.get("acme")
        assert found is not None
        return found


BOTH = [kind for kind, spec in KIND_SPECS.items() if spec.users is not None]


@pytest.mark.parametrize("kind", BOTH)
class TestBoth:
    async def test_one_that_is_there_carries_the_finalizer(self, kind: str) -> None:
        assert (await Used().pass_(kind))["metadata"]["finalizers"] == [FINALIZER_IN_USE]

    async def test_one_that_is_used_stays_and_says_by_whom(self, kind: str) -> None:
        used = Used()
        used.use()
        await used.pass_(kind)
        used.delete(kind)
        found = await used.pass_(kind)
        assert found["metadata"]["finalizers"] == [FINALIZER_IN_USE]
        assert (
            "Deletion waits until it is not in use. In use by Tenant acme"
            in found["status"]["conditions"][0]["message"]
        )
        assert found["status"]["tenants"] == 1

    async def test_it_goes_when_nothing_uses_it_any_more(self, kind: str) -> None:
        used = Used()
        tenant = used.use()
        await used.pass_(kind)
        used.delete(kind)
        await used.pass_(kind)
        used.world.cluster.tenants.drop("acme", tenant.metadata.uid)
        assert (await used.pass_(kind))["metadata"]["finalizers"] == []

    async def test_one_that_cannot_be_read_stays_and_goes_like_any_other(self, kind: str) -> None:
        used = Used()
        tenant = used.use()
        await used.pass_(kind)
        used.delete(kind)
        name, _ = used.reconcilers()[kind]
        odd = {**used.world.kube.objects[kind, None, name], "spec": {"odd": True}}
        used.world.kube.put(odd)
        found = read(KINDS[kind], odd)
        assert isinstance(found, Unreadable)
        used.world.cluster.put_unreadable(kind, found)
        assert (await used.pass_(kind))["metadata"]["finalizers"] == [FINALIZER_IN_USE]
        used.world.cluster.tenants.drop("acme", tenant.metadata.uid)
        found = read(KINDS[kind], used.world.kube.objects[kind, None, name])
        assert isinstance(found, Unreadable)
        used.world.cluster.put_unreadable(kind, found)
        assert (await used.pass_(kind))["metadata"]["finalizers"] == []

    async def test_nothing_is_written_when_nothing_has_changed(self, kind: str) -> None:
        used = Used()
        used.use()
        for _ in range(3):
            await used.pass_(kind)
        assert used.world.kube.writes == []


class TestServer:
    async def test_a_tenant_whose_schema_is_just_being_made_uses_it(self) -> None:
        used = Used()
        await used.pass_("DatabaseServer")
        starting = Tenant.parse(tenant_body())
        used.world.cluster.tenants.put(starting)
        used.world.cluster.reserve(starting, "main")
        used.delete("DatabaseServer")
        assert (await used.pass_("DatabaseServer"))["metadata"]["finalizers"] == [FINALIZER_IN_USE]
        assert used.world.cluster.users_of_server("main") == ["Tenant acme"]
        # It went before it got there.
        used.world.cluster.tenants.drop("acme", starting.metadata.uid)
        assert (await used.pass_("DatabaseServer"))["metadata"]["finalizers"] == []


class TestPlan:
    async def test_a_pool_uses_it_as_well(self) -> None:
        used = Used()
        used.world.put(body("TenantPool", "trials"))
        await used.pass_("Plan")
        used.delete("Plan")
        found = await used.pass_("Plan")
        assert found["metadata"]["finalizers"] == [FINALIZER_IN_USE]
        assert found["status"]["conditions"][0]["message"].endswith("In use by TenantPool trials")

    async def test_what_its_status_says(self) -> None:
        used = Used()
        ready = (await used.pass_("Plan"))["status"]["conditions"][0]
        assert (ready["status"], ready["reason"], ready["message"]) == ("True", "Unused", "Not in use")
        used.use()
        ready = (await used.pass_("Plan"))["status"]["conditions"][0]
        assert (ready["status"], ready["reason"], ready["message"]) == ("True", "InUse", "In use")
        used.delete("Plan")
        ready = (await used.pass_("Plan"))["status"]["conditions"][0]
        assert (ready["status"], ready["reason"]) == ("False", "Deleting")


def remove_by_force(used: Used) -> None:
    """Its finalizer was taken away, or an old cluster restored."""
    used.world.kube.objects.pop(("Plan", None, "trial"))
    used.world.cluster.drop_plan("trial", "plan")


class TestLastKnown:
    async def in_service(self) -> Used:
        used = Used()
        used.world.put(merge(tenant_body(), {"status": {"plan": "trial"}}))
        await used.pass_("Plan")
        return used

    async def test_it_is_used_where_it_was_in_force(self) -> None:
        used = await self.in_service()
        remove_by_force(used)
        await used.plans.reconcile("trial")
        found = used.world.cluster.plan_of(used.tenant())
        assert found is not None
        assert found.spec.limits.records == 10000
        assert used.world.cluster.plan_of(Tenant.parse(tenant_body("new"))) is None

    async def test_also_after_a_restart(self) -> None:
        used = await self.in_service()
        remove_by_force(used)
        fresh = World()
        fresh.kube.objects = used.world.kube.objects
        fresh.cluster.tenants.put(used.tenant())
        assert fresh.cluster.plan_of(used.tenant()) is None
        await PlanReconciler(fresh.services).recall()
        found = fresh.cluster.plan_of(used.tenant())
        assert found is not None
        assert found.spec.limits.records == 10000
        # And the tenant's own pass uses it.
        fresh.put(SERVER)
        await fresh.reconcile()
        assert ("Namespace", None, "tenant-u5g5446au3") in fresh.kube.objects

    async def test_one_that_comes_back_counts_at_once(self) -> None:
        used = await self.in_service()
        remove_by_force(used)
        used.world.put(merge(PLAN, {"metadata": {"uid": "second"}, "spec": {"limits": {"records": 7}}}))
        found = used.world.cluster.plan_of(used.tenant())
        assert found is not None
        assert found.spec.limits.records == 7

    async def test_a_program_that_forgot_nothing_forgets_it_when_nothing_uses_it(self) -> None:
        used = await self.in_service()
        remove_by_force(used)
        used.world.cluster.tenants.drop("acme", used.tenant().metadata.uid)
        await used.plans.reconcile("trial")
        assert used.world.kube.objects[CONFIG]["data"] == {}

    async def test_all_plans_that_are_written_at_once_are_kept(self) -> None:
        """After a start all Plans come by together."""

        class Slow(FakeKube):
            async def apply(self, manifest: Object, **how: object) -> Object:
                await asyncio.sleep(0)
                return await super().apply(manifest, **how)

        used = Used()
        used.world.kube.__class__ = Slow
        for number in range(5):
            used.world.put(body("Plan", f"own-{number}"))
        names = [one.name for one in used.world.cluster.plans]
        await asyncio.gather(*map(used.plans.reconcile, names))
        assert used.world.kube.objects[CONFIG]["data"].keys() == set(names)

    async def test_a_change_is_kept_and_a_change_of_status_is_none(self) -> None:
        used = await self.in_service()
        used.world.put({"kind": "Plan", "metadata": {"name": "trial"}, "spec": {"limits": {"records": 5}}})
        await used.pass_("Plan")
        stored = json.loads(used.world.kube.objects[CONFIG]["data"]["trial"])
        assert stored["limits"]["records"] == 5
        await used.pass_("Plan")
        assert used.world.kube.writes == []

    @pytest.mark.parametrize("change", [None, {}, {"trial": "{}"}])
    async def test_what_a_person_did_to_it_is_put_right(self, change: dict[str, str] | None) -> None:
        used = await self.in_service()
        before = used.world.kube.objects[CONFIG]["data"]
        if change is None:
            used.world.kube.objects.pop(CONFIG)
        else:
            used.world.kube.objects[CONFIG]["data"] = change
        await used.pass_("Plan")
        assert used.world.kube.objects[CONFIG]["data"] == before

    @pytest.mark.parametrize("text", ["", "no JSON", "[]", "null", '{"displayName": 5}', '{"limits": {"records": -1}}'])
    async def test_what_cannot_be_read_is_as_good_as_none(self, text: str) -> None:
        used = await self.in_service()
        good = used.world.kube.objects[CONFIG]["data"]["trial"]
        used.world.kube.objects[CONFIG]["data"] = {"odd": text, "trial": good}
        used.begin()
        await used.plans.recall()
        assert set(used.world.cluster.last_plans) == {"trial"}

    async def test_without_any(self) -> None:
        used = Used()
        await used.plans.recall()
        assert used.world.cluster.last_plans == {}


async def counted(context: HandlerContext, clock: list[float]) -> set[str]:
    """Plans that are looked at within a minute."""
    clock[0] += 60
    found = set[str]()
    while True:
        try:
            key = await asyncio.wait_for(context.queue.get(), 0.01)
        except TimeoutError:
            return found
        context.queue.done(key)
        found |= {key.name} if key.kind == "Plan" else set()


def tenant_with(plan: str, generation: int) -> Tenant:
    return served("acme", spec={"plan": plan}, generation=generation, resourceVersion=str(generation))


def pool_with(plan: str, generation: int) -> TenantPool:
    return TenantPool.parse(
        body("TenantPool", "p", {"plan": plan, "size": 0}, generation=generation, resourceVersion=str(generation))
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda context: tenants.observe(context, tenant_with("other", 2)),
        lambda context: tenants.forget(context, tenant_with("trial", 1).metadata),
        lambda context: tenant_pool.observe(context, pool_with("other", 2)),
        lambda context: tenant_pool.forget(context, pool_with("trial", 1).metadata),
    ],
    ids=["a Tenant gets another", "a Tenant goes", "a pool gets another", "a pool goes"],
)
async def test_what_frees_a_plan_has_it_looked_at(change: Callable[[HandlerContext], None]) -> None:
    clock = [0.0]
    context = HandlerContext(Cluster(), WorkQueue[Key](lambda: clock[0]), ReconcileState(), Heartbeat())
    plan.observe(context, Plan.parse(body("Plan", "trial")))
    tenants.observe(context, tenant_with("trial", 1))
    tenant_pool.observe(context, pool_with("trial", 1))
    await counted(context, clock)
    assert await counted(context, clock) == set()
    change(context)
    assert await counted(context, clock) == {"trial"}


def test_a_deletion_of_a_predecessor_takes_no_plan_away() -> None:
    cluster = Cluster()
    cluster.plans.put(Plan.parse(body("Plan", "trial", uid="second", resourceVersion="9")))
    cluster.drop_plan("trial", "first")
    assert cluster.plans.get("trial") is not None
    assert cluster.last_plans == {}
