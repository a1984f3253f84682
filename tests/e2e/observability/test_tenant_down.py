"""A tenant that is really dead: the alert in the real Alertmanager, the mail, docs/runbooks/tenant-down.md word for word."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import REPOSITORY, Kubectl
from e2e.observability.conftest import Watching
from e2e.owned import OwnedTenant
from e2e.waiting import wait_until
from support.guide import Shell, blocks
from vivero_dev.localhost import local_client
from vivero_dev.observability.configuration import ON_CALL

ALERT = "ViveroTenantDown"
PATIENCE = 180.0
NAMES, DIAGNOSE, RESUME, REFUSING, REMOVE, RESTART, HANG, HEALED, ENDED = range(9)
"""The runbook's blocks, in its order."""


@pytest.fixture(scope="module")
def owned(kubectl: Kubectl, platform: dict[str, Any]) -> Iterator[OwnedTenant]:
    yield (made := OwnedTenant(kubectl, platform, "told-of"))
    kubectl("annotate", "vt", made.name, "vivero.dev/paused-")  # a test that failed half-way leaves it paused
    kubectl("delete", "tenant", made.name, "--timeout=85s")


@pytest.fixture
def shell(owned: OwnedTenant, environment: dict[str, str], tmp_path: Path) -> Callable[[int], str]:
    """Runs a block of the runbook, by its number."""
    found = blocks(REPOSITORY / "docs/runbooks/tenant-down.md")
    assert [number for number, block in enumerate(found) if block.info == "sh cure"] == [RESUME, REMOVE, RESTART, HANG]
    assert len(found) == 9
    names = {**environment, "TENANT": owned.name}
    one = Shell(found[NAMES], tmp_path, names)
    return lambda number: one.run(found[number])


def pause_and_take_away(kubectl: Kubectl, owned: OwnedTenant) -> None:
    """By hand, as at the end of a maintenance that was never ended."""
    kubectl("annotate", "vt", owned.name, "vivero.dev/paused=true")
    kubectl("scale", "deployment/app", "--replicas=0", "-n", owned.namespace)


def refuse_pods(kubectl: Kubectl, owned: OwnedTenant) -> None:
    """A quota that is not ours, and then a node that loses the pod."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "of-a-stranger", "namespace": owned.namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    kubectl("apply", "-f", "-", given=json.dumps(quota))
    kubectl("delete", "pods", "--all", "-n", owned.namespace, "--wait=false")


@pytest.mark.parametrize(
    ("break_it", "says", "cure"),
    [
        (pause_and_take_away, "Paused=True", [RESUME]),
        (refuse_pods, "exceeded quota: of-a-stranger", [REFUSING, REMOVE, RESTART]),
    ],
)
def test_it_is_told_and_healed(
    break_it: Callable[[Kubectl, OwnedTenant], None],
    says: str,
    cure: list[int],
    kubectl: Kubectl,
    owned: OwnedTenant,
    watching: Watching,
    shell: Callable[[int], str],
    platform: dict[str, Any],
    authority: Path,
) -> None:
    def told() -> list[dict[str, Any]]:
        return watching.alerts(ALERT, tenant=owned.name)

    ready = f'vivero_tenant_ready_pods{{tenant="{owned.name}"}}'
    wait_until(lambda: [one["value"][1] for one in watching.query(ready)] == ["1"], PATIENCE, "the operator's number")
    assert told() == [], "it is well"

    break_it(kubectl, owned)
    wait_until(lambda: not owned.request("GET", "/api/v1/me").is_success, PATIENCE, "its end")
    took = wait_until(lambda: bool(told()), PATIENCE, "the alert")

    (alert,) = told()
    assert alert["labels"]["severity"] == "critical"
    assert alert["labels"]["tenant_id"] == owned.id
    assert (REPOSITORY / alert["annotations"]["runbook"]).name == "tenant-down.md"
    wait_until(lambda: any(owned.name in one for one in mails(platform, authority)), PATIENCE, "the mail")

    assert says in shell(DIAGNOSE)
    for number in cure:
        shell(number)
    shell(HEALED)

    wait_until(lambda: told() == [], PATIENCE, "its resolution")
    assert owned.has_its_file()
    print(f"told {took:.0f} s after it was gone")  # noqa: T201  for docs/performance.md


def test_a_hanging_program_is_started_again(owned: OwnedTenant, kubectl: Kubectl, shell: Callable[[int], str]) -> None:
    """Section 5, with nothing wrong: who runs it in error loses a restart, and no data."""
    before = kubectl("get", "pods", "-n", owned.namespace, "-o", "name").split()

    shell(HANG)
    shell(ENDED)

    wait_until(
        lambda: not set(before) & set(kubectl("get", "pods", "-n", owned.namespace, "-o", "name").split()),
        PATIENCE,
        "another pod",
    )
    shell(HEALED)
    assert owned.has_its_file()


def mails(platform: dict[str, Any], authority: Path) -> list[str]:
    """Texts of what the person on call was sent."""
    with local_client(authority) as client:
        found = client.get(f"{platform['mail']['url']}/api/messages", params={"to": ON_CALL})
    return [f"{one['subject']} {one['text']} {one['html']}" for one in found.raise_for_status().json()["messages"]]
