"""The start limiter: in any burst some are ready early, and a stuck start blocks no others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconcile.fakes import merge
from reconcile.world import NOW, World, tenant_body
from unit.operator.made import PAUSED, body
from vivero_core.model.constants import LABEL_SIGNUP, LABEL_TENANT
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant
from vivero_operator.handlers import tenants
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.start_limiter import (
    CALL_SECONDS,
    MAX_GROWTH,
    STUCK_SECONDS,
    SUCCESSES_PER_SLOT,
    StartLimiter,
)
from vivero_operator.reconcile.state import ReconcileState

Kind = Literal["customer", "signup", "spare"]


def tenant(name: str, kind: Kind = "customer", age: int = 0) -> Tenant:
    made = body("Tenant", name, {"slug": name}, creationTimestamp=(NOW - timedelta(seconds=age)).isoformat())
    if kind == "signup":
        made["metadata"]["labels"] = {LABEL_SIGNUP: "digest"}
    if kind == "spare":
        made["spec"] = {"displayName": "Spare", "plan": "trial", "pool": "trial"}
    return Tenant.parse(made)


class Door:
    """Starts with a clock of its own, and what it has called."""

    def __init__(self, at_once: int) -> None:
        self.now = 0.0
        self.called: list[str] = []
        self.limiter = StartLimiter(at_once, lambda: self.now)
        self.limiter.wake = self.called.append

    def ask(self, *wanted: Tenant) -> list[str]:
        """Those of them that may start."""
        return [one.name for one in wanted if self.limiter.may_start(one)]


class TestTurns:
    def test_no_more_at_once_than_asked_for_and_each_that_ends_calls_the_next(self) -> None:
        door = Door(2)
        a, b, c, d = (tenant(name, age=age) for name, age in (("a", 4), ("b", 3), ("c", 2), ("d", 1)))
        assert door.ask(a, b, c, d) == ["a", "b"]
        assert door.limiter.waiting == 2
        door.limiter.ended(b.metadata.uid)
        assert door.called == ["c"]
        assert door.ask(d, c) == ["c"]
        assert door.ask(a) == ["a"]  # it has begun; it may ask as often as it likes

    def test_customers_go_before_spares_and_older_ones_before_younger(self) -> None:
        door = Door(1)
        waiting = [tenant("spare", "spare", 90), tenant("young", age=10), tenant("old", age=20)]
        assert door.ask(tenant("first"), *waiting) == ["first"]
        door.limiter.ended("uid-first")
        assert door.called == ["old"]
        door.ask(*waiting)
        door.limiter.ended("uid-old")
        assert door.called[-1] == "young"

    def test_a_signup_waits_for_no_other_tenant(self) -> None:
        door = Door(2)
        assert door.ask(tenant("a"), tenant("b"), tenant("c")) == ["a", "b"]
        assert door.ask(tenant("s", "signup")) == ["s"]

    def test_of_many_signups_some_are_first_as_well(self) -> None:
        door = Door(2)
        signups = [tenant(f"s{number}", "signup", age=9 - number) for number in range(5)]
        assert door.ask(*signups) == ["s0", "s1"]
        door.limiter.ended("uid-s0")
        assert door.called == ["s2"]
        assert door.ask(tenant("plain", age=99)) == []  # all others wait for them

    def test_a_start_that_takes_too_long_gives_its_turn_away(self) -> None:
        door = Door(1)
        assert door.ask(tenant("stuck", age=9), tenant("next")) == ["stuck"]
        door.now = STUCK_SECONDS
        assert door.ask(tenant("next")) == []
        door.now += 0.1
        assert door.ask(tenant("next")) == ["next"]

    def test_one_that_is_stuck_does_not_take_every_turn_because_it_is_the_oldest(self) -> None:
        door = Door(1)
        stuck, other = tenant("stuck", age=9), tenant("other")
        assert door.ask(stuck, other) == ["stuck"]
        door.now = STUCK_SECONDS + 1
        assert door.ask(stuck) == []  # it is the one that finds out
        assert door.called == ["other"]
        assert door.ask(stuck, other, stuck) == ["other"]
        door.limiter.ended(other.metadata.uid)
        assert door.ask(stuck) == ["stuck"]

    def test_a_signup_that_is_stuck_goes_before_none(self) -> None:
        door = Door(1)
        stuck, plain = tenant("stuck", "signup"), tenant("plain")
        assert door.ask(stuck, plain) == ["stuck"]
        door.now = STUCK_SECONDS + 1
        assert door.ask(stuck, plain) == ["plain"]

    def test_a_turn_that_is_not_taken_passes_to_the_next(self) -> None:
        door = Door(1)
        gone, other = tenant("gone", age=9), tenant("other")
        door.ask(tenant("first"), gone, other)
        door.limiter.ended("uid-first")
        assert door.called == ["gone"]
        door.now = CALL_SECONDS
        assert door.ask(other) == []
        door.now += 0.1
        assert door.ask(other) == ["other"]
        assert door.called == ["gone"]
        # It is back: it waits for a turn like any other.
        door.limiter.ended(other.metadata.uid)
        assert door.ask(gone) == ["gone"]

    def test_the_clock_calls_the_next_without_a_question(self) -> None:
        door = Door(1)
        door.ask(tenant("stuck", age=9), tenant("silent", age=8), tenant("other"))
        door.now = STUCK_SECONDS + 1
        door.limiter.tick()
        assert door.called == ["silent"]
        door.now += CALL_SECONDS + 1
        door.limiter.tick()
        assert door.called == ["silent", "other"]

    def test_turns_that_are_not_taken_pass_to_the_next_but_one(self) -> None:
        door = Door(1)
        door.ask(tenant("first"), tenant("gone", age=9), tenant("too", age=8), tenant("other"))
        door.limiter.ended("uid-first")
        door.now = CALL_SECONDS + 1
        assert door.ask(tenant("other")) == []
        assert door.called == ["gone", "too"]
        door.now += CALL_SECONDS + 1
        assert door.ask(tenant("other")) == ["other"]

    @pytest.mark.parametrize("called", [True, False])
    def test_one_that_goes_while_it_waits_leaves_its_place_to_the_next(self, *, called: bool) -> None:
        door = Door(1)
        door.ask(tenant("first"), tenant("gone", age=9), tenant("other"))
        if called:
            door.limiter.ended("uid-first")
            door.called.clear()
        door.limiter.ended("uid-gone")
        if not called:
            door.limiter.ended("uid-first")
        assert door.called == ["other"]

    def test_what_never_asked_ends_without_a_call(self) -> None:
        door = Door(1)
        door.ask(tenant("a"), tenant("b"))
        door.limiter.ended("uid-unknown")
        assert door.called == []


Fate = Literal["works", "stuck", "gone", "refused", "silent"]


@dataclass
class Starter:
    """A tenant of a simulated burst. The processor is shared: of k that start each does 1/k of its work a second."""

    tenant: Tenant
    fate: Fate
    left: float = 3.0
    begun: bool = False
    served_at: int | None = None
    asks_at: int = 0


@dataclass
class Burst:
    door: Door
    starters: dict[str, Starter]
    second: int = 0
    order: list[str] = field(default_factory=list)

    def step(self) -> None:
        self.door.now = float(self.second)
        if self.second % int(CALL_SECONDS) == 0:
            self.door.limiter.tick()
        woken, self.door.called[:] = set(self.door.called), []
        for name, one in self.starters.items():
            # All ask again with the resync, whatever they were told.
            if one.served_at is None and (name in woken or self.second >= one.asks_at):
                self._ask(one)
        busy = [one for one in self.starters.values() if one.begun and one.fate == "works" and one.served_at is None]
        for one in busy:
            one.left -= 1 / len(busy)
            if one.left <= 0:
                one.served_at = self.second
                self.door.limiter.answered(one.tenant.metadata.uid)
        self.second += 1

    def _ask(self, one: Starter) -> None:
        one.asks_at = self.second + 600
        if one.fate == "silent" and self.second > 0:
            return  # it was paused, or cannot be read: it does not come for its turn
        if not one.begun and self.door.limiter.may_start(one.tenant):
            self._begin(one)
        elif one.begun and one.fate == "stuck":
            self.door.limiter.may_start(one.tenant)
            one.asks_at = self.second + 1

    def _begin(self, one: Starter) -> None:
        if one.fate == "silent":
            one.fate = "works"  # it had its turn before it fell silent
        one.begun = one.fate != "refused"
        self.order.append(one.tenant.name)
        if one.fate in ("gone", "refused"):
            self.door.limiter.ended(one.tenant.metadata.uid)
            one.served_at = self.second


KINDS: Sequence[Kind] = ("customer", "signup", "spare")


@st.composite
def bursts(draw: st.DrawFn) -> tuple[Burst, int]:
    at_once = draw(st.integers(1, 6))
    count = draw(st.integers(1, 25))
    fates: Sequence[Fate] = ("works", "works", "works", "works", "stuck", "gone", "refused", "silent")
    made = [
        Starter(tenant(f"t{one}", draw(st.sampled_from(KINDS)), count - one), draw(st.sampled_from(fates)))
        for one in range(count)
    ]
    return Burst(Door(at_once), {one.tenant.name: one for one in made}), at_once


class TestBurst:
    @settings(max_examples=40, deadline=None)
    @given(bursts())
    def test_all_that_can_start_are_served_whatever_the_others_do(self, made: tuple[Burst, int]) -> None:
        burst, _ = made
        for _ in range(900):
            burst.step()
        late = [name for name, one in burst.starters.items() if one.fate == "works" and one.served_at is None]
        assert late == []

    @pytest.mark.parametrize("count", [6, 30, 300])
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_first_is_served_as_soon_however_many_there_are(self, count: int, kind: Kind) -> None:
        made = [Starter(tenant(f"t{one:03}", kind, count - one), "works") for one in range(count)]
        burst = Burst(Door(6), {one.tenant.name: one for one in made})
        for _ in range(30):
            burst.step()
        served = [one.served_at for one in made if one.served_at is not None]
        assert min(served) <= 3.0 * 6  # its own work, while five others work beside it
        assert [one.name for one in (each.tenant for each in made[: len(burst.order)])] == burst.order

    @settings(max_examples=40, deadline=None)
    @given(bursts())
    def test_never_more_than_asked_for(self, made: tuple[Burst, int]) -> None:
        burst, at_once = made
        for _ in range(60):
            burst.step()
            begun = set(burst.door.limiter._begun)  # noqa: SLF001  what is limited
            signups = {uid for uid in begun if LABEL_SIGNUP in burst.starters[uid[4:]].tenant.metadata.labels}
            assert len(signups) <= at_once
            assert len(begun - signups) <= at_once * MAX_GROWTH
            if len(burst.order) <= at_once:
                assert len(begun - signups) <= at_once


LONG = SUCCESSES_PER_SLOT * 2 * MAX_GROWTH
"""So many have started well when as many as may be start at once, with two at first."""


class TestGrowth:
    def many(self, count: int) -> list[Tenant]:
        return [tenant(f"t{number:03}", age=999 - number) for number in range(count)]

    def serve(
        self,
        door: Door,
        waiting: list[Tenant],
        count: int,
        end: Callable[[StartLimiter, str], None] = StartLimiter.answered,
    ) -> list[str]:
        """All ask; the first of those that start end in that way until `count` have; who is left in their start."""
        busy = door.ask(*waiting)
        for _ in range(count):
            done = busy.pop(0)
            end(door.limiter, f"uid-{done}")
            woken, door.called[:] = set(door.called), []
            busy += door.ask(*(one for one in waiting if one.name in woken))
        return busy

    def test_a_long_queue_that_goes_well_is_served_in_growing_groups(self) -> None:
        for ended, busy in ((0, 2), (SUCCESSES_PER_SLOT - 1, 2), (SUCCESSES_PER_SLOT, 3), (LONG, 2 * MAX_GROWTH)):
            assert len(self.serve(Door(2), self.many(LONG * 2), ended)) == busy

    def test_starts_that_fail_make_room_and_let_no_more_begin(self) -> None:
        assert len(self.serve(Door(2), self.many(LONG * 2), LONG, StartLimiter.ended)) == 2

    def test_a_pod_that_answers_too_late_counts_for_nothing(self) -> None:
        door, waiting = Door(2), self.many(LONG * 2)
        self.serve(door, waiting, SUCCESSES_PER_SLOT - 1)
        (late,) = door.ask(waiting[SUCCESSES_PER_SLOT])
        door.now = STUCK_SECONDS + 1
        door.limiter.answered(f"uid-{late}")
        assert len(door.ask(*waiting[SUCCESSES_PER_SLOT + 1 :])) == 2

    def test_a_start_that_is_stuck_ends_the_growth(self) -> None:
        door, waiting = Door(2), self.many(LONG * 2)
        busy = self.serve(door, waiting, LONG)
        door.now = STUCK_SECONDS + 1
        door.limiter.tick()
        woken, door.called[:] = set(door.called), []
        assert len(woken) == 2
        assert len(busy) == 2 * MAX_GROWTH

    def test_a_signup_that_starts_keeps_the_others_few(self) -> None:
        door, waiting = Door(2), self.many(LONG * 2)
        busy = self.serve(door, waiting, LONG)
        assert door.ask(tenant("person", "signup")) == ["person"]
        for name in busy[:-2]:
            door.limiter.ended(f"uid-{name}")
            assert door.called == []  # two and the signup are left
        door.limiter.ended("uid-person")
        assert len(door.called) > 0

    def test_a_new_burst_begins_as_the_first_did(self) -> None:
        door = Door(2)
        for name in self.serve(door, self.many(20), 18):
            door.limiter.ended(f"uid-{name}")
        assert door.limiter.waiting == 0
        assert len(door.ask(*(tenant(f"later{number}", age=9 - number) for number in range(9)))) == 2


class TestQueue:
    @given(
        st.lists(st.tuples(st.integers(0, 9), st.sampled_from(KINDS), st.integers(0, 3), st.booleans()), max_size=60)
    )
    def test_it_is_in_order_whatever_comes_and_goes(self, moves: list[tuple[int, Kind, int, bool]]) -> None:
        """Each may come again with another order, or as another kind."""
        limiter, known = StartLimiter(1), dict[str, tuple[bool, Any]]()
        limiter.may_start(tenant("first"))
        for number, kind, age, goes in moves:
            one = tenant(f"t{number}", kind, age)
            uid = one.metadata.uid
            if goes:
                limiter.ended(uid)
                known.pop(uid, None)
                continue
            waits = not limiter.may_start(one)
            if waits:
                known[uid] = (kind == "signup", limiter._sort_key(one))  # noqa: SLF001  what it is to be sorted by
            else:
                known.pop(uid, None)
        assert limiter.waiting == len(known)
        for signup in (True, False):
            found = [uid for uid, _ in limiter._queue.in_order(signup=signup)]  # noqa: SLF001  what is sorted
            assert found == sorted((uid for uid in known if known[uid][0] == signup), key=lambda uid: known[uid][1])


class TestSlotsReturn:
    """Every way in which a Tenant stops to start gives its place to another: through the reconciler and the watch."""

    def world(self) -> tuple[World, list[str]]:
        world, called = World(), list[str]()
        limiter = world.services.start_limiter
        limiter._at_once = 1  # noqa: SLF001  to be asked for one at a time
        limiter.wake = called.append
        return world, called

    async def begin(self, world: World, **how: Any) -> None:  # noqa: ANN401  parts of a manifest
        """`acme` has its turn, `next` waits for it."""
        self.put(world, "acme")
        await world.reconcile("acme")
        self.put(world, "next", uid="uid-next", slug="next")
        await world.reconcile("next")
        assert world.services.start_limiter.waiting == 1
        if how:
            world.put(merge(tenant_body("acme"), how))

    def put(self, world: World, name: str, uid: str | None = None, **spec: Any) -> None:  # noqa: ANN401  a spec
        made = tenant_body(name, **spec)
        if uid is not None:
            made["metadata"]["uid"] = uid
        for kind, known in (("Plan", "trial"), ("DatabaseServer", "main")):
            world.put(body(kind, known))
        world.put(made)

    async def test_those_that_wait_are_told_so_once_however_many_come_after_them(self) -> None:
        world, _ = self.world()
        await self.begin(world)
        world.now = NOW + timedelta(minutes=5)
        await world.reconcile("next")
        told = (await world.tenant("next")).status.conditions
        assert [one.reason for one in told if one.type == "Ready"] == ["WaitingForTurn"]
        for number in range(3):
            self.put(world, f"more{number}", uid=f"uid-more{number}", slug=f"more{number}")
            await world.reconcile(f"more{number}")
            await world.reconcile("next")
            assert world.kube.writes == []

    @pytest.mark.parametrize(
        "how",
        [
            {"metadata": {"annotations": PAUSED}},
            {"spec": {"plan": "nosuch"}},
            {"spec": {"suspended": {"reason": "Manual"}}},
            {"metadata": {"deletionTimestamp": NOW.isoformat()}},
        ],
        ids=["paused", "refused", "suspended", "deleted"],
    )
    async def test_what_a_person_does_to_one_that_starts(self, how: dict[str, Any]) -> None:
        world, called = self.world()
        await self.begin(world, **how)
        await world.reconcile("acme")
        assert called == ["next"]

    @pytest.mark.parametrize("answers", [True, False])
    async def test_only_a_pod_that_answers_counts(self, monkeypatch: pytest.MonkeyPatch, *, answers: bool) -> None:
        world, _ = self.world()
        counted = list[str]()
        monkeypatch.setattr(world.services.start_limiter, "answered", counted.append)
        await self.begin(world, **({} if answers else {"spec": {"plan": "nosuch"}}))
        if answers:
            self.put_pod(world)
        await world.reconcile("acme")
        assert bool(counted) is answers

    def put_pod(self, world: World) -> None:
        """One that is ready, of the tenant that has begun."""
        (namespace,) = {where for kind, where, _ in world.kube.objects if kind == "Deployment"}
        labels = {LABEL_TENANT: str(namespace).removeprefix("tenant-")}
        status = {"podIP": "10.0.0.9", "conditions": [{"type": "Ready", "status": "True"}]}
        world.put(
            {"kind": "Pod", "metadata": {"name": "app-1", "namespace": namespace, "labels": labels}, "status": status}
        )

    async def test_one_whose_pod_answers_is_finished_beside_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its proof takes no node's time, and on a busy platform seconds."""
        world, called = self.world()
        await self.begin(world)
        before: list[list[str]] = []
        proof = world.data_plane.proof

        async def asked(*arguments: Any) -> Any:  # noqa: ANN401  as it is
            before.append(list(called))
            return await proof(*arguments)

        monkeypatch.setattr(world.data_plane, "proof", asked)
        self.put_pod(world)
        await world.reconcile("acme")
        assert before == [["next"]]

    def context(self, limiter: StartLimiter) -> HandlerContext:
        return HandlerContext(Cluster(), WorkQueue[Key](), ReconcileState(), Heartbeat(), gone=limiter.ended)

    def test_a_finalizer_that_was_taken_away(self) -> None:
        door = Door(1)
        context = self.context(door.limiter)
        begun, waiting = tenant("begun", age=9), tenant("waiting")
        tenants.observe(context, begun)
        door.ask(begun, waiting)
        tenants.forget(context, begun.metadata)
        assert door.called == ["waiting"]

    def test_one_that_waits_and_has_no_finalizer_yet(self) -> None:
        door = Door(1)
        context = self.context(door.limiter)
        door.ask(tenant("begun"), tenant("gone", age=9), tenant("waiting"))
        tenants.forget(context, tenant("gone").metadata)
        door.limiter.ended("uid-begun")
        assert door.called == ["waiting"]

    async def test_one_that_cannot_be_read_any_more(self) -> None:
        world, called = self.world()
        await self.begin(world)
        odd = world.cluster.tenants.get("acme")
        assert odd is not None
        world.cluster.put_unreadable("Tenant", Unreadable(odd.metadata, {}, "spec: odd"))
        # It does not come by any more. Its turn ends by itself.
        limiter = world.services.start_limiter
        limiter._clock = lambda: STUCK_SECONDS + 1  # noqa: SLF001  time passes
        waiting = world.cluster.tenants.get("next")
        assert waiting is not None
        assert limiter.may_start(waiting)
        assert "next" in called
