"""A backup as a platform engineer makes one: an object, a Job, and what is in the bucket when it says Complete."""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster import Kubectl, status_of
from e2e.owned import OwnedTenant
from e2e.recovery.contents import Note
from types_boto3_s3.client import S3Client
from vivero_dev.localhost import local_client


def backup(name: str, tenant: str) -> dict[str, Any]:
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantBackup",
        "metadata": {"name": name},
        "spec": {"tenant": tenant},
    }


def restore(name: str, tenant: str, **of: str) -> dict[str, Any]:
    """Into a new tenant of this name."""
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantRestore",
        "metadata": {"name": name},
        "spec": {"tenant": tenant, "target": {"tenant": name, "slug": name}, **of},
    }


def erase(kubectl: Kubectl, tenant: str) -> None:
    kubectl("patch", "vt", tenant, "--type=merge", "--patch", '{"spec": {"deletionPolicy": "Delete"}}')
    kubectl("delete", "vt", tenant, "--timeout=80s")


def test_a_workspace_is_backed_up_by_an_object(
    kubectl: Kubectl,
    owned: OwnedTenant,
    platform: dict[str, Any],
    apply: Callable[[dict[str, Any]], None],
    stored: S3Client,
) -> None:
    note = Note(owned)
    name = f"e2e-{secrets.token_hex(4)}"
    try:
        apply(backup(name, owned.name))
        kubectl("wait", "--for=condition=Complete", f"tenantbackup/{name}", "--timeout=80s")
        status = status_of(kubectl, "vbk", name)
        assert [(one["name"], one["state"]) for one in status["steps"]] == [
            ("files", "Done"),
            ("dump", "Done"),
            ("verify", "Done"),
        ]
        header, row = kubectl("get", "vbk", name).splitlines()
        assert header.split() == ["NAME", "TENANT", "SCHEDULED", "COMPLETE", "REASON", "STATUS", "TAKEN", "AGE"]
        assert row.split()[:4] == [name, owned.name, "True", "BackedUp"]
        ident = status["prefix"].split("/")[0]
        bucket = platform["backup"]["bucket"]
        held = {
            one["Key"]: stored.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for prefix in (status["prefix"], f"{ident}/files/{note.id}/")
            for one in stored.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        }
        assert len(held) == 3, "the dump, the manifest, the file"
        assert not any(note.content in content or b"CREATE TABLE" in content for content in held.values())
    finally:
        note.delete()


def test_a_workspace_is_brought_back_beside_itself(
    kubectl: Kubectl,
    owned: OwnedTenant,
    platform: dict[str, Any],
    apply: Callable[[dict[str, Any]], None],
) -> None:
    note = Note(owned)
    name = f"back-{secrets.token_hex(3)}"
    try:
        apply(backup(name, owned.name))
        kubectl("wait", "--for=condition=Complete", f"tenantbackup/{name}", "--timeout=80s")
    finally:
        note.delete()
    try:
        apply(restore(name, owned.name, backup=name))
        kubectl("wait", "--for=condition=Complete", f"tenantrestore/{name}", "--timeout=88s")
        header, row = kubectl("get", "vrs", name).splitlines()
        assert header.split() == ["NAME", "TENANT", "INTO", "COMPLETE", "REASON", "STATUS", "RESTORED-TO", "AGE"]
        assert row.split()[:5] == [name, owned.name, name, "True", "Restored"]
        url = status_of(kubectl, "vt", name)["url"]
        with local_client(Path(platform["ca"])) as client:
            token = client.post(f"{url}/api/v1/auth/login", json=owned.login).raise_for_status().json()["access_token"]
            found = client.get(f"{url}/api/v1/files/{note.id}", headers={"Authorization": f"Bearer {token}"})
            assert found.raise_for_status().content == note.content, "deleted since, and there as it was"
        assert note.get().status_code == 404
    finally:
        erase(kubectl, name)


