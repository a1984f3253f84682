"""The console's page Operations over a stand-in of Prometheus."""

import re
from html import unescape
from json import loads
from typing import Any

import pytest
from litestar.testing import TestClient
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import HOSTILE, SUPPORT
from unit.control_plane_web.monitoring_fakes import AWAY, NAMES, StandIn, alert, monitoring, without
from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.monitoring.panels import Shape
from vivero_control.domain.monitoring.schemas import Span
from vivero_control.web import staff_shell
from vivero_core.model.naming import tenant_id

PAGE = staff_shell.OPERATIONS
TENANT = f"{PAGE}/tenant?tenant=acme"


def charts(text: str) -> list[dict[str, Any]]:
    return [loads(unescape(found)) for found in re.findall(r'data-chart="([^"]+)"', text)]


def address(name: str, span: str = "1h") -> str:
    return f"{PAGE}/{name}?range={span}&tenant=acme"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_of_a_dashboard_is_drawn(staff: TestClient[Any], name: str) -> None:
    text = unescape(staff.get(address(name)).text)
    panels = DASHBOARDS[name].panels
    for panel in panels:
        assert f">{panel.title}</h3>" in text
        assert panel.says in text
    drawn = [one for one in panels if one.shape is not Shape.NUMBER]
    assert [one["unit"] for one in charts(staff.get(address(name)).text)] == [one.unit for one in drawn]
    assert "Nothing was measured" not in text


@pytest.mark.parametrize("span", Span)
def test_a_range_has_steps_and_words_of_its_own(staff: TestClient[Any], span: Span) -> None:
    (first, *_) = charts(staff.get(address("fleet", span)).text)
    moments = 61 if span is Span.HOUR else 121
    assert len(set(first["categories"])) == len(first["categories"]) == moments
    assert {len(one["values"]) for one in first["series"]} == {moments}
    assert (", " in first["categories"][0]) is (span in {Span.DAY, Span.WEEK})


def test_figures_are_in_a_table_beside_the_chart(staff: TestClient[Any]) -> None:
    text = staff.get(f"{PAGE}/fleet").text
    assert text.count("<details id=") == len(charts(text))
    for words in ("Lowest", "Highest", "Mean"):
        assert f">{words}</th>" in text


def test_only_the_id_of_a_known_tenant_is_in_a_question() -> None:
    asked = StandIn()
    with browser(monitoring=monitoring(asked)) as client:
        assert logged_in(client).get(TENANT).status_code == 200
    of_tenant = [one for one in asked.asked if "tenant_id=" in one]
    assert of_tenant
    assert {found for one in asked.asked for found in re.findall(r'tenant_id="([^"]*)"', one)} == {
        tenant_id("uid-acme")
    }
    assert not [one for one in asked.asked if "$" in one]


@pytest.mark.parametrize("name", ["unknown", '"} or up{x="', HOSTILE[:200], "a" * 5000])
def test_another_name_asks_nothing_and_is_told_beside_its_field(name: str) -> None:
    asked = StandIn()
    with browser(monitoring=monitoring(asked)) as client:
        answer = logged_in(client).get(f"{PAGE}/tenant", params={"tenant": name})
    assert answer.status_code == 404
    assert "No tenant has this name." in answer.text
    assert "<script>alert" not in answer.text
    assert asked.asked == []


def test_the_page_of_a_tenant_leads_to_its_dashboard(staff: TestClient[Any]) -> None:
    assert f'href="{PAGE}/tenant?tenant=northwind"' in staff.get("/staff/tenants/northwind").text


def test_a_tenant_is_chosen_first() -> None:
    asked = StandIn()
    with browser(monitoring=monitoring(asked)) as client:
        text = logged_in(client).get(f"{PAGE}/tenant").text
    assert "Choose a tenant" in text
    assert asked.asked == []
    for name in NAMES:
        assert f'<option value="{name}">' in text


def test_a_panel_without_an_answer_says_so_and_the_others_are_drawn() -> None:
    with browser(monitoring=monitoring(StandIn(silent="process_resident_memory"))) as client:
        answer = logged_in(client).get(f"{PAGE}/fleet")
    assert answer.status_code == 200
    assert answer.text.count(AWAY) == 1
    assert len(charts(answer.text)) == sum(one.shape is not Shape.NUMBER for one in DASHBOARDS["fleet"].panels) - 1


def test_prometheus_that_is_away_leaves_the_page_and_is_told_in_each_panel() -> None:
    class Away(StandIn):
        """Silent to all."""

        def __init__(self) -> None:
            super().__init__(silent="")
            self._silent = "e"

    with browser(monitoring=monitoring(Away())) as client:
        answer = logged_in(client).get(f"{PAGE}/operator")
    assert answer.status_code == 200
    assert answer.text.count(AWAY) == len(DASHBOARDS["operator"].panels) + 1
    assert "It is not known whether an alert fires" in answer.text
    assert "No alert fires" not in answer.text


def test_without_a_setting_the_page_says_how_to_set_it() -> None:
    with browser(monitoring=without()) as client:
        text = logged_in(client, SUPPORT).get(PAGE).text
    assert "monitoring.prometheusUrl" in text
    assert "data-chart" not in text


def test_alerts_that_fire_are_on_top_the_critical_first() -> None:
    given = [
        alert("ViveroDeadLetters", severity="warning", summary="3 jobs were given up"),
        alert(),
        alert("ViveroPoolLow", state="pending", summary="Pool is low"),
    ]
    with browser(monitoring=monitoring(alerts=given)) as client:
        text = logged_in(client).get(f"{PAGE}/backups").text
    assert text.index("Tenant acme is down") < text.index("3 jobs were given up") < text.index("Last proofs")
    assert "Pool is low" not in text
    assert "docs/runbooks/tenant-down.md" in text


def test_what_an_alert_or_a_series_is_called_stays_words() -> None:
    with browser(monitoring=monitoring(names=(HOSTILE,), alerts=[alert(HOSTILE, summary=HOSTILE)])) as client:
        text = logged_in(client).get(f"{PAGE}/operator").text
    assert "<script>alert" not in text


def test_who_is_not_logged_in_is_led_to_the_login_and_another_dashboard_is_not_there(visitor: TestClient[Any]) -> None:
    assert visitor.get(f"{PAGE}/fleet", follow_redirects=False).status_code == 303
    assert logged_in(visitor, SUPPORT).get(f"{PAGE}/happiness").status_code == 404
