"""The rules as Helm renders them, in Prometheus' own promtool: series are played, and each alert fires for its fault alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.charts.conftest import Render
from support.alerts import ALERTS, GROUPS
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.errors import ComponentError
from vivero_dev.instance import cache_root
from vivero_dev.observability.configuration import Monitoring

LEADER, FORMER = '{job="vivero-operator",instance="a"}', '{job="vivero-operator",instance="b"}'
LEADS = {f"vivero_leading{LEADER}": "1+0x20000", f"vivero_leading{FORMER}": "0+0x20000"}
ACME = '{job="vivero-operator",instance="a",tenant="acme",tenant_id="u5g5446au3"}'
APP = 'up{job="vivero-data-plane",tenant_id="u5g5446au3",pod="app-1"}'
OTHER_APP = 'up{job="vivero-data-plane",tenant_id="u5g5446au3",pod="app-2"}'
ARCHIVER = '{job="vivero-archiver",pod="archiver-1"}'
REQUEST = 'vivero_requests_total{{job="vivero-data-plane",tenant_id="u5g5446au3",path="{path}",status_code="{code}"}}'
FOUND = "vivero_control_billing_differences_total"
PROBES = {"enabled": True, "intervalHours": 2, "plan": ""}
LATE, CHANGED = "vivero_control_probe_late_timestamp_seconds", "vivero_control_probe_changed_workspaces"
DAY = 86400

Playing = Callable[[list[dict[str, Any]], str], None]


@dataclass(frozen=True)
class Scene:
    """What Prometheus is given, one value every `interval` seconds, and how many alerts of the name it has fired when."""

    alert: str
    what: str
    series: dict[str, str]
    firing: dict[str, int]
    interval: str = "5s"


def program(component: str) -> str:
    return f'up{{job="vivero-control-plane",component="{component}"}}'


SCENES = (
    Scene(
        "ViveroTenantDown",
        "no pod is ready",
        LEADS | {f"vivero_tenant_ready_pods{ACME}": "1+0x11 0+0x40"},
        {"55s": 0, "65s": 0, "75s": 1, "2m": 1},
    ),
    Scene(
        "ViveroTenantDown",
        "a moment between two pods",
        LEADS | {f"vivero_tenant_ready_pods{ACME}": "1 1 0 1 1 0 1 1"},
        {"10s": 0, "15s": 0, "35s": 0},
    ),
    Scene(
        "ViveroTenantDown",
        "healed",
        LEADS | {f"vivero_tenant_ready_pods{ACME}": "0+0x12 1+0x20"},
        {"55s": 1, "70s": 0},
    ),
    Scene("ViveroTenantDown", "suspended: its pods went on purpose", LEADS | {APP: "1+0x5 0+0x40"}, {"2m": 0}),
    Scene("ViveroTenantDown", "no operator, and no pod answers", {APP: "0+0x40"}, {"15s": 1}),
    Scene("ViveroTenantDown", "no operator, and one pod answers", {APP: "0+0x40", OTHER_APP: "1+0x40"}, {"2m": 0}),
    Scene(
        "ViveroTenantNotReady",
        "a quarter of an hour",
        LEADS | {f"vivero_tenant_ready{ACME}": "0+0x200"},
        {"14m": 0, "16m": 1},
    ),
    Scene("ViveroTenantErrors", "one in ten", {REQUEST.format(path="/api/v1/me", code=500): "0+1x100", REQUEST.format(path="/", code=200): "0+9x100"}, {"30s": 0, "5m": 1}),
    Scene("ViveroTenantErrors", "one in a hundred", {REQUEST.format(path="/api/v1/me", code=500): "0+1x200", REQUEST.format(path="/", code=200): "0+99x200"}, {"10m": 0}),
    Scene("ViveroTenantErrors", "few, and nothing else", {REQUEST.format(path="/api/v1/me", code=500): "0+0x10 5+0x100"}, {"5m": 0}),
    Scene("ViveroTenantErrors", "a pod that is asked whether it is ready", {REQUEST.format(path="/readyz", code=503): "0+1x200"}, {"10m": 0}),
    Scene("ViveroTenantBudgetBurnsFast", "a minute of an hour", {f"vivero_tenant_ready_pods{ACME}": "1+0x10 0+0x1 1+0x200"}, {"5m": 0, "7m": 1, "11m": 1, "20m": 0}, "30s"),
    Scene("ViveroTenantBudgetBurnsFast", "a few seconds", {f"vivero_tenant_ready_pods{ACME}": "1+0x10 0 1+0x200"}, {"7m": 0, "20m": 0}, "30s"),
    Scene("ViveroTenantBudgetBurnsFast", "half a minute each hour, for six hours", {f"vivero_tenant_ready_pods{ACME}": " ".join(["1+0x118 0"] * 12)}, {"1h30m": 0, "6h5m": 1}, "30s"),
    Scene("ViveroTenantBudgetBurnsSlowly", "six minutes of a day", {f"vivero_tenant_ready_pods{ACME}": "1+0x60 0+0x5 1+0x500"}, {"1h10m": 0, "1h50m": 1, "8h30m": 0}, "1m"),
    Scene("ViveroTenantBudgetBurnsSlowly", "one minute of a day", {f"vivero_tenant_ready_pods{ACME}": "1+0x60 0 1+0x300"}, {"1h30m": 0, "4h": 0}, "1m"),
    Scene(
        "ViveroPoolLow",
        "one of ten",
        LEADS | {f'vivero_pool_ready{{pool="trial",{LEADER[1:]}': "1+0x100", f'vivero_pool_size{{pool="trial",{LEADER[1:]}': "10+0x100"},
        {"4m": 0, "6m": 1},
    ),
    Scene(
        "ViveroPoolLow",
        "two of ten; and a replica that leads no more knew of none",
        LEADS
        | {f'vivero_pool_ready{{pool="trial",{LEADER[1:]}': "2+0x100", f'vivero_pool_size{{pool="trial",{LEADER[1:]}': "10+0x100"}
        | {f'vivero_pool_ready{{pool="trial",{FORMER[1:]}': "0+0x100", f'vivero_pool_size{{pool="trial",{FORMER[1:]}': "10+0x100"},
        {"8m": 0},
    ),
    Scene("ViveroPoolLow", "none are wanted", LEADS | {f'vivero_pool_ready{{pool="trial",{LEADER[1:]}': "0+0x100", f'vivero_pool_size{{pool="trial",{LEADER[1:]}': "0+0x100"}, {"8m": 0}),
    Scene("ViveroNoLeader", "two that wait", {f"vivero_leading{one}": "0+0x100" for one in (LEADER, FORMER)}, {"1m": 0, "3m": 1}),
    Scene("ViveroNoLeader", "nothing answers", {}, {"1m": 0, "3m": 1}),
    Scene("ViveroNoLeader", "one leads", LEADS, {"5m": 0}),
    Scene(
        "ViveroBackendUnavailable",
        "for two minutes",
        {f'vivero_circuit_breaker_open{{system="s3",{LEADER[1:]}': "1+0x100"},
        {"1m": 0, "3m": 1},
    ),
    Scene(
        "ViveroBackendUnavailable",
        "closed again and again",
        {f'vivero_circuit_breaker_open{{system="s3",{LEADER[1:]}': "1+0x12 0+0x2 1+0x12 0+0x2 1+0x12"},
        {"3m": 0},
    ),
    Scene(
        "ViveroRecoveryNotProven",
        "one failed, one was refused",
        LEADS
        | {
            f'vivero_recovery_proofs{{result="{result}",{LEADER[1:]}': f"{count}+0x20"
            for result, count in {"Failed": 1, "Refused": 1, "Passed": 7, "None": 1}.items()
        },
        {"30s": 2},
    ),
    Scene(
        "ViveroRecoveryNotProven",
        "all passed; a former leader had another opinion",
        LEADS
        | {f'vivero_recovery_proofs{{result="Failed",{LEADER[1:]}': "0+0x20", f'vivero_recovery_proofs{{result="Failed",{FORMER[1:]}': "3+0x20"},
        {"30s": 0},
    ),
    Scene(
        "ViveroRecoveryProofOld",
        "it grows older than eight days",
        LEADS | {f"vivero_recovery_proof_age_seconds{LEADER}": f"{8 * DAY - 3600}+60x300"},
        {"50m": 0, "90m": 0, "2h5m": 1},
        "1m",
    ),
    Scene(
        "ViveroPlatformNotBackedUp",
        "it grows",
        LEADS | {f"vivero_platform_backup_age_seconds{LEADER}": "0+60x30"},
        {"10m": 0, "17m": 1},
        "1m",
    ),
    Scene(
        "ViveroPlatformNotBackedUp",
        "only in the eyes of a former leader",
        LEADS | {f"vivero_platform_backup_age_seconds{LEADER}": "5+0x30", f"vivero_platform_backup_age_seconds{FORMER}": "9000+0x30"},
        {"10m": 0},
        "1m",
    ),
    Scene("ViveroPlatformNotProven", "failed", LEADS | {f"vivero_platform_proof_failed{LEADER}": "0 0 1 1 1"}, {"0s": 0, "20s": 1}),
    Scene("ViveroArchiveStopped", "stopped", {f"vivero_archiver_stopped{ARCHIVER}": "0 0 0 1 1 1 1 1 1"}, {"0s": 0, "30s": 1}),
    Scene("ViveroArchiveBehind", "it grows", {f"vivero_archiver_lag_seconds{ARCHIVER}": "0+60x30"}, {"9m": 0, "12m": 1}, "1m"),
    Scene("ViveroArchiveBehind", "it does not answer", {f"up{ARCHIVER}": "0+0x30"}, {"4m": 0, "6m": 1}, "1m"),
    Scene("ViveroArchiveBehind", "nothing is archived here", LEADS, {"20m": 0}, "1m"),
    Scene("ViveroArchiveBehind", "a peak", {f"up{ARCHIVER}": "1+0x30", f"vivero_archiver_lag_seconds{ARCHIVER}": "400+0x3 1+0x20"}, {"8m": 0}, "1m"),
    Scene("ViveroControlPlaneDown", "both are away", {program("serve"): "0+0x40", program("worker"): "1+0x40"}, {"30s": 0, "90s": 1}),
    Scene("ViveroControlPlaneDown", "it has no pod", {program("worker"): "1+0x40"}, {"90s": 1}),
    Scene("ViveroControlPlaneDown", "only the worker is away", {program("serve"): "1+0x40"}, {"90s": 0}),
    Scene("ViveroWorkerDown", "it has no pod", {program("serve"): "1+0x100"}, {"4m": 0, "6m": 1}),
    Scene("ViveroWorkerDown", "it is there", {program("worker"): "1+0x100"}, {"6m": 0}),
    Scene("ViveroDeadLetters", "three", {'vivero_control_outbox_entries{state="dead"}': "3+0x200", 'vivero_control_outbox_entries{state="pending"}': "9+0x200"}, {"9m": 0, "11m": 1}),
    Scene("ViveroDeadLetters", "many that wait", {'vivero_control_outbox_entries{state="dead"}': "0+0x200", 'vivero_control_outbox_entries{state="pending"}': "99+0x200"}, {"11m": 0}),
    Scene("ViveroBillingNeedsAPerson", "the first", {f'{FOUND}{{what="charged-twice"}}': "0+0x60 1+0x300"}, {"50m": 0, "62m": 1, "2h30m": 1, "4h": 0}, "1m"),
    Scene("ViveroBillingNeedsAPerson", "what mends itself", {f'{FOUND}{{what="invoice"}}': "0+1x300"}, {"2h": 0}, "1m"),
    Scene("ViveroBillingDiffers", "again and again", {f'{FOUND}{{what="access"}}': "0+0x60 10+0x300"}, {"50m": 0, "70m": 1}, "1m"),
    Scene("ViveroBillingDiffers", "now and then", {f'{FOUND}{{what="access"}}': "0+0x60 1+0x60 2+0x300"}, {"4h": 0}, "1m"),
    Scene("ViveroBillingNotCompared", "it ended at the beginning", {"vivero_control_billing_compared_timestamp_seconds": "0+0x300"}, {"2h": 0, "2h15m": 1}, "1m"),
    Scene("ViveroBillingNotCompared", "every hour", {"vivero_control_billing_compared_timestamp_seconds": "0+60x300"}, {"4h": 0}, "1m"),
    Scene("ViveroSignupProbeFails", "twice in a row", {"vivero_control_probe_ok": "1+0x10 0+0x20"}, {"10m": 0, "17m": 0, "20m": 1}, "1m"),
    Scene("ViveroSignupProbeFails", "once; and pages, which never probe", {'vivero_control_probe_ok{component="worker"}': "1+0x10 0+0x5 1+0x20", 'vivero_control_probe_ok{component="serve"}': "0+0x40"}, {"14m": 0, "30m": 0}, "1m"),
    Scene("ViveroSignupProbeLate", "none has ended", {LATE: "3600+0x100"}, {"50m": 0, "62m": 0, "67m": 1}, "1m"),
    Scene("ViveroSignupProbeLate", "one ends now and then", {LATE: "3600+60x200"}, {"3h": 0}, "1m"),
    Scene("ViveroReleaseLosesWorkspaces", "two", {f'{CHANGED}{{answers="false"}}': "0+0x3 2+0x10", f'{CHANGED}{{answers="true"}}': "0+0x3 9+0x10"}, {"3m": 0, "4m": 0, "7m": 1}, "1m"),
    Scene("ViveroReleaseLosesWorkspaces", "one that starts again", {f'{CHANGED}{{answers="false"}}': "0+0x3 1 0+0x10"}, {"4m": 0, "7m": 0}, "1m"),
)  # fmt: skip


@pytest.fixture(scope="module")
def promtool() -> Path:
    return extracted(cache_root(), "prometheus") / "usr/bin/promtool"


@pytest.fixture(scope="module")
def rules(render: Render, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name of a PrometheusRule -> its rules as Prometheus loads them."""
    folder = tmp_path_factory.mktemp("rules")
    objects = [
        *render("vivero-operator", {"alerts": {"enabled": True}}),
        *render(
            "vivero-control-plane", {"alerts": {"enabled": True}, "billing": {"secret": "stripe"}, "probe": PROBES}
        ),
    ]
    found = {}
    for name, text in Monitoring.of(objects).rule_files().items():
        found[name] = folder / name
        found[name].write_text(text)
    return found


