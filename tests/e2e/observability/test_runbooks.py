"""Runbooks of alerts on a platform that is well: what looks is run word for word, what cures is at least a script."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.cluster import REPOSITORY, Kubectl
from support.guide import Block, Shell, blocks

RULES = [
    rule
    for file in REPOSITORY.glob("charts/*/files/*rules.yaml")
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
RUNBOOKS = sorted({rule["annotations"]["runbook"].partition("#")[0] for rule in RULES if "alert" in rule})


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_who_looks_without_need_finds_nothing_and_changes_nothing(
    runbook: str, kubectl: Kubectl, environment: dict[str, str], platform: dict[str, Any], tmp_path: Path
) -> None:
    names, *others = blocks(REPOSITORY / runbook)
    assert {block.info for block in others} <= {"sh", "sh cure"}
    before = kubectl("get", "vt,vdb,vpool,vpb", "-o", "name")
    shell = Shell(names, tmp_path, {**environment, "TENANT": platform["demo_tenant"]["name"]})
    for block in others:
        if block.info == "sh":
            shell.run(block)
        else:
            parses(block)
    assert kubectl("get", "vt,vdb,vpool,vpb", "-o", "name").split() >= before.split()


def parses(block: Block) -> None:
    done = subprocess.run(["/bin/bash", "-n", "-c", block.text], capture_output=True, check=False, timeout=30)  # noqa: S603  the repository's own
    assert done.returncode == 0, f"block at line {block.line}: {done.stderr.decode()}"
