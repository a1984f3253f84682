"""Configuration files of Prometheus and Alertmanager. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vivero_dev.observability.scraping import scrape_configs
from vivero_dev.platform.kubectl import Object

ON_CALL = "on-call@vivero.localhost"
"""Who is told of alerts on a local platform; the platform's own mail server takes it."""
TARGETS = "targets/pods.json"
"""What the discovery writes, below Prometheus' folder."""
SMTP_AUTHORITY = "smtp.crt"
SENDER = "Alertmanager <alerts@vivero.localhost>"


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What the charts say about monitoring: their PrometheusRules and PodMonitors."""

    rules: tuple[Object, ...]
    monitors: tuple[Object, ...]

    @classmethod
    def of(cls, objects: Iterable[Object]) -> "Monitoring":
        """Those among the rendered objects of charts."""
        found = list(objects)

        def kind(name: str) -> tuple[Object, ...]:
            return tuple(one for one in found if one["kind"] == name)

        return cls(kind("PrometheusRule"), kind("PodMonitor"))

    def rule_files(self) -> dict[str, str]:
        """Name and content of a rule file for each PrometheusRule: the same groups, word for word."""
        return {f"{one['metadata']['name']}.rules": written({"groups": one["spec"]["groups"]}) for one in self.rules}


def prometheus(monitoring: Monitoring, alertmanager: str, folder: str) -> str:
    """`alertmanager`: where it listens, HOST:PORT. `folder`: with the rule files, TARGETS and the authority ca.crt."""
    configuration = {
        "global": {"scrape_interval": "30s", "scrape_timeout": "10s", "evaluation_interval": "15s"},
        "rule_files": [f"{folder}/{name}" for name in sorted(monitoring.rule_files())],
        "scrape_configs": scrape_configs(monitoring.monitors, f"{folder}/{TARGETS}"),
        "alerting": {
            "alertmanagers": [
                {
                    "scheme": "https",
                    "tls_config": {"ca_file": f"{folder}/ca.crt"},
                    "static_configs": [{"targets": [alertmanager]}],
                }
            ]
        },
    }
    return written(configuration)


def alertmanager(smarthost: str, folder: str) -> str:
    """Every alert as a mail to ON_CALL by `smarthost`, HOST:PORT; `folder` has its authority, SMTP_AUTHORITY."""
    mail = {
        "to": ON_CALL,
        "from": SENDER,
        "smarthost": smarthost,
        "tls_config": {"ca_file": f"{folder}/{SMTP_AUTHORITY}"},
        "send_resolved": True,
    }
    route = {
        "receiver": "on-call",
        "group_by": ["alertname", "tenant_id"],
        # A dead tenant is to be known of within a minute.
        "group_wait": "5s",
        "group_interval": "1m",
        "repeat_interval": "4h",
    }
    return written({"route": route, "receivers": [{"name": "on-call", "email_configs": [mail]}]})


def web(folder: str) -> str:
    """TLS of either program's own address, by the pair in `folder`."""
    pair = {"cert_file": f"{folder}/tls.crt", "key_file": f"{folder}/tls.key"}
    return written({"tls_server_config": {**pair, "min_version": "TLS13"}})


def written(document: dict[str, Any]) -> str:
    """JSON, which is YAML too."""
    return json.dumps(document, indent=2) + "\n"