@pytest.fixture
def playing(promtool: Path, rules: dict[str, Path], tmp_path: Path) -> Playing:
    """Plays tests of promtool's; raises ComponentError with what it says of those that fail."""
    file = tmp_path / "tests.json"
    files = [str(one) for one in rules.values()]

    def play(tests: list[dict[str, Any]], interval: str) -> None:
        file.write_text(json.dumps({"rule_files": files, "evaluation_interval": interval, "tests": tests}))
        run("promtool", [promtool, "test", "rules", file])

    return play


def test_prometheus_takes_them(promtool: Path, rules: dict[str, Path]) -> None:
    said = run("promtool", [promtool, "check", "rules", "--lint=all", "--lint-fatal", *rules.values()])
    assert said.count("SUCCESS") == len(rules) == 4


def test_they_are_the_files_of_the_charts(rules: dict[str, Path]) -> None:
    """What Helm renders and what lies in the chart is the same: nothing in them is a template of Helm's."""
    rendered = [json.loads(file.read_text())["groups"] for file in rules.values()]
    assert sorted((group for groups in rendered for group in groups), key=str) == sorted(GROUPS, key=str)


def test_every_alert_is_seen_to_fire_and_not_to() -> None:
    fired = {scene.alert for scene in SCENES if any(scene.firing.values())}
    silent = {scene.alert for scene in SCENES if 0 in scene.firing.values()}
    assert fired == silent == set(ALERTS)


