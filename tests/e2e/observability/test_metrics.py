"""Metrics of every program on a platform: names as Prometheus wants them, labels with few values."""

import json
import re

import httpx
import pytest
from e2e.cluster import Kubectl
from prometheus_client.parser import text_string_to_metric_families
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.errors import ComponentError
from vivero_dev.instance import cache_root

PODS = {
    "operator": ("app.kubernetes.io/name=vivero-operator", 8081),
    "archiver": ("app.kubernetes.io/name=vivero-archiver", 8081),
    "pages": ("app.kubernetes.io/component=serve", 9090),
    "worker": ("app.kubernetes.io/component=worker", 9090),
    "workspace": ("app.kubernetes.io/name=vivero-data-plane", 9090),
}
ONE_OF_MANY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|/[0-9]+(/|$)|@")
"""In a label's value: a UUID, a number in a path, an address of a person."""
OF_A_TENANT = {"vivero_tenant_ready_pods", "vivero_tenant_ready"}
MOST_SERIES = 5000


def scraped(kubectl: Kubectl, program: str) -> str:
    """Of a pod that is ready."""
    selector, port = PODS[program]
    pods = json.loads(kubectl("get", "pods", "-A", "-l", selector, "-o", "json"))["items"]
    for pod in pods:
        if any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ())):
            return httpx.get(f"http://{pod['status']['podIP']}:{port}/metrics").raise_for_status().text
    pytest.fail(f"no {program} is ready")


@pytest.mark.parametrize("program", PODS)
def test_names_units_and_labels(program: str, kubectl: Kubectl) -> None:
    text = scraped(kubectl, program)
    promtool = extracted(cache_root(), "prometheus") / "usr/bin/promtool"
    assert run("promtool", [promtool, "check", "metrics"], stdin=text) == ""
    families = list(text_string_to_metric_families(text))
    samples = [sample for family in families for sample in family.samples]
    assert any(sample.name.startswith("vivero_") for sample in samples)
    assert len(samples) < MOST_SERIES
    if program == "workspace":
        assert "vivero_requests_total" in {sample.name for sample in samples}, "an alert asks for it"
    named = {(sample.name, value) for sample in samples for value in sample.labels.values()}
    assert {(name, value) for name, value in named if name not in OF_A_TENANT and ONE_OF_MANY.search(value)} == set()


def test_promtool_finds_what_is_wrong() -> None:
    """Else the test above could not fail."""
    promtool = extracted(cache_root(), "prometheus") / "usr/bin/promtool"
    with pytest.raises(ComponentError, match="_total"):
        run("promtool", [promtool, "check", "metrics"], stdin="# HELP a Text\n# TYPE a counter\na 1\n")
