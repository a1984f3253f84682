"""The charts' rules with all their times divided by the same number: what waits for hours is seen within minutes. Pure.

That the times themselves are right is played in promtool (tests/integration/charts/test_alerts.py).
"""

import re
from dataclasses import replace
from typing import Any, Final

from vivero_dev.observability.configuration import Monitoring

TIMES: Final = 30
"""What is divided by. More, and an archiver that is well would count as late."""
SCRAPED_EVERY: Final = "3s"
"""And given up after as long; often enough for the shortest of the ranges, which is ten seconds then."""
OFTEN: Final = {"interval": SCRAPED_EVERY, "scrapeTimeout": SCRAPED_EVERY}
_DURATION: Final = re.compile(r"(\d+)([smhd])")
_RANGE: Final = re.compile(r"\[(\d+[smhd])\]")
_SECONDS: Final = re.compile(r"\b(\d+) \* (60|3600|86400)\b")
"""A number of seconds to compare with, as the rules write it."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_EVERY: Final = "15s"
"""How often the rules of a group are evaluated that does not say."""


def hurried(monitoring: Monitoring) -> Monitoring:
    """The same rules and monitors in a world where time goes TIMES as fast."""
    return replace(
        monitoring,
        rules=tuple(_with_spec(one, groups=[*map(_group, one["spec"]["groups"])]) for one in monitoring.rules),
        monitors=tuple(
            _with_spec(
                one,
                podMetricsEndpoints=[end | OFTEN for end in one["spec"]["podMetricsEndpoints"]],
            )
            for one in monitoring.monitors
        ),
    )


def _with_spec(item: dict[str, Any], **spec: object) -> dict[str, Any]:
    return item | {"spec": item["spec"] | spec}


def _group(group: dict[str, Any]) -> dict[str, Any]:
    return group | {"interval": shorter(group.get("interval", _EVERY)), "rules": [*map(_rule, group["rules"])]}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    waits = {"for": shorter(rule["for"])} if "for" in rule else {}
    return rule | waits | {"expr": expression(rule["expr"])}


def shorter(duration: str) -> str:
    """`5m` as `10000ms`."""
    found = _DURATION.fullmatch(duration)
    assert found, duration
    return f"{int(found[1]) * _UNITS[found[2]] * 1000 // TIMES}ms"


def expression(text: str) -> str:
    """Its ranges and its numbers of seconds."""
    ranges = _RANGE.sub(lambda found: f"[{shorter(found[1])}]", text)
    return _SECONDS.sub(lambda found: f"{int(found[1]) * int(found[2]) / TIMES:g}", ranges)
