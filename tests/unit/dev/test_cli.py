import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from vivero_dev import cli, cli_checks, cli_platform, providers
from vivero_dev.certificates import Authority
from vivero_dev.docker import preflight
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance, load_instance, open_instance
from vivero_dev.localhost import LoopbackTransport, local_client
from vivero_dev.native.provider import NativeProvider
from vivero_dev.platform import trial
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.platform.trial import Trial
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY, SERVICES_READY
from vivero_dev.status import DemoFile, as_json, platform_health, tenants_health
from vivero_dev.steps import Say, Step
from vivero_dev.up import Platform

TRIAL = Trial(
    "demo", "https://demo.vivero.localhost", "a@b.example", "secret", 1.5, "https://demo/login/ticket?ticket=x"
)


class FakeProvider(NativeProvider):
    """A provider whose steps do nothing, and whose `down` may leave something."""

    left: list[str]

    def __init__(self, instance: Instance, kubectl: Path) -> None:
        super().__init__(instance)
        self._program = kubectl
        self.left = []
        self.done: list[str] = []

    def steps(self) -> list[Step]:
        names = (CLUSTER_READY, SERVICES_READY, INGRESS_READY, IMAGES_READY)
        return [Step(name, lambda _: "ready") for name in names]

    def kubectl(self) -> Kubectl:
        return Kubectl(self._program, self.instance.kubeconfig)

    def images(self) -> dict[str, str]:
        return {name: f"localhost/vivero/{name}:1" for name in ("operator", "control-plane", "data-plane")}

    def helm(self) -> Path:
        return self._program

    def down(self, say: Say) -> str:
        say("stopping")
        self.done.append("down")
        return "stopped"

    def leftovers(self) -> list[str]:
        return self.left


