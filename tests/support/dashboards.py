"""Every question of the dashboards, as Prometheus takes it."""

from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.monitoring.panels import asked

TENANT_ID = "u5g5446au3"


def questions(tenant_id: str = TENANT_ID) -> dict[str, str]:
    """By dashboard, panel and number."""
    return {
        f"{dashboard.name}: {panel.title} {number}": asked(query, tenant_id, 120)
        for dashboard in DASHBOARDS.values()
        for panel in dashboard.panels
        for number, query in enumerate(panel.queries, 1)
    }
