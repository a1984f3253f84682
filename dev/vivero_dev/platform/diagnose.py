"""Finds what keeps a namespace from being ready: the object, the reason, the end of its log."""

from dataclasses import dataclass
from typing import Any

from vivero_dev.platform.kubectl import Kubectl, Object

LOG_LINES = 30


@dataclass(frozen=True, slots=True)
class Problem:
    """An object that is not ready, and why."""

    component: str
    reason: str


def first_problem(kubectl: Kubectl, namespace: str) -> Problem | None:
    """The first pod of the namespace that is not ready, else the first Deployment that is not."""
    for pod in kubectl.list("pods", namespace):
        reason = pod_reason(pod)
        if reason is not None:
            owner = _owner(pod)
            name = pod["metadata"]["name"]
            log = _log(kubectl, namespace, name)
            return Problem(f"{owner} (pod {name})", f"{reason}\n{log}".rstrip())
    for deployment in kubectl.list("deployments", namespace):
        reason = deployment_reason(deployment)
        if reason is not None:
            return Problem(f"Deployment {namespace}/{deployment['metadata']['name']}", reason)
    return None


def pod_reason(pod: Object) -> str | None:
    """Why the pod is not ready; None if it is, or has completed."""
    status = pod.get("status", {})
    if status.get("phase") == "Succeeded" or pod["metadata"].get("deletionTimestamp"):
        return None
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        reason = _container_reason(container)
        if reason is not None:
            return f"container {container['name']}: {reason}"
    failing = [item for item in status.get("conditions", []) if item["status"] != "True"]
    for kind in ("PodScheduled", "Ready"):
        for condition in failing:
            if condition["type"] == kind:
                return f"{condition.get('reason', kind)}: {condition.get('message', 'not yet')}"
    return None if status.get("phase") == "Running" else f"phase {status.get('phase', 'unknown')}"


def deployment_reason(deployment: Object) -> str | None:
    wanted = deployment["spec"].get("replicas", 1)
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    if ready >= wanted:
        return None
    messages = [item.get("message", "") for item in deployment.get("status", {}).get("conditions", [])]
    return f"{ready} of {wanted} pods ready. {' '.join(messages)}".strip()


def _container_reason(container: dict[str, Any]) -> str | None:
    state = container.get("state", {})
    if "waiting" in state and state["waiting"].get("reason") != "PodInitializing":
        said = f"{state['waiting'].get('reason', 'waiting')} {state['waiting'].get('message', '')}".strip()
        last = container.get("lastState", {}).get("terminated")
        return f"{said}; last exit {last['exitCode']} ({last.get('reason', '')})" if last else said
    if "terminated" in state and state["terminated"]["exitCode"] != 0:
        return f"exited with {state['terminated']['exitCode']} ({state['terminated'].get('reason', '')})"
    return None


def _owner(pod: Object) -> str:
    """`Deployment namespace/name`: a ReplicaSet's name is its Deployment's and a hash."""
    namespace = pod["metadata"]["namespace"]
    for owner in pod["metadata"].get("ownerReferences", []):
        if owner["kind"] == "ReplicaSet":
            return f"Deployment {namespace}/{owner['name'].rpartition('-')[0]}"
        return f"{owner['kind']} {namespace}/{owner['name']}"
    return f"Pod {namespace}/{pod['metadata']['name']}"


def _log(kubectl: Kubectl, namespace: str, pod: str) -> str:
    text = kubectl.pod_log(namespace, pod, lines=LOG_LINES)
    return text or kubectl.pod_log(namespace, pod, lines=LOG_LINES, previous=True)
