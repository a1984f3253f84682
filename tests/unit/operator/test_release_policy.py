"""Which release a tenant's pods are made from, and whose turn it is: the decisions alone."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.world import NOW
from unit.operator.made import PAUSED, body, condition, names, served, starting
from vivero_core.model.constants import Reason
from vivero_core.model.release import Release, ReleaseSpec
from vivero_core.model.tenant import Tenant
from vivero_operator.policies import release as policy
from vivero_operator.policies.release import Moves, Progress

TEMPLATE: dict[str, Any] = {"spec": {"containers": [{"name": "app"}]}}
SPEC = ReleaseSpec(image="image:1", pod_template=TEMPLATE, batch=2, pause_seconds=30, deadline_seconds=300)
DEADLINE, PAUSE, SECOND = timedelta(seconds=300), timedelta(seconds=30), timedelta(seconds=1)
SUSPENDED: dict[str, Any] = {"suspended": {"reason": "Manual"}}
SPARE: dict[str, Any] = {"slug": None, "owner": None, "pool": "trial"}


def stand(*tenants: Tenant, moves: Moves | None = None, after: timedelta = timedelta()) -> Progress:
    """How the rollout of release `new` stands `after` the tenants were first seen like this."""
    known = moves or Moves()
    known.observe("new", tenants, NOW, PAUSE)
    known.observe("new", tenants, NOW + after, PAUSE)
    return policy.progress("new", SPEC, tenants, known, NOW + after)


class TestWhoWaits:
    def test_trials_first_then_by_name_and_those_that_another_image_does_not_help_last(self) -> None:
        found = stand(
            served("a-paid", spec={"plan": "starter"}),
            served("b-trial"),
            served("a-trial"),
            served("lost", reason=Reason.KEYS_LOST),
            served("crashes", reason="CrashLoopBackOff", pods_well=False, spec={"plan": "starter"}),
        )
        assert names(found.waiting) == ["a-trial", "b-trial", "a-paid", "crashes", "lost"]

    @pytest.mark.parametrize(
        "tenant",
        [
            served("spare", spec=SPARE),
            served("suspended", spec=SUSPENDED),
            served("going", deletionTimestamp=NOW.isoformat()),
            starting("new", None),
            served("there", "new"),
        ],
        ids=lambda one: one.name,
    )
    def test_who_has_no_turn(self, tenant: Tenant) -> None:
        found = stand(tenant)
        assert (found.waiting, found.stuck) == ((), ())

    def test_a_paused_tenant_is_not_touched_and_keeps_none_waiting(self) -> None:
        found = stand(served("paused", annotations=PAUSED), served("next"))
        assert (names(found.stuck), names(found.waiting)) == (["paused"], ["next"])

    def test_one_from_before_there_were_releases_has_its_turn(self) -> None:
        assert names(stand(served("old", None)).waiting) == ["old"]


class TestWhoMoves:
    def test_asked_is_in_flight_until_it_is_on_the_release_and_then_until_it_is_ready(self) -> None:
        moves = Moves()
        moves.ask(served("a"), NOW)
        assert names(stand(served("a"), moves=moves).in_flight) == ["a"]
        assert names(stand(starting_over("a"), moves=moves).in_flight) == ["a"]
        assert stand(served("a", "new"), moves=moves).in_flight == ()
        assert moves.asked == {}

    def test_one_that_does_not_move_by_the_deadline_is_left_behind(self) -> None:
        moves = Moves()
        moves.ask(served("a"), NOW)
        assert names(stand(served("a"), moves=moves, after=DEADLINE - SECOND).in_flight) == ["a"]
        late = stand(served("a"), moves=moves, after=DEADLINE)
        assert (names(late.stuck), late.in_flight) == (["a"], ())

    def test_one_that_is_not_ready_by_the_deadline_has_failed(self) -> None:
        assert names(stand(starting_over("a"), after=DEADLINE - SECOND).in_flight) == ["a"]
        late = stand(starting_over("a"), after=DEADLINE)
        assert (names(late.failed), late.in_flight) == (["a"], ())

    def test_one_that_was_not_well_before_says_nothing_about_the_release(self) -> None:
        moves = Moves()
        moves.ask(served("a", reason="CrashLoopBackOff", pods_well=False), NOW)
        late = stand(starting_over("a"), moves=moves, after=DEADLINE)
        assert (late.failed, late.in_flight) == ((), ())

    def test_a_fault_of_another_system_says_nothing_about_the_release(self) -> None:
        late = stand(served("a", "new", Reason.DATABASE_UNAVAILABLE), after=DEADLINE)
        assert (late.failed, late.in_flight) == ((), ())

    def test_a_short_trouble_long_after_the_move_is_given_time(self) -> None:
        moves = Moves()
        moves.observe("new", [served("a", "new")], NOW - timedelta(days=1), PAUSE)
        found = stand(served("a", "new", Reason.PROOF_FAILED), moves=moves, after=SECOND)
        assert (names(found.in_flight), found.failed) == (["a"], ())

    def test_pods_that_crash_again_and_again_are_not_well_because_they_are_ready_in_between(self) -> None:
        moves, crashed, up = Moves(), starting_over("a"), served("a", "new")
        for seconds in range(0, 290, 20):
            moves.observe("new", [crashed], NOW + timedelta(seconds=seconds), PAUSE)
            moves.observe("new", [up], NOW + timedelta(seconds=seconds + 10), PAUSE)
        moves.observe("new", [crashed], NOW + DEADLINE, PAUSE)
        assert names(policy.progress("new", SPEC, [crashed], moves, NOW + DEADLINE).failed) == ["a"]

    def test_a_recovery_that_lasts_is_one(self) -> None:
        moves = Moves()
        moves.observe("new", [starting_over("a")], NOW, PAUSE)
        moves.observe("new", [served("a", "new")], NOW + SECOND, PAUSE)
        moves.observe("new", [served("a", "new")], NOW + SECOND + PAUSE, PAUSE)
        assert moves.spells == {}

    def test_those_that_are_gone_are_forgotten(self) -> None:
        moves = Moves()
        ill = served("a", reason="CrashLoopBackOff", pods_well=False)
        moves.ask(ill, NOW)
        moves.observe("new", [starting_over("b"), ill], NOW, PAUSE)
        assert all((moves.asked, moves.ill, moves.spells))
        moves.observe("new", [], NOW, PAUSE)
        assert (moves.asked, moves.ill, moves.spells) == ({}, set(), {})


def starting_over(name: str) -> Tenant:
    """Moved, and its new pod is not ready yet."""
    return served(name, "new", Reason.ROLLING_OUT, pods_well=False)


class TestNewcomers:
    """Signups and spares that start on the new release for the first time."""

    @pytest.mark.parametrize("spare", [True, False])
    def test_until_one_is_ready_they_are_the_first_to_try_it(self, spare: bool) -> None:  # noqa: FBT001  a case
        new = starting("new", "new", spare=spare)
        assert names(stand(new, served("a")).in_flight) == ["new"]
        assert names(stand(new, served("a"), after=DEADLINE).failed) == ["new"]

    @pytest.mark.parametrize("spare", [True, False])
    def test_once_one_is_ready_they_hold_nothing_up(self, spare: bool) -> None:  # noqa: FBT001  a case
        new = starting("new", "new", "Unschedulable", spare=spare)
        for after in (timedelta(), DEADLINE):
            found = stand(new, served("there", "new"), served("a"), after=after)
            assert (found.in_flight, found.failed) == ((), ())


class TestBatch:
    WAITING = (served("a"), served("b"), served("c"))

    def of(self, settled: timedelta | None = PAUSE, **change: Any) -> list[str]:  # noqa: ANN401  fields of two models
        spec = SPEC.model_copy(update={one: change.pop(one) for one in ("paused", "failures") if one in change})
        found = Progress(**{"on": (), "failed": (), "in_flight": (), "waiting": self.WAITING, "stuck": (), **change})
        return names(policy.next_batch(spec, found, settled))

    def test_the_first_ones_of_those_that_wait(self) -> None:
        assert self.of() == ["a", "b"]

    @pytest.mark.parametrize(
        "change",
        [
            {"paused": True},
            {"failed": (served("x"),)},
            {"in_flight": (served("x"),)},
            {"settled": None},
            {"settled": PAUSE - SECOND},
        ],
    )
    def test_none(self, change: dict[str, Any]) -> None:
        assert self.of(**change) == []

    def test_fewer_failures_than_halt_it(self) -> None:
        assert self.of(failed=(served("x"),), failures=2) == ["a", "b"]
        assert self.of(failed=(served("x"), served("y")), failures=2) == []


def release(name: str, age: int) -> Release:
    return Release.parse(body("Release", name, creationTimestamp=(NOW - timedelta(minutes=age)).isoformat()))


RELEASES = {one.name: one for one in (release("new", 1), release("old", 10), release("older", 20))}


class TestOfATenant:
    def of(self, tenant: Tenant, *, asked: bool = False, proven: tuple[str, ...] = ()) -> str | None:
        return policy.for_tenant(tenant, "new", RELEASES, [tenant.metadata.uid] if asked else [], proven)

    def test_it_stays_on_its_release_until_its_turn_comes(self) -> None:
        assert self.of(served("a", "old"), proven=("new",)) == "old"
        assert self.of(served("a", "old"), asked=True) == "new"

    @pytest.mark.parametrize("known", ["gone", None])
    def test_pods_that_no_known_release_made_are_left_as_they_are(self, known: str | None) -> None:
        assert self.of(served("a", known)) is None
        assert self.of(served("a", known), asked=True) == "new"

    def test_a_suspended_one_has_no_pods_to_be_careful_with(self) -> None:
        assert self.of(served("a", "old", spec=SUSPENDED)) == "new"

    def test_a_signup_does_not_try_a_release_that_has_not_worked_yet(self) -> None:
        assert self.of(starting("a", None), proven=("older", "old")) == "old"
        assert self.of(starting("a", None), proven=("older", "gone")) == "older"
        assert self.of(starting("a", None), proven=("new", "old")) == "new"
        assert self.of(starting("a", None)) == "new"  # nothing has worked yet, anywhere

    def test_a_spare_does(self) -> None:
        assert self.of(starting("a", None, spare=True), proven=("old",)) == "new"

    def test_a_start_that_has_begun_stays_with_its_release(self) -> None:
        assert self.of(starting("a", "old"), proven=("new",)) == "old"
        assert self.of(starting("a", "gone"), proven=("new",)) == "new"

    @given(
        tenant=st.sampled_from(
            [served("a", one, reason) for one in ("new", "old", "gone", None) for reason in ("Proven", "ProofFailed")]
            + [starting("a", one, spare=spare) for one in ("new", "old", "gone", None) for spare in (True, False)]
        ),
        asked=st.booleans(),
        proven=st.sets(st.sampled_from(["new", "old", "older"])),
    )
    def test_pods_are_made_from_nothing_that_is_unknown_or_whose_turn_has_not_come(
        self, tenant: Tenant, *, asked: bool, proven: set[str]
    ) -> None:
        found = self.of(tenant, asked=asked, proven=tuple(proven))
        assert found in {None, *RELEASES}
        if policy.has_pods(tenant) and not asked:
            assert found in (tenant.status.release, None)
        if asked:
            assert found == "new"


@pytest.mark.parametrize(
    ("tenant", "well"),
    [
        (served("a"), True),
        (Tenant.parse(body("Tenant", "a")), True),
        (served("a", reason=Reason.DATABASE_UNAVAILABLE), True),
        (served("a", reason=Reason.PROOF_FAILED), False),
        (served("a", reason="OOMKilled", pods_well=False), False),
        (starting("a", "new"), False),
        (
            Tenant.parse(body("Tenant", "a", status={"conditions": [condition("Ready", "SlugTaken", truth=False)]})),
            False,
        ),
    ],
)
def test_whether_pods_are_well(tenant: Tenant, *, well: bool) -> None:
    assert policy.is_well(tenant) is well
