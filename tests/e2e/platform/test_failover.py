"""Two replicas of the operator: one that falls silent is replaced, and writes nothing when it wakes up.

How soon, tests/unit/operator/test_leader.py says by a clock that no load holds up.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import Kubectl, tenant
from e2e.waiting import wait_until

pytestmark = pytest.mark.alone  # nobody works for its tenants while the operators change places

NAMESPACE = "vivero-system"
DEPLOYMENT = "deployment/vivero-operator"
TAKEOVER_SECONDS = 60
SEEN_SECONDS = 60


def holder(kubectl: Kubectl) -> str:
    lease = json.loads(kubectl("get", "lease", "vivero-operator", "-n", NAMESPACE, "-o", "json"))
    return str(lease["spec"].get("holderIdentity") or "")


def process_of(pod: str) -> int:
    """The operator's process in that pod, as this machine sees it."""
    wanted = f"VIVERO_IDENTITY={pod}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
    raise AssertionError(f"no process of {pod} on this machine")


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Alive, and silent: as on a machine that hangs."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def log(kubectl: Kubectl, pod: str) -> str:
    return kubectl("logs", "-n", NAMESPACE, f"pod/{pod}", "--tail=500")


@pytest.fixture
def two_replicas(kubectl: Kubectl) -> None:
    """The chart's default, which the local platform runs as well."""
    kubectl("rollout", "status", DEPLOYMENT, "-n", NAMESPACE, "--timeout=90s", seconds=100)
    assert kubectl("get", DEPLOYMENT, "-n", NAMESPACE, "-o", "jsonpath={.status.readyReplicas}") == "2"
    wait_until(lambda: holder(kubectl) != "", TAKEOVER_SECONDS, "a leader")


@pytest.mark.usefixtures("two_replicas")
def test_a_silent_leader_is_replaced_and_does_nothing_when_it_wakes_up(
    kubectl: Kubectl, apply: Callable[[dict[str, Any]], None]
) -> None:
    first = holder(kubectl)
    process = process_of(first)
    with stopped(process):
        wait_until(lambda: holder(kubectl) not in ("", first), TAKEOVER_SECONDS, "a new leader")
        second = holder(kubectl)
        apply(tenant("after-the-takeover"))
        kubectl("wait", "--for=condition=Ready", "tenant/after-the-takeover", "--timeout=60s")
    # It notices that its Lease is another's, and starts over, without a restart of its container.
    wait_until(lambda: "starting over" in log(kubectl, first), SEEN_SECONDS, "the old leader to notice")
    kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", f"pod/{first}", f"--timeout={SEEN_SECONDS}s")
    assert Path(f"/proc/{process}").exists()
    assert holder(kubectl) == second
