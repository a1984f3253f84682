"""Everything is lost but the backup bucket and the recovery key, and the runbook brings it back.

The new installation is a platform of its own, whose bucket gets what the shared one's holds: nothing else of that is there.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import REPOSITORY, Kubectl, status_of
from e2e.owned import OwnedTenant
from e2e.waiting import wait_until
from rich.console import Console
from support.guide import Shell, blocks
from types_boto3_s3.client import S3Client
from vivero_dev.backing import object_store
from vivero_dev.backing.accounts import Account
from vivero_dev.cli_platform import take_down
from vivero_dev.display import PlainDisplay
from vivero_dev.instance import Instance, load_instance, open_instance
from vivero_dev.localhost import local_client
from vivero_dev.platform.credentials import RECOVERY_KEY
from vivero_dev.platform.values import Chores
from vivero_dev.providers import provider_for
from vivero_dev.secret_store import SecretStore
from vivero_dev.status import as_json
from vivero_dev.steps import run_steps
from vivero_dev.up import Platform

pytestmark = pytest.mark.alone

LATER = {"operator", "control plane", "public page", "spares"}
NOTE = "Zürich 🌱 東京"


class Workspace(OwnedTenant):
    """With a record beside the file."""

    def __init__(self, kubectl: Kubectl, platform: dict[str, Any]) -> None:
        super().__init__(kubectl, platform, f"lost-{secrets.token_hex(3)}", deletionPolicy="Retain")
        fields = [{"name": "note", "type": "text"}]
        self.request("POST", "/api/v1/collections", json={"name": "notes", "fields": fields}).raise_for_status()
        values = {"values": {"note": NOTE}}
        self.request("POST", "/api/v1/collections/notes/records", json=values).raise_for_status()

    def answers(self) -> bool:
        return self.request("GET", "/api/v1/me").is_success

    def moved(self, url: str, authority: str) -> None:
        self.url, self._authority = url, Path(authority)

    def records(self) -> list[Any]:
        found = self.request("GET", "/api/v1/collections/notes/records").json()["items"]
        return [one["values"]["note"] for one in found]


@pytest.fixture
def anew(instance: Instance) -> Iterator[Instance]:
    """The instance that the platform is rebuilt as; gone at the end, with all that it holds."""
    name = f"{instance.name[:20]}-anew"
    left = load_instance(name)
    if left is not None:  # of a run that was interrupted
        take_down(provider_for(left, "auto"), Console(quiet=True), erase=True)
    made = open_instance(name)
    yield made
    take_down(provider_for(made, "auto"), Console(quiet=True), erase=True)


def bucket_of(status: dict[str, Any]) -> tuple[S3Client, str]:
    at = status["backup"]
    return object_store.client(at["endpoint"], Account(at["access_key"], at["secret_key"]), Path(at["ca"])), at[
        "bucket"
    ]


def copy(source: tuple[S3Client, str], target: tuple[S3Client, str]) -> None:
    (lost, name), (left, other) = source, target
    for page in lost.get_paginator("list_objects_v2").paginate(Bucket=name):
        for one in page.get("Contents", ()):
            found = lost.get_object(Bucket=name, Key=one["Key"])
            left.put_object(Bucket=other, Key=one["Key"], Body=found["Body"].read(), Metadata=found["Metadata"])


def newest_state(kubectl: Kubectl) -> int:
    status = status_of(kubectl, "vpb", "platform")
    return int(status.get("state", {}).get("number", 0))


def annotate(kubectl: Kubectl, value: str) -> None:
    kubectl("annotate", "vpb", "platform", "--overwrite", f"vivero.dev/paused{value}")


def archive_everything(kubectl: Kubectl, platform: dict[str, Any]) -> None:
    """Until all that is committed now is in the bucket."""
    client, bucket = bucket_of(platform)
    uid = kubectl("get", "vdb", "main", "-o", "jsonpath={.metadata.uid}")

    def until() -> int:
        body = client.get_object(Bucket=bucket, Key=f"servers/{uid}/position")["Body"].read()
        return int(json.loads(body)["until"])

    begun = until()
    wait_until(lambda: until() > begun + 5, 120, "an archived log")


def back_up(kubectl: Kubectl, *workspaces: Workspace) -> None:
    """Files are in the backup bucket from the next backup on."""
    for one in workspaces:
        body = {"apiVersion": "vivero.dev/v1alpha1", "kind": "TenantBackup", "metadata": {"name": f"of-{one.name}"}}
        kubectl("apply", "-f", "-", given=json.dumps(body | {"spec": {"tenant": one.name}}))
    names = [f"vbk/of-{one.name}" for one in workspaces]
    kubectl("wait", *names, "--for=condition=Complete", "--timeout=85s")


def erase(kubectl: Kubectl, workspace: Workspace) -> None:
    kubectl("delete", "tenant", workspace.name, "--timeout=85s")
    order = {"metadata": {"name": f"no-{workspace.name}"}, "spec": {"id": workspace.id}}
    kind = {"apiVersion": "vivero.dev/v1alpha1", "kind": "TenantErasure"}
    kubectl("apply", "-f", "-", given=json.dumps(kind | order))
    kubectl("wait", f"verase/no-{workspace.name}", "--for=condition=Complete", "--timeout=85s")


@pytest.fixture
def workspaces(kubectl: Kubectl, platform: dict[str, Any]) -> Iterator[tuple[Workspace, Workspace, Workspace]]:
    """Two that are there when all is lost, and one that was erased before, which the newest state still knows."""
    made = Workspace(kubectl, platform), Workspace(kubectl, platform), Workspace(kubectl, platform)
    before = newest_state(kubectl)
    back_up(kubectl, *made)
    wait_until(lambda: newest_state(kubectl) > before, 90, "a state with all three")
    annotate(kubectl, "=true")
    erase(kubectl, made[2])
    yield made
    annotate(kubectl, "-")
    names = [one.name for one in made[:2]]
    kubectl("patch", "tenant", *names, "--type=merge", '--patch={"spec": {"deletionPolicy": "Delete"}}')
    kubectl("delete", "tenant", *names, "--timeout=85s")


def shell_of(instance: Instance, folder: Path, **environment: str) -> Shell:
    path = f"{provider_for(instance, 'auto').kubectl().program.parent}:{os.environ['PATH']}"
    names = blocks(REPOSITORY / "docs/runbooks/rebuild.md")[0]
    return Shell(names, folder, {"PATH": path, "KUBECONFIG": str(instance.kubeconfig), **environment})


def set_up(instance: Instance, recovery_key: str, lost: dict[str, Any]) -> Platform:
    """As far as the runbook says, with the bucket that is left there before the operator."""
    SecretStore(instance.secrets_dir).get(RECOVERY_KEY, lambda: recovery_key)
    provider = provider_for(instance, "auto")
    new = Platform(provider, requests_per_minute=6000, pool_size=0, chores=Chores(proofs_at_once=0))
    display = PlainDisplay(Console(quiet=True))
    steps = new.steps(demo=False)
    run_steps([step for step in steps if step.name not in LATER], display)
    copy(bucket_of(lost), bucket_of(as_json(provider)))
    run_steps([step for step in steps if step.name not in LATER - {"operator"}], display)
    return new


def test_the_platform_is_rebuilt_from_the_bucket_and_the_key_by_the_runbook(
    kubectl: Kubectl,
    platform: dict[str, Any],
    workspaces: tuple[Workspace, Workspace, Workspace],
    anew: Instance,
    tmp_path: Path,
) -> None:
    first, second, erased = workspaces
    archive_everything(kubectl, platform)
    installation = kubectl("get", "vpb", "platform", "-o", "jsonpath={.status.installation}")
    key = Path(platform["backup"]["recovery_key_file"]).read_text()
    new = set_up(anew, key, platform)
    _, look, resources, rebuild, ready, control_plane = blocks(REPOSITORY / "docs/runbooks/rebuild.md")
    (tmp_path / "wrong").write_text("ab" * 32)
    (tmp_path / "right").write_text(key)
    wrong, person = (shell_of(anew, tmp_path, RECOVERY_KEY=str(tmp_path / name)) for name in ("wrong", "right"))
    there = _kubectl_of(anew)

    assert installation in person.run(look)
    with pytest.raises(AssertionError, match="sealed for the recovery key"):
        wrong.run(rebuild)
    assert there("get", "vt", "-o", "name") == ""
    person.run(resources)
    said = person.run(rebuild)
    assert f"{erased.id} was erased and stays so" in said
    assert key not in said
    assert f"This is installation {installation} already" in person.run(rebuild)
    person.run(ready)
    run_steps(new.steps(demo=False), PlainDisplay(Console(quiet=True)))
    person.run(control_plane)

    status = as_json(new.provider)
    for one in (first, second):
        moved = json.loads(there("get", "vt", one.name, "-o", "json"))["status"]
        assert moved["id"] == one.id
        one.moved(moved["url"], status["ca"])
        wait_until(one.answers, 60, "a login")
        assert one.records() == [NOTE]
        assert one.has_its_file()
    assert erased.name not in there("get", "vt", "-o", "name")
    with local_client(Path(status["ca"])) as client:
        staff = platform["admin"]
        answer = client.post(f"{status['control_plane_url']}/api/v1/auth/login", json=staff)
        assert answer.status_code == httpx.codes.OK, "the control plane's tables are the lost one's"
    assert there("get", "vpb", "platform", "-o", "jsonpath={.status.installation}") == installation


def _kubectl_of(instance: Instance) -> Callable[..., str]:
    program = provider_for(instance, "auto").kubectl()

    def call(*arguments: str) -> str:
        command = program.command(*arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout  # noqa: S603  the test's own words

    return call
