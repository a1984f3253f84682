"""Each alert on a platform whose fault is made for real: told by the real Alertmanager, and healed by its runbook's own words.

The rules are the charts' with all their times divided (hurried.py), so that all of it is an hour. What stands behind
`sh` and `sql` is run as it is written; what the text leaves to people, the fault's `mend` does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import REPOSITORY, Kubectl, Sql
from e2e.observability import faults
from e2e.observability.conftest import Watching
from e2e.observability.faults import Fault, Scene
from e2e.waiting import wait_until
from support.alerts import ALERTS
from support.guide import Shell, blocks

pytestmark = [pytest.mark.full, pytest.mark.alone]

PATIENCE = 900.0
"""The longest that one of these alerts needs to end: half an hour of the day's budget, of six hours' window."""


@dataclass(frozen=True)
class Case:
    """A fault, the alerts that tell of it, and the sections of the runbook of the first of them: what looks, what heals."""

    fault: Fault
    alerts: tuple[str, ...]
    looks: tuple[int, ...]
    says: str
    """In what those print."""
    heals: tuple[int, ...] = ()
    before: Callable[[Scene], None] = lambda _: None
    """What a platform that is well needs where an hour is two minutes."""


CASES = (
    Case(faults.server_away, ("ViveroBackendUnavailable",), (2,), "Ready=False", (3,)),
    Case(faults.pods_that_do_not_fit, ("ViveroPoolLow",), (2,), "Insufficient memory", (4, 5)),
    Case(faults.scaled_down("vivero-operator"), ("ViveroNoLeader",), (2,), "0/0", (3,)),
    Case(faults.scaled_down("vivero-control-plane"), ("ViveroControlPlaneDown",), (2,), "0/0", (3,)),
    Case(faults.scaled_down("vivero-control-plane-worker"), ("ViveroWorkerDown",), (2,), "0/0", (3,)),
    Case(faults.mail_server_wrong, ("ViveroDeadLetters",), (2,), "mail"),
    Case(faults.plan_that_is_not_there, ("ViveroTenantNotReady",), (2,), "PlanNotFound", (6,)),
    Case(faults.table_gone, ("ViveroTenantErrors",), (2,), "/api/v1/files", (3,)),
    Case(
        faults.paused_without_pods,
        ("ViveroTenantBudgetBurnsFast", "ViveroTenantBudgetBurnsSlowly"),
        (2, 8),
        "Paused=True",
        (3, 6),
    ),
    Case(faults.changed_behind_the_log, ("ViveroRecoveryNotProven",), (2,), "by_hand", (3,)),
    Case(faults.proof_of_long_ago, ("ViveroRecoveryProofOld",), (2,), "Passed", (3,)),
    Case(faults.bucket_refuses, ("ViveroPlatformNotBackedUp",), (2,), "StorageUnavailable", (3,)),
    Case(faults.archiver_locked_out, ("ViveroArchiveBehind",), (2,), "archiving stopped"),
    Case(faults.tables_changed_behind_the_log, ("ViveroPlatformNotProven",), (2,), "ProofFailed", (3,)),
    Case(faults.statement_of_two_owners, ("ViveroArchiveStopped",), (2, 3), "cannot be cut", (4,)),
    # The worker compares when it starts, and then every hour.
    Case(faults.not_compared, ("ViveroBillingNotCompared",), (4,), "billing", before=faults.restart_worker),
    Case(faults.paid_for_nothing, ("ViveroBillingNeedsAPerson", "ViveroBillingDiffers"), (3, 4), "billing differs"),
)

Follow = Callable[[tuple[int, ...]], str]


@pytest.fixture
def scene(kubectl: Kubectl, sql: Sql, platform: dict[str, Any]) -> Scene:
    return Scene(kubectl, sql, platform)


def followed(runbook: Path, shell: Callable[..., Shell], sql: Sql) -> Follow:
    """Runs all blocks of sections, by their numbers; what they printed."""
    names, *others = blocks(runbook)

    def run(sections: tuple[int, ...]) -> str:
        said = []
        for block in others:
            if block.section.partition(".")[0] not in map(str, sections):
                continue
            if block.info.startswith("sql"):
                for statement in filter(str.strip, block.text.split(";")):
                    sql(statement)
            else:
                said.append(shell(names).run(block))
        return "\n".join(said)

    return run


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alerts[0])
def test_it_is_told_and_healed(
    case: Case, scene: Scene, hurrying: Watching, environment: dict[str, str], tmp_path: Path
) -> None:
    case.before(scene)
    wait_until(lambda: not any(map(hurrying.alerts, case.alerts)), PATIENCE, "a platform that is well")
    with case.fault(scene) as broken:

        def told() -> list[str]:
            return [alert for alert in case.alerts if hurrying.alerts(alert, **broken.labels)]

        wait_until(lambda: told() == [*case.alerts], PATIENCE, "the alert")

        runbook = REPOSITORY / ALERTS[case.alerts[0]]["annotations"]["runbook"].partition("#")[0]
        run = followed(runbook, lambda names: Shell(names, tmp_path, {**environment, **broken.names}), scene.sql)
        assert case.says in run(case.looks)
        broken.mend()
        run(case.heals)

        wait_until(lambda: told() == [], PATIENCE, "its resolution")
