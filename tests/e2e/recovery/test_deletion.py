"""What was deleted comes back whole, whatever was deleted; or is erased whole, by order.

A namespace that is deleted, and a Tenant that lost its finalizer: test_hands.py. The release of the definitions, and of the
operator, on an API server without pods: tests/integration/charts/test_install_guide.py.
"""

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import REPOSITORY, Kubectl, Sql, condition
from e2e.conftest import Shoot
from e2e.control_plane.conftest import log_in
from e2e.owned import OwnedTenant
from e2e.waiting import wait_until
from playwright.sync_api import Page, expect
from support.guide import Block, Shell, blocks
from types_boto3_s3.client import S3Client
from vivero_core.model import naming
from vivero_dev.instance import Instance, cache_root
from vivero_dev.native.tools import program
from vivero_dev.providers import provider_for

PLAN = "undo-test"
RUNBOOKS = REPOSITORY / "docs/runbooks"
SPACE = ("--namespace", "vivero-system")
BACK_SECONDS = 120
"""What the runbook promises; `kubectl wait` of the runbook itself waits no longer."""


class Kept(OwnedTenant):
    """A tenant that may be undeleted."""

    def delete(self, *options: str) -> None:
        self._kubectl("delete", "tenant", self.name, "--ignore-not-found", *(options or ("--timeout=85s",)))

    def is_gone(self) -> bool:
        return self.name not in self._kubectl("get", "tenants", "-o", "name")

    def came_back(self) -> None:
        """Ready at its address, with its file."""
        self._kubectl("wait", "--for=condition=Ready", f"tenant/{self.name}", f"--timeout={BACK_SECONDS - 35}s")
        wait_until(self.has_its_file, 60, "the file at its address")


@pytest.fixture(scope="module")
def _erased_at_the_end(kubectl: Kubectl) -> Iterator[list[Kept]]:
    """All together, with all that is kept: a deletion takes its final backup, and an erasure its Job."""
    made: list[Kept] = []
    yield made
    for one in made:
        one.delete("--wait=false")
    for one in made:
        one.delete()
    for one in made:
        order_erasure(kubectl, one.id, f"end-{one.name}")
    for one in made:
        kubectl("wait", f"verase/end-{one.name}", "--for=condition=Complete", "--timeout=85s")


@pytest.fixture
def kept(kubectl: Kubectl, platform: dict[str, Any], _erased_at_the_end: list[Kept]) -> Kept:
    """Of a plan with an undo window, which plans of the test platform have not."""
    plan = {"displayName": "Undo", "price": {"amountCents": 0}, "undoDays": 14, "limits": {"connections": 15}}
    body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Plan", "metadata": {"name": PLAN}, "spec": plan}
    kubectl("apply", "-f", "-", given=json.dumps(body))
    found = Kept(kubectl, platform, f"kept-{secrets.token_hex(3)}", plan=PLAN)
    _erased_at_the_end.append(found)
    return found


def order_erasure(kubectl: Kubectl, ident: str, name: str) -> None:
    order = {"metadata": {"name": name}, "spec": {"id": ident}}
    kubectl(
        "apply", "-f", "-", given=json.dumps({"apiVersion": "vivero.dev/v1alpha1", "kind": "TenantErasure", **order})
    )


@pytest.fixture
def person(instance: Instance, platform: dict[str, Any], tmp_path: Path) -> Callable[..., Shell]:
    """Somebody with a runbook and kubectl."""

    def shell(names: Block, **environment: str) -> Shell:
        path = f"{provider_for(instance, 'auto').kubectl().program.parent}:{os.environ['PATH']}"
        return Shell(names, tmp_path, {"PATH": path, "KUBECONFIG": platform["kubeconfig"], **environment})

    return shell


def test_a_tenant_that_was_deleted_with_its_data_comes_back_by_the_runbook(
    kubectl: Kubectl, kept: Kept, person: Callable[..., Shell]
) -> None:
    """With the backup that was made before; and its address is closed meanwhile."""
    kept.delete()
    backup = condition(kubectl, f"final-{kept.id}", "Complete", "vbk")
    assert (backup["status"], backup["reason"]) == ("True", "BackedUp")
    wait_until(lambda: kept.request("GET", "/readyz").status_code == httpx.codes.NOT_FOUND, 60, "a closed address")
    found = blocks(RUNBOOKS / "undelete.md")
    assert [block.info for block in found] == ["sh", "sh", "sh", "sh", "sh retained"]
    names, look, back, cancelled, _ = found
    shell = person(names, ID=kept.id)
    assert "Scheduled" in shell.run(look)
    shell.run(back)
    kept.came_back()
    shell.run(cancelled)
    assert kept.has_its_file()


