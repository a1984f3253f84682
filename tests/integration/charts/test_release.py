"""Releases of the charts on a real API server: what it takes, what stays when a value or the release goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api_server import ApiServer
from support.contour import install_gateway_definitions
from vivero_dev.commands import run

ROOT = Path(__file__).parents[3]
NAMESPACE = "platform"
BASE = {"signups": {"namespace": "signups"}, "pools": {"trial": {"plan": "trial", "size": 2}}}
SECONDS = 60.0


class Helm:
    """Releases in the namespace of the test."""

    def __init__(self, cluster: ApiServer, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder

    def run(self, *words: str) -> str:
        where = (f"--kubeconfig={self._cluster.kubectl.kubeconfig}", f"--namespace={NAMESPACE}")
        return run("helm", [self._cluster.helm, *words, *where], timeout=SECONDS)

    def upgrade(self, chart: str, values: dict[str, Any] | None = None) -> str:
        file = self._folder / "values.json"
        file.write_text(json.dumps(values or {}))
        return self.run("upgrade", chart, str(ROOT / "charts" / chart), "--install", f"--values={file}")


@pytest.fixture(scope="module")
def helm(cluster: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    names = (NAMESPACE, "signups")
    cluster.kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names])
    folder = tmp_path_factory.mktemp("values")
    install_gateway_definitions(cluster, folder)
    helm = Helm(cluster, folder)
    helm.upgrade("vivero-crds")
    return helm


@pytest.fixture
def operator(helm: Helm, cluster: ApiServer) -> Iterator[Helm]:
    helm.upgrade("vivero-operator", BASE)
    yield helm
    helm.run("uninstall", "vivero-operator", "--ignore-not-found")
    cluster.kubectl.run("delete", "plans,databaseservers,tenantpools", "--all", "--wait=false")


def names(cluster: ApiServer, kind: str) -> set[str]:
    return {item["metadata"]["name"] for item in cluster.kubectl.list(kind)}


def test_a_value_that_is_dropped_keeps_plan_and_server(operator: Helm, cluster: ApiServer) -> None:
    operator.upgrade("vivero-operator", BASE | {"plans": {"starter": None}, "database": {"host": ""}, "pools": {}})
    assert names(cluster, "plans") == {"trial", "starter", "professional", "enterprise"}
    assert names(cluster, "databaseservers") == {"main"}
    assert names(cluster, "tenantpools") == set(), "a pool that is not wanted goes, and its spares with it"


def test_the_end_of_the_release_keeps_plans_and_servers(operator: Helm, cluster: ApiServer) -> None:
    said = operator.run("uninstall", "vivero-operator")
    assert "[Plan] starter" in said
    assert "[DatabaseServer] main" in said
    assert names(cluster, "plans") == {"trial", "starter", "professional", "enterprise"}
    assert names(cluster, "databaseservers") == {"main"}
    assert names(cluster, "tenantpools") == set()
    assert cluster.kubectl.list("deployments", NAMESPACE) == []


@pytest.mark.parametrize("how", ["uninstalled", "dropped"])
def test_what_was_kept_becomes_what_the_values_say(operator: Helm, cluster: ApiServer, how: str) -> None:
    if how == "uninstalled":
        operator.run("uninstall", "vivero-operator")
    else:
        operator.upgrade("vivero-operator", BASE | {"plans": {"starter": None}})
    operator.upgrade("vivero-operator", BASE | {"plans": {"starter": {"description": "Another."}}})
    # Helm compares with its last release, not with the cluster: it adopts the object and changes nothing.
    manifest = operator.run("get", "manifest", "vivero-operator")
    cluster.kubectl.run("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=manifest)
    plan = cluster.kubectl.get("plan", "starter")
    assert plan is not None
    assert plan["spec"]["description"] == "Another."


def test_definitions_outlive_their_release(helm: Helm, cluster: ApiServer) -> None:
    helm.run("uninstall", "vivero-crds")
    try:
        assert "tenants.vivero.dev" in names(cluster, "customresourcedefinitions")
    finally:
        helm.upgrade("vivero-crds")


CASES = [(file.parent.parent.name, file.stem) for file in sorted((ROOT / "charts").glob("*/ci/*.yaml"))]


@pytest.mark.parametrize(("chart", "values"), CASES)
def test_the_api_server_takes_what_every_example_renders(helm: Helm, chart: str, values: str) -> None:
    file = ROOT / "charts" / chart / "ci" / f"{values}.yaml"
    options = ["--install", f"--values={file}", "--dry-run=server"]
    if chart != "vivero-data-plane":
        options.append("--set=signups.namespace=signups")
    said = helm.run("upgrade", f"{chart}-{values}", str(ROOT / "charts" / chart), *options)
    notes = said.partition("NOTES:")[2]
    assert f"--namespace {NAMESPACE} get configmap/" in notes
    assert "helm test" in notes
    assert "%!" not in notes, "a format that Helm could not fill in"
