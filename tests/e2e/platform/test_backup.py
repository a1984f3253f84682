"""A backup as a platform engineer makes one: an object, a Job, and what is in the bucket when it says Complete."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from types_boto3_s3.client import S3Client
from vivero_dev.backing import object_store
from vivero_dev.backing.accounts import Account
from vivero_dev.localhost import local_client

from .conftest import Kubectl


def backup(name: str, tenant: str) -> dict[str, Any]:
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantBackup",
        "metadata": {"name": name},
        "spec": {"tenant": tenant},
    }


class Note:
    """A file that the owner has uploaded to the demo workspace."""

    def __init__(self, workspace: httpx.Client, demo: dict[str, Any]) -> None:
        self._workspace = workspace
        self.login = {"email": demo["email"], "password": demo["password"]}
        token = workspace.post("/api/v1/auth/login", json=self.login).raise_for_status().json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self.content = f"canary {secrets.token_hex(8)}".encode()
        files = {"file": ("note.txt", self.content, "text/plain")}
        sent = workspace.post("/api/v1/files", files=files, headers=self._headers)
        self.id = sent.raise_for_status().json()["id"]

    def get(self) -> httpx.Response:
        return self._workspace.get(f"/api/v1/files/{self.id}", headers=self._headers)

    def delete(self) -> None:
        self._workspace.delete(f"/api/v1/files/{self.id}", headers=self._headers).raise_for_status()


@pytest.fixture
def kept(platform: dict[str, Any]) -> S3Client:
    """The backup bucket, as its owner."""
    at = platform["backup"]
    return object_store.client(at["endpoint"], Account(at["access_key"], at["secret_key"]), Path(at["ca"]))


def test_a_workspace_is_backed_up_by_an_object(
    kubectl: Kubectl,
    platform: dict[str, Any],
    workspace: httpx.Client,
    apply: Callable[[dict[str, Any]], None],
    kept: S3Client,
) -> None:
    demo, note = platform["demo_tenant"], Note(workspace, platform["demo_tenant"])
    name = f"e2e-{secrets.token_hex(4)}"
    try:
        apply(backup(name, demo["name"]))
        kubectl("wait", "--for=condition=Complete", f"tenantbackup/{name}", "--timeout=80s")
        status = json.loads(kubectl("get", "vbk", name, "-o", "json"))["status"]
        assert [(one["name"], one["state"]) for one in status["steps"]] == [
            ("files", "Done"),
            ("dump", "Done"),
            ("verify", "Done"),
        ]
        header, row = kubectl("get", "vbk", name).splitlines()
        assert header.split() == ["NAME", "TENANT", "COMPLETE", "REASON", "STATUS", "TAKEN", "AGE"]
        assert row.split()[:4] == [name, demo["name"], "True", "BackedUp"]
        ident = status["prefix"].split("/")[0]
        bucket = platform["backup"]["bucket"]
        held = {
            one["Key"]: kept.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for prefix in (status["prefix"], f"{ident}/files/{note.id}/")
            for one in kept.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        }
        assert len(held) == 4, "two dumps, the manifest, the file"
        assert not any(note.content in content or b"CREATE TABLE" in content for content in held.values())
    finally:
        note.delete()


def test_a_workspace_is_brought_back_beside_itself(
    kubectl: Kubectl,
    platform: dict[str, Any],
    workspace: httpx.Client,
    apply: Callable[[dict[str, Any]], None],
) -> None:
    demo, note = platform["demo_tenant"], Note(workspace, platform["demo_tenant"])
    name = f"back-{secrets.token_hex(3)}"
    try:
        apply(backup(name, demo["name"]))
        kubectl("wait", "--for=condition=Complete", f"tenantbackup/{name}", "--timeout=80s")
    finally:
        note.delete()
    target = {"tenant": name, "slug": name}
    try:
        apply(
            {
                "apiVersion": "vivero.dev/v1alpha1",
                "kind": "TenantRestore",
                "metadata": {"name": name},
                "spec": {"backup": name, "target": target},
            }
        )
        kubectl("wait", "--for=condition=Complete", f"tenantrestore/{name}", "--timeout=88s")
        header, row = kubectl("get", "vrs", name).splitlines()
        assert header.split() == ["NAME", "BACKUP", "TENANT", "COMPLETE", "REASON", "STATUS", "RESTORED-TO", "AGE"]
        assert row.split()[:5] == [name, name, name, "True", "Restored"]
        url = json.loads(kubectl("get", "vt", name, "-o", "json"))["status"]["url"]
        with local_client(Path(platform["ca"])) as client:
            token = client.post(f"{url}/api/v1/auth/login", json=note.login).raise_for_status().json()["access_token"]
            found = client.get(f"{url}/api/v1/files/{note.id}", headers={"Authorization": f"Bearer {token}"})
            assert found.raise_for_status().content == note.content, "deleted since, and there as it was"
        assert note.get().status_code == 404
    finally:
        kubectl("patch", "vt", name, "--type=merge", "--patch", '{"spec": {"deletionPolicy": "Delete"}}')
        kubectl("delete", "vt", name, "--timeout=80s")


def test_a_backup_of_nobody_says_so_and_none_can_be_changed(
    kubectl: Kubectl, apply: Callable[[dict[str, Any]], None]
) -> None:
    name = f"e2e-{secrets.token_hex(4)}"
    apply(backup(name, "nobody-there"))
    kubectl("wait", "--for=jsonpath={.status.message}=There is no Tenant nobody-there", f"vbk/{name}", "--timeout=60s")
    with pytest.raises(AssertionError, match="a backup cannot be changed: make another TenantBackup"):
        kubectl("patch", "vbk", name, "--type=merge", "--patch", '{"spec": {"tenant": "another"}}')
