"""Pods as targets of Prometheus, with the labels that its own discovery of pods would give them. Pure.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

POD = "__meta_kubernetes_pod"
NAMESPACE = "__meta_kubernetes_namespace"
_NO_LABEL_CHARACTER = re.compile(r"[^a-zA-Z0-9_]")


def label_of(name: str) -> str:
    """The label of a target that holds a pod's label of this name."""
    return f"{POD}_label_{_NO_LABEL_CHARACTER.sub('_', name)}"


def target_groups(pods: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For `file_sd_configs`: each port of each container of each pod that has an address."""
    return [
        {"targets": [f"{address}:{port['containerPort']}"], "labels": _labels(pod, port)}
        for pod in pods
        if (address := pod.get("status", {}).get("podIP"))
        for port in _ports(pod)
    ]


def _ports(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for container in pod["spec"]["containers"]:
        yield from container.get("ports", ())


def _labels(pod: dict[str, Any], port: dict[str, Any]) -> dict[str, str]:
    meta = pod["metadata"]
    return {
        NAMESPACE: meta["namespace"],
        f"{POD}_name": meta["name"],
        f"{POD}_phase": pod["status"].get("phase", ""),
        f"{POD}_container_port_name": port.get("name", ""),
        **{label_of(name): value for name, value in meta.get("labels", {}).items()},
    }
