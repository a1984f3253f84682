import asyncio
from typing import Any, cast

import pytest
from reconcile.fakes import FakeKube
from unit.operator.waiting import until
from vivero_core.backends.kube.errors import KubeUnavailableError
from vivero_core.backends.kube.resources import LEASE
from vivero_operator import leader
from vivero_operator.errors import FencedError, LeadershipLostError
from vivero_operator.leader import DEADLINE_SECONDS, DURATION_SECONDS, Election


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def election(kube: FakeKube, clock: Clock, identity: str) -> Election:
    return Election(cast("Any", kube), "vivero-system", "vivero-operator", identity, clock)


async def holder(kube: FakeKube) -> str:
    lease = await kube.get(LEASE, "vivero-operator", "vivero-system")
    return str(lease["spec"]["holderIdentity"])


async def takes(one: Election) -> bool:
    """Whether it leads after some looks, however long they take."""
    acquiring = asyncio.create_task(one.acquire())
    for _ in range(20):
        await asyncio.sleep(2 * leader.LOOK_SECONDS)
        if acquiring.done():
            break
    acquiring.cancel()
    (ended,) = await asyncio.gather(acquiring, return_exceptions=True)
    return ended is None


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RENEW_SECONDS", 0.001)
    monkeypatch.setattr(leader, "LOOK_SECONDS", 0.001)


async def test_one_leads_and_the_other_waits(kube: FakeKube, clock: Clock) -> None:
    first, second = election(kube, clock, "first"), election(kube, clock, "second")
    assert await takes(first)
    assert not await takes(second)
    assert await holder(kube) == "first"


async def test_a_lease_that_does_not_change_is_taken_over(kube: FakeKube, clock: Clock) -> None:
    first, second = election(kube, clock, "first"), election(kube, clock, "second")
    assert await takes(first)
    assert not await takes(second)
    clock.now += DURATION_SECONDS + 1
    assert await takes(second)
    assert await holder(kube) == "second"
    lease = await kube.get(LEASE, "vivero-operator", "vivero-system")
    assert lease["spec"]["leaseTransitions"] == 1


async def test_a_renewed_lease_is_not_taken(kube: FakeKube, clock: Clock) -> None:
    first, second = election(kube, clock, "first"), election(kube, clock, "second")
    assert await takes(first)
    assert not await takes(second)
    clock.now += DURATION_SECONDS - 1
    assert await takes(first)  # renews
    clock.now += 2
    assert not await takes(second)


async def test_a_released_lease_is_free_at_once(kube: FakeKube, clock: Clock) -> None:
    first, second = election(kube, clock, "first"), election(kube, clock, "second")
    assert await takes(first)
    await first.release()
    assert await takes(second)
    await first.release()
    assert await holder(kube) == "second"


async def test_a_restarted_holder_goes_on(kube: FakeKube, clock: Clock) -> None:
    assert await takes(election(kube, clock, "pod-1"))
    assert await takes(election(kube, clock, "pod-1"))


async def test_holding_renews(kube: FakeKube, clock: Clock) -> None:
    first = election(kube, clock, "first")
    await first.acquire()
    kube.writes.clear()
    holding = asyncio.create_task(first.hold())
    await until(lambda: len(kube.writes) > 2)
    holding.cancel()


async def test_who_is_replaced_stops(kube: FakeKube, clock: Clock) -> None:
    first = election(kube, clock, "first")
    await first.acquire()
    lease = await kube.get(LEASE, "vivero-operator", "vivero-system")
    lease["spec"]["holderIdentity"] = "second"
    await kube.replace(lease)
    with pytest.raises(LeadershipLostError, match="another replica"):
        await asyncio.wait_for(first.hold(), 10)


async def test_who_cannot_renew_stops_in_time(kube: FakeKube, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    first = election(kube, clock, "first")
    await first.acquire()

    async def away(*_: object) -> None:
        clock.now += 3
        raise KubeUnavailableError("kubernetes", "no answer")

    monkeypatch.setattr(kube, "get", away)
    with pytest.raises(LeadershipLostError, match="in time"):
        await asyncio.wait_for(first.hold(), 10)
    assert clock.now <= DURATION_SECONDS
    await first.release()  # cannot be reached: logged, not raised


async def test_who_waits_while_the_api_server_is_away_starts_over(
    kube: FakeKube, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        clock.now += 3
        raise KubeUnavailableError("kubernetes", "no answer")

    monkeypatch.setattr(kube, "get", away)
    with pytest.raises(LeadershipLostError, match="does not respond"):
        await asyncio.wait_for(election(kube, clock, "first").acquire(), 10)


async def test_who_may_not_lead_any_more_writes_nothing(kube: FakeKube, clock: Clock) -> None:
    first, second = election(kube, clock, "first"), election(kube, clock, "second")
    with pytest.raises(FencedError):
        first.check()
    await first.acquire()
    first.check()
    assert not await takes(second)
    # The whole process stood still meanwhile: nothing has run that could have noticed.
    clock.now += DEADLINE_SECONDS + 0.1
    with pytest.raises(FencedError):
        first.check()
    assert not await takes(second), "no one else may begin before the first has stopped"
    clock.now += DURATION_SECONDS - DEADLINE_SECONDS
    assert await takes(second)
    second.check()
    with pytest.raises(LeadershipLostError):
        await asyncio.wait_for(first.hold(), 10)
    await second.release()
    with pytest.raises(FencedError):
        second.check()


async def test_two_that_create_at_once_do_not_both_lead(kube: FakeKube, clock: Clock) -> None:
    first, second = election(kube, clock, "first"), election(kube, clock, "second")
    results = await asyncio.gather(first._try(), second._try())  # noqa: SLF001  one attempt each, at the same moment
    assert sorted(results) == [False, True]
