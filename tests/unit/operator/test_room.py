"""A change of plan can always finish: the quota lets through what the Deployment's rollout needs, at every moment."""

import asyncio
import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from reconcile.fakes import FakeKube, merge
from reconcile.world import PLAN, SERVER, Object, World, tenant_body
from unit.operator.node import Node, canonical
from unit.operator.test_chart import PLANS
from vivero_core.backends.kube.resources import RESOURCE_QUOTA, Resource
from vivero_core.model.plan import Plan, Workload
from vivero_operator.instance import digest
from vivero_operator.policies.room import Room, parse, same

TICKS = 300
FOUND = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller example would take minutes


class Change:
    """One tenant whose plan is changed, with the operator and a Kubernetes that counts."""

    def __init__(self, workload: Object) -> None:
        self.world = World()
        self.world.put(SERVER)
        self.generation = 0
        self.world.put(tenant_body())
        self.node = Node(self.world, "tenant-u5g5446au3")
        self.plan = self.wish(workload)

    def wish(self, workload: Object) -> Plan:
        """The tenant gets another plan."""
        self.generation += 1
        name = f"plan-{digest(workload)}"
        body = merge(PLAN, {"metadata": {"name": name, "uid": name}, "spec": {"workload": workload}})
        self.world.put(body)
        self.world.put(
            merge(
                self.world.kube.objects["Tenant", None, "acme"],
                {"metadata": {"generation": self.generation}, "spec": {"plan": name}},
            )
        )
        self.plan = Plan.parse(body)
        return self.plan

    async def tick(self) -> None:
        await self.world.reconcile()
        self.node.tick()

    @property
    def done(self) -> bool:
        """All pods are as wanted, none of another size is left, and the quota is as small as the plan says."""
        size, quota = (
            self.plan.spec.workload,
            self.world.kube.objects.get(("ResourceQuota", "tenant-u5g5446au3", "app")),
        )
        living = [one for one in self.node.pods if one.ending is None]
        wanted = Room.of(size).hard()
        as_wanted = {one.revision for one in living} == {next(reversed(self.node.sets), "")}
        return (
            len(living) == size.replicas
            and all(one.ready for one in living)
            and as_wanted
            and self.is_like(living[0].requests, size)
            and quota is not None
            and all(same(quota["spec"]["hard"].get(key, "none"), value) for key, value in wanted.items())
            and quota["spec"]["hard"].keys() == wanted.keys()
            and self.ready == "True"
        )

    @staticmethod
    def is_like(requests: dict[str, Decimal], size: Workload) -> bool:
        return requests["requests.cpu"] == parse(size.cpu_request) and requests["limits.memory"] == parse(
            size.memory_limit
        )

    @property
    def ready(self) -> str:
        conditions = self.world.kube.objects["Tenant", None, "acme"].get("status", {}).get("conditions", [])
        return next((one["status"] for one in conditions if one["type"] == "Ready"), "none")

    async def finish(self) -> int:
        """Ticks that it took."""
        for tick in range(TICKS):
            if self.done:
                return tick
            await self.tick()
        pytest.fail(f"not finished: sets {self.node.sets}, pods {self.node.pods}, refused {self.node.refused}")


def size_of(plan: str) -> Object:
    return PLANS[plan].spec.workload.dump()


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(PLANS, 2)))
class TestShippedPlans:
    async def test_every_change_finishes(self, one: str, other: str) -> None:
        change = Change(size_of(one))
        await change.finish()
        change.wish(size_of(other))
        await change.finish()

    async def test_a_change_that_is_taken_back_in_the_middle(self, one: str, other: str) -> None:
        for ticks in range(1, 6):
            change = Change(size_of(one))
            await change.finish()
            await change.tick()  # it is settled, and that is remembered
            change.wish(size_of(other))
            for _ in range(ticks):
                await change.tick()
            change.wish(size_of(one))
            await change.finish()

    async def test_with_a_quota_that_a_person_took_away_in_the_middle(self, one: str, other: str) -> None:
        change = Change(size_of(one))
        await change.finish()
        change.wish(size_of(other))
        await change.tick()
        change.world.kube.objects.pop(("ResourceQuota", "tenant-u5g5446au3", "app"))
        change.world.state.suspect("2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11")
        await change.finish()


