"""What a dashboard is: panels with a title, a unit and questions in PromQL; pure.

The console draws them, and Grafana's dashboards are generated from them (`python -m vivero_dev.grafana`). A question may
have two of Grafana's variables, `$__rate_interval` and `$tenant_id`, and nothing else in it changes.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

TENANT_ID: Final = "$tenant_id"
RATE_INTERVAL: Final = "$__rate_interval"
_LABEL: Final = re.compile(r"\{\{(\w+)\}\}")


class Unit(StrEnum):
    """Of a panel's values."""

    COUNT = "count"
    RATE = "rate"
    """So many a second."""
    SECONDS = "seconds"
    BYTES = "bytes"
    BYTE_RATE = "byte-rate"
    SHARE = "share"
    """1 is all."""
    CORES = "cores"


class Shape(StrEnum):
    """How a panel is drawn."""

    NUMBER = "number"
    """The newest value of each series."""
    LINES = "lines"
    STACK = "stack"
    """Series that add up."""
    RANKING = "ranking"
    """The newest values, the largest first."""


class Query(Struct, frozen=True):
    """One question; the legend names its series by their labels, as in `{{state}}`."""

    expr: str
    legend: str


class Limit(Struct, frozen=True):
    """Where it begins to be wrong, as the alert of it says."""

    value: float
    words: str
    below: bool = False
    """Wrong is what lies below."""

    def broken_by(self, value: float) -> bool:
        return value < self.value if self.below else value > self.value


class Panel(Struct, frozen=True, kw_only=True):
    """`says` tells what is normal, for who looks at it for the first time at night."""

    title: str
    says: str
    shape: Shape
    unit: Unit
    queries: tuple[Query, ...]
    limit: Limit | None = None


class Dashboard(Struct, frozen=True, kw_only=True):
    """`name` is a word of addresses and file names."""

    name: str
    title: str
    lead: str
    panels: tuple[Panel, ...]

    @property
    def of_tenant(self) -> bool:
        """Whether it is about one tenant, which has to be chosen."""
        return any(TENANT_ID in query.expr for panel in self.panels for query in panel.queries)


def number(title: str, says: str, unit: Unit, *queries: Query, limit: Limit | None = None) -> Panel:
    return Panel(title=title, says=says, shape=Shape.NUMBER, unit=unit, queries=queries, limit=limit)


def lines(title: str, says: str, unit: Unit, *queries: Query, limit: Limit | None = None) -> Panel:
    return Panel(title=title, says=says, shape=Shape.LINES, unit=unit, queries=queries, limit=limit)


def stack(title: str, says: str, unit: Unit, *queries: Query) -> Panel:
    return Panel(title=title, says=says, shape=Shape.STACK, unit=unit, queries=queries)


def ranking(title: str, says: str, unit: Unit, *queries: Query, limit: Limit | None = None) -> Panel:
    return Panel(title=title, says=says, shape=Shape.RANKING, unit=unit, queries=queries, limit=limit)


def asked(query: Query, tenant_id: str, rate_seconds: int) -> str:
    """The question as Prometheus takes it. `tenant_id` has only letters and digits: the caller has looked it up."""
    return query.expr.replace(TENANT_ID, tenant_id).replace(RATE_INTERVAL, f"{rate_seconds}s")


def named(query: Query, labels: Mapping[str, str]) -> str:
    """A series in words; a label that it lacks is left out."""
    return _LABEL.sub(lambda found: labels.get(found[1], ""), query.legend).strip() or query.expr