def test_staff_bring_a_deleted_workspace_back(
    kubectl: Kubectl, platform: dict[str, Any], kept: Kept, page: Page, shoot: Shoot, accessible: Callable[[Page], None]
) -> None:
    home = platform["control_plane_url"].rstrip("/")
    kept.delete()
    wait_until(lambda: bool(undelete_manifest(kubectl, kept)), 60, "what brings it back")
    page.goto(f"{home}/staff/tenants")
    log_in(page, platform["admin"])
    page.get_by_role("link", name="Deleted", exact=True).click()
    row = page.get_by_role("row").filter(has_text=kept.name)
    expect(row).to_have_count(1)
    accessible(page)
    shoot(page, "deleted")
    row.get_by_role("link", name="Undelete").click()
    dialog = page.get_by_role("dialog")
    accessible(page)
    shoot(page, "deleted-undelete")
    dialog.get_by_label("Why").fill("The customer changed their mind")
    dialog.get_by_role("button", name="Undelete workspace").click()
    expect(page.get_by_text("The workspace comes back, with its data as it was.")).to_be_visible()
    expect(page.get_by_text("The customer changed their mind")).to_be_visible()
    kept.came_back()
    page.goto(f"{home}/staff/deleted")
    expect(page.get_by_role("row").filter(has_text=kept.name)).to_have_count(0)


def test_a_retained_tenant_comes_back_by_its_record(kubectl: Kubectl, kept: Kept, person: Callable[..., Shell]) -> None:
    kubectl("patch", "tenant", kept.name, "--type=merge", "-p", '{"spec": {"deletionPolicy": "Retain"}}')
    kept.delete()
    names, *_, retained = blocks(RUNBOOKS / "undelete.md")
    person(names, ID=kept.id).run(retained)
    kept.came_back()


def test_an_operator_that_is_killed_in_the_middle_of_a_deletion_loses_nothing(kubectl: Kubectl, kept: Kept) -> None:
    kept.delete("--wait=false")
    leader = json.loads(kubectl("get", "lease", "vivero-operator", *SPACE, "-o", "json"))
    pod = str(leader["spec"]["holderIdentity"])
    kubectl("delete", "pod", pod, *SPACE, "--grace-period=0", "--force")
    wait_until(kept.is_gone, 150, "the end of the deletion by the next operator")
    undelete(kubectl, kept)
    kept.came_back()


def undelete_manifest(kubectl: Kubectl, kept: Kept) -> str:
    return kubectl("get", "verase", kept.id, "-o", "jsonpath={.status.undelete}")


def undelete(kubectl: Kubectl, kept: Kept) -> None:
    wait_until(lambda: bool(undelete_manifest(kubectl, kept)), 60, "what brings it back")
    kubectl("apply", "-f", "-", given=undelete_manifest(kubectl, kept))


