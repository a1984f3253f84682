"""The rules of the tests of faults are the charts' own, in a world where time goes faster."""

import re

import pytest
from e2e.observability.hurried import TIMES, expression, hurried, shorter
from support.alerts import ALERTS, GROUPS
from vivero_dev.observability.configuration import Monitoring

RULES = Monitoring(({"metadata": {"name": "all"}, "spec": {"groups": GROUPS}},), ())


@pytest.mark.parametrize(
    ("text", "faster"),
    [
        ("increase(x[10m]) > 10", "increase(x[20000ms]) > 10"),
        ("age > 8 * 86400 and on (job) up == 1", "age > 23040 and on (job) up == 1"),
        ("lag > 5 * 60", "lag > 10"),
        ("burn > 14.4 * 0.001", "burn > 14.4 * 0.001"),
        ("ready < 0.2 * size", "ready < 0.2 * size"),
        ("sum_over_time(tenant:x:ratio30m[1d]) / 720", "sum_over_time(tenant:x:ratio30m[2880000ms]) / 720"),
    ],
)
def test_its_times_are_shorter_and_nothing_else(text: str, faster: str) -> None:
    assert expression(text) == faster


def test_no_time_of_any_rule_is_left_as_it_is() -> None:
    """A new rule whose seconds are written in another way would never fire there, or always."""
    (found,) = hurried(RULES).rules
    rules = [rule for group in found["spec"]["groups"] for rule in group["rules"]]
    assert [rule.get("alert") for rule in rules if "alert" in rule] == [*ALERTS]
    for rule in rules:
        assert re.search(r"\[\d+[smhd]\]|\d+ \* (60|3600|86400)\b", rule["expr"]) is None, rule
        assert rule.get("for", "0ms").endswith("ms")
        if "_seconds" in rule["expr"] and "timestamp_seconds" not in rule["expr"]:
            assert rule["expr"] not in [one.get("expr") for one in ALERTS.values()], "its number of seconds is not seen"


def test_a_window_has_as_many_samples_as_before() -> None:
    """What is recorded is divided by their number."""
    (before,), (after,) = (one.rules for one in (RULES, hurried(RULES)))
    for old, new in zip(before["spec"]["groups"], after["spec"]["groups"], strict=True):
        assert new["interval"] == shorter(old.get("interval", "15s"))
        if any("record" in rule for rule in old["rules"]):
            assert int(new["interval"].removesuffix("ms")) * TIMES == {"30s": 30_000, "2m": 120_000}[old["interval"]]
