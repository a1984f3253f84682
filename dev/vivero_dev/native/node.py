"""Waits until the node is ready."""

from vivero_dev.errors import ComponentError
from vivero_dev.native.layout import Cluster
from vivero_dev.platform.kubectl import Object
from vivero_dev.probing import until

NODE_SECONDS = 60.0


def wait_node_ready(cluster: Cluster) -> None:
    """Wait until the node is Ready; the error shows its reason and kubelet's log."""
    try:
        until("node", lambda: problem(cluster.kubectl.list("nodes"), cluster.node_name), NODE_SECONDS)
    except ComponentError as error:
        raise ComponentError("node", error.reason, cluster.processes.log("kubelet")) from error


def problem(nodes: list[Object], name: str) -> str | None:
    """Why the node of that name is not ready; None if it is."""
    node = next((node for node in nodes if node["metadata"]["name"] == name), None)
    if node is None:
        return f"node {name} has not registered"
    conditions = node.get("status", {}).get("conditions", [])
    ready: Object = next((condition for condition in conditions if condition["type"] == "Ready"), {})
    return None if ready.get("status") == "True" else str(ready.get("message", "node says nothing yet"))
