"""The control plane's alerts name every difference, and tell of the first one."""

import re
from pathlib import Path

from vivero_control.domain.billing import synchronisation
from vivero_control.domain.billing.policies import FOR_PEOPLE, Difference

RULES = (Path(__file__).parents[3] / "charts/vivero-control-plane/files/billing-rules.yaml").read_text()


def test_every_difference_is_in_one_alert() -> None:
    people, mended = (set(found.split("|")) for found in re.findall(r'what=~"([^"]+)"', RULES))
    assert people == set(FOR_PEOPLE)
    assert mended == set(Difference) - FOR_PEOPLE


def test_every_difference_is_counted_from_zero_on() -> None:
    """Of a series that begins at one Prometheus sees no increase."""
    (family,) = synchronisation.differences.collect()
    assert {one.labels["what"] for one in family.samples if one.name.endswith("_total")} == set(Difference)
