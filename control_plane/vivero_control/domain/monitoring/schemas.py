"""What is shown of Prometheus' answers: frozen, with times of the calendar."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from vivero_control.domain.monitoring.panels import Dashboard, Panel


class Span(StrEnum):
    """How far back a dashboard looks."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"


class Line(Struct, frozen=True):
    """A series on the grid of its panel; None where there is no figure."""

    name: str
    values: tuple[float | None, ...]


class Drawn(Struct, frozen=True, kw_only=True):
    """A panel with its figures, or in `problem` why there are none."""

    panel: Panel
    times: tuple[datetime, ...] = ()
    """The grid; of a panel without a course of time the one moment."""
    lines: tuple[Line, ...] = ()
    left_out: int = 0
    """Series beyond those that are drawn."""
    problem: str = ""


class FiringAlert(Struct, frozen=True, kw_only=True):
    """One that fires."""

    name: str
    severity: str
    summary: str
    description: str
    runbook: str
    """A file of the repository, with the place in it where to begin; empty for an alert that is not ours."""
    since: datetime | None


class DashboardView(Struct, frozen=True, kw_only=True):
    """A dashboard as it stands."""

    dashboard: Dashboard
    span: Span
    at: datetime
    panels: tuple[Drawn, ...]
    alerts: tuple[FiringAlert, ...] = ()
    alerts_problem: str = ""
    """Why it is not known which alerts fire."""