@pytest.fixture
def provider(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    program = tmp_path / "program"
    program.write_text("""#!/bin/sh\ncase "$*" in *list*) echo '[]';; *) echo '{"items": []}';; esac\n""")
    program.chmod(0o755)
    fake = FakeProvider(instance, program)
    for module in (cli_platform, cli_checks):
        monkeypatch.setattr(module, "provider_for", lambda *_: fake)
    return fake


def test_up_ends_with_a_tenant_that_is_not_signed_up_twice(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signups: list[str] = []
    confirmed: list[str] = []

    def sign_up(*_: object, company: str, **__: object) -> Trial:
        signups.append(company)
        return TRIAL

    monkeypatch.setattr("vivero_dev.up.sign_up", sign_up)
    monkeypatch.setattr("vivero_dev.up.confirm", lambda *arguments: confirmed.append(arguments[-1]))
    monkeypatch.setattr(Platform, "_await_page", lambda *_: "there")
    monkeypatch.setattr("vivero_dev.up.ensure_backup_bucket", lambda *_: True)
    assert cli.main(["up", "--instance", "unit"]) == 0
    assert cli.main(["up", "--instance", "unit"]) == 0
    assert signups == ["Demo"]
    assert len(confirmed) == 1
    said = capsys.readouterr().out
    assert "Signup took" in said
    assert TRIAL.url in said
    assert DemoFile.of(provider.instance).path.stat().st_mode & 0o077 == 0


def test_down_fails_if_something_is_left(provider: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["down", "--instance", "unit"]) == 0
    provider.left = ["mount /x"]
    assert cli.main(["down", "--instance", "unit"]) == 1
    assert "still there: mount /x" in capsys.readouterr().err


@pytest.mark.usefixtures("provider")
def test_reset_forgets_the_instance(instance: Instance) -> None:
    assert cli.main(["reset", "--instance", "unit"]) == 0
    assert load_instance("unit") is None
    assert not instance.state_dir.exists()
    assert cli.main(["reset", "--instance", "unit"]) == 0
    assert cli.main(["down", "--instance", "unit"]) == 0


def test_status_as_json_has_the_promised_shape(provider: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    DemoFile.of(provider.instance).write(TRIAL)
    assert cli.main(["status", "--instance", "unit", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == as_json(provider)
    assert set(document) == {
        "control_plane_url",
        "admin",
        "kubeconfig",
        "mariadb",
        "valkey",
        "s3",
        "backup",
        "mail",
        "payments",
        "prometheus",
        "alertmanager",
        "jaeger",
        "logs",
        "ca",
        "demo_tenant",
    }
    assert set(document["mariadb"]) == {"host", "port", "admin_user", "admin_password", "ca"}
    assert set(document["s3"]) == {"endpoint", "access_key", "secret_key", "ca"}
    assert set(document["backup"]) == {"endpoint", "bucket", "access_key", "secret_key", "ca", "recovery_key_file"}
    assert set(document["demo_tenant"]) == {"name", "url", "email", "password"}
    assert document["valkey"]["url"].startswith("valkeys://vivero-admin:")


def test_status_names_what_is_unhealthy(provider: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--instance", "unit"]) == 1
    said = capsys.readouterr().out
    assert "mariadb" in said
    assert "unhealthy" in said
    assert cli.main(["status", "--instance", "none"]) == 1
    parts = {part.component for part in platform_health(provider)}
    assert {"mariadb", "valkey", "s3", "mail", "payments", "kubernetes", "control plane page"} <= parts


def test_suspended_tenants_are_well_and_the_others_are_named() -> None:
    def tenant(name: str, **holds: str) -> dict[str, Any]:
        conditions = [{"type": kind, "status": status} for kind, status in holds.items()]
        return {"metadata": {"name": name}, "status": {"conditions": conditions}}

    fine = [tenant("a", Ready="True"), tenant("b", Ready="False", Suspended="True")]
    assert tenants_health(fine).ok
    assert tenants_health(fine).message == "1 ready, 1 suspended"
    sick = tenants_health([*fine, tenant("c", Ready="False", Suspended="False"), {"metadata": {"name": "d"}}])
    assert not sick.ok
    assert sick.message == "1 ready, 1 suspended, 2 not ready: c, d"


@pytest.mark.usefixtures("provider")
def test_logs_lists_parts_and_follows_one(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (instance.log_dir / "mariadb.log").write_text("x")
    assert cli.main(["logs", "--instance", "unit"]) == 0
    assert capsys.readouterr().out == "mariadb\n"
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda _, words: became.append(words))
    cli.main(["logs", "--instance", "unit", "mariadb"])
    cli.main(["logs", "--instance", "unit", "--no-follow", "mariadb"])
    cli.main(["logs", "--instance", "unit", "vivero-operator"])
    cli.main(["logs", "--instance", "unit", "tenant-x/app-1"])
    assert became[0][-2:] == ["--follow=name", str(instance.log_dir / "mariadb.log")]
    assert "--follow=name" not in became[1]
    assert "deployment/vivero-operator" in became[2]
    assert "--all-pods" in became[2], "the one that leads is among them"
    assert "--namespace=tenant-x" in became[3]


def test_signup_needs_a_platform_and_shows_the_way_in(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["signup", "--instance", "unit", "--company", "Acme", "--email", "a@b.example"]
    assert cli.main(words) == 1
    assert "./vivero up" in capsys.readouterr().err
    Authority(provider.instance.certificates_dir).ensure()
    monkeypatch.setattr("vivero_dev.up.sign_up", lambda *_, **__: TRIAL)
    confirmed: list[str] = []
    monkeypatch.setattr("vivero_dev.up.confirm", lambda *arguments: confirmed.append(arguments[-1]))
    assert cli.main(words) == 0
    assert TRIAL.login_url in capsys.readouterr().out
    assert confirmed == ["a@b.example"]


def test_an_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli_platform.COMMANDS, "up", interrupted)
    assert cli.main(["up"]) == cli.INTERRUPTED
    assert "same command again" in capsys.readouterr().err


def test_the_instance_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVERO_INSTANCE", "mine")
    assert cli.parser().parse_args(["up"]).instance == "mine"
    assert cli.parser().parse_args(["up", "--instance", "yours"]).instance == "yours"


@pytest.mark.parametrize(
    ("daemon", "uid", "chosen"), [(True, 1000, "docker"), (False, 0, "native"), (True, 0, "docker")]
)
def test_a_provider_is_chosen_by_what_the_machine_can(
    daemon: bool,  # noqa: FBT001  a column of the table
    uid: int,
    chosen: str,
    instance: Instance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    works(monkeypatch, docker=daemon)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert providers.provider_for(instance, "auto", told.append).name == chosen
    assert told == ([] if daemon else ["Without Docker, by the native provider. It rests."])
    works(monkeypatch, docker=not daemon)
    assert providers.provider_for(instance, "auto", told.append).name == chosen
    assert len(told) == int(not daemon)


def test_where_there_is_no_docker_at_all_nothing_is_told_of_it(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    told: list[str] = []
    assert providers.provider_for(instance, "auto", told.append).name == "native"
    assert told == []


def works(monkeypatch: pytest.MonkeyPatch, *, docker: bool) -> None:
    def examine() -> str:
        if not docker:
            raise preflight.DockerUnusableError("It rests.")
        return "Docker 1, Compose 2"

    monkeypatch.setattr(preflight, "examine", examine)
    monkeypatch.setattr(preflight, "is_installed", lambda: True)


def test_no_provider_and_another_one_are_told_apart(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    works(monkeypatch, docker=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(providers.NoProviderError, match=r"^It rests\. The native provider.*root"):
        providers.provider_for(instance, "auto")
    providers.provider_for(instance, "docker")
    with pytest.raises(providers.NoProviderError, match="reset"):
        providers.provider_for(instance, "native")


class Api:
    """A control plane and a workspace that are ready after two questions."""

    def __init__(self, *, outcome: str = "ready", refuse: int | None = None) -> None:
        self.outcome, self.refuse, self.asked = outcome, refuse, 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        tenant = {"name": "acme", "slug": "acme", "url": "https://acme.vivero.localhost"}
        match request.method, request.url.path:
            case "POST", "/api/v1/signups":
                if self.refuse:
                    return httpx.Response(self.refuse, json={"title": "no", "detail": "taken"})
                assert "Idempotency-Key" in request.headers
                started = {"id": "s1", "bearer": "b1", "state": "provisioning", "tenant": tenant}
                return httpx.Response(202, json=started)
            case "GET", "/api/v1/signups/s1":
                assert request.headers["Authorization"] == "Bearer b1", "else there is no login in it"
                self.asked += 1
                state = self.outcome if self.asked > 1 else "provisioning"
                return httpx.Response(
                    200, json={"id": "s1", "state": state, "tenant": tenant, "login_url": "https://t"}
                )
            case "POST", "/api/v1/auth/login":
                self.asked += 1
                return httpx.Response(200, json={"access_token": "t"}) if self.asked > 3 else httpx.Response(503)
            case _:
                assert request.headers["Authorization"] == "Bearer t"
                return httpx.Response(200, json={"email": "a@b.example"})


@pytest.fixture
def against(monkeypatch: pytest.MonkeyPatch) -> Callable[[Api], Any]:
    def call(api: Api) -> Trial:
        monkeypatch.setattr(trial, "POLL_SECONDS", 0)
        client = httpx.Client(transport=httpx.MockTransport(api.answer))
        monkeypatch.setattr(trial, "local_client", lambda _: client)
        return trial.sign_up("https://vivero.localhost", Path("ca"), company="Acme", email="a@b.example", password="x")

    return call


def test_a_signup_ends_logged_in(against: Callable[[Api], Trial]) -> None:
    found = against(Api())
    assert (found.name, found.url, found.login_url) == ("acme", "https://acme.vivero.localhost", "https://t")
    assert found.seconds > 0


@pytest.mark.parametrize(("api", "words"), [(Api(outcome="failed"), "failed"), (Api(refuse=422), "422.*taken")])
def test_a_failed_signup_has_the_apis_words(api: Api, words: str, against: Callable[[Api], Trial]) -> None:
    with pytest.raises(ComponentError, match=words):
        against(api)


def test_a_signup_that_never_ends_is_given_up(against: Callable[[Api], Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SIGNUP_SECONDS", 0)
    with pytest.raises(ComponentError, match="not ready within"):
        against(Api())


def test_hosts_below_localhost_are_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []

    def note(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", note)
    with httpx.Client(transport=LoopbackTransport(ssl.create_default_context())) as client:
        client.get("https://acme.vivero.localhost:8443/x")
        client.get("https://example.org/x")
    assert seen[0].url == "https://127.0.0.1:8443/x"
    assert seen[0].headers["Host"] == "acme.vivero.localhost:8443"
    assert seen[0].extensions["sni_hostname"] == "acme.vivero.localhost"
    assert seen[1].url.host == "example.org"


def test_the_local_client_trusts_one_authority(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        local_client(tmp_path / "none.crt")


def test_a_test_runs_instance_belongs_to_the_clone() -> None:
    one, other = cli_checks.clone_name(Path("/a")), cli_checks.clone_name(Path("/b"))
    assert one != other
    assert open_instance(one).name == one


def test_sigterm_ends_what_a_command_has_started_and_leaves_services() -> None:
    script = """
import signal, subprocess, sys
from vivero_dev import cli
signal.signal(signal.SIGTERM, cli.interrupt)
words = [sys.executable, "-c", "import time; time.sleep(60)"]
service = subprocess.Popen(words, start_new_session=True)
with subprocess.Popen(words) as program:
    print(service.pid, program.pid, flush=True)
"""
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:  # noqa: S603  our own words
        assert run.stdout is not None
        service, program = (psutil.Process(int(word)) for word in run.stdout.readline().split())
        try:
            run.terminate()
            run.wait(20)
            assert run.returncode != 0
            assert not program.is_running()
            assert service.is_running()
        finally:
            service.kill()
