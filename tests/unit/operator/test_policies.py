# ruff: noqa: ANN401  what is any JSON value here
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.world import NOW, tenant_body
from vivero_core.model.conditions import Condition, Status, find
from vivero_core.model.constants import LABEL_SIGNUP, ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.tenant import Tenant
from vivero_operator.escrow.record import Record
from vivero_operator.policies import allocation, backoff, drift, life, room, tenant_conditions
from vivero_operator.policies.outcome import Outcome, Pending, State, done, waiting
from vivero_operator.policies.tenant_conditions import Finding


def tenant(name: str = "acme", *, uid: str = "u1", age: int = 0, status: Any = None, **spec: Any) -> Tenant:
    body = tenant_body(name, **spec)
    body["metadata"] |= {"uid": uid, "creationTimestamp": (NOW - timedelta(minutes=age)).isoformat()}
    return Tenant.parse({**body, "status": status or {}})


def kept_for(owner: str | None) -> Record:
    """What is retained of abcdefghij."""
    return Record("abcdefghij", "main", owner, "former", retained=True, version="1", keys=None)


class TestQuantity:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("0", 0),
            ("20m", "0.02"),
            ("1.5", "1.5"),
            ("1k", 1000),
            ("96Mi", 96 * 2**20),
            ("1Gi", 2**30),
            ("2M", 2 * 10**6),
        ],
    )
    def test_parse(self, text: str, value: str) -> None:
        assert room.parse(text) == Decimal(value)

    @pytest.mark.parametrize("text", ["", "x", "1 Gi", "-1", "1e3", "Mi", "1GiB"])
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a quantity"):
            room.parse(text)

    @given(st.integers(min_value=0, max_value=10**15).map(lambda n: Decimal(n) / 1000))
    def test_render_is_exact(self, value: Decimal) -> None:
        assert room.parse(room.render(value)) == value

    @pytest.mark.parametrize(("one", "other"), [("1000m", "1"), ("1024Mi", "1Gi"), ("0.5", "500m"), ("odd", "odd")])
    def test_same(self, one: str, other: str) -> None:
        assert room.same(one, other)
        assert not room.same(one, "7")


class TestDrift:
    WANTED = {"kind": "Thing", "spec": {"list": [{"a": 1}], "limits": {"cpu": "1000m"}, "text": "x"}}  # noqa: RUF012

    def test_missing_differs(self) -> None:
        assert drift.differs(self.WANTED, None)

    def test_defaults_of_others_do_not_count(self) -> None:
        live = {**self.WANTED, "status": {}, "spec": {**self.WANTED["spec"], "more": 1, "list": [{"a": 1, "b": 2}]}}  # type: ignore[dict-item]
        assert not drift.differs(self.WANTED, live)

    def test_quantities_compare_by_value(self) -> None:
        live = {**self.WANTED, "spec": {**self.WANTED["spec"], "limits": {"cpu": "1"}}}  # type: ignore[dict-item]
        assert not drift.differs(self.WANTED, live)

    @pytest.mark.parametrize(
        "spec",
        [{"text": "y"}, {"list": []}, {"list": [{"a": 1}, {"a": 2}]}, {"list": None}, {"limits": {}}, {"limits": "1"}],
    )
    def test_differences(self, spec: dict[str, Any]) -> None:
        assert drift.differs(self.WANTED, {**self.WANTED, "spec": {**self.WANTED["spec"], **spec}})  # type: ignore[dict-item]

    def test_empty_wants_are_met_by_absence(self) -> None:
        assert not drift.differs({"kind": "Thing", "a": {}, "b": []}, {"kind": "Thing"})

    def test_a_secret_with_more_data_differs(self) -> None:
        wanted = {"kind": "Secret", "data": {"a": "eA=="}}
        assert not drift.differs(wanted, {"kind": "Secret", "data": {"a": "eA=="}})
        assert drift.differs(wanted, {"kind": "Secret", "data": {"a": "eA==", "b": "eA=="}})
        assert drift.differs(wanted, {"kind": "Secret"})


class TestBackoff:
    @given(st.integers(min_value=1, max_value=10**6), st.floats(min_value=0, max_value=0.999))
    def test_bounded(self, failures: int, spread: float) -> None:
        assert 0.25 <= backoff.delay(failures, spread) <= backoff.LONGEST_SECONDS

    def test_doubles(self) -> None:
        assert [backoff.delay(n, 1.0) for n in (1, 2, 3, 4, 20)] == [0.5, 1, 2, 4, 30]

    @given(faults=st.integers(1, 10_000), spread=st.floats(0, 1, exclude_max=True))
    def test_a_rest_is_a_second_at_least_and_leaves_most_of_the_minute(self, faults: int, spread: float) -> None:
        assert 1 <= backoff.probe_delay(faults, spread) <= 12
        assert backoff.probe_delay(faults, spread) <= backoff.probe_delay(faults + 3, spread)


