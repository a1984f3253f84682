"""What the charts say about monitoring, rendered by Helm with everything about it switched on."""

import json
from pathlib import Path
from typing import Any

import yaml

from vivero_dev.commands import run
from vivero_dev.observability.configuration import Monitoring
from vivero_dev.platform.names import PLATFORM

SWITCHED_ON = {"alerts": {"enabled": True}, "monitors": {"enabled": True}}


def rendered(helm: Path, charts: dict[Path, dict[str, Any]]) -> Monitoring:
    """Of these charts with their values, as they are installed on a platform."""
    objects: list[dict[str, Any]] = []
    for chart, values in charts.items():
        command: list[str | Path] = [helm, "template", chart.name, chart, f"--namespace={PLATFORM}", "--values=-"]
        text = run("helm", command, stdin=json.dumps(values | SWITCHED_ON))
        objects += [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]
    return Monitoring.of(objects)
