"""The cluster asked and told through kubectl, as its administrator."""

import json
import time
from collections.abc import Sequence
from typing import Any

from vivero_dev.commands import run
from vivero_dev.errors import ComponentError
from vivero_dev.native.layout import Cluster
from vivero_dev.native.objects import FIELD_MANAGER, Manifest

POLL_SECONDS = 0.1


def kubectl(cluster: Cluster, *arguments: str, stdin: str | None = None, timeout: float = 60.0) -> str:
    command = [cluster.tool("kubectl"), f"--kubeconfig={cluster.instance.kubeconfig}", *arguments]
    return run("kubernetes", command, stdin=stdin, timeout=timeout)


def apply(cluster: Cluster, manifests: Sequence[Manifest]) -> None:
    """Server-side apply; what we say wins over what somebody changed by hand."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
    apply_text(cluster, json.dumps(items))


def apply_text(cluster: Cluster, text: str) -> None:
    """Server-side apply of YAML or JSON documents."""
    flags = ["--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}"]
    kubectl(cluster, "apply", *flags, "--filename=-", stdin=text)


def wait_node_ready(cluster: Cluster, seconds: float = 60.0) -> None:
    """Wait until the node takes pods; its own words are in the error."""
    end = time.monotonic() + seconds
    while (said := _ready_condition(cluster)).get("status") != "True":
        if time.monotonic() > end:
            reason = said.get("message", "the node has not registered")
            raise ComponentError(
                "kubelet", f"node not ready within {seconds:.0f} s: {reason}", cluster.processes.log("kubelet")
            )
        time.sleep(POLL_SECONDS)


def _ready_condition(cluster: Cluster) -> dict[str, Any]:
    nodes = json.loads(kubectl(cluster, "get", "nodes", "--output=json"))["items"]
    conditions = [
        condition
        for node in nodes
        if node["metadata"]["name"] == cluster.node_name
        for condition in node.get("status", {}).get("conditions", [])
    ]
    return next((dict(condition) for condition in conditions if condition["type"] == "Ready"), {})
