"""The docker provider's files: valid in themselves, and in step with what the native provider does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_dev.backing import object_store
from vivero_dev.docker import contour, kind
from vivero_dev.docker.compose import FILE, Compose
from vivero_dev.docker.kind import configuration
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance
from vivero_dev.native.services import mail as native_mail
from vivero_dev.platform.backing import CLUSTER_PORTS
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.provider import CLUSTER_READY, IMAGES_READY, INGRESS_READY, SERVICES_READY, Provider
from vivero_dev.steps import silently

ROOT = Path(__file__).parents[3]


@pytest.fixture
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def test_every_variable_of_the_compose_file_is_set(instance: Instance) -> None:
    named = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    assert named <= set(Compose(instance).environment())


def test_services_listen_for_people_on_loopback_alone(compose: dict[str, Any]) -> None:
    published = {name: service for name, service in compose["services"].items() if "ports" in service}
    assert set(published) == set(CLUSTER_PORTS)
    for name, service in published.items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert any(port.endswith(f":{CLUSTER_PORTS[name]}") for port in service["ports"])


def test_the_s3_server_gets_the_same_arguments_as_natively(compose: dict[str, Any]) -> None:
    def options(arguments: list[str]) -> set[str]:
        return {re.sub(r"=/\w+", "=", argument) for argument in arguments if argument.startswith("--")}

    natively = options(object_store.arguments("/mnt", "0.0.0.0:7070"))
    assert options(compose["services"]["versitygw"]["command"]) == natively


def test_the_s3_server_is_reached_by_its_tls_end_alone(compose: dict[str, Any]) -> None:
    network = compose["networks"]["s3"]
    members = {name for name, service in compose["services"].items() if "s3" in service["networks"]}
    assert (network["internal"], members) == (True, {"s3", "versitygw"})
    assert compose["services"]["versitygw"]["networks"] == ["s3"]


def test_the_mail_sinks_image_holds_the_locked_release(compose: dict[str, Any]) -> None:
    locked = (ROOT / "requirements" / "dev.txt").read_text()
    for line in (ROOT / "dev/docker/mail/requirements.txt").read_text().splitlines():
        if match := re.match(r"([a-z]+==[\d.]+)", line):
            assert match[1] in locked
    assert compose["services"]["mail"]["build"]["dockerfile"] == "dev/docker/mail/Containerfile"
    assert native_mail.NAME in compose["services"]


def test_files_for_containers_are_written_once_the_instance_is_known(instance: Instance) -> None:
    project = Compose(instance)
    project.write_files()
    assert project.folder.stat().st_mode & 0o077 == 0
    written = {str(file.relative_to(project.folder)) for file in project.folder.rglob("*") if file.is_file()}
    assert written == {
        "mariadb/vivero.cnf",
        "mariadb/accounts.sql",
        "mariadb/encryption-keys",
        "valkey/valkey.conf",
        "valkey/users.acl",
        "s3/envoy.json",
        "payments/secret_key",
        "payments/webhook_secret",
        "tls/tls.crt",
        "tls/tls.key",
        "tls/ca.crt",
    }
    for name in re.findall(r"\$\{VIVERO_STATE:\?\}/([\w./]+):", FILE.read_text()):
        assert (project.folder / name).exists()


def test_what_the_containers_say_stands_at_the_end_of_the_log_of_an_up_that_failed(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, log = tmp_path / "bin" / "docker", tmp_path / "compose.log"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ncase "$*" in *" logs "*) echo "mariadb-1 | no space left"; exit 1;; esac\nexit 17\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with pytest.raises(ComponentError, match="exited with 17"):
        Compose(instance).up(log)
    assert log.read_text() == "mariadb-1 | no space left\n"


DOCKER = """#!/bin/sh
# With one node at most, whose state is a file.
cd {folder}
echo "$*" >> said
case "$1 $*" in
"ps "*status=running) [ ! -e node ] || ! grep -q running node || echo 4f2a ;;
"ps "*) [ ! -e node ] || echo 4f2a ;;
"start "*) echo running > node ;;
"stop "*) echo exited > node ;;
"rm "*) rm node ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what Docker was told (`said`), and its node."""
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def acts(docker: Path) -> list[str]:
    return [line for line in (docker / "said").read_text().splitlines() if not line.startswith("ps ")]


def test_a_cluster_is_there_and_goes_without_kind(instance: Instance, docker: Path) -> None:
    """`down` comes before kind was built, too."""
    cluster = kind.Kind(docker / "no-kind", instance)
    cluster.stop(docker / "log")
    cluster.delete(docker / "log")
    assert not cluster.runs()
    assert acts(docker) == []
    (docker / "node").write_text("running")
    assert cluster.runs()
    cluster.delete(docker / "log")
    assert not cluster.runs()
    assert acts(docker) == ["rm --force --volumes 4f2a"]


def test_a_node_that_is_stopped_is_started_and_not_made_anew(instance: Instance, docker: Path) -> None:
    """Tenants are in it, whose data would be nobody's."""
    program = docker / "kind"
    program.write_text('#!/bin/sh\n[ "$1 $2" = "get kubeconfig" ] && echo kubeconfig\n')
    program.chmod(0o755)
    (docker / "node").write_text("running")
    cluster = kind.Kind(program, instance)
    cluster.stop(docker / "log")
    assert not cluster.runs()
    cluster.stop(docker / "log")
    cluster.create(docker / "log")
    assert cluster.runs()
    assert acts(docker) == ["stop --time=20 4f2a", "start 4f2a"]
    assert instance.kubeconfig.read_text() == "kubeconfig\n"


