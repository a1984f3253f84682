"""Pools: what is counted, made and given up; and that a claim and a discard never both win."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from reconcile.world import NOW, World
from unit.operator.made import PAUSED
from vivero_core.model.constants import LABEL_POOL, LABEL_RELEASE
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool
from vivero_operator.handlers import tenants
from vivero_operator.health import Heartbeat
from vivero_operator.manifests import spare
from vivero_operator.policies import allocation, life, pool
from vivero_operator.policies.life import State
from vivero_operator.reconcile import tenant_pool
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext, Rollout
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState
from vivero_operator.reconcile.tenant_pool import (
    GIVE_WAY_SECONDS,
    LOOK_AGAIN_SECONDS,
    SETTLE_SECONDS,
    TenantPoolReconciler,
)
from vivero_operator.settings import Settings

IMAGE = Rollout(Settings(data_plane_image="image:1"), Cluster()).current  # the world's
HOUR = timedelta(hours=1)


def pool_of(size: int = 3, plan: str = "trial") -> TenantPool:
    metadata = {"name": "trial", "uid": "pool", "generation": 1, "resourceVersion": "1"}
    return TenantPool.parse({"metadata": metadata, "spec": {"plan": plan, "size": size}})


def spare_body(name: str, *, ready: bool = True, image: str = IMAGE, age: int = 60, **spec: object) -> dict[str, Any]:
    condition = {"type": "Ready", "status": str(ready), "reason": "Proven", "lastTransitionTime": NOW.isoformat()}
    return {
        "kind": "Tenant",
        "apiVersion": "vivero.dev/v1alpha1",
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "generation": 1,
            "resourceVersion": "5",
            "creationTimestamp": (NOW - timedelta(seconds=age)).isoformat(),
            "labels": {LABEL_RELEASE: image},
        },
        "spec": {"displayName": "Spare", "plan": "trial", "pool": "trial", **spec},
        "status": {"conditions": [condition], "provenAt": (NOW - timedelta(seconds=age)).isoformat()},
    }


def spare_of(name: str, **how: Any) -> Tenant:  # noqa: ANN401  passed on
    return Tenant.parse(spare_body(name, **how))


def stock(*spares: Tenant, size: int = 3) -> pool.Stock:
    return pool.take_stock(pool_of(size), spares, release=IMAGE, now=NOW, proof_lasts=HOUR)


def names(tenants: tuple[Tenant, ...]) -> list[str]:
    return [one.name for one in tenants]


class TestStock:
    def test_only_proven_spares_of_this_release_can_be_claimed(self) -> None:
        found = stock(
            spare_of("good"),
            spare_of("starting", ready=False),
            spare_of("stale", age=3601),
            spare_of("old", image="image:0"),
        )
        assert names(found.ready) == ["good"]
        assert names(found.starting) == ["starting", "stale"]
        assert names(found.outdated) == ["old"]
        assert found.total == 4

    def test_another_plan_is_outdated(self) -> None:
        other = pool_of(plan="starter")
        found = pool.take_stock(other, [spare_of("x")], release=IMAGE, now=NOW, proof_lasts=HOUR)
        assert names(found.outdated) == ["x"]


class TestSingleRefill:
    """The spare in question was made thirty seconds ago; the others were proven `ages` seconds ago."""

    @staticmethod
    def is_single(size: int, ages: list[int]) -> bool:
        late = spare_of("late", age=30)
        others = [spare_of(f"other-{number}", age=age) for number, age in enumerate(ages)]
        return pool.is_single_refill(late, size, [late, *others])

    @pytest.mark.parametrize(("size", "ages"), [(3, [60, 60]), (1, [])])
    def test_a_pool_that_was_full_but_for_one(self, size: int, ages: list[int]) -> None:
        assert self.is_single(size, ages)

    @pytest.mark.parametrize("ages", [[], [60], [60, 20], [20, 20]])
    def test_a_pool_that_lacked_more_when_the_spare_was_made(self, ages: list[int]) -> None:
        assert not self.is_single(3, ages)


class TestOrder:
    def test_a_few_at_once(self) -> None:
        assert pool.decide(10, stock(), at_once=4).create == 4
        assert pool.decide(10, stock(spare_of("a", ready=False)), at_once=4).create == 3
        assert pool.decide(2, stock(spare_of("a")), at_once=4).create == 1

    def test_too_many_go_those_that_start_and_the_youngest_first(self) -> None:
        spares = [spare_of("starts", ready=False), spare_of("young", age=10), spare_of("old", age=90)]
        assert names(pool.decide(1, stock(*spares), at_once=4).delete) == ["starts", "young"]

    def test_an_old_release_serves_until_its_successor_is_ready(self) -> None:
        old = [spare_of("o1", image="image:0"), spare_of("o2", image="image:0")]
        assert pool.decide(2, stock(*old), at_once=1) == pool.Scaling(1, ())
        one_new = stock(*old, spare_of("n1"))
        assert names(pool.decide(2, one_new, at_once=1).delete) == ["o1"]
        assert names(pool.decide(2, stock(*old, spare_of("n1"), spare_of("n2")), at_once=1).delete) == ["o1", "o2"]

    @given(
        size=st.integers(0, 20),
        kinds=st.lists(st.sampled_from(["ready", "starting", "outdated"]), max_size=40),
        at_once=st.integers(1, 8),
    )
    def test_it_comes_to_rest_at_its_size(self, size: int, kinds: list[str], at_once: int) -> None:
        spares = {
            f"s{number}": spare_of(f"s{number}", ready=kind != "starting", image="old" if kind == "outdated" else IMAGE)
            for number, kind in enumerate(kinds)
        }
        for step in range(100):
            scaling = pool.decide(size, stock(*spares.values(), size=size), at_once=at_once)
            starting = [one for one in spares.values() if life.proven(one, NOW, HOUR) is False]
            assert scaling.create == 0 or scaling.create + len(starting) <= at_once
            if scaling == pool.Scaling(0, ()) and not starting:
                break
            for gone in scaling.delete:
                del spares[gone.name]
            spares = {
                name: spare_of(name, image=IMAGE if name not in names(stock(one).outdated) else "old")
                for name, one in spares.items()
            }
            spares |= {
                f"n{step}-{number}": spare_of(f"n{step}-{number}", ready=False) for number in range(scaling.create)
            }
        else:
            pytest.fail("never came to rest")
        assert len(spares) == size


class TestLife:
    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ({}, State.STANDBY),
            ({"suspended": {"reason": "Manual"}}, State.SUSPENDED),
            ({"slug": "acme", "owner": {"email": "a@b.co"}, "claimedAt": NOW.isoformat()}, State.CLAIMED),
            ({"slug": "acme", "owner": {"email": "a@b.co"}}, State.ACTIVE),
            (
                {
                    "slug": "acme",
                    "owner": {"email": "a@b.co"},
                    "claimedAt": NOW.isoformat(),
                    "hosts": ["a.example.com"],
                },
                State.ACTIVE,
            ),
        ],
    )
    def test_what_becomes_of_it(self, change: dict[str, Any], state: State) -> None:
        assert life.move(spare_of("a", **change), NOW, HOUR).state is state

    def test_a_claimed_spare_without_a_fresh_proof_is_looked_at_as_a_whole(self) -> None:
        claim = {"slug": "acme", "owner": {"email": "a@b.co"}, "claimedAt": NOW.isoformat()}
        assert life.move(spare_of("a", ready=False, **claim), NOW, HOUR).state is State.ACTIVE
        assert life.move(spare_of("a", age=3600, **claim), NOW, HOUR).state is State.ACTIVE


def test_a_slug_belongs_to_who_had_it_first_not_to_the_older_spare() -> None:
    claim = {"slug": "acme", "owner": {"email": "a@b.co"}, "claimedAt": NOW.isoformat()}
    spare_claimed_now = spare_of("spare", age=3600, **claim)
    made_a_minute_ago = spare_of("direct", age=60, slug="acme", owner={"email": "c@d.co"}, pool=None)
    both = [spare_claimed_now, made_a_minute_ago]
    assert allocation.refused_slug(made_a_minute_ago, both) is None
    assert allocation.refused_slug(spare_claimed_now, both) is not None
    assert allocation.refused_slug(spare_of("x"), [*both, spare_of("y")]) is None


class TestReconcile:
    def world(self, size: int = 3) -> World:
        world = World()
        body = {
            "kind": "TenantPool",
            "apiVersion": "vivero.dev/v1alpha1",
            "metadata": {"name": "trial", "generation": 1},
        }
        world.put({**body, "spec": {"plan": "trial", "size": size}})
        return world

    async def pass_(self, world: World) -> list[str]:
        world.kube.writes.clear()
        await TenantPoolReconciler(world.services).reconcile("trial")
        return list(world.kube.writes)

    async def test_it_fills_and_then_writes_nothing(self) -> None:
        world = self.world()
        writes = await self.pass_(world)
        assert [one.rpartition("-")[0] for one in writes[:3]] == ["create Tenant trial"] * 3
        assert writes[3:] == ["patch status of TenantPool trial"]
        made = next(iter(world.cluster.tenants))
        assert (made.is_spare, made.spec.pool, made.metadata.labels[LABEL_POOL]) == (True, "trial", "trial")
        # The second count knows what the first has made, before any watch has told.
        await self.pass_(world)
        assert len(world.cluster.spares("trial")) == 3
        assert await self.pass_(world) == []

    async def test_status_says_how_many_can_be_claimed(self) -> None:
        world = self.world(size=2)
        for name in ("a", "b"):
            world.put(spare_body(name))
        written, event = await self.pass_(world)
        assert (written, event.rpartition("/")[0]) == ("patch status of TenantPool trial", "create Event default")
        status = TenantPool.parse(world.kube.objects["TenantPool", None, "trial"]).status
        assert (status.ready, status.spares, status.conditions[0].reason) == (2, 2, "Full")
        assert status.conditions[0].message == "2 of 2 spares can be claimed"

    async def test_a_paused_one_is_counted_and_not_filled(self) -> None:
        """The alert about a pool that is low goes by the count."""
        world = self.world()
        world.put(spare_body("a"))
        await self.pass_(world)
        assert REGISTRY.get_sample_value("vivero_pool_ready", {"pool": "trial"}) == 1
        known = world.cluster.pools.get("trial")
        assert known is not None
        world.put(known.dump() | {"kind": "TenantPool", "metadata": {**known.metadata.dump(), "annotations": PAUSED}})
        world.cluster.tenants.drop("a", "uid-a")
        writes = await self.pass_(world)
        assert not [one for one in writes if "Tenant " in one]
        assert REGISTRY.get_sample_value("vivero_pool_ready", {"pool": "trial"}) == 0

    async def test_signups_that_found_no_spare_go_before_a_refill(self) -> None:
        world = self.world(size=4)
        waiting = spare_body("cold", slug="acme", owner={"email": "a@b.co"})
        waiting["metadata"]["creationTimestamp"] = NOW.isoformat()
        waiting["status"] = {}
        world.put(waiting)
        reconciler = TenantPoolReconciler(world.services)
        assert (await reconciler.reconcile("trial")).retry_after == GIVE_WAY_SECONDS
        assert len(world.cluster.spares("trial")) == world.services.settings.spares_at_once - 1
        # It is stuck: the pool waits no longer.
        world.now += timedelta(minutes=2)
        await reconciler.reconcile("trial")
        assert len(world.cluster.spares("trial")) == world.services.settings.spares_at_once

    async def test_a_count_that_is_soon_right_again_is_not_written(self) -> None:
        world = self.world(size=1)
        world.put(spare_body("a"))
        reconciler = TenantPoolReconciler(world.services)
        await reconciler.reconcile("trial")
        world.kube.writes.clear()
        world.cluster.tenants.drop("a", world.cluster.tenants.get("a").metadata.uid)  # type: ignore[union-attr]  # it is there
        assert (await reconciler.reconcile("trial")).retry_after == SETTLE_SECONDS
        assert [one.split()[0] for one in world.kube.writes] == ["create"]
        world.now += timedelta(seconds=SETTLE_SECONDS)
        await reconciler.reconcile("trial")
        assert world.kube.writes[1:] == ["patch status of TenantPool trial"]
        status = TenantPool.parse(world.kube.objects["TenantPool", None, "trial"]).status
        assert (status.ready, status.conditions[0].reason) == (0, "Filling")
        assert (await reconciler.reconcile("trial")).retry_after == LOOK_AGAIN_SECONDS

    async def test_a_spare_that_is_claimed_meanwhile_is_not_discarded(self) -> None:
        world = self.world(size=0)
        world.put(spare_body("a"))
        # The claim is written; this replica has not heard of it yet.
        claimed = spare_body("a", slug="acme", owner={"email": "a@b.co"}, claimedAt=NOW.isoformat())
        world.kube.put(claimed)
        assert not [one for one in await self.pass_(world) if one.startswith("delete")]
        assert ("Tenant", None, "a") in world.kube.objects

    async def test_a_pool_that_goes_takes_its_spares_and_no_customer(self) -> None:
        world = self.world()
        world.put(spare_body("a"))
        world.put(spare_body("b", slug="acme", owner={"email": "a@b.co"}, claimedAt=NOW.isoformat()))
        world.cluster.pools.drop("trial", world.cluster.pools.get("trial").metadata.uid)  # type: ignore[union-attr]  # it is there
        assert await self.pass_(world) == ["delete Tenant a"]


class TestHandlers:
    @pytest.fixture
    def clock(self) -> list[float]:
        return [0.0]

    @pytest.fixture
    def context(self, clock: list[float]) -> HandlerContext:
        return HandlerContext(Cluster(), WorkQueue[Key](lambda: clock[0]), ReconcileState(), Heartbeat())

    async def queued(self, context: HandlerContext) -> list[str]:
        """What can be worked on at this moment."""
        found = []
        with contextlib.suppress(TimeoutError):
            while True:
                key = await asyncio.wait_for(context.queue.get(), 0.01)
                context.queue.done(key)
                found.append(f"{key.kind} {key.name}")
        return found

    async def test_pools(self, context: HandlerContext) -> None:
        tenant_pool.observe(context, pool_of())
        tenant_pool.observe(context, pool_of())
        assert await self.queued(context) == ["TenantPool trial"]
        tenant_pool.forget(context, pool_of().metadata)
        assert await self.queued(context) == ["TenantPool trial"]
        assert context.cluster.pools.get("trial") is None

    async def test_a_spare_that_becomes_ready_is_counted_though_the_mirror_knew_it_first(
        self, context: HandlerContext, clock: list[float]
    ) -> None:
        tenants.observe(context, spare_of("a", ready=False))
        clock[0] += 0.2
        await self.queued(context)
        # The pass that proved it has put its own write into the mirror; then the watch tells.
        proven = spare_body("a")
        proven["metadata"]["resourceVersion"] = "6"
        context.cluster.tenants.put(Tenant.parse(proven))
        tenants.observe(context, Tenant.parse(proven))
        clock[0] += 0.1
        assert await self.queued(context) == ["TenantPool trial"]
        tenants.observe(context, Tenant.parse(proven))
        clock[0] += 0.1
        assert await self.queued(context) == []

    async def test_a_claim_is_worked_on_at_once_and_its_refill_within_a_tenth_of_a_second(
        self, context: HandlerContext, clock: list[float]
    ) -> None:
        tenants.observe(context, spare_of("a"))
        clock[0] += 1
        await self.queued(context)
        claimed = spare_body("a", slug="acme", owner={"email": "a@b.co"}, claimedAt=NOW.isoformat())
        claimed["metadata"] |= {"generation": 2, "resourceVersion": "6"}
        context.queue.add(Key("Tenant", "other"))
        tenants.observe(context, Tenant.parse(claimed))
        assert await self.queued(context) == ["Tenant a", "Tenant other"]
        clock[0] += 0.1
        assert await self.queued(context) == ["TenantPool trial"]

    async def test_a_spare_waits_a_moment_and_then_its_turn(self, context: HandlerContext, clock: list[float]) -> None:
        tenants.observe(context, spare_of("a"))
        waited_for = spare_body("b", slug="acme", owner={"email": "a@b.co"}, pool=None)
        del waited_for["status"]
        tenants.observe(context, Tenant.parse(waited_for))
        assert await self.queued(context) == ["Tenant b"]
        clock[0] += 0.2
        assert await self.queued(context) == ["TenantPool trial", "Tenant a"]


def test_a_pools_name_that_is_too_long_for_a_label_is_cut() -> None:
    long = TenantPool.parse({"metadata": {"name": "p" * 253}, "spec": {"plan": "trial", "size": 1}})
    meta = spare.build(long, IMAGE)["metadata"]
    assert len(meta["labels"][LABEL_POOL]) == 63
    assert len(meta["generateName"]) + 5 <= 63
