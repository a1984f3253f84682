"""What is remembered of objects: never an older state than was known, never one that is gone; and no key of one forever."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconcile.world import World
from unit.operator.made import KIND_SPECS, KINDS, body
from unit.operator.test_unreadable import odd_body
from unit.operator.waiting import until
from vivero_core.model.plan import Plan
from vivero_operator.handlers import dispatch
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile import mirror as mirrors
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import ORPHAN, Controller, Key, Reconcile, Result
from vivero_operator.reconcile.mirror import Mirror
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import ReconcileState

NAMES = ["a", "b"]


def version(name: str, uid: str, number: int) -> Plan:
    return Plan.parse(body("Plan", name, {"displayName": f"v{number}"}, uid=uid, resourceVersion=str(number)))


@dataclass
class Server:
    """What the API server holds, what it tells its watch, and what it answers to writes."""

    live: dict[str, Plan] = field(default_factory=dict)
    told: list[tuple[str, Plan]] = field(default_factory=list)
    answers: list[Plan] = field(default_factory=list)
    number: int = 0

    def write(self, name: str) -> None:
        """Made, or changed."""
        self.number += 1
        before = self.live.get(name)
        self.live[name] = version(name, before.metadata.uid if before else f"uid-{self.number}", self.number)
        self.told.append(("PUT", self.live[name]))
        self.answers.append(self.live[name])

    def delete(self, name: str) -> None:
        self.number += 1
        if name in self.live:
            self.told.append(("DELETED", self.live.pop(name)))


def traits(plan: Plan) -> set[str]:
    return {plan.metadata.uid, plan.spec.display_name}


class Checked:
    """A mirror that is looked at after every message."""

    def __init__(self) -> None:
        self.mirror = Mirror(traits)
        self.seen: dict[str, int] = {}

    def put(self, plan: Plan) -> None:
        self.mirror.put(plan)
        self.check()

    def drop(self, plan: Plan) -> None:
        self.mirror.drop(plan.name, plan.metadata.uid)
        self.check()

    def check(self) -> None:
        items = list(self.mirror)
        assert len(self.mirror) == len(items)
        for one in items:
            number = int(one.metadata.resource_version)
            assert number >= self.seen.get(one.name, 0), "an older state replaced a newer one"
            self.seen[one.name] = number
            assert all(one in self.mirror.having(trait) for trait in traits(one))
        assert sum(len(self.mirror.having(trait)) for trait in self.mirror._having) == 2 * len(items)  # noqa: SLF001  each has two


class TestMirror:
    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(["write", "write", "delete"]), st.sampled_from(NAMES)), max_size=20),
        st.lists(st.integers(0, 30), max_size=20),
    )
    def test_late_answers_change_nothing(self, history: list[tuple[str, str]], delays: list[int]) -> None:
        """The watch tells in order; an answer to a write of ours may come at any time after it, before the watch or late."""
        server, checked = Server(), Checked()
        for action, name in history:
            getattr(server, action)(name)
        waiting = list(zip(delays, server.answers, strict=False))
        for position, (change, plan) in enumerate(server.told):
            # An answer is given when the write is made, so never before what the watch told of older ones.
            due = [one for one in waiting if _moment(server, one[1]) + one[0] <= position]
            waiting = [one for one in waiting if one not in due]
            for _, answer in due:
                checked.put(answer)
            (checked.drop if change == "DELETED" else checked.put)(plan)
        for _, answer in waiting:
            checked.put(answer)
        assert {one.name: one.metadata.resource_version for one in checked.mirror} == {
            name: one.metadata.resource_version for name, one in server.live.items()
        }

    def test_a_late_answer_of_a_predecessor(self) -> None:
        mirror: Mirror[Plan] = Mirror()
        first, second = version("a", "first", 1), version("a", "second", 5)
        mirror.put(first)
        mirror.drop("a", "first")
        assert mirror.put(version("a", "first", 2)) is None
        assert mirror.get("a") is None
        mirror.put(second)
        mirror.put(version("a", "first", 3))
        assert mirror.get("a") is second
        mirror.drop("a", "first")  # told again
        assert mirror.get("a") is second

    def test_no_more_of_the_gone_are_remembered_than_may_be_on_their_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mirrors, "REMEMBERED_GONE", 3)
        mirror: Mirror[Plan] = Mirror()
        for number in range(5):
            mirror.drop("a", f"uid-{number}")
        assert list(mirror._gone) == ["uid-2", "uid-3", "uid-4"]  # noqa: SLF001  what is bounded

    def test_it_may_change_while_it_is_looked_through(self) -> None:
        mirror: Mirror[Plan] = Mirror()
        for name in ("a", "b"):
            mirror.put(version(name, name, 1))
        for one in mirror:
            mirror.drop(one.name, one.metadata.uid)
        assert len(mirror) == 0


def _moment(server: Server, answer: Plan) -> int:
    """Where in what the watch tells the write stands."""
    return next(place for place, (_, plan) in enumerate(server.told) if plan is answer)


class Running:
    """A controller over a context, with a clock of its own; what it worked on is noted."""

    def __init__(self) -> None:
        self.now, self.worked = 0.0, list[Key]()
        self.queue = WorkQueue[Key](lambda: self.now)
        self.world = World()
        self.context = HandlerContext(self.world.cluster, self.queue, ReconcileState(), Heartbeat())
        reconcilers: dict[str, Reconcile] = {kind: self._reconciler(kind) for kind in (*KIND_SPECS, ORPHAN)}
        self.controller = Controller(self.queue, reconcilers, concurrency=4, resync_seconds=600)
        self.failing = False

    def _reconciler(self, kind: str) -> Reconcile:
        async def reconcile(name: str) -> Result:
            self.worked.append(Key(kind, name))
            there = kind in KINDS and self.context.cluster.of(KINDS[kind]).get(name) is not None
            there = there or (kind, name) in self.world.cluster.unreadable
            return Result(failed=self.failing and there, gone=not there)

        return reconcile

    async def rest(self) -> list[Key]:
        """What is worked on until nothing is to be done at this moment."""
        self.worked.clear()
        self.queue._changed.set()  # noqa: SLF001  the clock of this queue was moved by hand
        for _ in range(3):
            await asyncio.sleep(0.005)
            await until(lambda: self.queue.idle)
        return list(self.worked)

    async def hours(self, count: int) -> set[Key]:
        """What is worked on in this time."""
        found = set()
        for _ in range(count):
            self.now += 3600
            found |= set(await self.rest())
        return found


Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("make", [partial(body, name="odd"), odd_body], ids=["readable", "unreadable"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("failing", [True, False])
async def test_a_key_of_what_is_gone_is_worked_on_no_more(kind: str, make: Make, *, failing: bool) -> None:
    running = Running()
    running.failing = failing
    task = asyncio.create_task(running.controller.run())
    made = make(kind, resourceVersion="1")
    dispatch.handle(running.context, KIND_SPECS[kind], "ADDED", made)
    assert Key(kind, "odd") in await running.hours(2)  # it comes by again and again
    dispatch.handle(running.context, KIND_SPECS[kind], "DELETED", made)
    await running.rest()
    assert Key(kind, "odd") not in await running.hours(3)
    assert running.controller._failures == {}  # noqa: SLF001  nothing is remembered of it
    assert running.context.wants == {}
    task.cancel()
    await asyncio.wait({task})
