"""Runbooks of alerts on a platform that is well: what looks is run word for word, what cures is at least a script."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import REPOSITORY, Kubectl
from support.alerts import ALERTS
from support.guide import Block, Shell, blocks

RUNBOOKS = sorted({rule["annotations"]["runbook"].partition("#")[0] for rule in ALERTS.values()})


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_who_looks_without_need_finds_nothing_and_changes_nothing(
    runbook: str, kubectl: Kubectl, environment: dict[str, str], platform: dict[str, Any], tmp_path: Path
) -> None:
    names, *others = blocks(REPOSITORY / runbook)
    assert {block.info for block in others} <= {"sh", "sh cure", "sql cure"}
    asked = ["vt/" + platform["demo_tenant"]["name"], "vdb/main", "vpool/trial", "vpb/platform"]
    written = "jsonpath={range .items[*]}{.spec}{.metadata.annotations}{end}"
    before = kubectl("get", *asked, "-o", written)
    shell = Shell(names, tmp_path, {**environment, "TENANT": platform["demo_tenant"]["name"]})
    for block in others:
        if block.info == "sh":
            shell.run(block)
        elif block.info == "sh cure":
            parses(block)
    assert kubectl("get", *asked, "-o", written) == before


def parses(block: Block) -> None:
    done = subprocess.run(["/bin/bash", "-n", "-c", block.text], capture_output=True, check=False, timeout=30)  # noqa: S603  the repository's own
    assert done.returncode == 0, f"block at line {block.line}: {done.stderr.decode()}"
