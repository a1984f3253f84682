"""Faults on a platform's real servers, each with its alert in the real Alertmanager and its runbook's own cure."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import REPOSITORY, Kubectl
from e2e.observability.conftest import Watching
from e2e.waiting import wait_until
from support.guide import Block, Shell, blocks

PATIENCE = 400.0
"""The longest that one of these alerts waits is five minutes."""

LARGE = {"memoryRequest": "900Gi", "memoryLimit": "900Gi"}

Follow = Callable[..., tuple[list[Block], Callable[[Block], str]]]


@pytest.fixture
def follow(environment: dict[str, str], tmp_path: Path) -> Follow:
    """The blocks of a runbook behind that of the names, which are given, and what runs one of them."""

    def open_it(name: str, **names: str) -> tuple[list[Block], Callable[[Block], str]]:
        found, *others = blocks(REPOSITORY / "docs/runbooks" / name)
        return others, Shell(found, tmp_path, {**environment, **names}).run

    return open_it


@pytest.mark.full
def test_a_database_server_that_is_away(
    kubectl: Kubectl, watching: Watching, follow: Follow, apply: Callable[[dict[str, Any]], None]
) -> None:
    """One of the test's own at the real server's address, behind a port at which nothing listens."""
    name = f"away-{secrets.token_hex(3)}"
    server = json.loads(kubectl("get", "vdb", "main", "-o", "json"))
    port, spec = server["spec"]["port"], server["spec"] | {"port": 1, "cordoned": True}
    spec.pop("archiverSecret", None)
    apply({"apiVersion": server["apiVersion"], "kind": "DatabaseServer", "metadata": {"name": name}, "spec": spec})

    def told() -> list[dict[str, Any]]:
        return watching.alerts("ViveroBackendUnavailable", system=f"mariadb-{name}")

    wait_until(lambda: bool(told()), PATIENCE, "the alert")

    (look, healed), run = follow("backend-unavailable.md", SERVER=name)
    assert f"{name}: Ready=False" in run(look)
    kubectl("patch", "vdb", name, "--type=merge", "--patch", json.dumps({"spec": {"port": port}}))
    run(healed)

    wait_until(lambda: told() == [], PATIENCE, "its resolution")


@pytest.mark.full
def test_a_pool_whose_pods_do_not_fit(
    kubectl: Kubectl, watching: Watching, follow: Follow, apply: Callable[[dict[str, Any]], None]
) -> None:
    """Its plan, one of the test's own, asks for more than the node has."""
    name = f"low-{secrets.token_hex(3)}"
    plan = json.loads(kubectl("get", "plan", "starter", "-o", "json"))
    spec = plan["spec"] | {"offered": False, "workload": plan["spec"]["workload"] | LARGE}
    apply({"apiVersion": plan["apiVersion"], "kind": "Plan", "metadata": {"name": name}, "spec": spec})
    pool = {"plan": name, "size": 1}
    apply({"apiVersion": plan["apiVersion"], "kind": "TenantPool", "metadata": {"name": name}, "spec": pool})

    def told() -> list[dict[str, Any]]:
        return watching.alerts("ViveroPoolLow", pool=name)

    wait_until(lambda: bool(told()), PATIENCE, "the alert")

    (look, _, smaller, larger), run = follow("pool-low.md", POOL=name, SIZE="2", PLAN=name, MEMORY="96Mi")
    assert "Insufficient memory" in run(look)
    run(smaller)
    run(larger)

    wait_until(lambda: told() == [], PATIENCE, "its resolution")
    kubectl("wait", "--for=jsonpath={.status.ready}=2", f"vpool/{name}", "--timeout=85s")
