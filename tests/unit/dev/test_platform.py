"""What is put into the cluster, and how a failing part of it is named."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from vivero_dev.backing import mariadb, object_store, tls_proxy, valkey
from vivero_dev.backing.accounts import Account, Accounts, accounts_of
from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.certificates import Authority
from vivero_dev.errors import ComponentError, DevError
from vivero_dev.instance import Instance
from vivero_dev.platform.backing import CLUSTER_PORTS, Endpoint, backing_objects
from vivero_dev.platform.credentials import certificate_delegation, platform_objects
from vivero_dev.platform.diagnose import deployment_reason, first_problem, pod_reason
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.platform.releases import Helm, Release
from vivero_dev.platform.trial import confirm
from vivero_dev.platform.values import Chores, control_plane_values, operator_values
from vivero_dev.secret_store import SecretStore
from vivero_dev.steps import silently
from vivero_dev.testing.schemas import file_name, self_contained, strict_definitions, write_foreign_schemas
from vivero_dev.up import CHARTS


@pytest.fixture
def accounts(instance: Instance) -> Accounts:
    return accounts_of(SecretStore(instance.secrets_dir))


def by_name(objects: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["kind"], item["metadata"]["name"]): item for item in objects}


def test_pods_reach_every_service_at_its_usual_port_and_real_address() -> None:
    objects = by_name(
        backing_objects({name: Endpoint("10.0.0.1", 20000 + port) for name, port in CLUSTER_PORTS.items()})
    )
    for name, port in CLUSTER_PORTS.items():
        service, endpoints = objects["Service", name], objects["EndpointSlice", name]
        assert "selector" not in service["spec"]
        assert service["spec"]["ports"][0]["port"] == port
        assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == name
        assert endpoints["ports"][0]["port"] == 20000 + port
        assert endpoints["ports"][0]["name"] == service["spec"]["ports"][0]["name"]
        assert endpoints["endpoints"][0]["addresses"] == ["10.0.0.1"]


def test_the_charts_find_every_secret_the_contract_names(instance: Instance, accounts: Accounts) -> None:
    authority, secrets = Authority(instance.certificates_dir), SecretStore(instance.secrets_dir)
    objects = by_name(platform_objects(accounts, authority, secrets))
    keys = {name: set(item["stringData"]) for (kind, name), item in objects.items() if kind == "Secret"}
    assert keys == {
        "mariadb-admin": {"username", "password"},
        "mariadb-archiver": {"username", "password"},
        "valkey-admin": {"username", "password"},
        "s3-admin": {"access_key", "secret_key"},
        "backup-storage": {"endpoint", "region", "bucket", "access_key", "secret_key"},
        "control-plane-database": {"username", "password"},
        "control-plane-cache": {"username", "password"},
        "control-plane-app": {"session_key", "ticket_private_key", "admin_email", "admin_password"},
        "control-plane-tls": {"tls.crt", "tls.key"},
        "tenant-mail": {"host", "port", "sender"},
        "payment-provider": {"secret_key", "webhook_secret"},
        "wildcard-tls": {"tls.crt", "tls.key"},
    }
    assert objects["ConfigMap", "vivero-ca"]["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE")
    assert set(by_name([certificate_delegation()])) == {("TLSCertificateDelegation", "wildcard-tls")}
    again = platform_objects(accounts, authority, secrets)
    assert again == list(objects.values())


def test_no_certificate_covers_the_control_plane_and_a_workspace(instance: Instance, accounts: Accounts) -> None:
    authority, secrets = Authority(instance.certificates_dir), SecretStore(instance.secrets_dir)
    objects = by_name(platform_objects(accounts, authority, secrets))
    names = {}
    for secret in ("control-plane-tls", "wildcard-tls"):
        certificate = x509.load_pem_x509_certificate(objects["Secret", secret]["stringData"]["tls.crt"].encode())
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names[secret] = listed.get_values_for_type(x509.DNSName)
    assert names == {"control-plane-tls": ["vivero.localhost"], "wildcard-tls": ["*.vivero.localhost"]}


def test_tickets_verify_with_the_published_key(instance: Instance, accounts: Accounts) -> None:
    secrets = SecretStore(instance.secrets_dir)
    objects = by_name(platform_objects(accounts, Authority(instance.certificates_dir), secrets))
    pem = objects["Secret", "control-plane-app"]["stringData"]["ticket_private_key"].encode()
    private = serialization.load_pem_private_key(pem, password=None)
    public = serialization.load_pem_public_key(objects["ConfigMap", "ticket-public-key"]["data"]["ticket.pub"].encode())
    assert isinstance(private, Ed25519PrivateKey)
    assert isinstance(public, Ed25519PublicKey)
    public.verify(private.sign(b"ticket"), b"ticket")


def test_the_database_is_hardened_and_grants_are_exact(accounts: Accounts) -> None:
    statements = mariadb.account_statements(accounts, ["127.0.0.1"])
    assert "DROP DATABASE IF EXISTS test" in statements
    assert "DELETE FROM mysql.global_priv WHERE User = ''" in statements
    grants = [statement for statement in statements if statement.startswith("GRANT")]
    assert grants == [
        "GRANT ALL ON *.* TO 'vivero_admin'@'127.0.0.1' WITH GRANT OPTION",
        "GRANT ALL ON `vivero\\_control`.* TO 'vivero_control'@'127.0.0.1'",
        "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'vivero_archiver'@'127.0.0.1'",
    ]
    assert all("REQUIRE SSL" in statement for statement in statements if "USER" in statement)


def test_a_password_that_could_end_its_quotes_is_refused(accounts: Accounts) -> None:
    bad = replace(accounts, mariadb_admin=Account("vivero_admin", "x' OR"))
    with pytest.raises(DevError):
        mariadb.account_statements(bad, ["127.0.0.1"])


def test_servers_speak_tls_alone(accounts: Accounts) -> None:
    options = mariadb.options("/mnt")
    assert "tls_version = TLSv1.3" in options
    assert "require_secure_transport = ON" in options
    configuration = valkey.configuration(folder="/mnt", data="/data", port=6379, addresses=["127.0.0.1", "10.0.0.1"])
    assert "port 0\n" in configuration
    assert "tls-protocols TLSv1.3" in configuration
    assert "bind 127.0.0.1 10.0.0.1" in configuration
    listen = [tls_proxy.socket("127.0.0.1", 7070), tls_proxy.socket("10.0.0.1", 7070)]
    before = tls_proxy.configuration(listen=listen, server=tls_proxy.pipe("/mnt/s3.sock"), folder="/mnt")
    listeners = before["static_resources"]["listeners"]
    assert [listener["address"] for listener in listeners] == listen
    for listener in listeners:
        context = listener["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"]
        assert context["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
    arguments = object_store.arguments("/mnt", "/mnt/s3.sock")
    assert "--port=/mnt/s3.sock" in arguments
    assert not any(accounts.s3_admin.password in argument for argument in arguments)
    assert object_store.environment(accounts.s3_admin)["ROOT_SECRET_KEY"] == accounts.s3_admin.password


def test_an_installation_has_the_rules_and_bounds_of_the_local_platform() -> None:
    guide = (Path(__file__).parents[3] / "docs/install.md").read_text()
    assert f" {valkey.CONTROL_PLANE_RULES}\n" in guide
    bounds = ("databases", "client-query-buffer-limit", "client-output-buffer-limit")
    local = [line for line in valkey.CONFIGURATION.splitlines() if line.startswith(bounds)]
    assert len(local) == len(bounds)
    assert "\n".join(local) in guide


def test_the_cache_lets_nobody_in_by_default_and_holds_no_password(accounts: Accounts) -> None:
    text = valkey.acl_file(accounts)
    assert text.splitlines()[0] == "user default off resetchannels -@all"
    assert accounts.valkey_admin.password not in text
    control = text.splitlines()[2]
    assert "~control:*" in control
    assert "~*" not in control
    nothing, *commands = [word for word in control.split() if word[0] in "+-"]
    assert nothing == "-@all"
    assert [one for one in commands if not one.startswith("+") or "@" in one] == []


def test_nothing_listening_is_told_in_words(instance: Instance, accounts: Accounts) -> None:
    authority = Authority(instance.certificates_dir).ensure()
    parts = BackingAddresses.of(instance).health(accounts, authority)
    assert [part.component for part in parts] == ["mariadb", "valkey", "s3", "mail", "payments"]
    assert not any(part.ok for part in parts)
    assert all(part.message for part in parts)


def pod(status: dict[str, Any], **metadata: object) -> dict[str, Any]:
    return {"metadata": {"name": "app-7f-x", "namespace": "vivero-system", **metadata}, "status": status}


def waiting(reason: str, **more: object) -> dict[str, Any]:
    return {"name": "app", "state": {"waiting": {"reason": reason, "message": "no such image"}}, **more}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, None),
        ({"phase": "Succeeded"}, None),
        (
            {"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff")]},
            "container app: ImagePullBackOff no such image",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
                ],
            },
            "container app: CrashLoopBackOff no such image; last exit 137 (OOMKilled)",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [
                    {"name": "migrate", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
                ],
                "containerStatuses": [waiting("PodInitializing")],
            },
            "container migrate: exited with 1 (Error)",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
                ],
            },
            "Unschedulable: 0/1 nodes",
        ),
        ({"phase": "Unknown"}, "phase Unknown"),
    ],
)
def test_a_pods_trouble_is_named(status: dict[str, Any], said: str | None) -> None:
    assert pod_reason(pod(status)) == said


def test_a_pod_on_its_way_out_is_no_trouble() -> None:
    assert pod_reason(pod({"phase": "Running"}, deletionTimestamp="2026-01-01T00:00:00Z")) is None


def test_a_deployment_says_how_many_of_its_pods_are_ready() -> None:
    deployment = {"metadata": {"name": "x"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}
    assert deployment_reason(deployment) == "1 of 2 pods ready."
    deployment["status"] = {"readyReplicas": 2}
    assert deployment_reason(deployment) is None


def program(folder: Path, name: str, script: str) -> Path:
    """A stand-in for kubectl or helm: a script that notes its arguments."""
    file = folder / name
    file.write_text(f'#!/bin/sh\necho "$@" >> {folder}/{name}.calls\n{script}\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def calls(folder: Path, name: str) -> str:
    return (folder / f"{name}.calls").read_text()


def test_the_failing_object_and_its_log_are_found(tmp_path: Path) -> None:
    owner = {"kind": "ReplicaSet", "name": "vivero-operator-7f"}
    failing = pod({"phase": "Pending", "containerStatuses": [waiting("CrashLoopBackOff")]}, ownerReferences=[owner])
    (tmp_path / "pods.json").write_text(json.dumps({"items": [failing]}))
    script = f'case "$*" in *logs*) echo "Traceback: boom";; *) cat {tmp_path}/pods.json;; esac'
    kubectl = Kubectl(program(tmp_path, "kubectl", script), tmp_path / "kubeconfig")
    trouble = first_problem(kubectl, "vivero-system")
    assert trouble is not None
    assert trouble.component == "Deployment vivero-system/vivero-operator (pod app-7f-x)"
    assert "CrashLoopBackOff" in trouble.reason
    assert "Traceback: boom" in trouble.reason


def test_kubectl_tells_nothing_there_from_an_error(tmp_path: Path) -> None:
    nothing = Kubectl(program(tmp_path, "kubectl", "exit 0"), tmp_path / "kubeconfig")
    assert nothing.get("tenant", "acme") is None
    assert "--ignore-not-found" in calls(tmp_path, "kubectl")
    broken = Kubectl(program(tmp_path, "broken", "echo refused >&2; exit 1"), tmp_path / "kubeconfig")
    with pytest.raises(ComponentError, match="refused"):
        broken.get("tenant", "acme")
    assert broken.pod_log("ns", "pod", lines=1) == ""


def release(tmp_path: Path, **values: object) -> Release:
    chart = tmp_path / "chart"
    chart.mkdir(exist_ok=True)
    (chart / "Chart.yaml").write_text("name: chart\n")
    return Release("vivero-operator", chart, values)


def helm(tmp_path: Path, script: str) -> Helm:
    kubectl = Kubectl(program(tmp_path, "kubectl", """echo '{"items": []}'"""), tmp_path / "kubeconfig")
    return Helm(program(tmp_path, "helm", script), kubectl, tmp_path, tmp_path)


def test_a_release_is_installed_with_its_values_in_a_private_file(tmp_path: Path) -> None:
    assert (
        helm(tmp_path, """case "$*" in *list*) echo '[]';; esac""").ensure(release(tmp_path, a=1), silently)
        == "installed"
    )
    assert "upgrade --install" in calls(tmp_path, "helm")
    assert "--wait" in calls(tmp_path, "helm")
    file = tmp_path / "vivero-operator.json"
    assert json.loads(file.read_text()) == {"a": 1}
    assert file.stat().st_mode & 0o077 == 0


def test_the_same_release_is_left_alone_and_another_is_not(tmp_path: Path) -> None:
    revision = release(tmp_path, a=1).revision()
    script = (
        """case "$*" in *list*) echo '[{"name": "vivero-operator"}]';; """
        f"""*status*) echo '{{"info": {{"description": "vivero {revision}"}}}}';; esac"""
    )
    assert helm(tmp_path, script).ensure(release(tmp_path, a=1), silently) == "unchanged"
    assert "upgrade" not in calls(tmp_path, "helm")
    assert helm(tmp_path, script).ensure(release(tmp_path, a=2), silently) == "installed"


def test_a_change_of_the_chart_is_another_revision(tmp_path: Path) -> None:
    before = release(tmp_path, a=1).revision()
    (tmp_path / "chart" / "values.yaml").write_text("x: 1\n")
    assert release(tmp_path, a=1).revision() != before


def test_a_failed_release_without_a_failing_pod_keeps_helms_words(tmp_path: Path) -> None:
    script = """case "$*" in *list*) echo '[]';; *) echo 'bad template'; exit 1;; esac"""
    with pytest.raises(ComponentError, match="release vivero-operator") as caught:
        helm(tmp_path, script).ensure(release(tmp_path), silently)
    assert caught.value.log is not None
    assert "bad template" in caught.value.log.read_text()


def test_charts_are_told_image_and_port(instance: Instance) -> None:
    images = {name: f"localhost/vivero/{name}:abc" for name in ("operator", "control-plane", "data-plane")}
    operator, pages = operator_values(instance, images), control_plane_values(instance, images)
    assert operator["image"] == {"repository": "localhost/vivero/operator", "tag": "abc", "pullPolicy": "IfNotPresent"}
    assert pages["ingress"] == {"address": ""}, "pods reach it where the public names lead"
    assert operator["publicPort"] == pages["publicPort"] == instance.ports["https"]


def test_plans_are_sold_by_the_stand_in_which_pods_and_browsers_reach_at_different_addresses(
    instance: Instance,
) -> None:
    images = {name: f"localhost/vivero/{name}:abc" for name in ("operator", "control-plane", "data-plane")}
    assert control_plane_values(instance, images)["billing"] == {
        "secret": "payment-provider",
        "apiUrl": "https://payments.vivero-backing.svc.cluster.local:12112",
        "pagesUrl": f"https://127.0.0.1:{instance.ports['payments']}",
    }
    assert operator_values(instance, images)["accountUrl"] == f"{instance.public_url}/account"


def test_days_to_undo_are_for_all_plans_of_the_chart(instance: Instance) -> None:
    images = {name: f"localhost/vivero/{name}:abc" for name in ("operator", "data-plane")}
    of_chart = yaml.safe_load((CHARTS / "vivero-operator" / "values.yaml").read_text())["plans"]
    assert operator_values(instance, images, Chores(undo_days=0))["plans"] == {
        name: {"undoDays": 0} for name in of_chart
    }
    assert "plans" not in operator_values(instance, images)
    without = operator_values(instance, images, Chores(undo_days=0, scheduled_backups=False))
    assert without["plans"] == {name: {"undoDays": 0, "backup": None} for name in of_chart}


def test_schemas_refuse_unknown_fields_and_take_numbers_where_the_server_does() -> None:
    strict = strict_definitions(
        {
            "a.Spec": {
                "properties": {"port": {"type": "string", "format": "int-or-string"}, "free": {"type": "object"}},
                "required": ["port"],
            },
            "a.Free": {"properties": {"x": {}}, "x-kubernetes-preserve-unknown-fields": True},
        }
    )
    assert strict["a.Spec"]["additionalProperties"] is False
    assert strict["a.Spec"]["properties"]["port"] == {"type": ["string", "number"]}
    assert "additionalProperties" not in strict["a.Free"]


def test_a_schema_holds_all_it_refers_to_and_nothing_else() -> None:
    definitions = {
        "Pod": {"properties": {"spec": {"$ref": "#/definitions/Spec"}}},
        "Spec": {"properties": {"next": {"$ref": "#/definitions/Spec"}, "meta": {"$ref": "#/definitions/Meta"}}},
        "Meta": {},
        "Other": {},
    }
    schema = self_contained("Pod", definitions)
    assert schema["$ref"] == "#/definitions/Pod"
    assert set(schema["definitions"]) == {"Pod", "Spec", "Meta"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ({"group": "apps", "version": "v1", "kind": "Deployment"}, "deployment-apps-v1.json"),
        ({"group": "", "version": "v1", "kind": "Secret"}, "secret-v1.json"),
        ({"group": "networking.k8s.io", "version": "v1", "kind": "Ingress"}, "ingress-networking-v1.json"),
        ({"group": "vivero.dev", "version": "v1alpha1", "kind": "Plan"}, "plan-vivero-v1alpha1.json"),
    ],
)
def test_schemas_are_named_as_kubeconform_looks_them_up(kind: dict[str, str], name: str) -> None:
    assert file_name(kind) == name


def test_a_kind_that_the_server_lacks_is_known_by_its_definition(tmp_path: Path) -> None:
    schema = {"properties": {"metadata": {"type": "object"}, "spec": {"properties": {"port": {"type": "integer"}}}}}
    definition = {
        "spec": {
            "group": "gateway.networking.k8s.io",
            "names": {"kind": "HTTPRoute"},
            "versions": [{"name": name, "schema": {"openAPIV3Schema": schema}} for name in ("v1", "v1beta1")],
        }
    }
    (tmp_path / "definition.yaml").write_text(json.dumps(definition))
    (tmp_path / "schemas").mkdir()
    write_foreign_schemas([tmp_path / "definition.yaml"], tmp_path / "schemas")
    assert {file.name for file in (tmp_path / "schemas").iterdir()} == {
        "httproute-gateway-v1.json",
        "httproute-gateway-v1beta1.json",
    }
    written = json.loads((tmp_path / "schemas/httproute-gateway-v1.json").read_text())
    assert written["additionalProperties"] is False
    assert written["properties"]["spec"]["additionalProperties"] is False
    assert written["properties"]["metadata"] == {"type": "object"}, "labels and annotations are free"


def test_a_trial_is_confirmed_by_the_link_in_the_mail_that_has_one() -> None:
    asked: list[httpx.Request] = []
    texts = ["Another mail.", "Open\n\n    https://vivero.localhost:8443/confirm#c0de\n\nand press its button."]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.method == "POST":
            return httpx.Response(200, json={"url": "https://acme.vivero.localhost:8443"})
        return httpx.Response(200, json={"messages": [{"text": text} for text in texts]})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        confirm(client, "https://vivero.localhost:8443", "https://127.0.0.1:8025", "demo@example.com")
    assert asked[0].url.params["to"] == "demo@example.com"
    assert json.loads(asked[1].content) == {"code": "c0de"}
