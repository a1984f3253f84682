"""The parts of docs/install.md that wait for pods, executed word for word on the test platform."""

import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.guide import Shell, blocks
from vivero_dev.instance import cache_root
from vivero_dev.localhost import local_client
from vivero_dev.native.tools import program
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.probing import until

BLOCKS = blocks(Path(__file__).parents[3] / "docs/install.md")
NAMES = next(block for block in BLOCKS if block.section.startswith("2."))
# The ingress needs a moment to learn a new route.
PAGE_SECONDS = 60.0

Json = dict[str, Any]


@pytest.fixture
def running(platform: Json, helm: Path, tmp_path: Path) -> Iterator[Shell]:
    """The same person on a platform with real pods."""
    name = f"guide-{uuid.uuid4().hex[:8]}"
    kubectl = Kubectl(program(cache_root(), "kubectl"), Path(platform["kubeconfig"]))
    path = f"{helm.parent}:{kubectl.program.parent}:{os.environ['PATH']}"
    yield Shell(NAMES, tmp_path, {"PATH": path, "KUBECONFIG": platform["kubeconfig"], "TENANT": name})
    patch = '--patch={"spec": {"deletionPolicy": "Delete"}}'
    if kubectl.get("tenant", name):
        kubectl.run("patch", "tenant", name, "--type=merge", patch)
    kubectl.run("delete", "tenant", name, "--ignore-not-found", "--wait=false")
    kubectl.run("delete", f"tenantpool/{name}-pool", f"plan/{name}-plan", "--ignore-not-found", "--wait=false")
    for one in kubectl.list("tenanterasures"):
        if name in _kept_by(one):
            kubectl.apply([_erased_now(one)])


def _kept_by(erasure: Json) -> str:
    """The Tenant that would bring the data back."""
    return str(erasure.get("status", {}).get("undelete", ""))


def _erased_now(erasure: Json) -> Json:
    """The guide's plan has an undo window."""
    ident = erasure["spec"]["id"]
    metadata, spec = {"name": f"guide-{ident}"}, {"id": ident}
    return {"apiVersion": "vivero.dev/v1alpha1", "kind": "TenantErasure", "metadata": metadata, "spec": spec}


def test_what_needs_pods_works_on_a_running_platform(running: Shell, platform: Json) -> None:
    check, plan_and_pool, tenant, remove = (block for block in BLOCKS if block.info == "sh running")
    assert len(re.findall(r"^Phase: +Succeeded$", running.run(check), re.MULTILINE)) >= 2, "helm test ran in both"
    running.run(plan_and_pool)
    running.run(tenant)
    assert owner_login(running, platform) == httpx.codes.OK
    running.run(remove)


def owner_login(shell: Shell, platform: Json) -> int:
    slug = shell.environment["TENANT"]
    address = platform["control_plane_url"].replace("https://", f"https://{slug}.")
    password = (shell.folder / "owner-password").read_text()
    until("route of the tenant", lambda: page_problem(address, platform), PAGE_SECONDS)
    with local_client(Path(platform["ca"])) as client:
        answer = client.post(f"{address}/api/v1/auth/login", json={"email": "owner@example.com", "password": password})
    return answer.status_code


def page_problem(address: str, platform: Json) -> str | None:
    with local_client(Path(platform["ca"])) as client:
        found = client.get(f"{address}/api/v1/me").status_code
    return None if found == httpx.codes.UNAUTHORIZED else f"{address} answers {found}"
