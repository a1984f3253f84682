"""Alerts of the charts and their runbooks: each alert has one, and each place that is named is there."""

import re

import pytest
from prometheus_client import REGISTRY
from support.alerts import ALERTS, ROOT, RULES
from vivero_control import worker
from vivero_control.domain.billing import synchronisation
from vivero_operator import metrics
from vivero_operator.archiver import metrics as of_archiver
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.tenants_in_service import TenantsInService

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
    assert all((metrics.LEADING, synchronisation.differences, worker.entries)), "imported, so that they are registered"
    per_tenant = {one.name for one in TenantsInService(Cluster(), lambda: True).collect()}
    archiver = set(re.findall(rb"^# TYPE (\S+)", of_archiver.text(), re.MULTILINE))
    counters = {f"{one.name}_total" for one in REGISTRY.collect() if one.type == "counter"}
    of_litestar = {"vivero_requests_total"}  # tests/e2e/observability/test_metrics.py finds it at a workspace
    there = (
        of_litestar
        | {one.name for one in REGISTRY.collect()}
        | counters
        | per_tenant
        | {one.decode() for one in archiver}
    )
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    asked = {name for rule in RULES for name in re.findall(r"(?:tenant:)?vivero_[\w:]+", rule["expr"])}
    assert asked
    assert asked - there - recorded == set()


def test_every_link_of_a_runbook_leads_somewhere() -> None:
    for file in RUNBOOKS.glob("*.md"):
        for target in re.findall(r"\]\(([^)]+)\)", file.read_text()):
            path, _, anchor = target.partition("#")
            found = (file.parent / path).resolve() if path else file
            assert found.exists(), f"{file.name}: {target}"
            assert not anchor or anchor in anchors(found.read_text()), f"{file.name}: {target}"
