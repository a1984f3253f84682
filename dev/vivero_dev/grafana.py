"""Dashboards for Grafana, from the descriptions that the console draws (ADR 0074).

`python -m vivero_dev.grafana` writes them into the chart from the repository's root; a check compares.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from vivero_control.domain.monitoring.dashboards import DASHBOARDS
from vivero_control.domain.monitoring.panels import Dashboard, Panel, Query, Shape, Unit

FOLDER: Final = "charts/vivero-control-plane/files/dashboards"
_UNITS: Final = {
    Unit.COUNT: "short",
    Unit.RATE: "reqps",
    Unit.SECONDS: "s",
    Unit.BYTES: "bytes",
    Unit.BYTE_RATE: "Bps",
    Unit.SHARE: "percentunit",
    Unit.CORES: "short",
}
_COLUMNS: Final = 24
_SIZES: Final = {Shape.NUMBER: (6, 4)}
"""Width in columns, and height."""
_OTHERS: Final = (12, 8)
_MORE: Final = 1e-6
"""A colour begins at its value, and a limit is broken by more than it."""
_SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_OF_TENANTS: Final = "query_result(max by (tenant, tenant_id) (vivero_tenant_ready_pods))"
_NAME_AND_ID: Final = '/tenant="(?<text>[^"]+)".*tenant_id="(?<value>[^"]+)"/'
"""People choose a name, and questions get the id."""
_Built = stat.Panel | timeseries.Panel | bargauge.Panel


def grafana(described: Dashboard) -> str:
    """A dashboard as JSON, which Grafana from version 10 on takes."""
    built = (
        dashboard.Dashboard(f"Vivero: {described.title}")
        .uid(f"vivero-{described.name}")
        .description(described.lead)
        .tags(["vivero"])
        .timezone("utc")
        .refresh("1m")
        .time("now-6h", "now")
        .readonly()
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .link(
            dashboard.DashboardLink("Vivero")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["vivero"])
            .as_dropdown(as_dropdown=True)
            .keep_time(keep_time=True)
        )
    )
    if described.of_tenant:
        built = built.with_variable(
            dashboard.QueryVariable("tenant_id")
            .label("Tenant")
            .datasource(_SOURCE)
            .query(_OF_TENANTS)
            .regex(_NAME_AND_ID)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
        )
    for panel, place in zip(described.panels, _places(described.panels), strict=True):
        built = built.with_panel(_panel(panel).grid_pos(place))
    return str(JSONEncoder(sort_keys=True, indent=2).encode(built.build())) + "\n"


def _places(panels: Iterable[Panel]) -> Iterator[models.GridPos]:
    """From left to right; what does not fit begins a row below the highest of the row before."""
    x = y = row = 0
    for panel in panels:
        width, height = _SIZES.get(panel.shape, _OTHERS)
        if x + width > _COLUMNS:
            x, y, row = 0, y + row, 0
        yield models.GridPos(h=height, w=width, x=x, y=y)
        x, row = x + width, max(row, height)


def _panel(panel: Panel) -> _Built:
    built = (
        _of_shape(panel.shape).title(panel.title).description(_said(panel)).datasource(_SOURCE).unit(_UNITS[panel.unit])
    )
    if panel.limit is not None:
        built = built.thresholds(_thresholds(panel.limit.value, below=panel.limit.below))
        if isinstance(built, timeseries.Panel):
            line = common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.DASHED)
            built = built.thresholds_style(line)
    for letter, query in zip("ABCDEFGHIJ", panel.queries, strict=False):
        built = built.with_target(_target(query, letter, now=panel.shape in {Shape.NUMBER, Shape.RANKING}))
    return built


def _of_shape(shape: Shape) -> _Built:
    newest = common.ReduceDataOptions().calcs(["lastNotNull"])
    legend = common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.LIST).show_legend(show_legend=True)
    match shape:
        case Shape.NUMBER:
            return stat.Panel().reduce_options(newest)
        case Shape.RANKING:
            return bargauge.Panel().reduce_options(newest).orientation(common_models.VizOrientation.HORIZONTAL)
        case Shape.STACK:
            stacking = common.StackingConfig().mode(common_models.StackingMode.NORMAL)
            return timeseries.Panel().legend(legend).fill_opacity(25).stacking(stacking)
        case Shape.LINES:
            return timeseries.Panel().legend(legend)


def _said(panel: Panel) -> str:
    return f"{panel.says} Red where {panel.limit.words}." if panel.limit else panel.says


def _thresholds(value: float, *, below: bool) -> dashboard.ThresholdsConfig:
    outside, inside = ("red", "green") if below else ("green", "red")
    begins = value if below else value + _MORE
    steps = [models.Threshold(value=None, color=outside), models.Threshold(value=begins, color=inside)]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _target(query: Query, letter: str, *, now: bool) -> prometheus.Dataquery:
    built = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter)
    return built.instant() if now else built.range()


def write(root: Path) -> None:
    """The file of each dashboard below `root`."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for one in DASHBOARDS.values():
        (folder / f"{one.name}.json").write_text(grafana(one))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
