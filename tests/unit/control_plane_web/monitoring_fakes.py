"""The service of the page Operations over a stand-in of Prometheus: it speaks its API, and makes its figures up."""

import json
import math
import re
import ssl
from collections.abc import Mapping, Sequence
from zlib import crc32

from pydantic import AnyHttpUrl
from unit.control_plane.builders import tenant
from unit.control_plane_web.status_fakes import NOW
from vivero_control.domain.monitoring.prometheus import NoAnswerError, Prometheus
from vivero_control.domain.monitoring.service import MonitoringService
from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_core.model.tenant import Tenant

NAMES = ("acme", "northwind", "brisa-solar")
_LABELS = re.compile(r"by \(([\w, ]+)\)")
_OF_ALL = ("count(", "sum(", "min(", "max(")
AWAY = "Prometheus cannot be reached."


def alert(
    name: str = "ViveroTenantDown",
    *,
    severity: str = "critical",
    summary: str = "Tenant acme is down",
    description: str = "None of its pods answers.",
    runbook: str = "docs/runbooks/tenant-down.md",
    state: str = "firing",
) -> dict[str, object]:
    """As Prometheus lists it."""
    return {
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": summary, "description": description, "runbook": runbook},
        "state": state,
        "activeAt": "2026-11-22T11:58:03.123456789Z",
        "value": "1e+00",
    }


class StandIn(Prometheus):
    """Answers every question with waves, for each name once where the question is `by` a label; `silent` to those with a word."""

    def __init__(
        self, names: Sequence[str] = NAMES, alerts: Sequence[Mapping[str, object]] = (), silent: str = ""
    ) -> None:
        super().__init__(AnyHttpUrl("http://prometheus.invalid"), ssl.create_default_context())
        self._names = names
        self._alerts = alerts
        self._silent = silent
        self.asked: list[str] = []

    async def _answer(self, path: str, wanted: Mapping[str, str]) -> tuple[int, bytes]:
        expr = wanted.get("query", path)
        self.asked.append(expr)
        if self._silent and self._silent in expr:
            raise NoAnswerError(AWAY)
        return 200, json.dumps({"status": "success", "data": self._data(path, expr, wanted)}).encode()

    def _data(self, path: str, expr: str, wanted: Mapping[str, str]) -> dict[str, object]:
        if path == "alerts":
            return {"alerts": list(self._alerts)}
        if path == "query":
            at = int(wanted["time"])
            return {
                "result": [{"metric": one, "value": [at, wave(expr, number, at)]} for number, one in self._series(expr)]
            }
        times = range(int(wanted["start"]), int(wanted["end"]) + 1, int(wanted["step"]))
        return {
            "result": [
                {"metric": one, "values": [[at, wave(expr, number, at)] for at in times]}
                for number, one in self._series(expr)
            ]
        }

    def _series(self, expr: str) -> list[tuple[int, dict[str, str]]]:
        labels = {one for found in _LABELS.findall(expr) for one in found.split(", ")} - {"le"}
        if expr.startswith(_OF_ALL):
            labels = set()
        names = self._names if labels else ("",)
        return [(number, dict.fromkeys(labels, name)) for number, name in enumerate(names) if labels or not number]


def wave(expr: str, number: int, at: int) -> str:
    """The same for the same question; of the size that its unit has, and without a figure now and then."""
    size = 3e8 if "_bytes" in expr else 0.4 if "_seconds" in expr or " / " in expr else 40.0
    if "vector(0)" in expr and ("5.." in expr or "== bool 0" in expr):
        return "0"
    seed = crc32(expr.encode()) % 1000
    if "histogram_quantile" in expr and at // 1800 % 13 == seed % 13:
        return "NaN"
    return f"{size * (1 + 0.4 * math.sin(at / 900 + seed + number)) / (number + 1):.6g}"


class _Known(TenantDirectory):
    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._known = {name: tenant(name) for name in names}

    def get(self, name: str) -> Tenant | None:
        return self._known.get(name)

    def all(self) -> list[Tenant]:
        return list(self._known.values())


def monitoring(
    prometheus: Prometheus | None = None,
    *,
    names: Sequence[str] = NAMES,
    tenants: Sequence[str] = NAMES,
    alerts: Sequence[Mapping[str, object]] = (),
) -> MonitoringService:
    return MonitoringService(prometheus or StandIn(names, alerts), _Known(tenants), lambda: NOW)


def without() -> MonitoringService:
    """Of an installation that has named no Prometheus."""
    return MonitoringService(None, _Known(NAMES), lambda: NOW)
