"""A backup as a platform engineer makes one: an object, a Job, and what is in the bucket when it says Complete."""

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import REPOSITORY, Kubectl, Sql, status_of
from e2e.owned import OwnedTenant
from support.guide import Shell, blocks
from types_boto3_s3.client import S3Client
from vivero_core.model import naming
from vivero_dev.instance import Instance
from vivero_dev.localhost import local_client
from vivero_dev.providers import provider_for


def backup(name: str, tenant: str) -> dict[str, Any]:
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantBackup",
        "metadata": {"name": name},
        "spec": {"tenant": tenant},
    }


def restore(name: str, tenant: str, *, in_place: bool = False, as_of: bool = False, **of: str) -> dict[str, Any]:
    """In place, to be looked at, or into a new tenant of this name."""
    beside: dict[str, Any] = {"asOf": {}} if as_of else {"tenant": name, "slug": name}
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "TenantRestore",
        "metadata": {"name": name},
        "spec": {
            "tenant": tenant,
            "target": {"inPlace": True} if in_place else beside,
            **of,
        },
    }


def erase(kubectl: Kubectl, tenant: str) -> None:
    kubectl("patch", "vt", tenant, "--type=merge", "--patch", '{"spec": {"deletionPolicy": "Delete"}}')
    kubectl("delete", "vt", tenant, "--timeout=80s")


class Note:
    """A file that the owner has uploaded."""

    def __init__(self, owned: OwnedTenant) -> None:
        self._owned = owned
        self.content = f"canary {secrets.token_hex(8)}".encode()
        sent = owned.request("POST", "/api/v1/files", files={"file": ("note.txt", self.content, "text/plain")})
        self.id = str(sent.raise_for_status().json()["id"])

    def get(self) -> httpx.Response:
        return self._owned.request("GET", f"/api/v1/files/{self.id}")

    def delete(self) -> None:
        self._owned.request("DELETE", f"/api/v1/files/{self.id}").raise_for_status()


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


class Notebook:
    """A collection of the workspace, through its API and that of its copies."""

    def __init__(self, client: httpx.Client, login: dict[str, str], name: str, url: str = "") -> None:
        self._client, self._at = client, f"{url}/api/v1/collections/{name}/records"
        token = client.post(f"{url}/api/v1/auth/login", json=login).raise_for_status().json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def make(self, name: str) -> None:
        """The collection."""
        made = {"name": name, "fields": [{"name": "Text", "type": "text"}]}
        self._client.post("/api/v1/collections", json=made, headers=self.headers).raise_for_status()

    def add(self, text: str) -> str:
        made = self._client.post(self._at, json={"values": {"Text": text}}, headers=self.headers)
        ident: str = made.raise_for_status().json()["id"]
        return ident

    def remove(self, ident: str) -> None:
        self._client.delete(f"{self._at}/{ident}", headers=self.headers).raise_for_status()

    def texts(self) -> list[str]:
        found = self._client.get(self._at, headers=self.headers).raise_for_status().json()["items"]
        return sorted(one["values"]["Text"] for one in found)


def test_a_workspace_goes_back_to_a_second(
    kubectl: Kubectl,
    owned: OwnedTenant,
    platform: dict[str, Any],
    workspace: httpx.Client,
    apply: Callable[[dict[str, Any]], None],
) -> None:
    name = f"then-{secrets.token_hex(3)}"
    kubectl("wait", "--for=condition=Recoverable", "vdb/main", "--timeout=80s")
    notes = Notebook(workspace, owned.login, name)
    notes.make(name)
    first = notes.add("first 🌱")
    notes.add("second")
    time.sleep(2)
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1)
    notes.remove(first)
    notes.add("third")
    apply(restore(name, owned.name, time=f"{moment:%Y-%m-%dT%H:%M:%SZ}"))
    try:
        kubectl("wait", "--for=condition=Complete", f"tenantrestore/{name}", "--timeout=88s")
        status = status_of(kubectl, "vrs", name)
        assert [one["name"] for one in status["steps"]] == ["log", "database", "files", "verify"]
        assert datetime.fromisoformat(status["restoredTo"]) == moment
        url = status_of(kubectl, "vt", name)["url"]
        with local_client(Path(platform["ca"])) as client:
            assert Notebook(client, owned.login, name, url).texts() == ["first 🌱", "second"]
        assert notes.texts() == ["second", "third"], "the live one is as it was"
    finally:
        erase(kubectl, name)


