"""Questions of the dashboards ask for series that there are, and Grafana's dashboards ask the same."""

import json
from typing import Any

import pytest
from support.dashboards import questions
from support.metrics import asked_for, exposed
from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.monitoring.panels import Dashboard, Panel, Shape
from vivero_dev.grafana import grafana

QUESTIONS = questions()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_asks_for_what_programs_expose_or_rules_record(name: str) -> None:
    asked = asked_for(QUESTIONS[name])
    assert asked
    assert asked - exposed() == set()


def test_a_metric_that_there_is_not_is_found() -> None:
    """Else the test above could not fail."""
    assert asked_for('rate(vivero_happiness_total{of="vivero_leading"}[5m])') == {"vivero_happiness_total"}
    assert "vivero_happiness_total" not in exposed()


@pytest.mark.parametrize("described", DASHBOARDS.values(), ids=lambda one: one.name)
def test_grafana_asks_what_the_console_asks(described: Dashboard) -> None:
    made = json.loads(grafana(described))
    assert (made["uid"], made["title"]) == (f"vivero-{described.name}", f"Vivero: {described.title}")
    assert [one["title"] for one in made["panels"]] == [one.title for one in described.panels]
    for drawn, panel in zip(made["panels"], described.panels, strict=True):
        asked = [(one["expr"], one["legendFormat"]) for one in drawn["targets"]]
        assert asked == [(query.expr, query.legend) for query in panel.queries]
        assert drawn["datasource"]["uid"] == "${datasource}"
        assert drawn["options"] is not None
    names = [one["name"] for one in made["templating"]["list"]]
    assert names == (["datasource", "tenant_id"] if described.of_tenant else ["datasource"])
    assert all(f"${name}" in json.dumps(made["panels"]) for name in names if name != "datasource")


@pytest.mark.parametrize("described", DASHBOARDS.values(), ids=lambda one: one.name)
def test_no_panel_lies_over_another(described: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(grafana(described))["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def colour(drawn: dict[str, Any], value: float) -> str:
    """What Grafana gives a value: the last step that it has reached."""
    steps = drawn["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return str([one["color"] for one in steps if one["value"] is None or value >= one["value"]][-1])


LIMITED = [
    (described, number, panel)
    for described in DASHBOARDS.values()
    for number, panel in enumerate(described.panels)
    if panel.limit
]


@pytest.mark.parametrize(("described", "number", "panel"), LIMITED, ids=lambda one: getattr(one, "title", ""))
def test_red_is_what_breaks_a_limit(described: Dashboard, number: int, panel: Panel) -> None:
    assert panel.limit
    drawn = json.loads(grafana(described))["panels"][number]
    for value in (panel.limit.value - 0.001, panel.limit.value, panel.limit.value + 0.001):
        assert (colour(drawn, value) == "red") is panel.limit.broken_by(value), value
    assert (panel.shape in {Shape.NUMBER, Shape.RANKING}) or "thresholdsStyle" in json.dumps(drawn)
