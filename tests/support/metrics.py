"""Names of the series that our programs expose or our rules record: what may be asked for."""

import re

from prometheus_client import REGISTRY, Metric
from support.alerts import RULES
from vivero_control import worker
from vivero_data.domain.audit import sealing
from vivero_data.lib import hit_rates
from vivero_operator import metrics
from vivero_operator.archiver import metrics as of_archiver
from vivero_operator.reconcile.cluster import Cluster
from vivero_operator.reconcile.tenants_in_service import TenantsInService

REGISTERED = (worker, sealing, hit_rates, metrics)
"""Imported, so that what they and theirs expose is in the registry."""
_ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
OF_LITESTAR = {
    f"{program}_{name}"
    for program in ("vivero", "vivero_control")
    for name in ("requests_total", *(f"request_duration_seconds{end}" for end in _ENDINGS["histogram"]))
}
"""tests/e2e/observability finds them at running programs."""
OF_PROMETHEUS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
_NAME = re.compile(r"\b(?:(?:tenant:)?vivero|rest_client|process)_[\w:]+|\bup\b")


def exposed() -> set[str]:
    """With those that the rules record."""
    per_tenant = TenantsInService(Cluster(), lambda: True).collect()
    names = {name for one in (*REGISTRY.collect(), *per_tenant) for name in _names(one)}
    archiver = {found.decode() for found in re.findall(rb"^# TYPE (\S+)", of_archiver.text(), re.MULTILINE)}
    return names | archiver | OF_LITESTAR | OF_PROMETHEUS | {rule["record"] for rule in RULES if "record" in rule}


def asked_for(expr: str) -> set[str]:
    """Names of series in PromQL; not what stands in quotes."""
    return set(_NAME.findall(re.sub(r'"[^"]*"', "", expr)))


def _names(metric: Metric) -> list[str]:
    return [f"{metric.name}{end}" for end in _ENDINGS.get(metric.type, ("",))]
