"""What is wrong with a pod, in Kubernetes' own words: statuses as kubelet and the scheduler write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.scenes import pod
from vivero_core.model.conditions import Condition
from vivero_operator.reconcile.pods import Pod, Trouble

SINCE = "2026-11-22T11:58:00Z"


def container(state: str, last: dict[str, Any] | None = None, /, restarts: int = 0, **what: Any) -> dict[str, Any]:  # noqa: ANN401
    status: dict[str, Any] = {"name": "app", "restartCount": restarts, "state": {state: what}}
    return {**status, "lastState": {"terminated": last} if last else {}}


def parsed(*containers: dict[str, Any], **status: Any) -> Pod:  # noqa: ANN401  as Kubernetes has it
    return Pod.parse(pod(ready=False, containerStatuses=list(containers), **status))


FULL = "0/3 nodes are available: 3 Insufficient memory."
NOT_SCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": FULL}
CRASHED: dict[str, Any] = {"exitCode": 1, "reason": "Error"}
KILLED: dict[str, Any] = {"exitCode": 137, "reason": "OOMKilled"}
NO_KEY = "couldn't find key password in Secret tenant-x/database"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (parsed(conditions=[NOT_SCHEDULED]), f"Unschedulable: {FULL}"),
        (parsed(container("waiting", reason="ImagePullBackOff", message="Back-off")), "ImagePullBackOff: Back-off"),
        (parsed(container("waiting", reason="ErrImagePull", message="not found")), "ImagePullBackOff: not found"),
        (parsed(container("waiting", reason="InvalidImageName", message="bad")), "InvalidImageName: bad"),
        (
            parsed(container("waiting", reason="CreateContainerConfigError", message=NO_KEY)),
            f"CreateContainerConfigError: {NO_KEY}",
        ),
        (
            parsed(container("waiting", CRASHED, reason="CrashLoopBackOff", message="back-off 40s")),
            "CrashLoopBackOff: exit code 1",
        ),
        (parsed(container("waiting", KILLED, reason="CrashLoopBackOff")), "CrashLoopBackOff: exit code 137, OOMKilled"),
        (parsed(container("waiting", reason="CrashLoopBackOff", message="back-off")), "CrashLoopBackOff: back-off"),
        (parsed(container("terminated", **KILLED)), "OOMKilled: exit code 137, OOMKilled"),
        (parsed(container("terminated", **CRASHED)), "Error: exit code 1"),
        (parsed(container("terminated", KILLED, **CRASHED)), "CrashLoopBackOff: exit code 1"),
        (parsed(container("running", CRASHED, startedAt=SINCE)), "CrashLoopBackOff: exit code 1"),
        (parsed(phase="Failed", reason="Evicted", message="disk pressure"), "Evicted: disk pressure"),
        (parsed(phase="Failed"), "PodFailed"),
    ],
    ids=lambda one: one.split(":")[0] if isinstance(one, str) else "",
)
def test_its_own_reason(one: Pod, words: str) -> None:
    assert str(one.trouble) == words


@pytest.mark.parametrize(
    "one",
    [
        parsed(),
        parsed(container("waiting", reason="ContainerCreating")),
        parsed(container("waiting", reason="PodInitializing")),
        parsed(container("waiting")),
        parsed(container("running", startedAt=SINCE)),
        parsed(container("running", {"exitCode": 0, "reason": "Completed"})),
        parsed(container("terminated", exitCode=0, reason="Completed")),
        parsed(conditions=[{"type": "PodScheduled", "status": "True"}]),
    ],
)
def test_what_is_on_its_way_is_in_no_trouble(one: Pod) -> None:
    assert one.trouble is None


def test_what_crashes_is_in_the_same_trouble_all_the_time() -> None:
    """Kubelet goes round terminated, waiting and running; a condition must not change its reason with each."""
    round_trip = [
        parsed(container("terminated", CRASHED, 3, **CRASHED)),
        parsed(container("waiting", CRASHED, 3, reason="CrashLoopBackOff", message="back-off 80s")),
        parsed(container("running", CRASHED, 4)),
    ]
    assert len({one.trouble for one in round_trip}) == 1


class TestUnready:
    CONDITION: dict[str, Any] = {  # noqa: RUF012  of a test
        "type": "Ready",
        "status": "False",
        "reason": "ContainersNotReady",
        "message": "containers with unready status: [app]",
        "lastTransitionTime": SINCE,
    }

    def unready(self, *containers: dict[str, Any]) -> Pod:
        body = pod(containerStatuses=list(containers))
        body["status"]["conditions"] = [self.CONDITION]
        return Pod.parse(body)

    def test_it_says_what_it_waits_for_and_since_when(self) -> None:
        running = self.unready(container("running"))
        assert str(running.unready) == "ContainersNotReady: containers with unready status: [app]"
        assert running.unready_since is not None
        assert running.unready_since.isoformat() == "2026-11-22T11:58:00+00:00"
        assert str(self.unready(container("waiting", reason="ContainerCreating")).unready) == "ContainerCreating"

    def test_one_that_is_ready_waits_for_nothing(self) -> None:
        assert Pod.parse(pod()).unready is None

    def test_that_alone_is_no_news(self) -> None:
        one = self.unready(container("running"))
        assert one.news == parsed(container("running")).news


WORDS = st.one_of(st.none(), st.text(max_size=70), st.sampled_from(["Error", "OOMKilled", "Unschedulable"]))
STATES = st.fixed_dictionaries(
    {},
    optional={
        "waiting": st.fixed_dictionaries({}, optional={"reason": WORDS, "message": st.text(max_size=500)}),
        "running": st.just({}),
        "terminated": st.fixed_dictionaries({}, optional={"exitCode": st.integers(0, 255), "reason": WORDS}),
    },
)
CONTAINERS = st.fixed_dictionaries(
    {}, optional={"state": STATES, "lastState": STATES, "restartCount": st.integers(0, 9)}
)
CONDITIONS = st.fixed_dictionaries(
    {"type": st.sampled_from(["Ready", "PodScheduled"]), "status": st.sampled_from(["True", "False", "Unknown"])},
    optional={"reason": WORDS, "message": st.text(max_size=500)},
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(["Pending", "Running", "Failed", "Succeeded"]),
        "reason": WORDS,
        "message": st.text(max_size=500),
        "conditions": st.lists(CONDITIONS, max_size=3),
        "containerStatuses": st.lists(CONTAINERS, max_size=2),
    },
)


@given(BODIES)
def test_whatever_its_status_says_a_condition_can_carry_it(status: dict[str, Any]) -> None:
    one = Pod.parse({"metadata": {"name": "app-1", "namespace": "tenant-x"}, "status": status})
    for found in (one.trouble, one.unready):
        if found is not None:
            assert isinstance(found, Trouble)
            assert len(found.message) <= 300
            Condition(type="Degraded", status="True", reason=found.reason, last_transition_time=SINCE)