def test_a_second_is_looked_at_beside_the_live_workspace(
    kubectl: Kubectl,
    owned: OwnedTenant,
    platform: dict[str, Any],
    workspace: httpx.Client,
    apply: Callable[[dict[str, Any]], None],
    sql: Sql,
) -> None:
    name = f"look-{secrets.token_hex(3)}"
    kubectl("wait", "--for=condition=Recoverable", "vdb/main", "--timeout=80s")
    notes, file = Notebook(workspace, owned.login, name), Note(owned)
    notes.make(name)
    first = notes.add("first 🌱")
    time.sleep(2)
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1)
    notes.remove(first)
    notes.add("second")
    live = json.loads(kubectl("get", "vt", owned.name, "-o", "json"))
    ident, namespace = owned.id, owned.namespace
    pods = kubectl("get", "pods", "-n", namespace, "-l", f"vivero.dev/tenant={ident}", "-o", "name")

    apply(restore(name, owned.name, as_of=True, time=f"{moment:%Y-%m-%dT%H:%M:%SZ}"))
    kubectl("wait", "--for=condition=Complete", f"tenantrestore/{name}", "--timeout=88s")
    status = status_of(kubectl, "vrs", name)
    url, own = status["url"], f"as-of-{naming.tenant_id(uid_of(kubectl, name))}"
    assert url.startswith(f"https://{own}.")
    assert datetime.fromisoformat(status["expiresAt"]) - datetime.now(UTC) > timedelta(hours=23)
    row = kubectl("get", "vrs", name).splitlines()[1]
    assert row.split()[:6] == [name, owned.name, "as", "of", "True", "Restored"]
    with local_client(Path(platform["ca"])) as client:
        client.headers["Connection"] = "close"
        then = Notebook(client, owned.login, name, url)
        assert then.texts() == ["first 🌱"]
        file.delete()
        found = client.get(f"{url}/api/v1/files/{file.id}", headers=then.headers)
        assert found.raise_for_status().content == file.content, "not that of the live workspace"
        refused = client.post(
            f"{url}/api/v1/collections/{name}/records", json={"values": {"Text": "third"}}, headers=then.headers
        )
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:vivero:problem:read-only")
        assert f"as of {moment:%Y-%m-%d %H:%M:%S} (UTC)" in refused.json()["detail"]
        page = client.get(f"{url}/login", headers={"accept": "text/html"}).text
        assert f"As of {moment.day} {moment:%b %Y, %H:%M:%S} UTC, read only" in page
        # Neither lets in whom the other has let in.
        assert client.get(f"{url}/api/v1/me", headers=notes.headers).status_code == 401
        assert workspace.get("/api/v1/me", headers=then.headers).status_code == 401
    assert notes.texts() == ["second"], "the live one is as it was"
    grants = [line for (line,) in sql(f"SHOW GRANTS FOR 'vt{ident}v'@'%'")]
    assert sorted(one.split(" TO ")[0] for one in grants if " ON `" in one) == [
        f"GRANT SELECT ON `vt{ident}asof`.*",
        f"GRANT SELECT ON `vt{ident}asofaudit`.*",
    ]
    assert kubectl("get", "pods", "-n", namespace, "-l", f"vivero.dev/tenant={ident}", "-o", "name") == pods

    kubectl("delete", "vrs", name, "--timeout=80s")
    assert not sql(f"SHOW DATABASES LIKE 'vt{ident}asof%'")
    assert (f"vt{ident}v",) not in sql("SELECT User FROM mysql.global_priv")
    for kind in ("deployment", "service", "secret", "ingress"):
        kubectl("wait", "--for=delete", f"{kind}/{own}", "-n", namespace, "--timeout=60s")
    again = json.loads(kubectl("get", "vt", owned.name, "-o", "json"))
    assert again["spec"] == live["spec"]
    assert notes.texts() == ["second"]