def server(
    name: str,
    *,
    capacity: int = 10,
    cordoned: bool = False,
    reachable: bool = True,
    version: str | None = "10.11.14-MariaDB",
) -> DatabaseServer:
    spec = {"host": "h", "adminSecret": "s", "caConfigMap": "c", "capacity": capacity, "cordoned": cordoned}
    ready = {"type": "Ready", "status": str(reachable), "reason": "Asked", "message": "", "lastTransitionTime": NOW}
    return DatabaseServer.parse(
        {"metadata": {"name": name}, "spec": spec, "status": {"conditions": [ready], "version": version}}
    )


@pytest.mark.parametrize(
    ("servers", "counts", "chosen"),
    [
        ([], {}, None),
        ([server("b"), server("a")], {}, "a"),
        ([server("a"), server("b")], {"a": 3, "b": 2}, "b"),
        ([server("a", cordoned=True), server("b")], {"b": 9}, "b"),
        ([server("a", capacity=3), server("b")], {"a": 3, "b": 9}, "b"),
        ([server("a", capacity=3), server("b", cordoned=True)], {"a": 3}, None),
        ([server("a", capacity=0)], {}, None),
        ([server("a", reachable=False), server("b")], {"b": 9}, "b"),
        ([server("a", reachable=False)], {"a": 2}, "a"),
        # One that was never reached may be a slip in its address: it would draw every new tenant to it.
        ([server("a", reachable=False, version=None), server("b", reachable=False)], {"b": 2}, "b"),
        ([server("a", reachable=False, version=None)], {}, None),
        ([server("a", version=None)], {}, "a"),
    ],
)
def test_placement(servers: list[DatabaseServer], counts: dict[str, int], chosen: str | None) -> None:
    assert allocation.choose_server(servers, counts) == chosen


AT_WORK = {"provenAt": "2026-11-22T11:59:30Z", "url": "https://acme.example", "observedGeneration": 1}


@pytest.mark.parametrize(
    ("meta", "spec", "status", "awaited"),
    [
        ({}, {}, {}, True),
        ({}, {}, {**AT_WORK, "provenAt": None}, True),
        ({}, {}, {**AT_WORK, "url": None}, True),
        ({}, {}, AT_WORK, False),
        ({"generation": 2}, {}, AT_WORK, True),
        ({"deletionTimestamp": "2026-11-22T12:00:00Z"}, {}, {}, False),
        ({}, {"slug": None, "owner": None, "pool": "warm"}, {}, False),
    ],
    ids=["signup", "unproven", "claimed", "at work", "changed", "deleted", "spare"],
)
def test_whom_somebody_waits_for(
    meta: dict[str, Any],
    spec: dict[str, Any],
    status: dict[str, Any],
    awaited: bool,  # noqa: FBT001  a table's column
) -> None:
    body = tenant_body(**spec)
    body["metadata"] |= meta
    assert life.awaited(Tenant.parse({**body, "status": status})) is awaited


class TestClaims:
    def test_the_older_has_the_slug(self) -> None:
        young, old = tenant(uid="y"), tenant("other", uid="o", age=5, slug="acme")
        assert allocation.refused_slug(young, [young, old]) == (
            Reason.SLUG_TAKEN,
            "Slug acme belongs to the older Tenant other",
        )
        assert allocation.refused_slug(old, [young, old]) is None

    def test_of_two_from_one_second_exactly_one_has_it(self) -> None:
        pair = [tenant(uid="a"), tenant("other", uid="b", slug="acme")]
        assert [allocation.refused_slug(one, pair) is None for one in pair] == [True, False]

    def test_who_has_something_already_keeps_it(self) -> None:
        made = tenant("made", uid="z", slug="acme", status={"url": "https://acme"})
        assert allocation.refused_slug(made, [tenant(uid="a"), made]) is None

    def test_adoption(self) -> None:
        heir = tenant(uid="h", adopt="abcdefghij")
        rival = tenant("rival", uid="r", slug="rival", adopt="abcdefghij")
        younger = tenant("younger", uid="y", slug="younger", adopt="abcdefghij", age=-30)
        for others, owner in (
            ([heir], None),
            ([heir], "h"),
            ([heir], "gone"),
            ([heir, rival], "h"),
            ([heir, younger], None),
        ):
            assert allocation.refused_adoption(heir, others, kept_for(owner)) is None
        for others, owner in (([heir, rival], "r"), ([heir, younger], "y")):
            refusal = allocation.refused_adoption(heir, others, kept_for(owner))
            assert refusal is not None
            assert refusal[0] is Reason.ALREADY_ADOPTED

    def test_data_stays_on_its_server(self) -> None:
        heir = tenant(uid="h", adopt="abcdefghij", databaseServer="other")
        assert allocation.refused_adoption(heir, [heir], kept_for(None)) is not None


