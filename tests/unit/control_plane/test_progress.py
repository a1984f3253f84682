"""A signup's progress, derived from its Tenant."""

from unit.control_plane.builders import condition, tenant
from vivero_control.domain.signups import progress
from vivero_control.domain.tenants.policies import is_ready
from vivero_core.model.tenant import Tenant

PARTS = ["DatabaseReady", "StorageReady", "CacheReady", "WorkloadReady", "RouteReady", "OwnerReady"]


def states(*conditions: dict[str, object]) -> list[str]:
    return [step.state for step in progress.steps(tenant(conditions=list(conditions)), reachable=True)]


def test_without_a_tenant_everything_waits() -> None:
    assert {step.state for step in progress.steps(None, reachable=True)} == {"waiting"}
    assert progress.overall(None, None, reachable=True)[0] == "provisioning"


def test_parts_run_side_by_side_and_the_proof_comes_last() -> None:
    assert states() == ["running"] * 6 + ["waiting"]
    assert states(condition("DatabaseReady")) == ["done"] + ["running"] * 5 + ["waiting"]
    assert states(*map(condition, PARTS)) == ["done"] * 6 + ["running"]
    assert states(*map(condition, [*PARTS, "Ready"])) == ["done"] * 7


def test_unreached_steps_are_not_checked() -> None:
    proven = tenant(conditions=[*map(condition, [*PARTS, "Ready"])])
    assert [step.state for step in progress.steps(proven, reachable=False)] == ["done"] * 6 + ["running"]
    assert progress.overall(proven, None, reachable=False)[0] == "provisioning"
    assert progress.overall(proven, None, reachable=True)[0] == "ready"


def test_a_part_that_is_done_says_when() -> None:
    step = progress.steps(tenant(conditions=[condition("DatabaseReady")]), reachable=True)[0]
    assert step.finished_at is not None


def test_ready_counts_only_for_the_present_spec() -> None:
    ready = tenant(conditions=[condition("Ready")])
    assert is_ready(ready)
    assert not is_ready(changed_since(ready))


def changed_since(seen: Tenant) -> Tenant:
    return seen.model_copy(update={"metadata": seen.metadata.model_copy(update={"generation": 2})})


def test_what_a_spare_has_is_done_at_once_and_what_is_the_customers_is_not() -> None:
    claimed = changed_since(tenant(conditions=[*map(condition, [*PARTS, "Ready"])]))
    done = {step.name for step in progress.steps(claimed, reachable=True) if step.state == "done"}
    assert done == {"database", "storage", "cache", "workload"}
    assert progress.overall(claimed, None, reachable=True)[0] == "provisioning"


def test_a_taken_slug_is_a_permanent_failure_with_its_reason() -> None:
    lost = tenant(conditions=[condition("Ready", "False", "SlugTaken", "Someone has it.")])
    assert progress.overall(lost, None, reachable=True) == ("failed", "Someone has it.")
    assert progress.steps(lost, reachable=True)[-1].state in {"failed", "waiting"}


def test_a_transient_problem_is_shown_but_not_a_failure() -> None:
    slow = tenant(conditions=[condition("DatabaseReady", "False", "DatabaseUnavailable", "Waiting for it.")])
    assert progress.overall(slow, None, reachable=True)[0] == "provisioning"
    assert progress.steps(slow, reachable=True)[0].message == "Waiting for it."


def test_a_suspended_workspace_is_no_unfinished_one() -> None:
    closed = tenant(suspended={"reason": "Manual"})
    assert progress.overall(closed, None, reachable=True)[0] == "ready"
