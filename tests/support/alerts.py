"""Rules of the charts, as they lie in their files."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
GROUPS: list[dict[str, Any]] = [
    group
    for file in sorted(ROOT.glob("charts/*/files/*rules.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in RULES if "alert" in rule}
"""By name; that no two have one is tested."""