def test_a_second_that_is_out_of_reach_is_refused_with_what_is_not(
    kubectl: Kubectl, owned: OwnedTenant, apply: Callable[[dict[str, Any]], None]
) -> None:
    name = f"never-{secrets.token_hex(3)}"
    kubectl("wait", "--for=condition=Recoverable", "vdb/main", "--timeout=80s")
    apply(restore(name, owned.name, time="2020-01-01T00:00:00Z"))
    kubectl("wait", "--for=condition=Refused", f"tenantrestore/{name}", "--timeout=88s")
    said = status_of(kubectl, "vrs", name)["message"]
    assert re.fullmatch(r"Refused: log: out of reach; what can be restored: \S+Z to \S+Z", said)
    with pytest.raises(AssertionError, match="not found"):
        kubectl("get", "vt", name)


@pytest.fixture
def scheduled(kubectl: Kubectl, owned: OwnedTenant) -> Iterator[Callable[[dict[str, Any] | None], None]]:
    """Gives the tenant a schedule."""
    name = owned.name

    def give(schedule: dict[str, Any] | None) -> None:
        kubectl("patch", "vt", name, "--type=merge", "--patch", json.dumps({"spec": {"backup": schedule}}))

    yield give
    give(None)


def test_a_schedule_backs_up_who_changed_something_and_costs_nobody_else_a_byte(
    kubectl: Kubectl,
    owned: OwnedTenant,
    platform: dict[str, Any],
    apply: Callable[[dict[str, Any]], None],
    stored: S3Client,
    scheduled: Callable[[dict[str, Any] | None], None],
) -> None:
    by_hand = f"e2e-{secrets.token_hex(4)}"
    apply(backup(by_hand, owned.name))
    kubectl("wait", "--for=condition=Complete", f"tenantbackup/{by_hand}", "--timeout=80s")
    prefix = status_of(kubectl, "vbk", by_hand)["prefix"].rpartition("/")[0]
    bucket = platform["backup"]["bucket"]
    label = f"vivero.dev/scheduled,vivero.dev/tenant={prefix.partition('/')[0]}"

    def held() -> set[tuple[str, str]]:
        return {(one["Key"], one["ETag"]) for one in stored.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]}

    def again() -> str:
        """What comes of the newest minute. As if the operator had been away; a minute's moment comes within half of one."""
        away = json.dumps({"status": {"backup": {"scheduledAt": "2026-01-01T00:00:00Z", "message": None}}})
        kubectl("patch", "vt", owned.name, "--subresource=status", "--type=merge", "--patch", away)
        found = "--for=jsonpath={.status.backup.message}"
        kubectl("wait", found, f"vt/{owned.name}", "--timeout=80s")
        said: str = status_of(kubectl, "vt", owned.name)["backup"]["message"]
        return said

    def settled(beginning: str) -> None:
        deadline = time.monotonic() + 150
        while not again().startswith(beginning):
            assert time.monotonic() < deadline, f"nothing was {beginning}"
            time.sleep(1)

    try:
        scheduled({"schedule": "* * * * *", "keep": {"daily": 100}})
        settled("Unchanged since TenantBackup")  # what tests before this one have begun has ended
        before = held()
        assert again().startswith("Unchanged since TenantBackup")
        assert held() == before
        kubectl("delete", "vbk", "-l", label, "--timeout=60s")
        note = Note(owned)
        settled(f"TenantBackup {owned.name}-")  # once the upload is archived
        scheduled(None)
        (found,) = json.loads(kubectl("get", "vbk", "-l", label, "-o", "json"))["items"]
        name = found["metadata"]["name"]
        kubectl("wait", "--for=condition=Complete", f"vbk/{name}", "--timeout=80s")
        assert re.fullmatch(rf"{owned.name}-\d{{8}}-\d{{4}}", name)
        assert "ownerReferences" not in found["metadata"]
        row = kubectl("get", "vbk", name).splitlines()[1]
        assert row.split()[2:5] == [found["metadata"]["labels"]["vivero.dev/scheduled"], "True", "BackedUp"]
        assert held() > before
        note.delete()
    finally:
        kubectl("delete", "vbk", "-l", label, "--timeout=60s")