def uid_of(kubectl: Kubectl, restore_name: str) -> str:
    found: str = json.loads(kubectl("get", "vrs", restore_name, "-o", "json"))["metadata"]["uid"]
    return found


def test_a_workspace_itself_goes_back_and_forward_again(
    kubectl: Kubectl, owned: OwnedTenant, workspace: httpx.Client, apply: Callable[[dict[str, Any]], None], sql: Sql
) -> None:
    name = f"inplace-{secrets.token_hex(3)}"
    kubectl("wait", "--for=condition=Recoverable", "vdb/main", "--timeout=80s")
    notes = Notebook(workspace, owned.login, name)
    notes.make(name)
    file = Note(owned)
    first = notes.add("first 🌱")
    time.sleep(2)
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1)
    notes.remove(first)
    notes.add("second")
    ident = owned.id
    pods = kubectl("get", "pods", "-n", f"tenant-{ident}", "-o", "name")

    apply(restore(name, owned.name, in_place=True, time=f"{moment:%Y-%m-%dT%H:%M:%SZ}"))
    kubectl("wait", "--for=condition=Complete", f"tenantrestore/{name}", "--timeout=88s")
    header, row = kubectl("get", "vrs", name).splitlines()
    assert header.split()[:3] == ["NAME", "TENANT", "INTO"]
    assert row.split()[:6] == [name, owned.name, "in", "place", "True", "Restored"]
    assert not set(pods.split()) & set(kubectl("get", "pods", "-n", f"tenant-{ident}", "-o", "name").split())
    back = Notebook(workspace, owned.login, name)
    assert back.texts() == ["first 🌱"]
    assert file.get().raise_for_status().content == file.content
    told = workspace.get("/api/v1/audit", headers=back.headers).raise_for_status().json()["items"]
    assert [one["subject"] for one in told if one["action"] == "workspace.restore"][:1] == [name]
    deleted = [one for one in told if one["action"] == "record.delete" and one["subject"].startswith(name)]
    assert len(deleted) == 1, "the audit log is not turned back"
    assert {schema for (schema,) in sql(f"SHOW DATABASES LIKE 'vt{ident}%'")} == {
        f"vt{ident}{part}" for part in ("", "audit", "last")
    }
    back.add("third")

    switched = status_of(kubectl, "vrs", name)["switchedAt"]
    apply(restore(f"{name}-undone", owned.name, in_place=True, time=switched))
    kubectl("wait", "--for=condition=Complete", f"tenantrestore/{name}-undone", "--timeout=88s")
    assert Notebook(workspace, owned.login, name).texts() == ["second"]
    kubectl("wait", "--for=condition=Ready", f"vt/{owned.name}", "--timeout=60s")


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


def test_the_runbook_for_a_restore(
    instance: Instance, owned: OwnedTenant, kubectl: Kubectl, platform: dict[str, Any], tmp_path: Path
) -> None:
    """Each block of it, word for word."""
    found = blocks(REPOSITORY / "docs/runbooks/restore.md")
    names, check, look, close, beside, remove, in_place, undo = found
    assert [block.info for block in found] == ["sh"] * 8
    program = provider_for(instance, "auto").kubectl().program
    shell = Shell(
        names,
        tmp_path,
        {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "KUBECONFIG": platform["kubeconfig"],
            "TENANT": owned.name,
            "TIME": f"{datetime.now(UTC) - timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}",
            "LOOK": f"runbook-look-{secrets.token_hex(3)}",
            "COPY": f"runbook-{secrets.token_hex(3)}",
            "BACK": f"runbook-back-{secrets.token_hex(3)}",
        },
    )
    shell.run(check)
    assert "https://as-of-" in shell.run(look)
    shell.run(close)
    with pytest.raises(AssertionError, match="not found"):
        kubectl("get", "vrs", shell.environment["LOOK"])
    assert f"https://{shell.environment['COPY']}." in shell.run(beside)
    shell.run(remove)
    with pytest.raises(AssertionError, match="not found"):
        kubectl("get", "vt", shell.environment["COPY"])
    assert "in place" in shell.run(in_place)
    shell.run(undo)
