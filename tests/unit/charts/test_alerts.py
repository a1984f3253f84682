"""Alerts of the charts and their runbooks: each alert has one, and each place that is named is there."""

import re

import pytest
from support.alerts import ALERTS, ROOT, RULES
from support.metrics import asked_for, exposed

RUNBOOKS = ROOT / "docs/runbooks"


def anchors(text: str) -> set[str]:
    """Of the headings, as a forge makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_there_are_alerts_and_no_two_have_one_name() -> None:
    assert len(ALERTS) > 10
    assert len(ALERTS) == sum("alert" in rule for rule in RULES)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_grave_it_is_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert {"summary", "description", "runbook"} == set(alert["annotations"])
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    text = (ROOT / file).read_text()
    assert (ROOT / file).parent == RUNBOOKS
    assert f"Alert `{name}`" in text
    if anchor:
        assert anchor in anchors(text)
        section = text.split(next(one for one in re.findall(r"^## .+$", text, re.MULTILINE) if anchor in anchors(one)))[
            1
        ]
        assert f"Alert `{name}`" in section.split("\n## ")[0], "where the runbook begins for it"


def test_the_guide_lists_every_alert_with_its_runbook() -> None:
    rows = re.findall(
        r"^\| `(Vivero\w+)` \|.*\]\((runbooks/[^)]+)\) \|$", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == {name: rule["annotations"]["runbook"].removeprefix("docs/") for name, rule in ALERTS.items()}


def test_alerts_ask_for_metrics_that_are_there() -> None:
    asked = {name for rule in RULES for name in asked_for(rule["expr"])}
    assert asked
    assert asked - exposed() == set()


def test_every_link_of_a_runbook_leads_somewhere() -> None:
    for file in RUNBOOKS.glob("*.md"):
        for target in re.findall(r"\]\(([^)]+)\)", file.read_text()):
            path, _, anchor = target.partition("#")
            found = (file.parent / path).resolve() if path else file
            assert found.exists(), f"{file.name}: {target}"
            assert not anchor or anchor in anchors(found.read_text()), f"{file.name}: {target}"