def test_what_is_not_kept_is_removed_with_its_objects(
    kubectl: Kubectl,
    owned: OwnedTenant,
    platform: dict[str, Any],
    apply: Callable[[dict[str, Any]], None],
    stored: S3Client,
    scheduled: Callable[[dict[str, Any] | None], None],
) -> None:
    ident = owned.id
    names = [f"e2e-{secrets.token_hex(4)}-{number}" for number in range(3)]
    labels = {"vivero.dev/scheduled": "2026-01-01T00.00Z", "vivero.dev/tenant": ident}
    try:
        for name in names:
            made = backup(name, owned.name)
            apply(made | {"metadata": {"name": name, "labels": labels}})
            kubectl("wait", "--for=condition=Complete", f"tenantbackup/{name}", "--timeout=80s")
        statuses = [status_of(kubectl, "vbk", name) for name in names]
        scheduled({"schedule": "30 2 * * *", "keep": {"daily": 1}})
        kubectl("wait", "--for=delete", f"tenantbackup/{names[1]}", "--timeout=80s")
        counts = [
            stored.list_objects_v2(Bucket=platform["backup"]["bucket"], Prefix=one["prefix"])["KeyCount"]
            for one in statuses
        ]
        # The newest, and the oldest in reach of the log; of the other one only what files the log may need.
        assert counts == [2, 1, 2]
        said = [
            one["note"]
            for one in json.loads(kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
            if one["reason"] == "Expired" and one["regarding"]["name"] == owned.name
        ]
        assert any(one.startswith("Backups removed: 1, ") for one in said)
        assert {f"tenantbackup.vivero.dev/{names[0]}", f"tenantbackup.vivero.dev/{names[2]}"} <= set(
            kubectl("get", "vbk", "-o", "name").split()
        )
    finally:
        kubectl("delete", "vbk", "--ignore-not-found", *names, "--timeout=60s")


def test_the_archive_of_a_workspace_is_proven(
    kubectl: Kubectl, owned: OwnedTenant, apply: Callable[[dict[str, Any]], None]
) -> None:
    name = f"proof-{secrets.token_hex(3)}"
    kubectl("wait", "--for=condition=Recoverable", "vdb/main", "--timeout=80s")
    note = Note(owned)
    try:
        apply(
            {
                "apiVersion": "vivero.dev/v1alpha1",
                "kind": "TenantProof",
                "metadata": {"name": name},
                "spec": {"tenant": owned.name},
            }
        )
        kubectl("wait", "--for=condition=Complete", f"tenantproof/{name}", "--timeout=88s")
    finally:
        note.delete()
    status = status_of(kubectl, "vpf", name)
    assert [(one["name"], one["state"]) for one in status["steps"]] == [
        ("live", "Done"),
        ("log", "Done"),
        ("compare", "Done"),
    ]
    assert status["files"] >= 1
    header, row = kubectl("get", "vpf", name).splitlines()
    assert header.split() == ["NAME", "TENANT", "COMPLETE", "REASON", "STATUS", "PROVEN", "AGE"]
    assert row.split()[:4] == [name, owned.name, "True", "Passed"]

    kubectl("wait", "--for=condition=Recoverable", f"vt/{owned.name}", "--timeout=60s")
    recovery = status_of(kubectl, "vt", owned.name)["recovery"]
    assert recovery["from"] == status["reachableFrom"] <= status["provenAt"] <= recovery["to"]
    assert (recovery["proofResult"], recovery["message"]) == ("Passed", status["message"])
    header, row = kubectl("get", "vt", owned.name, "-o", "wide").splitlines()
    assert header.split()[-2:] == ["LAST-PROOF", "PROOF"]
    assert row.split()[-1] == "Passed"


def test_a_backup_of_nobody_says_so_and_none_can_be_changed(
    kubectl: Kubectl, apply: Callable[[dict[str, Any]], None]
) -> None:
    name = f"e2e-{secrets.token_hex(4)}"
    apply(backup(name, "nobody-there"))
    kubectl("wait", "--for=jsonpath={.status.message}=There is no Tenant nobody-there", f"vbk/{name}", "--timeout=60s")
    with pytest.raises(AssertionError, match="a backup cannot be changed: make another TenantBackup"):
        kubectl("patch", "vbk", name, "--type=merge", "--patch", '{"spec": {"tenant": "another"}}')