class SlowQuota(FakeKube):
    """Whatever is about the quota takes its time."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        for _ in range(100 if resource is RESOURCE_QUOTA else 0):
            await asyncio.sleep(0)
        return await super().get(resource, name, namespace)


@pytest.mark.parametrize(("one", "other"), [("trial", "enterprise"), ("enterprise", "trial")])
async def test_the_quota_comes_before_the_pods_on_the_way_up_and_after_them_on_the_way_down(
    one: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Change(size_of(one))
    await change.finish()
    monkeypatch.setattr(change.world.kube, "__class__", SlowQuota)
    change.wish(size_of(other))
    await change.tick()
    applied = [write.split()[1] for write in change.world.kube.writes if write.startswith("apply")]
    assert [kind for kind in applied if kind in ("ResourceQuota", "Deployment")] == (
        ["ResourceQuota", "Deployment"] if one == "trial" else ["Deployment"]
    )
    while not change.done:
        quota = change.world.kube.objects["ResourceQuota", "tenant-u5g5446au3", "app"]
        old = any(one.revision != next(reversed(change.node.sets)) for one in change.node.pods if one.ending is None)
        for plan in (one, other) if old else ():
            room = Room.of(PLANS[plan].spec.workload)
            assert Room.read(quota["spec"]["hard"]) == room.beside(Room.read(quota["spec"]["hard"]))
        await change.tick()


CPU = st.one_of(
    st.integers(1, 999_999).map(lambda value: f"{value}m"),
    st.decimals("0.001", "255", places=3).map(str),
)
MEMORY = st.one_of(
    st.integers(64, 1024 * 1024).map(lambda value: f"{value}Mi"),
    st.integers(1, 1000).map(lambda value: f"{value}Gi"),
    st.integers(1, 1000).map(lambda value: f"{value}G"),
    st.integers(68_000, 10**9 - 1).map(lambda value: f"{value}k"),
    st.sampled_from(["1.5Gi", "0.5Gi", "1.25Gi", "67108865", "999999999"]),
)


@st.composite
def workloads(draw: st.DrawFn) -> Object:
    """Any that the CRD takes: requests are not above limits, and a limit may be absent."""
    cpu = sorted([draw(CPU), draw(CPU)], key=parse)
    memory = sorted([draw(MEMORY), draw(MEMORY)], key=parse)
    found: Object = {"replicas": draw(st.integers(1, 6)), "cpuRequest": cpu[0]}
    found |= {"cpuLimit": cpu[1]} if draw(st.booleans()) else {"cpuLimit": None}
    return found | {"memoryRequest": memory[0], "memoryLimit": memory[1]}


class TestOwnPlans:
    @settings(max_examples=30, deadline=None, phases=FOUND)
    @given(st.lists(st.tuples(workloads(), st.integers(0, 6)), min_size=2, max_size=4), st.sets(st.integers(0, 12)))
    async def test_any_changes_one_after_the_other_finish(
        self, wishes: list[tuple[Object, int]], losses: set[int]
    ) -> None:
        change = Change(wishes[0][0])
        await change.finish()
        ticks = itertools.count()
        for workload, patience in wishes[1:]:
            change.wish(workload)
            for _ in range(patience):
                await change.tick()
                if next(ticks) in losses:
                    change.node.lose()
        await change.finish()

    @settings(max_examples=100)
    @given(workloads())
    def test_a_quota_is_read_as_it_was_written_however_the_api_server_prints_it(self, workload: Object) -> None:
        room = Room.of(Workload.model_validate(workload))
        printed = {key: canonical(value) for key, value in room.hard().items()}
        assert Room.read(printed) == room
        assert room.beside(Room.read(printed)).hard() == room.hard()

    @settings(max_examples=100)
    @given(workloads(), workloads())
    def test_room_for_both_holds_either(self, one: Object, other: Object) -> None:
        rooms = [Room.of(Workload.model_validate(each)) for each in (one, other)]
        hard = rooms[0].beside(rooms[1]).hard()
        for key, value in hard.items():
            for room in rooms:
                assert parse(value) >= parse(room.hard().get(key, "0"))
        bounded = {key for key in hard if key.startswith(("requests", "limits"))}
        assert bounded == {key for key in rooms[0].hard() if key in rooms[1].hard() and "." in key} - _NOTHING


_NOTHING = {"services.loadbalancers", "services.nodeports"}


@pytest.mark.parametrize(
    "hard", [{}, {"pods": "x"}, {"pods": "0"}, {"pods": "-1"}, {"pods": "2", "requests.cpu": "many"}, {"cpu": "1"}]
)
def test_a_quota_that_is_none_of_ours(hard: dict[str, Any]) -> None:
    assert Room.read(hard) is None


@pytest.mark.parametrize(
    ("text", "printed"),
    [("2000000000000", "2T"), ("1536Mi", "1536Mi"), ("2048Mi", "2Gi"), ("1000m", "1"), ("13000", "13k"), ("0", "0")],
)
def test_the_api_servers_words(text: str, printed: str) -> None:
    assert canonical(text) == printed
    assert same(text, printed)