@pytest.mark.parametrize("interval", sorted({scene.interval for scene in SCENES}))
def test_each_fires_for_its_fault_alone(interval: str, playing: Playing) -> None:
    """Scenes of days are played minute by minute."""
    playing([played(scene) for scene in SCENES if scene.interval == interval], interval)


def test_a_scene_that_is_wrong_fails(playing: Playing) -> None:
    """promtool compares: it does not only run."""
    with pytest.raises(ComponentError, match="ViveroNoLeader"):
        playing([played(Scene("ViveroNoLeader", "one leads", LEADS, {"5m": 1}))], "5s")


def test_people_read_whom_it_concerns(playing: Playing) -> None:
    """Labels and texts of two alerts: one of a tenant, with and without its name."""

    def expected(name: str, labels: dict[str, str]) -> dict[str, Any]:
        return {
            "exp_labels": labels | {"severity": "critical"},
            "exp_annotations": {
                "summary": f"Tenant {name} is down",
                "description": "None of its pods answers, so its people see the page that it is being started."
                " Its namespace is tenant-u5g5446au3.",
                "runbook": "docs/runbooks/tenant-down.md",
            },
        }

    ident = {"tenant_id": "u5g5446au3"}
    tests = [
        {
            "interval": "5s",
            "input_series": [{"series": series, "values": "0+0x20"}],
            "alert_rule_test": [{"eval_time": "30s", "alertname": "ViveroTenantDown", "exp_alerts": [alert]}],
        }
        for series, alert in (
            (f"vivero_tenant_ready_pods{ACME}", expected("acme", ident | {"tenant": "acme"})),
            (APP, expected("u5g5446au3", ident)),
        )
    ]
    playing(tests, "5s")


def played(scene: Scene) -> dict[str, Any]:
    """One test of promtool's."""
    firing = f'count(ALERTS{{alertname="{scene.alert}",alertstate="firing"}}) or vector(0)'
    return {
        "name": f"{scene.alert}: {scene.what}",
        "interval": scene.interval,
        "input_series": [{"series": name, "values": values} for name, values in scene.series.items()],
        "promql_expr_test": [
            {"expr": firing, "eval_time": at, "exp_samples": [{"labels": "{}", "value": count}]}
            for at, count in scene.firing.items()
        ],
    }
