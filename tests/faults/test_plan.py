from itertools import pairwise

import pytest
from faults.plan import (
    EVENTS,
    MANY,
    ONE,
    READS,
    WRITES,
    Action,
    Call,
    Director,
    Fault,
    Verb,
    draw,
    parse_call,
)

APPLY = "application/apply-patch+yaml"
CASES = [
    ("GET", "/api/v1/namespaces/x/secrets/y", {}, "", Call(Verb.GET, "secrets", "x", "y")),
    ("GET", "/api/v1/namespaces/x/secrets", {}, "", Call(Verb.LIST, "secrets", "x")),
    ("GET", "/api/v1/namespaces/x", {}, "", Call(Verb.GET, "namespaces", "", "x")),
    ("PATCH", "/api/v1/namespaces/x", {}, APPLY, Call(Verb.APPLY, "namespaces", "", "x")),
    ("GET", "/apis/vivero.dev/v1alpha1/tenants", {"watch": "true"}, "", Call(Verb.WATCH, "tenants")),
    ("PATCH", "/apis/vivero.dev/v1alpha1/tenants/a/status", {}, "", Call(Verb.PATCH, "tenants/status", "", "a")),
    ("DELETE", "/apis/apps/v1/namespaces/x/deployments/app", {}, "", Call(Verb.DELETE, "deployments", "x", "app")),
    ("PUT", "/apis/coordination.k8s.io/v1/namespaces/x/leases/l", {}, "", Call(Verb.REPLACE, "leases", "x", "l")),
    ("GET", "/version", {}, "", Call(Verb.LIST, "")),
]


@pytest.mark.parametrize(("method", "path", "query", "media_type", "expected"), CASES)
def test_a_request_is_read(method: str, path: str, query: dict[str, str], media_type: str, expected: Call) -> None:
    assert parse_call(method, path, query, media_type) == expected


def test_the_name_of_what_is_created_stands_in_the_body() -> None:
    body = {"metadata": {"generateName": "trial-"}}
    assert parse_call("POST", "/apis/vivero.dev/v1alpha1/tenants", {}, "", body).name == "trial-"


def secret(name: str, verb: Verb = Verb.APPLY) -> Call:
    return Call(verb, "secrets", "tenant-one", name)


def test_the_nth_call_and_those_after_it_meet_the_fault() -> None:
    director = Director((Fault(Action.REFUSE, resource="secrets", nth=2, times=2, status=500),))
    calls = [secret("a"), Call(Verb.APPLY, "services", "tenant-one", "app"), secret("b"), secret("c"), secret("d")]
    assert [director.meet(call) is not None for call in calls] == [False, False, True, True, False]
    assert [call.name for _, call in director.met] == ["b", "c"]


def test_reads_are_no_writes() -> None:
    director = Director((Fault(Action.LOSE, WRITES),))
    assert director.meet(secret("a", Verb.GET)) is None
    assert director.meet(secret("a", Verb.DELETE)) is not None


def test_of_two_faults_at_one_call_the_first_happens_and_both_count() -> None:
    one, other = Fault(Action.LOSE), Fault(Action.DELAY, times=2)
    director = Director((one, other))
    assert [director.meet(secret("a")), director.meet(secret("b")), director.meet(secret("c"))] == [one, other, None]


def test_what_others_made_and_the_lease_are_spared() -> None:
    director = Director((Fault(Action.LOSE),), frozenset({"one"}))
    assert director.meet(secret("a")) is None
    assert director.meet(Call(Verb.REPLACE, "leases", "vivero-system", "operator")) is None
    assert director.meet(Call(Verb.PATCH, "tenants", "", "two")) is not None


def test_a_seed_makes_the_same_plan_again() -> None:
    names = ("birth", "death")
    assert [draw(seed, names) for seed in range(50)] == [draw(seed, names) for seed in range(50)]


def test_seeds_reach_every_action_that_passes_by() -> None:
    drawn = {fault.action for seed in range(300) for fault in draw(seed, ("birth",)).faults}
    assert drawn == set(Action)


def test_seeds_misroute_to_a_page_that_is_missing_too() -> None:
    drawn = {
        fault.status
        for seed in range(300)
        for fault in draw(seed, ("birth",)).faults
        if fault.action is Action.MISROUTE
    }
    assert drawn == {404, 502}


def test_seeds_show_the_past_of_one_object_and_after_a_start_of_all() -> None:
    plans = [draw(seed, ("birth",)).faults for seed in range(300)]
    assert {fault.verbs for faults in plans for fault in faults if fault.action is Action.STALE} == {ONE, MANY}
    for faults in plans:
        for before, fault in pairwise((None, *faults)):
            if fault is not None and fault.action is Action.STALE and fault.verbs == MANY:
                assert before is not None
                assert before.action is Action.KILL_AFTER


def test_drawn_faults_pass_by_in_a_few_seconds() -> None:
    for seed in range(300):
        for fault in draw(seed, ("birth",)).faults:
            assert fault.times * fault.seconds <= 15
            assert fault.verbs in (ONE, MANY, READS, WRITES, READS | WRITES, EVENTS)


def test_a_plan_is_told_with_its_seed() -> None:
    assert str(draw(7, ("birth",))).startswith("seed 7: birth, ")
