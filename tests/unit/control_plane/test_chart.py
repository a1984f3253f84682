"""The control plane's alerts ask for metrics that there are, and name every difference that is for people."""

import re
from pathlib import Path

from prometheus_client import REGISTRY
from vivero_control.domain.billing import synchronisation
from vivero_control.domain.billing.policies import FOR_PEOPLE, Difference

RULES = (Path(__file__).parents[3] / "charts/vivero-control-plane/templates/alerts.yaml").read_text()


def test_alerts_ask_for_metrics_that_are_there() -> None:
    assert synchronisation.differences
    asked = set(re.findall(r"vivero_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", RULES))))
    there = {metric.name for metric in REGISTRY.collect()}
    assert {name.removesuffix("_total") for name in asked} <= there
    assert len(asked) == 2


def test_every_difference_is_in_one_alert() -> None:
    people, mended = (set(found.split("|")) for found in re.findall(r'what=~"([^"]+)"', RULES))
    assert people == set(FOR_PEOPLE)
    assert mended == set(Difference) - FOR_PEOPLE
