"""What somebody finds who reads the disk: nothing that a tenant wrote, and no Secret, in any file of the platform."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from vivero_core.model import naming
from vivero_dev.backing import mariadb
from vivero_dev.backing.accounts import accounts_of
from vivero_dev.instance import Instance
from vivero_dev.localhost import local_client
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.providers import provider_for
from vivero_dev.secret_store import SecretStore

# Keys and passwords of the platform itself: whoever has these files has no need to read the others.
KEYS = {"secrets", "certificates"}
# The sink of mails stands for other people's mail servers.
OF_OTHERS = {"mail"}
# Images. No container can write into its own: their root file systems are read-only.
IMAGES = {"containerd"}


@pytest.fixture
def kubectl(instance: Instance) -> Kubectl:
    return provider_for(instance, "auto").kubectl()


@pytest.fixture
def secret(kubectl: Kubectl) -> Iterator[str]:
    """The value of a Secret that a person made."""
    value, name = secrets.token_hex(16), f"canary-{secrets.token_hex(4)}"
    metadata = {"name": name, "namespace": "default"}
    kubectl.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"value": value}}])
    yield value
    kubectl.run("delete", "secret", name, "--namespace=default")


@pytest.fixture
def uploaded(platform: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and content of a file that the demo workspace's owner has uploaded; the name is a value of a table."""
    demo = platform["demo_tenant"]
    name, content = f"name{secrets.token_hex(16)}", f"content{secrets.token_hex(16)}"
    with local_client(Path(platform["ca"])) as workspace:
        workspace.base_url = httpx.URL(demo["url"])
        login = {"email": demo["email"], "password": demo["password"]}
        token = workspace.post("/api/v1/auth/login", json=login).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        files = {"file": (f"{name}.txt", content.encode(), "text/plain")}
        made = workspace.post("/api/v1/files", files=files, headers=headers).raise_for_status().json()["id"]
        yield name, content
        workspace.delete(f"/api/v1/files/{made}", headers=headers).raise_for_status()


def flush(instance: Instance, tenant: str) -> None:
    """Have the server write this tenant's tables and the binary log to the disk."""
    admin = accounts_of(SecretStore(instance.secrets_dir)).mariadb_admin
    with (
        closing(mariadb.connect(instance.ports["mariadb"], admin, instance.certificates_dir / "ca.crt")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables"
            " WHERE table_schema = %s AND engine = 'InnoDB'",
            (naming.database_name(tenant),),
        )
        tables = ", ".join(name for (name,) in cursor.fetchall())
        cursor.execute(f"FLUSH TABLES {tables} FOR EXPORT")
        cursor.execute("UNLOCK TABLES")
        cursor.execute("FLUSH BINARY LOGS")


def holding(folder: Path, words: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """The files on this folder's disk, and those of them in which one of these words stands."""
    files = set(_files(folder))
    patterns = [f"--regexp={word}" for word in words]
    grep = ["xargs", "--null", "grep", "--no-messages", "--files-with-matches", "--text", "--fixed-strings", *patterns]
    given = b"\0".join(os.fsencode(name) for name in sorted(files))
    # Bytes, not letters: ten times as fast. Not checked: xargs fails when nothing is found.
    of_bytes = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603  our own words
        grep, cwd=folder, env=of_bytes, input=given, capture_output=True, timeout=120, check=False
    )
    return files, set(os.fsdecode(done.stdout).splitlines())


def _files(folder: Path) -> Iterator[str]:
    for at, folders, names in os.walk(folder):
        inside = Path(at)
        folders[:] = [one for one in folders if one not in KEYS | OF_OTHERS | IMAGES and not (inside / one).is_mount()]
        yield from (str((inside / one).relative_to(folder)) for one in names if (inside / one).is_file())


def test_nothing_that_was_written_is_found_on_the_disk(
    instance: Instance, kubectl: Kubectl, platform: dict[str, Any], secret: str, uploaded: tuple[str, str]
) -> None:
    tenant = json.loads(kubectl.run("get", "vt", platform["demo_tenant"]["name"], "--output=json"))["status"]["id"]
    flush(instance, tenant)
    looked_at, found = holding(instance.state_dir, (secret, *uploaded))
    assert not found
    assert "mariadb/data/ib_logfile0" in looked_at
    assert any(name.startswith("mariadb/data/binlog.0") for name in looked_at)
    assert any(name.startswith(f"mariadb/data/{naming.database_name(tenant)}/") for name in looked_at)
    assert any(name.startswith("cluster/etcd/") for name in looked_at)
    assert any(naming.bucket_name(tenant) in name for name in looked_at)