FAILED = Outcome(State.FAILED, Reason.DATABASE_UNAVAILABLE, "mariadb: no answer")
WAITING = waiting(Pending(Reason.STARTING, "Waiting for the pod to become ready", retry_after=30))
SKIPPED = Outcome(State.SKIPPED, Reason.STARTING, "")
DONE = done(Reason.PROVISIONED, "Fine")


def findings(*outcomes: Outcome) -> list[Finding]:
    kinds = (ConditionType.DATABASE_READY, ConditionType.STORAGE_READY, None)
    return [Finding(kind, outcome) for kind, outcome in zip(kinds, outcomes, strict=False)]


def ready(conditions: tuple[Condition, ...], kind: str = "Ready") -> tuple[str, str]:
    found = find(conditions, kind)
    assert found is not None
    return found.status, found.reason


class TestVerdict:
    @pytest.mark.parametrize(
        ("outcomes", "expected"),
        [
            ((DONE, DONE), ("True", "Proven")),
            ((DONE, WAITING), ("False", "Starting")),
            ((WAITING, FAILED), ("False", "DatabaseUnavailable")),
            ((DONE, WAITING, SKIPPED), ("False", "Starting")),
        ],
    )
    def test_active(self, outcomes: tuple[Outcome, ...], expected: tuple[str, str]) -> None:
        conditions = tenant_conditions.active(tenant(), findings(*outcomes), NOW)
        assert ready(conditions) == expected
        assert ready(conditions, "Suspended") == ("False", "NotSuspended")

    def test_a_skipped_step_leaves_what_was_known(self) -> None:
        old = tenant_conditions.active(tenant(), findings(DONE, DONE), NOW)
        known = tenant().model_copy(update={"status": tenant().status.model_copy(update={"conditions": old})})
        later = tenant_conditions.active(known, findings(SKIPPED, FAILED), NOW + timedelta(minutes=1))
        assert ready(later, "DatabaseReady") == ("True", "Provisioned")
        assert find(later, "DatabaseReady").last_transition_time == NOW  # type: ignore[union-attr]
        assert find(later, "Ready").last_transition_time == NOW + timedelta(minutes=1)  # type: ignore[union-attr]

    def test_suspended(self) -> None:
        away = tenant(suspended={"reason": "Unpaid"})
        conditions = tenant_conditions.suspended(away, findings(DONE), NOW, Reason.UNPAID)
        assert find(conditions, "Ready") is None
        assert ready(conditions, "Suspended") == ("True", "Unpaid")
        assert ready(conditions, "WorkloadReady") == ("False", "Unpaid")
        assert tenant_conditions.summary(conditions).message == "Suspended: a payment is overdue"  # type: ignore[union-attr]
        still = tenant_conditions.suspended(away, findings(FAILED), NOW, Reason.UNPAID)
        assert ready(still, "Suspended") == ready(still) == ("False", "Unpaid")

    def test_suspension_message_of_one_in_service_is_empty(self) -> None:
        assert tenant_conditions.suspension_message(tenant()) == ""

    def test_deleting_says_what_it_waits_for(self) -> None:
        conditions = tenant_conditions.deleting(tenant(), findings(FAILED), NOW)
        assert find(conditions, "Ready").message == "Deleting: mariadb: no answer"  # type: ignore[union-attr]
        assert find(tenant_conditions.deleting(tenant(), [], NOW), "Ready").message == "Deleting"  # type: ignore[union-attr]

    def test_refused(self) -> None:
        assert ready(tenant_conditions.refused(tenant(), Reason.SLUG_TAKEN, "no", NOW)) == ("False", "SlugTaken")

    def test_messages_are_bounded(self) -> None:
        long = Outcome(State.FAILED, Reason.PROOF_FAILED, "x" * 5000)
        assert len(find(tenant_conditions.active(tenant(), findings(long), NOW), "Ready").message) == 1024  # type: ignore[union-attr]


def condition(kind: str, status: Status, reason: str) -> Condition:
    return Condition(type=kind, status=status, reason=reason, last_transition_time=datetime(2026, 1, 1, tzinfo=UTC))


READY = condition("Ready", Status.TRUE, "Proven")
STARTING = condition("Ready", Status.FALSE, "Starting")
WAITING_FOR_TURN = condition("Ready", Status.FALSE, "WaitingForTurn")
BROKEN = condition("Ready", Status.FALSE, "DatabaseUnavailable")
OFF = condition("Ready", Status.FALSE, "Unpaid")
IS_OFF, IS_ON = condition("Suspended", Status.TRUE, "Unpaid"), condition("Suspended", Status.FALSE, "NotSuspended")


