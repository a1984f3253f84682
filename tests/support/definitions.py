"""Waits for definitions of resources: `kubectl wait` fails on one of which the API server has not written any condition yet."""

from typing import Any

from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.probing import until


def await_definitions(kubectl: Kubectl, seconds: float = 60.0) -> None:
    """Returns when the API server serves all that are there."""

    def missing() -> str | None:
        waiting = [one["metadata"]["name"] for one in kubectl.list("customresourcedefinitions") if not _served(one)]
        return ", ".join(waiting) or None

    until("definitions", missing, seconds)


def _served(definition: dict[str, Any]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
