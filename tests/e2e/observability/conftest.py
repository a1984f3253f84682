"""A Prometheus and an Alertmanager of the tests' own beside the platform, run by the code of `up --observability`."""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import REPOSITORY, Kubectl
from e2e.observability.accounts import forget
from e2e.observability.hurried import hurried
from support.api_server import free_ports
from vivero_dev.instance import Instance
from vivero_dev.native.services import alerting
from vivero_dev.native.services.base import LOOPBACK, ServiceHost
from vivero_dev.observability.account import PROMETHEUS
from vivero_dev.observability.charts import rendered
from vivero_dev.observability.configuration import Monitoring
from vivero_dev.processes import ProcessTable
from vivero_dev.providers import provider_for
from vivero_dev.steps import silently

CHARTS = {
    REPOSITORY / "charts/vivero-operator": {},
    REPOSITORY / "charts/vivero-control-plane": {
        "billing": {"secret": "payment-provider"},
        "probe": {"enabled": True, "intervalHours": 2, "plan": ""},
    },
}


@dataclass(frozen=True)
class Watching:
    """Both of them, by their APIs."""

    prometheus: httpx.Client
    alertmanager: httpx.Client

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series of an instant query: their labels and their value."""
        answer = self.prometheus.get("/api/v1/query", params={"query": expression}).raise_for_status().json()
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def alerts(self, name: str, **labels: str) -> list[dict[str, Any]]:
        """What Alertmanager holds of this name with these labels, and has not resolved."""
        filters = [f'{key}="{value}"' for key, value in {"alertname": name, **labels}.items()]
        answer = self.alertmanager.get("/api/v2/alerts", params={"filter": filters, "active": "true"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found


@contextmanager
def watch(
    instance: Instance, kubectl: Kubectl, folder: Path, name: str, change: Callable[[Monitoring], Monitoring]
) -> Iterator[Watching]:
    """For the length of the block, with what the charts say about monitoring as `change` has it."""
    provider = provider_for(instance, "auto")
    if provider.name != "native":
        pytest.skip("Prometheus here reaches pods of the native provider alone")
    prometheus, alertmanager = free_ports(2)
    beside = replace(
        instance,
        name=f"{instance.name}-{name}",
        state_dir=folder,
        ports={"prometheus": prometheus, "alertmanager": alertmanager},
    )
    monitoring = change(rendered(provider.helm(), CHARTS))
    host = ServiceHost(beside, (LOOPBACK,))
    try:
        urls = alerting.ensure_watching(host, alerting.Watched.of(instance), monitoring, silently)
        tls = ssl.create_default_context(cafile=str(host.authority.certificate))
        with httpx.Client(base_url=urls[0], verify=tls) as asked, httpx.Client(base_url=urls[1], verify=tls) as told:
            yield Watching(asked, told)
    finally:
        for process in alerting.STOP_ORDER:
            ProcessTable(beside).stop(process)
        forget(kubectl, PROMETHEUS, provider)


@pytest.fixture(scope="session")
def watching(instance: Instance, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    with watch(instance, kubectl, tmp_path_factory.mktemp("watching"), "watching", lambda as_is: as_is) as found:
        yield found


@pytest.fixture(scope="module")
def hurrying(instance: Instance, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """With rules whose times are divided (hurried.py)."""
    with watch(instance, kubectl, tmp_path_factory.mktemp("hurrying"), "hurrying", hurried) as found:
        yield found


@pytest.fixture(scope="session")
def environment(instance: Instance, platform: dict[str, Any]) -> dict[str, str]:
    """Of a shell in which a runbook is followed."""
    program = provider_for(instance, "auto").kubectl().program
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "KUBECONFIG": platform["kubeconfig"]}


@pytest.fixture(scope="session")
def authority(platform: dict[str, Any]) -> Path:
    return Path(platform["ca"])
