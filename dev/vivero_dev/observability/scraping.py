"""The charts' PodMonitors as scrape configurations, as the Prometheus operator would write them. Pure.

https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vivero_dev.discovery.targets import NAMESPACE, POD, label_of
from vivero_dev.platform.kubectl import Object


def scrape_configs(monitors: Iterable[Object], targets: str) -> list[dict[str, Any]]:
    """One for each endpoint of each PodMonitor; `targets` is the file that lists the pods."""
    return [
        _config(monitor, number, endpoint, targets)
        for monitor in monitors
        for number, endpoint in enumerate(monitor["spec"]["podMetricsEndpoints"])
    ]


def _config(monitor: Object, number: int, endpoint: Mapping[str, Any], targets: str) -> dict[str, Any]:
    meta, spec = monitor["metadata"], monitor["spec"]
    times = {"scrape_interval": endpoint.get("interval"), "scrape_timeout": endpoint.get("scrapeTimeout")}
    return {
        "job_name": f"podMonitor/{meta['namespace']}/{meta['name']}/{number}",
        **{key: value for key, value in times.items() if value is not None},
        "sample_limit": spec.get("sampleLimit", 0),
        "file_sd_configs": [{"files": [targets]}],
        "relabel_configs": [
            *_selection(monitor),
            # A pod that has ended answers no more, and is listed until it is removed.
            {"source_labels": [f"{POD}_phase"], "regex": "(Failed|Succeeded)", "action": "drop"},
            _keep(f"{POD}_container_port_name", endpoint["port"]),
            _copy(NAMESPACE, "namespace"),
            _copy(f"{POD}_name", "pod"),
            _copy(label_of(spec["jobLabel"]), "job"),
            *map(_relabeling, endpoint.get("relabelings", ())),
        ],
        "metric_relabel_configs": [*map(_relabeling, endpoint.get("metricRelabelings", ()))],
    }


def _selection(monitor: Object) -> list[dict[str, Any]]:
    """The pods that it selects, in its own namespace unless it says `any`."""
    spec = monitor["spec"]
    found = [_keep(label_of(name), value) for name, value in spec["selector"]["matchLabels"].items()]
    if not spec.get("namespaceSelector", {}).get("any", False):
        found.append(_keep(NAMESPACE, monitor["metadata"]["namespace"]))
    return found


def _keep(source: str, value: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": re.escape(value), "action": "keep"}


def _copy(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": target}


def _relabeling(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same words, as Prometheus itself spells them."""
    return {re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", key): value for key, value in given.items()}