def test_the_runbook_for_an_erasure(
    kubectl: Kubectl,
    platform: dict[str, Any],
    kept: Kept,
    person: Callable[..., Shell],
    stored: S3Client,
    sql: Sql,
) -> None:
    """Each block of it, word for word; then nothing of the tenant is anywhere, but for the receipt."""
    bucket = platform["backup"]["bucket"]

    def held() -> list[str]:
        found = stored.list_objects_v2(Bucket=bucket, Prefix=f"{kept.id}/").get("Contents", [])
        return [one["Key"] for one in found]

    found = blocks(RUNBOOKS / "erase.md")
    assert [block.info for block in found] == ["sh"] * 5
    names, *steps = found
    request = f"request-{secrets.token_hex(3)}"
    shell = person(names, TENANT=kept.name, ID=kept.id, REQUEST=request)
    wait_until(lambda: bool(held()), 60, "an archived log of the tenant")
    said = [shell.run(step) for step in steps]
    assert f"erasures/{kept.id}.json" in said[-1]
    assert held() == []
    receipt = json.loads(stored.get_object(Bucket=bucket, Key=f"erasures/{kept.id}.json")["Body"].read())
    assert receipt["orderedBy"] == request
    counts = {one["kind"]: one["count"] for one in [*receipt["erased"], receipt["erasedCopies"]]}
    assert counts["files"] >= 1
    assert counts["tables"] > 5
    assert counts["backup objects"] >= 3, "the final backup, and the log"
    assert kept.login["email"] not in json.dumps(receipt)
    schemas = {naming.database_name(kept.id), naming.audit_database_name(kept.id)}
    assert schemas.isdisjoint(name for (name,) in sql("SHOW DATABASES"))
    assert not [user for (user,) in sql("SELECT user FROM mysql.user") if kept.id in user]
    assert kept.id not in kubectl("get", "secrets,configmaps,namespaces", "-A", "-o", "name")
    archiver = json.loads(kubectl("get", "configmaps", *SPACE, "-o", "json"))["items"]
    assert not any(kept.id in (one.get("data") or {}) for one in archiver), "no entry of it is left"
    again = {
        "displayName": "Again",
        "slug": kept.name,
        "plan": PLAN,
        "owner": {"email": kept.login["email"]},
        "adopt": kept.id,
    }
    body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": kept.name}, "spec": again}
    kubectl("apply", "-f", "-", given=json.dumps(body))
    wait_until(lambda: condition(kubectl, kept.name, "Ready").get("reason") == "Erased", 60, "a refusal of the id")


@pytest.mark.alone  # nobody works for any tenant meanwhile, and all Tenants of the platform go
class TestTheWholePlatform:
    """Deleted by accident, with everything that depends on it."""

    @pytest.fixture
    def helm(self, platform: dict[str, Any]) -> Callable[..., str]:
        def run(*arguments: str) -> str:
            command = [str(program(cache_root(), "helm")), "--kubeconfig", platform["kubeconfig"], *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)  # noqa: S603  the tests' own
            assert done.returncode == 0, done.stderr
            return done.stdout

        return run

    def test_the_operators_release(
        self, kubectl: Kubectl, kept: Kept, helm: Callable[..., str], tmp_path: Path
    ) -> None:
        """A Tenant that is deleted while there is no operator waits for the next one, with its data."""
        values = tmp_path / "values.yaml"
        values.write_text(helm("get", "values", "vivero-operator", *SPACE, "--output=yaml"))
        helm("uninstall", "vivero-operator", *SPACE, "--wait", "--timeout=120s")
        try:
            assert kept.has_its_file(), "it serves without an operator"
            kept.delete("--wait=false")
            assert not kept.is_gone()
        finally:
            chart = str(REPOSITORY / "charts/vivero-operator")
            helm(
                "upgrade",
                "--install",
                "vivero-operator",
                chart,
                *SPACE,
                "--values",
                str(values),
                "--wait",
                "--timeout=180s",
            )
        wait_until(kept.is_gone, 120, "the end of the deletion")
        undelete(kubectl, kept)
        kept.came_back()

    def test_the_definition_of_tenants(
        self, kubectl: Kubectl, kept: Kept, helm: Callable[..., str], tmp_path: Path
    ) -> None:
        """All Tenants go with it; each whose data is kept comes back by its record."""
        known = json.loads(kubectl("get", "tenants", "-o", "json"))["items"]
        names = {one["status"]["id"]: one["metadata"]["name"] for one in known if "id" in one.get("status", {})}
        values = tmp_path / "values.yaml"
        values.write_text(helm("get", "values", "vivero-crds", *SPACE, "--output=yaml"))
        kubectl("delete", "crd", "tenants.vivero.dev", "--timeout=180s", seconds=200)
        chart = str(REPOSITORY / "charts/vivero-crds")
        helm("upgrade", "vivero-crds", chart, *SPACE, "--values", str(values), "--wait", "--timeout", "60s")
        retained = json.loads(kubectl("get", "secrets", *SPACE, "--selector=vivero.dev/retained", "-o", "json"))[
            "items"
        ]
        back = {one["metadata"]["name"].removeprefix("escrow-"): one["data"]["undelete"] for one in retained}
        assert kept.id in back
        ours = back.keys() & names.keys()
        for ident in ours:
            kubectl("apply", "-f", "-", given=base64.b64decode(back[ident]).decode())
        for ident in ours:
            # Seen once: no watch brought anything any more, until the probe of liveness had the operator started again.
            kubectl("wait", "--for=condition=Ready", f"tenant/{names[ident]}", "--timeout=240s", seconds=260)
        kept.came_back()
