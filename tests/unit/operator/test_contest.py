"""A fight with another controller: it is told of, and not won by speed; all else of the tenant goes on as ever."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.scenes import IDENT, NAMESPACE, again, body, change, condition, events, serving
from reconcile.world import World
from vivero_operator.health import Heartbeat
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.state import (
    CONTEST_FROM,
    CONTEST_LONGEST,
    CONTEST_LONGEST_URGENT,
    CONTEST_SECONDS,
    ReconcileState,
)

DEPLOYMENT = ("Deployment", NAMESPACE, "app")
POLICY = ("NetworkPolicy", NAMESPACE, "app")
SERVICE = ("Service", NAMESPACE, "app")


def scale(world: World) -> None:
    """As an autoscaler that was told about the wrong Deployment."""
    world.kube.objects[DEPLOYMENT]["spec"]["replicas"] = 0


def open_up(world: World) -> None:
    world.kube.objects[POLICY]["spec"]["policyTypes"] = []


def foreign(world: World) -> None:
    meta = {"name": "allow-all", "namespace": NAMESPACE}
    world.kube.put({"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": meta, "spec": {}})


def take_away(world: World) -> None:
    world.kube.objects.pop(SERVICE, None)


async def fight(world: World, hand: Any, seconds: int, every: int = 1) -> list[int]:  # noqa: ANN401  an act on the world
    """The other one acts as soon as it is corrected, and a pass comes each second: the seconds of the corrections."""
    corrected = []
    for second in range(0, seconds, every):
        hand(world)
        world.now += timedelta(seconds=every)
        await again(world)
        if any(("apply" in one or "delete" in one) and "Secret" not in one for one in world.kube.writes):
            corrected.append(second)
    return corrected


@pytest.mark.parametrize(
    ("hand", "longest"),
    [
        (scale, CONTEST_LONGEST),
        (open_up, CONTEST_LONGEST_URGENT),
        (foreign, CONTEST_LONGEST_URGENT),
    ],
)
async def test_the_pauses_grow_to_a_bound(hand: Any, longest: float) -> None:  # noqa: ANN401
    world = await serving()
    seconds = int(7 * longest)
    corrected = await fight(world, hand, seconds)
    pauses = [later - earlier for earlier, later in pairwise(corrected)]
    assert pauses[: CONTEST_FROM - 1] == [1] * (CONTEST_FROM - 1), "an accident or two are corrected at once"
    assert pauses == sorted(pauses)
    assert max(pauses) <= longest
    assert len(corrected) < seconds / longest + 12
    assert pauses[-1] >= longest


async def test_a_warning_says_what_and_when() -> None:
    world = await serving()
    await fight(world, scale, CONTEST_FROM - 1)
    assert not any("DriftContested" in one for one in events(world))
    await fight(world, scale, 1)
    (warning,) = [one for one in events(world) if one.startswith("Warning DriftContested")]
    assert (
        "Drift recurs after each correction, probably because of another controller or a script: Deployment/app"
        in warning
    )
    assert "Corrections back off, the next one in about 2 s" in warning


async def test_the_pass_comes_back_when_it_may_correct_again() -> None:
    world = await serving()
    await fight(world, scale, CONTEST_FROM)
    scale(world)
    world.state.suspect(body(world)["metadata"]["uid"])
    result = await world.reconcile()
    assert world.kube.objects[DEPLOYMENT]["spec"]["replicas"] == 0
    assert result.retry_after == 2.0
    world.now += timedelta(seconds=result.retry_after)
    await world.reconcile()
    assert world.kube.objects[DEPLOYMENT]["spec"]["replicas"] == 1


async def test_other_things_are_corrected_at_once() -> None:
    world = await serving()
    await fight(world, scale, 60)
    scale(world)
    take_away(world)
    await again(world)
    assert SERVICE in world.kube.objects
    assert world.kube.objects[DEPLOYMENT]["spec"]["replicas"] == 0


async def test_what_is_not_there_comes_back_at_once_and_is_told_of() -> None:
    """Ready must not be said of a tenant without its Service; looks that a watch asks for are slowed down."""
    world = await serving()
    assert len(await fight(world, take_away, 20)) == 20
    assert any("DriftContested" in one and "Service/app" in one for one in events(world))
    assert world.state.backoff(body(world)["metadata"]["uid"]) == CONTEST_LONGEST_URGENT


async def test_what_a_person_orders_is_done_at_once() -> None:
    """A new spec is another content, whatever others make of the old one."""
    world = await serving()
    await fight(world, scale, 60)
    scale(world)
    change(world, suspended={"reason": "Unpaid"})
    await world.reconcile()
    assert condition(world, "Suspended") == "True Unpaid"
    change(world, suspended=None)
    await world.reconcile()
    assert world.kube.objects[DEPLOYMENT]["spec"]["replicas"] == 1


async def test_when_the_other_one_gives_in_it_is_forgotten() -> None:
    world = await serving()
    await fight(world, scale, 60)
    world.now += timedelta(seconds=CONTEST_SECONDS)
    assert await fight(world, scale, 3) == [0, 1, 2]


async def test_a_look_at_a_contested_tenant_waits_a_little() -> None:
    world = await serving()
    await fight(world, scale, CONTEST_FROM)
    clock = [0.0]
    context = HandlerContext(world.cluster, WorkQueue[Key](lambda: clock[0]), world.state, Heartbeat())
    context.suspect(IDENT)
    assert len(context.queue) == 0
    clock[0] += CONTEST_LONGEST_URGENT
    assert (await context.queue.get()).name == "acme"


async def test_others_are_not_slowed_down() -> None:
    world = await serving()
    await fight(world, scale, CONTEST_FROM)
    assert world.state.backoff("uid of another") == 0.0


class TestPauses:
    @given(st.lists(st.floats(0.1, 400), max_size=40), st.booleans())
    def test_they_are_bounded_and_only_for_what_is_frequent(self, gaps: list[float], urgent: bool) -> None:  # noqa: FBT001
        now = [0.0]
        state = ReconcileState(lambda: now[0])
        times: list[float] = []
        for gap in gaps:
            now[0] += gap
            times.append(now[0])
            pause = state.corrected("u", "Service app", urgent=urgent)
            recent = sum(now[0] - one < CONTEST_SECONDS for one in times)
            assert (pause > 0) == (recent >= CONTEST_FROM)
            assert pause <= (CONTEST_LONGEST_URGENT if urgent else CONTEST_LONGEST)
            assert state.pause("u", "Service app", urgent=urgent) == pause
            assert state.backoff("u") <= CONTEST_LONGEST_URGENT
            assert state.pause("u", "another", urgent=urgent) == 0.0

    def test_they_end(self) -> None:
        now = [0.0]
        state = ReconcileState(lambda: now[0])
        for _ in range(CONTEST_FROM):
            state.corrected("u", "Service app", urgent=False)
        assert state.backoff("u") == 2.0
        now[0] += 1.5
        assert state.backoff("u") == 0.5
        now[0] += 1.0
        assert state.backoff("u") == 0.0

    def test_what_is_gone_is_forgotten(self) -> None:
        state = ReconcileState(lambda: 0.0)
        for _ in range(CONTEST_FROM):
            state.corrected("u", "Service app", urgent=False)
        state.expected("u", "Ingress hosts")
        state.told("u", "database", "digest")
        state.since_begin("u")
        state.drop("u")
        assert state.backoff("u") == 0.0
        assert not state.expected("u", "Ingress hosts")
        assert state.told("u", "database", "digest") is None


class TestReconcileState:
    def test_what_a_server_was_told(self) -> None:
        state = ReconcileState(lambda: 0.0)
        assert [state.told("u", "database", one) for one in ("a", "a", "b", "b")] == [None, True, False, True]
        state.expect_news("u", "database")
        assert [state.told("u", "database", "b"), state.told("u", "cache", "b")] == [False, None]

    def test_what_it_expects(self) -> None:
        state = ReconcileState(lambda: 0.0)
        assert [state.expected("u", "Ingress hosts") for _ in range(2)] == [False, True]
        assert not state.expected("other", "Ingress hosts")
        state.expect_no_more("u", "Ingress hosts")
        state.expect_no_more("unknown", "Ingress hosts")
        assert not state.expected("u", "Ingress hosts")

    def test_since_when_it_begins(self) -> None:
        now = [5.0]
        state = ReconcileState(lambda: now[0])
        assert state.since_begin("u") == timedelta()
        now[0] = 8.0
        assert state.since_begin("u") == timedelta(seconds=3)
        state.begin_again("u")
        assert state.since_begin("u") == timedelta()
