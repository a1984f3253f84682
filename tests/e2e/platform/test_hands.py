"""What a person with kubectl or an administrator's login does to one tenant: its data is there afterwards, and status says what is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml
from e2e.cluster import EXAMPLE, Kubectl, Sql, condition, status_of
from e2e.owned import OwnedTenant
from e2e.waiting import wait_until
from vivero_core.model import naming
from vivero_dev.localhost import local_client

NAME = "hands"
BACK_SECONDS = 90


@pytest.fixture(scope="module")
def workspace(kubectl: Kubectl, platform: dict[str, Any]) -> Iterator[OwnedTenant]:
    """A tenant with a file in it, for all cases: each leaves it as it was."""
    found = OwnedTenant(kubectl, platform, NAME)
    yield found
    kubectl("delete", "tenant", NAME, "--ignore-not-found", "--timeout=80s")


@pytest.fixture(autouse=True)
def _whole(workspace: OwnedTenant) -> Iterator[None]:
    assert workspace.has_its_file()
    yield
    wait_until(lambda: workspace.reason() == "Proven" and workspace.has_its_file(), BACK_SECONDS, "the file again")


def restart(kubectl: Kubectl, workspace: OwnedTenant) -> None:
    kubectl("rollout", "restart", "deployment/app", "-n", workspace.namespace)
    kubectl("rollout", "status", "deployment/app", "-n", workspace.namespace, "--timeout=60s")


@pytest.mark.parametrize("secret", ["app", pytest.param("database", marks=pytest.mark.full)])
def test_a_secret_is_deleted(kubectl: Kubectl, workspace: OwnedTenant, secret: str) -> None:
    """The pods that start afterwards have the same keys: they read what is there, and log in."""
    uid = kubectl("get", "secret", secret, "-n", workspace.namespace, "-o", "jsonpath={.metadata.uid}")
    kubectl("delete", "secret", secret, "-n", workspace.namespace)

    def is_another() -> bool:
        found = json.loads(kubectl("get", "secrets", "-n", workspace.namespace, "-o", "json"))["items"]
        return any(one["metadata"]["name"] == secret and one["metadata"]["uid"] != uid for one in found)

    wait_until(is_another, BACK_SECONDS, f"Secret {secret} again")
    restart(kubectl, workspace)


def test_the_namespace_is_deleted(kubectl: Kubectl, workspace: OwnedTenant) -> None:
    uid = kubectl("get", "namespace", workspace.namespace, "-o", "jsonpath={.metadata.uid}")
    kubectl("delete", "namespace", workspace.namespace, "--timeout=60s")
    wait_until(
        lambda: kubectl("get", "namespaces", "-o", "json").count(naming.namespace_name(workspace.status()["id"])) > 0,
        BACK_SECONDS,
        "the namespace again",
    )
    assert uid not in kubectl("get", "namespace", workspace.namespace, "-o", "jsonpath={.metadata.uid}")


def test_a_restart_by_a_person_stands(kubectl: Kubectl, workspace: OwnedTenant) -> None:
    """The old pod is gone after it, and no other restart follows: the operator does not take the order back."""
    before = kubectl("get", "pods", "-n", workspace.namespace, "-o", "name")
    restart(kubectl, workspace)
    after = kubectl("get", "pods", "-n", workspace.namespace, "--field-selector=status.phase=Running", "-o", "name")
    assert not set(before.split()) >= set(after.split())
    kubectl("annotate", "tenant", NAME, "--overwrite", f"vivero.dev/restart={datetime.now(UTC).timestamp()}")

    def is_new() -> bool:
        found = kubectl("get", "pods", "-n", workspace.namespace, "-o", "name").split()
        return len(found) == 1 and not set(found) & {*before.split(), *after.split()}

    wait_until(is_new, BACK_SECONDS, "another pod")


@pytest.mark.parametrize(("kind", "name"), [("plan", "trial"), ("databaseserver", "main")])
def test_what_is_in_use_is_not_deleted(kubectl: Kubectl, kind: str, name: str) -> None:
    with pytest.raises(AssertionError, match=r"is used by \d+ Tenants or pools"):
        kubectl("delete", kind, name)


def test_a_tenant_that_lost_its_finalizer_is_an_orphan_and_comes_back(
    kubectl: Kubectl, platform: dict[str, Any], workspace: OwnedTenant
) -> None:
    ident, url = workspace.status()["id"], workspace.status()["url"]
    manifest = json.loads(kubectl("get", "tenant", NAME, "-o", "json"))
    # Paused first, or the operator puts the finalizer back before the next command comes.
    kubectl("annotate", "tenant", NAME, "vivero.dev/paused=true")
    kubectl("wait", "--for=condition=Paused", f"tenant/{NAME}", "--timeout=60s")
    kubectl("patch", "tenant", NAME, "--type=merge", "-p", '{"metadata":{"finalizers":[]}}')
    kubectl("delete", "tenant", NAME)

    def orphaned() -> set[str]:
        status = status_of(kubectl, "databaseserver", "main")
        return {one["id"] for one in status.get("orphaned", ())}

    def is_closed() -> bool:
        with local_client(Path(platform["ca"])) as client:
            return client.get(f"{url}/readyz").status_code == 404

    wait_until(lambda: ident in orphaned(), BACK_SECONDS, "the orphan in the server's status")
    wait_until(is_closed, 60, "an address that is closed")
    body = {key: manifest[key] for key in ("apiVersion", "kind", "spec")}
    body |= {"metadata": {"name": NAME}, "spec": {**manifest["spec"], "adopt": ident}}
    kubectl("apply", "-f", "-", given=json.dumps(body))
    kubectl("wait", "--for=condition=Ready", f"tenant/{NAME}", "--timeout=60s")
    wait_until(lambda: ident not in orphaned(), BACK_SECONDS, "no orphan any more")


def test_a_dropped_schema_is_data_loss_until_a_person_says_so(
    kubectl: Kubectl, workspace: OwnedTenant, sql: Sql
) -> None:
    """No empty schema takes its place; with spec.acceptDataLossAt the workspace begins again."""
    database = naming.database_name(workspace.status()["id"])
    sql(f"DROP DATABASE `{database}`")
    wait_until(lambda: workspace.reason() == "DataLost", BACK_SECONDS, "Ready=False, DataLost")
    ready = condition(kubectl, NAME, "Ready")
    assert ready["status"] == "False"
    assert database in ready["message"]
    with pytest.raises(pymysql.err.OperationalError, match="Unknown database"):
        sql(f"SHOW TABLES FROM `{database}`")
    lost_at = workspace.status()["dataLostAt"]
    kubectl("patch", "tenant", NAME, "--type=merge", "-p", json.dumps({"spec": {"acceptDataLossAt": lost_at}}))
    wait_until(lambda: workspace.reason() == "Proven", BACK_SECONDS, "a workspace that works")
    renew_password(kubectl)
    wait_until(lambda: workspace.request("GET", "/api/v1/me").is_success, BACK_SECONDS, "a login")
    workspace.file = workspace.upload()


def renew_password(kubectl: Kubectl) -> None:
    """The account was in the schema: staff hands in a password again."""
    secret = next(iter(yaml.safe_load_all(EXAMPLE.read_text())))
    secret["metadata"]["name"] = f"signup-{NAME}-again"
    kubectl("apply", "-f", "-", given=yaml.safe_dump(secret))
    owner = {"owner": {"passwordHashSecret": secret["metadata"]["name"]}}
    kubectl("patch", "tenant", NAME, "--type=merge", "-p", json.dumps({"spec": owner}))
