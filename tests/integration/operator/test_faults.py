"""The whole operator among faults: whatever strikes it, it reaches the end that it reaches undisturbed.

The harness is tests/faults. A failure prints its plan with the seed; `-k 'seed-<n>'` plays that one again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from faults import grounds
from faults.plan import EVENTS, MANY, ONE, READS, SERVICES, WRITES, Action, Fault, Outage, Plan, Verb, draw
from faults.play import Book, differences, play
from faults.rig import Rig, eventually
from faults.scenarios import (
    LARGE,
    SCENARIOS,
    SMALL,
    born,
    change,
    create,
    gone,
    new_slug,
    on_hosts,
    prepare_signup,
    ready,
    retire,
    suspended,
)
from faults.state import Names, diff, inventory
from faults.walk import Ground, walk
from faults.workspace import decoded
from vivero_core.backends.kube.resources import NAMESPACE, SECRET, SERVICE, TENANT
from vivero_core.model import naming

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLE = range(2)
WHOLE = range(6, 126)
APPLY = frozenset({Verb.APPLY})
CREATE = frozenset({Verb.CREATE})


def plan(scenario: str, *faults: Fault) -> Plan:
    """A plan that is written down, not drawn."""
    return Plan(0, scenario, faults)


def in_full(scenario: str, fault: Fault) -> Any:  # noqa: ANN401  pytest names no type for it
    return pytest.param(scenario, fault, marks=pytest.mark.full)


async def strikes(book: Book, scenario: str, *faults: Fault) -> None:
    """Every fault met a call, and the end was the same."""
    met = await play(book, plan(scenario, *faults))
    assert set(faults) <= set(met), f"never met: {[str(one) for one in faults if one not in met]}"


async def strikes_each(book: Book, scenario: str, fault: Callable[[int], Fault]) -> None:
    """One play for each call of the scenario, from its first to the one that never came."""
    nth = 1
    while await play(book, plan(scenario, fault(nth))):
        nth += 1
    assert nth > 1


# One of each class in every run; the rest of its cases with the whole sweep.
CRASHES = [
    ("claim", Fault(Action.KILL_BEFORE, resource="tenants/status")),
    in_full("birth", Fault(Action.KILL_AFTER, CREATE, "namespaces")),
    in_full("birth", Fault(Action.KILL_AFTER, APPLY, "secrets", nth=2)),
    in_full("death", Fault(Action.KILL_AFTER, frozenset({Verb.DELETE}), "namespaces")),
]


@pytest.mark.parametrize(("scenario", "fault"), CRASHES, ids=str)
async def test_a_crash_between_two_writes(book: Book, scenario: str, fault: Fault) -> None:
    await strikes(book, scenario, fault)


@pytest.mark.full
@pytest.mark.parametrize("action", [Action.KILL_BEFORE, Action.KILL_AFTER])
@pytest.mark.parametrize("scenario", list(SCENARIOS))
async def test_a_crash_at_every_write(book: Book, scenario: str, action: Action) -> None:
    await strikes_each(book, scenario, lambda nth: Fault(action, nth=nth))


async def test_a_list_from_the_past(book: Book) -> None:
    """After a crash the API server first shows the tenants as they were before the change."""
    await strikes(book, "change", Fault(Action.KILL_BEFORE), Fault(Action.STALE, MANY, "tenants"))


# What the operator has written since it read the object, it is not shown.
FORMER = [
    ("resume", Fault(Action.STALE, ONE, "deployments")),
    in_full("change", Fault(Action.STALE, ONE, "resourcequotas", nth=2)),
    in_full("suspend", Fault(Action.STALE, ONE, "ingresses", nth=3)),
]


@pytest.mark.parametrize(("scenario", "fault"), FORMER, ids=str)
async def test_an_object_from_the_past(book: Book, scenario: str, fault: Fault) -> None:
    """Of one object the API server shows what it showed the last time."""
    await strikes(book, scenario, fault)


@pytest.mark.full
async def test_a_namespace_that_is_not_there_yet(book: Book) -> None:
    """After a crash the API server does not know what the operator made before it."""
    first_said = Fault(Action.KILL_AFTER, frozenset({Verb.PATCH}), "tenants/status")
    await strikes(book, "birth", first_said, Fault(Action.STALE, ONE, "namespaces", nth=2))


@pytest.mark.full
async def test_a_watch_that_lags(book: Book) -> None:
    """While it is mute the operator acts on what it knows, and its own writes overtake the news."""
    await strikes(book, "claim", Fault(Action.MUTE, EVENTS, "tenants", seconds=3))


LOST = [
    ("birth", Fault(Action.LOSE, CREATE, "namespaces")),
    in_full("claim", Fault(Action.LOSE, resource="tenants/status")),
    in_full("suspend", Fault(Action.LOSE, resource="ingresses")),
]


@pytest.mark.parametrize(("scenario", "fault"), LOST, ids=str)
async def test_a_write_whose_answer_is_lost(book: Book, scenario: str, fault: Fault) -> None:
    await strikes(book, scenario, fault)


# Each read that decides whether something is made again, and each way of not saying that it is there.
ABSENCE = [
    ("change", Fault(Action.REFUSE, MANY, "secrets", status=500)),
    in_full("change", Fault(Action.REFUSE, ONE, "namespaces", times=2, status=503)),
    in_full("resume", Fault(Action.REFUSE, ONE, "deployments", status=429)),
    in_full("death", Fault(Action.REFUSE, ONE, "namespaces", status=504)),
]


@pytest.mark.parametrize(("scenario", "fault"), ABSENCE, ids=str)
async def test_an_error_is_no_absence(book: Book, scenario: str, fault: Fault) -> None:
    await strikes(book, scenario, fault)


# One of each kind of error that the client tells apart; all that say nothing about the object are one to it.
@pytest.mark.full
@pytest.mark.parametrize("status", [403, 409, 410, 429, 503])
@pytest.mark.parametrize("scenario", list(SCENARIOS))
async def test_every_read_may_fail(book: Book, scenario: str, status: int) -> None:
    await strikes_each(book, scenario, lambda nth: Fault(Action.REFUSE, READS, nth=nth, status=status))


@pytest.mark.full
@pytest.mark.parametrize("outage", list(Outage))
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("scenario", list(SCENARIOS))
async def test_any_service_may_fail(book: Book, scenario: str, service: str, outage: Outage) -> None:
    await play(book, plan(scenario, Fault(Action.OUTAGE, service=service, outage=outage, seconds=5)))


async def test_a_flip_that_nobody_saw(rig: Rig) -> None:
    """A → B → A while the watch is mute; what it then has to list says A."""
    names = await born(rig, new_slug())
    before = await rig.collector.collect(names)
    unseen = Fault(Action.EXPIRE, EVENTS, "tenants", seconds=1.5)
    async with rig.disturbed([unseen], names) as director:
        await change(rig, names, plan=LARGE, suspended={"reason": "Manual"}, **on_hosts(names.slug))
        await change(rig, names, plan=SMALL, suspended=None, **on_hosts(names.slug, "one"))
        assert await differences(rig, names, before, ready) == []
    assert [fault for fault, _ in director.met] == [unseen]
    assert await rig.writes_at_rest(names) == []
    await retire(rig, names)


@pytest.mark.full
async def test_a_tenant_that_comes_back_under_its_name(rig: Rig) -> None:
    """Deleted and made again at once; what the operator still does for the first must not touch the second."""
    first = await born(rig, new_slug())
    async with rig.disturbed([Fault(Action.MUTE, EVENTS, "tenants", seconds=1, times=3)], first):
        await rig.kube.delete(TENANT, first.tenant, uid=first.uid)
        await eventually(lambda: gone(rig, first))
        await prepare_signup(rig, first.slug)
        second = await create(rig, first.slug)
        await eventually(lambda: ready(rig, second))
    assert second.id != first.id
    assert [where for where, found in (await inventory(rig.kube, rig.servers)).items() if first.id in found] == []
    fresh = await born(rig, new_slug())
    assert diff(await rig.collector.collect(fresh), await rig.collector.collect(second)) == []
    for names in (second, fresh):
        await retire(rig, names)


async def test_a_child_that_comes_back_under_its_name(rig: Rig) -> None:
    """While the operator is away someone deletes a Service and makes another of that name, for other pods."""
    names = await born(rig, new_slug())
    before = await rig.collector.collect(names)
    namespace = naming.namespace_name(names.id)
    service = await rig.kube.get(SERVICE, "app", namespace)
    await rig.kube.delete(SERVICE, "app", namespace, uid=service["metadata"]["uid"])
    # Its port has no name, and so has ours no place beside it.
    stranger = {"selector": {"app": "other"}, "ports": [{"port": 81, "targetPort": 9999}]}
    meta = {"name": "app", "namespace": namespace}
    await rig.kube.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": stranger})
    rig.operator.kill()

    assert await differences(rig, names, before, ready) == []
    assert await rig.writes_at_rest(names) == []
    await retire(rig, names)


@pytest.mark.full
async def test_a_namespace_of_somebody_else_is_left_alone(rig: Rig) -> None:
    """It has the name that ours had, and none of our marks."""
    names = await born(rig, new_slug())
    namespace = naming.namespace_name(names.id)
    live = await rig.kube.get(NAMESPACE, namespace)
    async with rig.disturbed([Fault(Action.REFUSE, READS | WRITES, times=100_000, status=503)], names):
        await rig.kube.delete(NAMESPACE, namespace, uid=live["metadata"]["uid"])
        await eventually(lambda: vanished(rig, live["metadata"]["uid"]))
        await rig.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        stranger = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": namespace}}
        await rig.kube.create(stranger)
    rig.operator.kill()
    await eventually(lambda: complains(rig, names, "NamespaceConflict"))
    await retire(rig, names)
    await eventually(lambda: gone(rig, names))
    await rig.kube.get(SECRET, "theirs", namespace)
    uid = (await rig.kube.get(NAMESPACE, namespace))["metadata"]["uid"]
    await rig.kube.delete(NAMESPACE, namespace, uid=uid)


async def vanished(rig: Rig, uid: str) -> bool:
    return uid not in {one["metadata"]["uid"] for one in (await rig.kube.list(NAMESPACE)).items}


async def complains(rig: Rig, names: Names, reason: str) -> bool:
    status = (await rig.kube.get(TENANT, names.tenant))["status"]
    return any(one["type"] == "Ready" and one["reason"] == reason for one in status["conditions"])


async def test_what_a_spec_no_longer_says_leaves_the_children(rig: Rig) -> None:
    """An operator that only merges would keep the hosts, the suspension's page and the larger plan's limits."""
    plain = await born(rig, new_slug(), **on_hosts("none"))
    expected = await rig.collector.collect(plain)
    names = await born(rig, new_slug(), plan=LARGE)
    await change(rig, names, suspended={"reason": "Unpaid", "message": "Please pay."})
    await eventually(lambda: suspended(rig, names))
    await change(rig, names, plan=SMALL, suspended=None, **on_hosts("none"))
    await eventually(lambda: ready(rig, names))
    found = await rig.collector.collect(names)
    # That the limits were changed once is marked on purpose, for pods that started with others.
    limits = found["Secret tenant-<id>/limits"]["metadata"]
    limits["annotations"].pop("vivero.dev/limits")
    assert diff(expected, found) == []
    for one in (plain, names):
        await retire(rig, one)


async def walk_all(ground: Ground, names: Sequence[str] = ()) -> list[str]:
    """What was wrong at these leaves, or at all of them."""
    chosen = [leaf for leaf in ground.leaves if not names or str(leaf) in names]
    assert len(chosen) >= len(names)
    ground.rig.tally.leaves += len(chosen)
    return [problem for leaf in chosen for problem in await walk(ground, leaf)]


async def test_some_leaves_of_a_tenant(rig: Rig) -> None:
    ground = await grounds.tenant(rig)
    assert await walk_all(ground, ("slug", "hosts")) == []
    await grounds.leave(ground)


@pytest.mark.full
async def test_every_leaf_of_a_tenant(rig: Rig) -> None:
    ground = await grounds.tenant(rig)
    assert await walk_all(ground) == []
    await grounds.leave(ground)


@pytest.mark.full
async def test_every_leaf_of_a_plan(rig: Rig) -> None:
    ground = await grounds.plan(rig, "faults-walk")
    assert await walk_all(ground) == []
    await grounds.leave(ground)


@pytest.mark.full
async def test_every_leaf_of_a_database_server(rig: Rig) -> None:
    ground = await grounds.database_server(rig, "faults-server")
    assert await walk_all(ground) == []
    await grounds.leave(ground)


@pytest.mark.full
async def test_every_leaf_of_a_pool(rig: Rig) -> None:
    ground = await grounds.tenant_pool(rig, "faults-walk")
    assert await walk_all(ground) == []
    await grounds.leave(ground)


@pytest.mark.full
async def test_every_leaf_of_a_release(rig: Rig) -> None:
    ground = await grounds.release(rig)
    assert await walk_all(ground) == []
    await grounds.leave(ground)


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in SAMPLE])
async def test_a_plan_from_a_seed(book: Book, seed: int) -> None:
    await play(book, draw(seed, tuple(SCENARIOS)))


@pytest.mark.full
@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in WHOLE])
async def test_many_plans_from_seeds(book: Book, seed: int) -> None:
    await play(book, draw(seed, tuple(SCENARIOS)))


async def test_the_log_holds_no_bug_and_no_secret(rig: Rig) -> None:
    """After all of the above: what went wrong was told as what it is."""
    names = await born(rig, new_slug())
    listed = (await rig.kube.list(SECRET, naming.namespace_name(names.id))).items
    known = [value for one in listed for key, value in decoded(one).items() if len(value) == 64]
    assert known
    assert rig.complaints(known) == []
    await retire(rig, names)
