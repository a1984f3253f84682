"""kubectl and the instance under test."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
from vivero_dev.instance import Instance, load_instance
from vivero_dev.localhost import local_client
from vivero_dev.providers import provider_for

REPOSITORY = Path(__file__).parents[3]
EXAMPLE = REPOSITORY / "docs/examples/tenant.yaml"

Kubectl = Callable[..., str]
Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def instance(platform: dict[str, Any]) -> Instance:
    """The local platform's instance; its kubeconfig lies in the folder of its name."""
    found = load_instance(Path(platform["kubeconfig"]).parent.name)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def kubectl(instance: Instance) -> Kubectl:
    """Run kubectl against the platform; the text it printed. A refusal raises with kubectl's own words."""
    program = provider_for(instance, "auto").kubectl()

    def call(*arguments: str, given: str | None = None, seconds: float = 90) -> str:
        done = subprocess.run(  # noqa: S603  arguments are the tests' own
            program.command(*arguments), input=given, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    return call


@pytest.fixture(scope="session")
def sql(platform: dict[str, Any]) -> Sql:
    """Run a statement with the login of MariaDB's administrator; its rows."""
    maria = platform["mariadb"]

    def run(statement: str) -> list[tuple[Any, ...]]:
        with (
            pymysql.connect(
                host=maria["host"],
                port=int(maria["port"]),
                user=maria["admin_user"],
                password=maria["admin_password"],
                ssl={"ca": maria["ca"]},
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())

    return run


@pytest.fixture(scope="session")
def workspace(platform: dict[str, Any]) -> Iterator[httpx.Client]:
    """The demo tenant's workspace through the ingress; requests take a path.

    A connection for each: the ingress ends old ones, and a test that waits would meet a closed one.
    """
    with local_client(Path(platform["ca"])) as client:
        client.headers["Connection"] = "close"
        client.base_url = httpx.URL(platform["demo_tenant"]["url"])
        yield client


@pytest.fixture
def apply(kubectl: Kubectl) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Apply a resource; what a test applied is deleted at its end, waiting until it is gone."""
    applied: list[tuple[str, str]] = []

    def create(resource: dict[str, Any]) -> None:
        applied.append((resource["kind"], resource["metadata"]["name"]))
        kubectl("apply", "-f", "-", given=json.dumps(resource))

    yield create
    for kind, name in reversed(applied):
        kubectl("delete", kind, name, "--ignore-not-found", "--timeout=80s")


def tenant(name: str, **spec: object) -> dict[str, Any]:
    """A Tenant that a test may throw away."""
    return {
        "apiVersion": "vivero.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name},
        "spec": {
            "displayName": name.title(),
            "slug": name,
            "plan": "starter",
            "owner": {"email": f"owner@{name}.example"},
            "deletionPolicy": "Delete",
            **spec,
        },
    }


def condition(kubectl: Kubectl, name: str, kind: str) -> dict[str, Any]:
    """The Tenant's condition of that type; empty while it has none."""
    conditions = json.loads(kubectl("get", "tenant", name, "-o", "json")).get("status", {}).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == kind), {})