@pytest.mark.parametrize(
    ("old", "new", "event"),
    [
        ([], [STARTING], (False, "Starting")),
        ([STARTING], [STARTING], None),
        ([STARTING], [READY], (False, "Proven")),
        ([READY], [BROKEN], (True, "DatabaseUnavailable")),
        ([BROKEN], [BROKEN], None),
        ([BROKEN], [READY], (False, "Proven")),
        ([READY], [OFF, IS_OFF], (False, "Unpaid")),
        ([OFF, IS_OFF], [STARTING, IS_ON], (False, "Resumed")),
        ([OFF, IS_OFF], [BROKEN, IS_ON], (True, "DatabaseUnavailable")),
        ([READY], [], None),
        ([], [WAITING_FOR_TURN], (False, "WaitingForTurn")),
        ([WAITING_FOR_TURN], [STARTING], None),
        ([WAITING_FOR_TURN], [BROKEN], (True, "DatabaseUnavailable")),
        ([WAITING_FOR_TURN], [READY], (False, "Proven")),
    ],
)
def test_events_on_transitions_only(old: list[Condition], new: list[Condition], event: tuple[bool, str] | None) -> None:
    found = tenant_conditions.transition(old, new, Reason.RESUMED if IS_OFF in old else Reason.PROVEN)
    assert (found[:2] if found else None) == event


class TestSilence:
    @pytest.mark.parametrize(
        ("spare", "reason", "seconds", "said"),
        [
            (True, "Starting", 1, False),
            (True, "Starting", 60, True),
            (True, "DatabaseUnavailable", 1, True),
            (True, "Proven", 1, True),
            (False, "Starting", 1, False),
            (False, "Starting", 2, True),
            (False, "DatabaseUnavailable", 1, True),
        ],
    )
    def test_a_start_that_goes_well_is_silent(self, *, spare: bool, reason: str, seconds: int, said: bool) -> None:
        spec: dict[str, Any] = {"slug": None, "owner": None, "pool": "trial"} if spare else {}
        one = tenant(**spec)
        conditions = [condition("Ready", Status.FALSE, reason)]
        left = tenant_conditions.silence(one, conditions, timedelta(seconds=seconds), timedelta(days=1))
        assert left == (None if said else timedelta(seconds=(20 if spare else 2) - seconds))

    def test_who_signed_up_hears_every_step(self) -> None:
        one = tenant()
        metadata = one.metadata.model_copy(update={"labels": {LABEL_SIGNUP: "f00d"}})
        watched = one.model_copy(update={"metadata": metadata})
        conditions = [condition("Ready", Status.FALSE, "Starting")]
        assert tenant_conditions.silence(one, conditions, timedelta(), timedelta()) is not None
        assert tenant_conditions.silence(watched, conditions, timedelta(), timedelta()) is None

    def test_a_healthy_start_after_queueing_is_as_silent(self) -> None:
        one = tenant(status={"conditions": [WAITING_FOR_TURN.dump()]})
        assert tenant_conditions.silence(one, [STARTING], timedelta(seconds=1), timedelta(days=1)) == timedelta(
            seconds=1
        )
        assert tenant_conditions.silence(one, [STARTING], timedelta(seconds=2), timedelta(days=1)) is None
        assert tenant_conditions.silence(one, [BROKEN], timedelta(), timedelta(days=1)) is None

    def test_what_was_said_once_is_kept_up_to_date(self) -> None:
        known = {"conditions": [condition("Ready", Status.TRUE, "Proven").dump()]}
        one = tenant(status=known, slug=None, owner=None, pool="trial")
        assert (
            tenant_conditions.silence(one, [condition("Ready", Status.FALSE, "Starting")], timedelta(), timedelta())
            is None
        )


class TestNeighbours:
    def named(self, ident: str, *, proven: bool = True) -> Tenant:
        status = {"provenAt": "2026-11-22T12:00:00Z"} if proven else {}
        return Tenant.parse({**tenant_body(ident, adopt=ident), "status": status})

    def test_everybody_tries_one_and_is_tried(self) -> None:
        everybody = [self.named(letter * 10) for letter in "abc"]
        chosen = [allocation.neighbour(one, everybody) for one in everybody]
        assert chosen == ["b" * 10, "c" * 10, "a" * 10]

    def test_who_is_alone_has_none(self) -> None:
        alone = self.named("a" * 10)
        assert allocation.neighbour(alone, [alone, self.named("b" * 10, proven=False)]) is None
