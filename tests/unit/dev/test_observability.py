"""The charts' words on monitoring as configuration of Prometheus and Alertmanager."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from vivero_dev.discovery.__main__ import parse, update
from vivero_dev.discovery.targets import target_groups
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance
from vivero_dev.observability import configuration, telemetry
from vivero_dev.observability.account import LOGS, PROMETHEUS, Account, account_objects
from vivero_dev.observability.configuration import Monitoring
from vivero_dev.observability.health import health
from vivero_dev.observability.scraping import scrape_configs
from vivero_dev.up import Platform

POD: dict[str, Any] = {
    "metadata": {
        "name": "app-1",
        "namespace": "tenant-u5g5446au3",
        "labels": {"app.kubernetes.io/name": "vivero-data-plane", "vivero.dev/tenant": "u5g5446au3"},
    },
    "spec": {
        "containers": [
            {"ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}]},
            {},
        ]
    },
    "status": {"podIP": "10.1.0.7", "phase": "Running"},
}
MONITOR: dict[str, Any] = {
    "kind": "PodMonitor",
    "metadata": {"name": "tenants", "namespace": "vivero-system"},
    "spec": {
        "jobLabel": "app.kubernetes.io/name",
        "namespaceSelector": {"any": True},
        "selector": {"matchLabels": {"app.kubernetes.io/name": "vivero-data-plane"}},
        "podMetricsEndpoints": [
            {
                "port": "metrics",
                "interval": "15s",
                "relabelings": [
                    {"sourceLabels": ["__meta_kubernetes_pod_label_vivero_dev_tenant"], "targetLabel": "tenant_id"}
                ],
                "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": ".+_created", "action": "drop"}],
            }
        ],
        "sampleLimit": 20000,
    },
}
RULE: dict[str, Any] = {
    "kind": "PrometheusRule",
    "metadata": {"name": "vivero-operator"},
    "spec": {"groups": [{"name": "one", "rules": [{"alert": "A", "expr": "up == 0"}]}]},
}


def test_a_pod_is_a_target_at_each_of_its_ports() -> None:
    http, metrics = target_groups([POD])
    assert (http["targets"], metrics["targets"]) == (["10.1.0.7:8080"], ["10.1.0.7:9090"])
    assert metrics["labels"] == {
        "__meta_kubernetes_namespace": "tenant-u5g5446au3",
        "__meta_kubernetes_pod_name": "app-1",
        "__meta_kubernetes_pod_phase": "Running",
        "__meta_kubernetes_pod_container_port_name": "metrics",
        "__meta_kubernetes_pod_label_app_kubernetes_io_name": "vivero-data-plane",
        "__meta_kubernetes_pod_label_vivero_dev_tenant": "u5g5446au3",
    }


def test_a_pod_without_an_address_is_none() -> None:
    assert target_groups([POD | {"status": {"phase": "Pending"}}]) == []


def test_targets_are_replaced_as_a_whole_and_stay_when_nothing_answers(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []
    answers = [httpx.Response(200, json={"items": [POD]}), httpx.Response(503)]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers.pop(0)

    file = tmp_path / "pods.json"
    with httpx.Client(transport=httpx.MockTransport(answer), base_url="https://api.example") as client:
        update(client, file)
        written = file.read_text()
        assert json.loads(written) == target_groups([POD])
        with pytest.raises(httpx.HTTPStatusError):
            update(client, file)
    assert file.read_text() == written
    assert asked[0].url.params["labelSelector"] == "app.kubernetes.io/part-of=vivero"
    assert asked[0].url.params["resourceVersion"] == "0", "from the server's memory"


def test_the_discovery_says_what_it_wants() -> None:
    options = parse(["--server=https://x", "--authority=/ca", "--token-file=/token", "--file=/targets"])
    assert (options.server, options.token_file) == ("https://x", Path("/token"))


def test_a_pod_monitor_is_a_scrape_configuration() -> None:
    (config,) = scrape_configs([MONITOR], "/mnt/pods.json")
    assert (config["job_name"], config["scrape_interval"]) == ("podMonitor/vivero-system/tenants/0", "15s")
    assert (config["sample_limit"], config["file_sd_configs"]) == (20000, [{"files": ["/mnt/pods.json"]}])
    assert "scrape_timeout" not in config
    kept = [one["source_labels"][0] for one in config["relabel_configs"] if one.get("action") == "keep"]
    assert "__meta_kubernetes_namespace" not in kept, "of any namespace"
    assert config["relabel_configs"][-1] == {
        "source_labels": ["__meta_kubernetes_pod_label_vivero_dev_tenant"],
        "target_label": "tenant_id",
    }
    assert config["metric_relabel_configs"] == [
        {"source_labels": ["__name__"], "regex": ".+_created", "action": "drop"}
    ]


def test_one_that_says_nothing_of_namespaces_means_its_own() -> None:
    own = MONITOR | {"spec": {key: value for key, value in MONITOR["spec"].items() if key != "namespaceSelector"}}
    (config,) = scrape_configs([own], "/mnt/pods.json")
    kept = {one["source_labels"][0]: one["regex"] for one in config["relabel_configs"] if one.get("action") == "keep"}
    assert kept["__meta_kubernetes_namespace"] == "vivero\\-system"


def test_prometheus_has_the_rules_word_for_word_and_tells_over_tls() -> None:
    monitoring = Monitoring.of([{"kind": "Deployment"}, RULE, MONITOR])
    assert json.loads(monitoring.rule_files()["vivero-operator.rules"]) == {"groups": RULE["spec"]["groups"]}
    text = json.loads(configuration.prometheus(monitoring, "127.0.0.1:9093", "/mnt"))
    assert text["rule_files"] == ["/mnt/vivero-operator.rules"]
    (told,) = text["alerting"]["alertmanagers"]
    assert (told["scheme"], told["static_configs"]) == ("https", [{"targets": ["127.0.0.1:9093"]}])
    assert json.loads(configuration.web("/mnt"))["tls_server_config"]["min_version"] == "TLS13"


def test_alerts_become_mails_within_seconds() -> None:
    text = json.loads(configuration.alertmanager("127.0.0.1:1025", "/mnt"))
    assert text["route"]["group_wait"] == "5s"
    (mail,) = text["receivers"][0]["email_configs"]
    assert (mail["smarthost"], mail["send_resolved"]) == ("127.0.0.1:1025", True)
    assert mail["tls_config"] == {"ca_file": "/mnt/smtp.crt"}
    assert mail.get("require_tls", True), "Alertmanager's default"


@pytest.mark.parametrize(
    ("account", "seen"), [(PROMETHEUS, {"pods"}), (LOGS, {"pods", "nodes", "namespaces"})], ids=["Prometheus", "logs"]
)
def test_who_watches_may_look_and_do_nothing_else(account: Account, seen: set[str]) -> None:
    (role,) = (one for one in account_objects(account) if one["kind"] == "ClusterRole")
    (rule,) = role["rules"]
    assert (rule["apiGroups"], set(rule["resources"]), rule["verbs"]) == ([""], seen, ["get", "list", "watch"])


def test_jaeger_takes_traces_from_pods_and_answers_to_people_over_tls() -> None:
    text = json.loads(telemetry.jaeger("127.0.0.1:16686", ["127.0.0.1:4318", "10.213.0.1:4318"], "/mnt"))
    taken = {one["protocols"]["http"]["endpoint"] for one in text["receivers"].values()}
    assert taken == {"127.0.0.1:4318", "10.213.0.1:4318"}
    assert set(text["service"]["pipelines"]["traces"]["receivers"]) == set(text["receivers"])
    asked = text["extensions"]["jaeger_query"]["http"]
    assert (asked["endpoint"], asked["tls"]["key_file"]) == ("127.0.0.1:16686", "/mnt/tls.key")
    (kept,) = text["extensions"]["jaeger_storage"]["backends"].values()
    assert not kept["badger"]["ephemeral"], "traces outlive a restart"


def test_the_agent_of_logs_trusts_the_api_server_by_its_authority() -> None:
    text = json.loads(telemetry.kubeconfig("https://10.213.0.2:6443", "/mnt/ca.crt", "token"))
    (cluster,), (user,) = text["clusters"], text["users"]
    assert cluster["cluster"] == {"server": "https://10.213.0.2:6443", "certificate-authority": "/mnt/ca.crt"}
    assert user["user"] == {"token": "token"}
    assert text["current-context"] == text["contexts"][0]["name"]


def test_who_does_not_answer_is_unhealthy(tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    assert not health("prometheus", "https://127.0.0.1:1", authority).ok


def test_a_provider_without_it_says_so_before_anything_is_done(instance: Instance) -> None:
    with pytest.raises(ComponentError, match="only the native one"):
        Platform(DockerProvider(instance), observability=True).steps()
    assert not any(step.name == "observability" for step in Platform(DockerProvider(instance)).steps())
