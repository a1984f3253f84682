"""docs/examples/alertmanager.yaml in Alertmanager's own amtool: who is told of which alert, and that someone always is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.alerts import ALERTS, ROOT
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.errors import ComponentError
from vivero_dev.instance import cache_root

EXAMPLE = ROOT / "docs/examples/alertmanager.yaml"
CONFIGURATION: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
SEVERITIES = {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}
ON_CALL = ["first-line-week", "first-line-weekend", "second-line"]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@pytest.fixture(scope="module")
def amtool() -> Path:
    return extracted(cache_root(), "prometheus-alertmanager") / "usr/bin/amtool"


def routed(amtool: Path, receivers: list[str], **labels: str) -> None:
    """Raises ComponentError unless an alert with these labels goes to these receivers and no others."""
    words = [f"{key}={value}" for key, value in labels.items()]
    command: list[str | Path] = [amtool, "config", "routes", "test", f"--config.file={EXAMPLE}"]
    run("amtool", [*command, f"--verify.receivers={','.join(receivers)}", *words])


def test_alertmanager_takes_it(amtool: Path) -> None:
    assert "SUCCESS" in run("amtool", [amtool, "check-config", EXAMPLE])


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_goes_to_whom_it_concerns(name: str, amtool: Path) -> None:
    concerned = ["billing"] if name.startswith("ViveroBilling") else []
    routed(
        amtool,
        concerned + (ON_CALL if SEVERITIES[name] == "critical" else ["team"]),
        alertname=name,
        severity=SEVERITIES[name],
    )


def test_what_is_not_ours_goes_to_the_team(amtool: Path) -> None:
    routed(amtool, ["team"], alertname="DiskFull", severity="page")
    with pytest.raises(ComponentError):
        routed(amtool, ["second-line"], alertname="DiskFull", severity="page")


def days(interval: str) -> set[str]:
    """Days of the week on which an interval holds from midnight to midnight."""
    (found,) = (one["time_intervals"] for one in CONFIGURATION["time_intervals"] if one["name"] == interval)
    held = set[str]()
    for part in found:
        assert "times" not in part
        for named in part["weekdays"]:
            first, _, last = named.partition(":")
            held |= set(DAYS[DAYS.index(first) : DAYS.index(last or first) + 1])
    return held


def test_on_each_day_one_person_is_on_call() -> None:
    first = [one for one in CONFIGURATION["route"]["routes"] if one["receiver"].startswith("first-line")]
    shifts = [days(name) for route in first for name in route["active_time_intervals"]]
    assert sorted(day for shift in shifts for day in shift) == sorted(DAYS), "none twice, none left out"
    (second,) = (one for one in CONFIGURATION["route"]["routes"] if one["receiver"] == "second-line")
    assert "active_time_intervals" not in second, "at any time"
    assert seconds(second["group_wait"]) > 60 > seconds(first[0]["group_wait"])


def seconds(text: str) -> float:
    unit = {"s": "seconds", "m": "minutes", "h": "hours"}[text[-1]]
    return timedelta(**{unit: int(text[:-1])}).total_seconds()


def test_a_dead_tenant_is_told_once() -> None:
    """What follows from its being down is there, and named as we name it."""
    (rule,) = CONFIGURATION["inhibit_rules"]
    (target,) = rule["target_matchers"]
    follows = {name for name in ALERTS if name.startswith("ViveroTenant")} - {"ViveroTenantDown"}
    assert {f"ViveroTenant{one}" for one in target.split("(")[1].split(")")[0].split("|")} == follows
    assert rule["source_matchers"] == ['alertname="ViveroTenantDown"']
    assert rule["equal"] == ["tenant_id"]