def test_the_cluster_is_there_when_its_api_server_answers(instance: Instance, docker: Path) -> None:
    """kind waits for a node that it makes; nobody else for one that is started again."""
    kubectl = "#!/bin/sh\ncd {0}\n[ -e asked ] || {{ touch asked; echo not yet >&2; exit 1; }}\necho ok\n"
    for name, script in (("kind", "#!/bin/sh\n"), ("kubectl", kubectl.format(docker))):
        (docker / name).write_text(script)
        (docker / name).chmod(0o755)
    (docker / "node").write_text("exited")
    (step,) = (step for step in DockerProvider(instance).steps() if step.name == CLUSTER_READY)
    assert step.run(silently) == "vivero-unit"
    assert acts(docker) == ["start 4f2a"]
    assert (docker / "asked").exists()


def test_kind_gets_the_instances_ports(instance: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (node,) = configuration(instance.ports)["nodes"]
    mappings = {mapping["containerPort"]: mapping for mapping in node["extraPortMappings"]}
    assert mappings[443]["hostPort"] == instance.ports["https"]
    assert mappings[80]["hostPort"] == instance.ports["http"]
    assert {mapping["listenAddress"] for mapping in mappings.values()} == {"127.0.0.1"}
    other = tmp_path / "kind.yaml"
    other.write_text("nodes: [{extraPortMappings: [{containerPort: 22}]}]")
    monkeypatch.setattr(kind, "CONFIGURATION", other)
    with pytest.raises(ComponentError, match="22"):
        configuration(instance.ports)


def test_contour_is_the_release_that_is_built_natively() -> None:
    module = (ROOT / "dev/go/go.mod").read_text()
    assert f"github.com/projectcontour/contour {contour.VERSION}" in module


def test_kind_runs_the_minor_release_that_is_built_natively() -> None:
    kubernetes = re.search(r"k8s.io/kubernetes v(\d+\.\d+)", (ROOT / "dev/go/go.mod").read_text())
    # The node image of kind 0.30 is Kubernetes 1.34.
    assert kubernetes is not None
    assert kubernetes[1] == "1.34"
    assert "sigs.k8s.io/kind v0.30." in (ROOT / "dev/go/go.mod").read_text()


def test_the_provider_has_every_step_that_others_need(instance: Instance) -> None:
    provider: Provider = DockerProvider(instance)
    names = [step.name for step in provider.steps()]
    assert {CLUSTER_READY, SERVICES_READY, INGRESS_READY, IMAGES_READY} <= set(names)


def test_envoy_on_kind_drops_replaced_listeners_as_soon_as_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    """Envoy's container comes second in the official manifest."""
    words, patched = ["-c", "/config/envoy.json"], list[str]()
    containers = [{"name": "shutdown-manager", "args": []}, {"name": "envoy", "args": words}]
    found = {"spec": {"template": {"spec": {"containers": containers}}}}

    def patch(_: Kubectl, *arguments: str) -> str:
        patched.append(arguments[-1])
        words.extend(one["value"] for one in json.loads(arguments[-1].removeprefix("--patch=")))
        return ""

    monkeypatch.setattr(Kubectl, "get", lambda *_: found)
    monkeypatch.setattr(Kubectl, "run", patch)
    for _ in range(2):
        contour.shorten_drain(Kubectl(Path("kubectl"), Path("kubeconfig")))
    assert words == ["-c", "/config/envoy.json", "--drain-time-s 30", "--drain-strategy immediate"]
    assert len(patched) == 1
    assert "/containers/1/args/-" in patched[0]
