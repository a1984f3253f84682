"""The reconcile of a Release: what it writes, whom it moves, when it halts; and whole rollouts of random tenants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconcile.world import NOW, Object, World
from unit.operator.made import PAUSED, body, served, starting
from vivero_core.backends.kube.errors import SYSTEM, KubeUnavailableError
from vivero_core.model.conditions import Status, find
from vivero_core.model.constants import Reason
from vivero_core.model.reading import Unreadable
from vivero_core.model.release import Release, ReleaseStatus
from vivero_core.model.tenant import Tenant
from vivero_operator.policies.release import Moves
from vivero_operator.reconcile.controller import Result
from vivero_operator.reconcile.release import CALM_SECONDS, KEPT, ROLLING_SECONDS, ReleaseReconciler

PACE: Object = {"batch": 2, "pauseSeconds": 30, "deadlineSeconds": 300, "failures": 1}


class Rig:
    """A world with a Release that is being rolled out."""

    def __init__(self, pace: Object = PACE, **metadata: Any) -> None:  # noqa: ANN401  as body
        self.world = World()
        self.current = self.world.services.rollout.current
        self.moved: list[str] = []
        self.begin()
        self.world.put(body("Release", self.current, pace, **metadata))

    def begin(self) -> None:
        """As a program that has just started to lead."""
        self.world.services.rollout.moves = Moves()
        self.reconciler = ReleaseReconciler(self.world.services, lambda one: self.moved.append(one.name))

    def put(self, *tenants: Tenant) -> None:
        for one in tenants:
            self.world.put(_stored(one))

    async def pass_(self, seconds: float = 0) -> Result:
        """What it moves alone is in `moved` afterwards."""
        self.moved.clear()
        self.world.kube.writes.clear()
        self.world.now += timedelta(seconds=seconds)
        return await self.reconciler.reconcile(self.current)

    def release(self, name: str | None = None) -> Release:
        return Release.parse(self.world.kube.objects["Release", None, name or self.current])

    @property
    def status(self) -> ReleaseStatus:
        return self.release().status

    def truth(self, kind: str) -> str:
        found = find(self.status.conditions, kind)
        return f"{found.status} {found.reason}" if found else "none"

    def events(self) -> list[str]:
        events = [item for (kind, _, _), item in self.world.kube.objects.items() if kind == "Event"]
        return [f"{one['type']} {one['reason']}: {one['note']}" for one in events]


def _stored(tenant: Tenant) -> Object:
    dumped = tenant.dump()
    return {"kind": "Tenant", "apiVersion": "vivero.dev/v1alpha1", **dumped}


class TestMade:
    async def test_the_release_of_this_program_is_made_with_its_template_and_pace(self) -> None:
        rig = Rig()
        rig.world.kube.objects.clear()
        rig.world.cluster.releases.drop(rig.current, f"uid-{rig.current}")
        assert (await rig.pass_()).retry_after == ROLLING_SECONDS
        made, wanted = rig.release(), rig.world.services.settings
        assert made.spec.pod_template == rig.world.services.rollout.template(rig.current)
        assert (made.spec.image, made.spec.batch) == (wanted.data_plane_image, wanted.release_batch)
        # Known at once: the next pass must not wait for the watch.
        assert rig.world.cluster.releases.get(rig.current) is not None

    async def test_another_replica_was_quicker(self) -> None:
        rig = Rig()
        rig.world.cluster.releases.drop(rig.current, f"uid-{rig.current}")
        assert (await rig.pass_()).retry_after == ROLLING_SECONDS
        assert rig.world.kube.writes == []

    async def test_one_that_a_person_deleted_and_that_is_not_this_programs_stays_gone(self) -> None:
        rig = Rig()
        assert (await rig.reconciler.reconcile("rsomeother")).gone


class TestRolling:
    async def test_batches_wait_until_the_one_before_is_ready_and_has_been_for_a_while(self) -> None:
        rig = Rig()
        rig.put(*(served(name) for name in "abcde"))
        assert (await rig.pass_()).retry_after == ROLLING_SECONDS
        assert rig.moved == ["a", "b"]
        assert rig.status.message == "Updating a, b; tenants waiting: 3"
        await rig.pass_(10)
        assert rig.moved == []  # neither is on it yet
        rig.put(served("a", rig.current), served("b", rig.current, Reason.STARTING, pods_well=False))
        await rig.pass_(10)
        assert rig.moved == []  # b is not Ready
        assert rig.status.message == "Updating b; tenants waiting: 3"
        rig.put(served("b", rig.current))
        await rig.pass_(10)
        assert (rig.moved, rig.status.ready, rig.status.tenants) == ([], 2, 2)
        assert (
            rig.status.message
            == "The last batch is Ready; the next one starts after a pause of 30 s; tenants waiting: 3"
        )
        await rig.pass_(29)
        assert rig.moved == []
        await rig.pass_(1)
        assert rig.moved == ["c", "d"]
        assert (rig.truth("Complete"), rig.truth("Halted")) == ("False RollingOut", "False RollingOut")

    async def test_at_the_end_it_is_complete_and_writes_no_more(self) -> None:
        rig = Rig()
        rig.put(served("a", rig.current), served("b", rig.current))
        assert (await rig.pass_()).retry_after == CALM_SECONDS
        assert rig.truth("Complete") == "True RolledOut"
        assert rig.status.message == "All tenants updated: 2"
        await rig.pass_(60)
        assert rig.world.kube.writes == []

    async def test_a_signup_or_a_spare_that_starts_does_not_undo_it(self) -> None:
        rig = Rig()
        rig.put(served("a", rig.current))
        await rig.pass_()
        rig.put(starting("b", rig.current), starting("spare", rig.current, spare=True))
        await rig.pass_(60)
        assert rig.truth("Complete") == "True RolledOut"

    async def test_signups_that_never_cease_do_not_hold_it_up(self) -> None:
        rig = Rig()
        rig.put(served("a", rig.current), *(served(f"old-{number}") for number in range(4)))
        moved = []
        for number in range(60):
            rig.put(starting(f"signup-{number}", rig.current))
            if number:
                rig.put(served(f"signup-{number - 1}", rig.current))
            await rig.pass_(2)
            moved += rig.moved
            rig.put(*(served(name, rig.current) for name in rig.moved))
        assert sorted(moved) == [f"old-{number}" for number in range(4)]


class TestHalted:
    async def bad(self, pace: Object = PACE) -> Rig:
        """The first batch has moved, and `b` does not become Ready."""
        rig = Rig(pace)
        rig.put(*(served(name) for name in "abcde"))
        await rig.pass_()
        rig.put(served("a", rig.current), served("b", rig.current, "CrashLoopBackOff", pods_well=False))
        await rig.pass_(1)
        return rig

    async def test_by_itself_and_it_is_said_once(self) -> None:
        rig = await self.bad()
        await rig.pass_(299)
        assert rig.truth("Halted") == "False RollingOut"
        await rig.pass_(1)
        said = "Halted: b did not become Ready; tenants waiting: 3"
        assert (rig.truth("Halted"), rig.status.message) == ("True Halted", said)
        assert rig.events() == [f"Warning Halted: {said}"]
        for _ in range(3):
            await rig.pass_(60)
            assert rig.moved == []
        rig.begin()  # a restart tells nothing again
        await rig.pass_(300)
        await rig.pass_(300)
        assert (rig.moved, len(rig.events())) == ([], 1)

    async def test_it_goes_on_when_they_become_ready_after_all(self) -> None:
        rig = await self.bad()
        await rig.pass_(300)
        rig.put(served("b", rig.current))
        await rig.pass_(2)
        assert (rig.truth("Halted"), rig.moved) == ("False RollingOut", [])
        await rig.pass_(30)
        assert rig.moved == ["c", "d"]

    async def test_or_when_a_person_says_that_so_many_may_fail(self) -> None:
        rig = await self.bad()
        await rig.pass_(300)
        rig.world.put({"kind": "Release", "metadata": {"name": rig.current, "generation": 2}, "spec": {"failures": 2}})
        await rig.pass_(30)
        assert (rig.moved, rig.truth("Halted")) == (["c", "d"], "False RollingOut")

    async def test_the_last_batch_fails(self) -> None:
        rig = Rig()
        rig.put(served("a", rig.current), served("b", rig.current, "CrashLoopBackOff", pods_well=False))
        await rig.pass_()
        assert rig.status.message == "All tenants updated: 2; starting: 1"
        await rig.pass_(300)
        assert rig.status.message == "All tenants updated: 2; did not become Ready: b"
        assert rig.truth("Complete") == "False RollingOut"

    async def test_no_more_than_five_are_named(self) -> None:
        rig = Rig()
        rig.put(served("x"), *(served(f"b{one}", rig.current, "OOMKilled", pods_well=False) for one in range(7)))
        await rig.pass_()
        await rig.pass_(300)
        assert rig.status.message == "Halted: b0, b1, b2, b3, b4 and 2 more did not become Ready; tenants waiting: 1"


class TestPaused:
    @pytest.mark.parametrize(("pace", "metadata"), [({**PACE, "paused": True}, {}), (PACE, {"annotations": PAUSED})])
    async def test_by_its_spec_or_by_annotation(self, pace: Object, metadata: Object) -> None:
        rig = Rig(pace, **metadata)
        rig.put(served("a"), served("b"))
        await rig.pass_()
        assert (rig.moved, rig.status.message) == ([], "Paused; tenants waiting: 2")

    async def test_a_paused_tenant_is_named_and_moves_when_it_is_not_any_more(self) -> None:
        rig = Rig()
        rig.put(served("a", annotations=PAUSED), served("b"))
        await rig.pass_()
        assert rig.moved == ["b"]
        rig.put(served("b", rig.current))
        await rig.pass_(2)
        assert rig.status.message == "Tenants updated: 1; not updated, see their status: a"
        assert (rig.truth("Complete"), rig.status.waiting) == ("False RollingOut", 1)
        rig.put(served("a", annotations={"vivero.dev/paused": "false"}))
        await rig.pass_(30)
        assert rig.moved == ["a"]


class TestOthers:
    async def test_one_that_cannot_be_read_stops_no_other(self) -> None:
        rig = Rig()
        rig.put(served("odd"), served("z"))
        odd = rig.world.cluster.tenants.get("odd")
        assert odd is not None
        rig.world.cluster.put_unreadable("Tenant", Unreadable(odd.metadata, _stored(odd), "spec.plan: bad"))
        await rig.pass_()
        assert rig.moved == ["z"]
        rig.put(served("z", rig.current))
        await rig.pass_(30)
        assert rig.truth("Complete") == "True RolledOut"

    async def test_one_that_does_not_move_is_left_behind_after_the_deadline(self) -> None:
        rig = Rig({**PACE, "batch": 1})
        rig.put(served("a"), served("b"))
        await rig.pass_()
        assert rig.moved == ["a"]
        await rig.pass_(299)
        assert rig.moved == []
        await rig.pass_(1)
        assert rig.moved == ["b"]
        # It may still move by itself: its turn has come.
        left = rig.world.cluster.tenants.get("a")
        assert left is not None
        assert rig.world.services.rollout.release_for(left) == rig.current


class TestFormer:
    async def test_it_counts_those_that_are_still_on_it(self) -> None:
        rig = Rig()
        rig.world.put(body("Release", "former"))
        rig.put(served("a", "former"), served("b", "former", Reason.PROOF_FAILED), served("c", rig.current))
        assert (await rig.reconciler.reconcile("former")).retry_after == ROLLING_SECONDS
        status = rig.release("former").status
        assert (status.tenants, status.ready, status.waiting) == (2, 1, 0)
        assert status.message == f"Superseded by {rig.current}; tenants still on this release: 2"
        assert {(one.type, one.status, one.reason) for one in status.conditions} == {
            ("Complete", Status.FALSE, "Superseded"),
            ("Halted", Status.FALSE, "Superseded"),
        }

    async def former(self, count: int) -> Rig:
        rig = Rig()
        for age in range(count):
            made = (NOW - timedelta(days=age + 1)).isoformat()
            rig.world.put(body("Release", f"r{age}", creationTimestamp=made))
        return rig

    async def look_at_all(self, rig: Rig) -> set[str]:
        for release in list(rig.world.cluster.releases):
            await rig.reconciler.reconcile(release.name)
        return {name for kind, _, name in rig.world.kube.objects if kind == "Release"}

    async def test_the_newest_are_kept_and_so_is_each_that_a_tenant_is_on(self) -> None:
        rig = await self.former(KEPT + 3)
        rig.put(served("a", f"r{KEPT + 1}"))
        newest = {f"r{age}" for age in range(KEPT)}
        assert await self.look_at_all(rig) == {rig.current, f"r{KEPT + 1}", *newest}

    async def test_a_paused_one_is_not_deleted(self) -> None:
        rig = await self.former(KEPT + 1)
        rig.world.put({"kind": "Release", "metadata": {"name": f"r{KEPT}", "annotations": PAUSED}})
        assert f"r{KEPT}" in await self.look_at_all(rig)

    async def test_one_that_is_gone_already(self) -> None:
        rig = await self.former(KEPT + 1)
        rig.world.kube.objects.pop(("Release", None, f"r{KEPT}"))
        assert (await rig.reconciler.reconcile(f"r{KEPT}")).gone

    async def test_one_that_comes_back_goes_on_at_the_pace_that_a_person_gave_it(self) -> None:
        rig = Rig({**PACE, "batch": 1})
        former = {"message": "Superseded by r1; tenants still on this release: 0", "waiting": 0}
        rig.world.put({"kind": "Release", "metadata": {"name": rig.current}, "status": former})
        rig.put(served("a"), served("b"))
        await rig.pass_()
        assert (rig.moved, rig.status.message) == (["a"], "Updating a; tenants waiting: 1")


class TestTemplates:
    async def test_each_tenant_is_repaired_with_the_template_of_its_own_release(self) -> None:
        rig = Rig()
        old = {"spec": {"containers": [{"name": "app", "image": "image:0"}]}}
        rig.world.put(body("Release", "old", {"podTemplate": old}))
        rollout = rig.world.services.rollout
        assert rollout.template("old") == old
        current = rollout.template(rig.current)
        assert current is not None
        assert current["spec"]["containers"][0]["image"] == "image:1"
        assert (rollout.template("gone"), rollout.template(None)) == (None, None)

    async def test_signups_follow_what_is_proven(self) -> None:
        rig = Rig()
        rig.world.put(body("Release", "old"))
        rig.put(served("a", "old"))
        signup = starting("signup", None)
        assert rig.world.services.rollout.release_for(signup) == "old"
        rig.put(served("spare", rig.current))
        assert rig.world.services.rollout.release_for(signup) == rig.current


Fate = Literal["works", "fails", "stuck", "ill", "paused", "suspended", "deleted", "unreadable"]


@dataclass
class Simulated:
    """One tenant of a simulated rollout."""

    name: str
    fate: Fate
    after: int
    """Ticks from being asked to being on the release, and from then to being Ready; or to what else befalls it."""
    asked_at: int | None = None
    ready: bool = False
    gone: bool = False


@dataclass
class Simulation:
    """Ticks of two seconds, as between two passes of a rollout."""

    rig: Rig
    tenants: dict[str, Simulated]
    batch: int
    paused_between: tuple[int, int]
    tick: int = 0

    def begin(self) -> None:
        for one in self.tenants.values():
            bad = one.fate == "ill"
            reason = "CrashLoopBackOff" if bad else "Proven"
            spec = {"suspended": {"reason": "Manual"}} if one.fate == "suspended" else {}
            annotations = PAUSED if one.fate == "paused" else {}
            self.rig.put(served(one.name, "old", reason, pods_well=not bad, spec=spec, annotations=annotations))
        for one in self.tenants.values():
            known = self.rig.world.cluster.tenants.get(one.name)
            if one.fate == "unreadable" and known is not None:
                self.rig.world.cluster.put_unreadable("Tenant", Unreadable(known.metadata, _stored(known), "odd"))

    def in_flight(self) -> list[str]:
        """Asked, and neither Ready nor given up after the deadline of ten ticks; one that was ill before is no sign."""
        return [one.name for one in self.tenants.values() if 0 <= self._ago(one) < self._patience(one)]

    @staticmethod
    def _patience(one: Simulated) -> float:
        if one.fate in ("works", "deleted"):
            return 0 if one.ready else math.inf
        return {"stuck": 10, "fails": one.after + 10, "ill": one.after}[one.fate]

    def failed(self) -> list[str]:
        return [one.name for one in self.tenants.values() if one.fate == "fails" and self._ago(one) > one.after + 10]

    def _ago(self, one: Simulated) -> int:
        return self.tick - one.asked_at if one.asked_at is not None and not one.gone else -1

    def live(self) -> None:
        """What becomes of the tenants in this tick."""
        for one in self.tenants.values():
            ago = self._ago(one)
            if one.fate == "deleted" and not one.gone and self.tick >= one.after:
                one.gone = True
                self.rig.world.kube.objects.pop(("Tenant", None, one.name))
                self.rig.world.cluster.tenants.drop(one.name, f"uid-{one.name}")
            elif ago == one.after and one.fate in ("works", "fails", "ill"):
                self._show(one, ready=False)
            elif ago == 2 * one.after + 1 and one.fate == "works":
                one.ready = True
                self._show(one, ready=True)

    def _show(self, one: Simulated, *, ready: bool) -> None:
        known = self.rig.world.cluster.tenants.get(one.name)
        assert known is not None
        # The tenant's own pass takes what the rollout gives it.
        assert self.rig.world.services.rollout.release_for(known) == self.rig.current
        reason = "Proven" if ready else Reason.ROLLING_OUT
        self.rig.put(served(one.name, self.rig.current, reason, pods_well=ready))

    async def step(self) -> None:
        paused = self.paused_between[0] <= self.tick < self.paused_between[1]
        change = {"kind": "Release", "metadata": {"name": self.rig.current}, "spec": {"paused": paused}}
        self.rig.world.put(change)
        self.live()
        waits = [*self.failed(), *self.in_flight(), *(["paused"] if paused else [])]
        await self.rig.pass_(2)
        for name in self.rig.moved:
            one = self.tenants[name]
            assert one.asked_at is None, f"{name} was asked twice"
            assert one.fate not in ("paused", "suspended", "unreadable"), name
            assert not one.gone
            one.asked_at = self.tick
        assert not (self.rig.moved and waits), waits
        assert len(self.in_flight()) <= self.batch
        self.tick += 1


FATES: Sequence[Fate] = ("works", "works", "works", "stuck", "ill", "paused", "suspended", "deleted", "unreadable")


@st.composite
def simulations(draw: st.DrawFn, fates: Sequence[Fate]) -> Simulation:
    batch = draw(st.integers(1, 4))
    rig = Rig({"batch": batch, "pauseSeconds": draw(st.sampled_from([0, 4])), "deadlineSeconds": 20, "failures": 1})
    count = draw(st.integers(1, 9))
    tenants = [
        Simulated(f"t{number}", draw(st.sampled_from(fates)), draw(st.integers(1, 4))) for number in range(count)
    ]
    begin = draw(st.integers(0, 20))
    between = (begin, begin + draw(st.integers(0, 10)))
    return Simulation(rig, {one.name: one for one in tenants}, batch, between)


class TestSimulated:
    @settings(max_examples=25, deadline=None)
    @given(simulations(FATES), st.none() | st.integers(1, 30))
    async def test_when_none_fails_all_that_can_move_are_moved(
        self, simulation: Simulation, restart: int | None
    ) -> None:
        simulation.begin()
        for tick in range(400):
            if tick == restart:
                self.forget(simulation)
            await simulation.step()
            movable = [one for one in simulation.tenants.values() if one.fate in ("works", "stuck", "ill")]
            if all(one.ready or (one.fate != "works" and one.asked_at is not None) for one in movable):
                break
        assert not [one.name for one in movable if one.asked_at is None]
        assert not [one.name for one in movable if one.fate == "works" and not one.ready]
        assert simulation.rig.events() == []

    @staticmethod
    def forget(simulation: Simulation) -> None:
        """A restart of the program: those that had been asked and had not moved yet wait for another turn."""
        rig = simulation.rig
        rig.begin()
        for one in simulation.tenants.values():
            known = rig.world.cluster.tenants.get(one.name)
            if known is not None and known.status.release != rig.current:
                one.asked_at = None
            elif one.fate == "ill":
                one.fate, one.ready = "works", True  # it is not known any more that it was ill before
                rig.put(served(one.name, rig.current))

    @settings(max_examples=25, deadline=None)
    @given(simulations((*FATES, "fails", "fails")))
    async def test_when_one_fails_no_more_are_moved_and_it_is_said_once(self, simulation: Simulation) -> None:
        simulation.begin()
        for _ in range(120):
            await simulation.step()
        rig, asked = simulation.rig, [one for one in simulation.tenants.values() if one.asked_at is not None]
        failed = [one.name for one in asked if one.fate == "fails"]
        may_move = ("works", "stuck", "ill", "fails")
        waiting = [one for one in simulation.tenants.values() if one.fate in may_move and one.asked_at is None]
        if failed and waiting:
            assert rig.truth("Halted") == "True Halted"
            assert [one.split(":")[0] for one in rig.events()] == ["Warning Halted"]
            assert all(name in str(rig.status.message) for name in failed)
        else:
            assert not waiting
            assert rig.events() == []


async def test_what_cannot_be_written_is_said_again() -> None:
    """The event of a halt must not be lost because the API server was away at that moment."""
    rig = await TestHalted().bad()
    real = rig.world.kube.patch_status

    async def away(*_: object, **__: object) -> Object:
        raise KubeUnavailableError(SYSTEM, "no answer")

    rig.world.kube.patch_status = away  # type: ignore[method-assign]  # the API server is away
    with pytest.raises(KubeUnavailableError):
        await rig.pass_(300)
    rig.world.kube.patch_status = real  # type: ignore[method-assign]  # and back
    await rig.pass_(1)
    assert [one.split(":")[0] for one in rig.events()] == ["Warning Halted"]
