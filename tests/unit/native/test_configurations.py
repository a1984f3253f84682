import base64
import json
import tomllib
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path

from vivero_dev.native import contour, control_plane, dns, envoy, kubelet, objects
from vivero_dev.native.cni import BRIDGE, cni_configuration
from vivero_dev.native.containerd import PAUSE_IMAGE, containerd_configuration
from vivero_dev.native.layout import Cluster


def flags_of(command: Iterable[object]) -> dict[str, str]:
    words = [str(word) for word in command if str(word).startswith("--")]
    return {name: value for name, _, value in (word.removeprefix("--").partition("=") for word in words)}


def test_containerd_keeps_everything_in_the_instances_own_places(cluster: Cluster) -> None:
    parsed = tomllib.loads(containerd_configuration(cluster))
    runtime = parsed["plugins"]["io.containerd.grpc.v1.cri"]
    assert parsed["root"].startswith(str(cluster.instance.state_dir))
    assert parsed["state"] == "/run/vivero-unit/containerd"
    assert runtime["sandbox_image"] == PAUSE_IMAGE
    assert runtime["netns_mounts_under_state_dir"] is True
    assert runtime["cni"]["conf_dir"].startswith(str(cluster.instance.state_dir))


def test_pods_get_addresses_of_the_instances_range(cluster: Cluster) -> None:
    bridge = json.loads(cni_configuration(cluster))["plugins"][0]
    assert bridge["ipam"]["ranges"][0][0]["subnet"] == str(cluster.instance.addresses.pods)
    assert ip_network(bridge["ipam"]["ranges"][0][0]["subnet"]).num_addresses > kubelet.MAX_PODS
    assert len(BRIDGE) <= 15


def test_the_api_server_speaks_tls_13_encrypts_secrets_and_knows_nobody_unnamed(cluster: Cluster) -> None:
    flags = flags_of(control_plane.apiserver(cluster).command)
    assert flags["tls-min-version"] == "VersionTLS13"
    assert flags["anonymous-auth"] == "false"
    assert flags["authorization-mode"] == "Node,RBAC"
    assert flags["service-cluster-ip-range"] == str(cluster.instance.addresses.services)
    providers = json.loads(Path(flags["encryption-provider-config"]).read_text())["resources"][0]
    assert providers["resources"] == ["secrets"]
    assert "secretbox" in providers["providers"][0]


def test_the_encryption_key_is_made_once_and_private(cluster: Cluster) -> None:
    file = control_plane.write_encryption(cluster)
    before = file.read_text()
    assert control_plane.write_encryption(cluster).read_text() == before
    assert file.stat().st_mode & 0o777 == 0o600
    key = json.loads(before)["resources"][0]["providers"][0]["secretbox"]["keys"][0]["secret"]
    assert len(base64.b64decode(key)) == 32


def test_etcd_answers_nobody_without_a_certificate_of_its_own_authority(cluster: Cluster) -> None:
    flags = flags_of(control_plane.etcd(cluster).command)
    assert "client-cert-auth" in flags
    assert flags["trusted-ca-file"] != str(cluster.authority.certificate)


def test_controllers_are_not_held_back_by_client_limits(cluster: Cluster) -> None:
    flags = flags_of(control_plane.controller_manager(cluster).command)
    assert int(flags["kube-api-qps"]) >= 200
    scheduler = json.loads(control_plane.scheduler_configuration(Path("/k")))
    assert scheduler["clientConnection"]["qps"] >= 200
    assert scheduler["leaderElection"]["leaderElect"] is False


def test_processes_run_in_the_instances_namespace_and_restart_when_their_files_change(cluster: Cluster) -> None:
    for make in (control_plane.scheduler, kubelet.kubelet, kubelet.kube_proxy, dns.coredns, contour.contour):
        spec = make(cluster)
        assert spec.netns == cluster.instance.netns_path
        assert spec.revision
        assert spec.fingerprint() == make(cluster).fingerprint()


def test_kubelet_has_its_own_cgroup_root_and_refuses_the_unnamed(cluster: Cluster) -> None:
    config = kubelet.kubelet_configuration(cluster)
    assert config["cgroupRoot"] == "/vivero-unit"
    assert config["authentication"]["anonymous"]["enabled"] is False
    assert config["readOnlyPort"] == 0
    assert config["clusterDNS"] == [str(cluster.instance.addresses.dns)]
    assert config["configMapAndSecretChangeDetectionStrategy"] == "Watch"


def test_the_corefile_answers_cluster_and_ingress_and_forwards_nothing() -> None:
    text = dns.corefile("10.0.0.2", "10.0.0.1", "/k")
    assert 'answer "{{ .Name }} 60 IN A 10.0.0.1"' in text
    assert "kubernetes cluster.local" in text
    assert "forward" not in text


def test_dns_is_a_service_at_the_fixed_address_with_the_node_behind_it(cluster: Cluster) -> None:
    found = {(item["kind"], item["metadata"]["name"]): item for item in objects.base_objects(cluster)}
    assert found["Service", "kube-dns"]["spec"]["clusterIP"] == str(cluster.instance.addresses.dns)
    assert found["EndpointSlice", "kube-dns-node"]["endpoints"][0]["addresses"] == [cluster.node_ip]


def test_contour_serves_tls_13_on_loopback_alone_and_logs_no_query(cluster: Cluster) -> None:
    config = json.loads(contour.contour_configuration(9))
    assert config["tls"]["minimum-protocol-version"] == "1.3"
    assert config["network"]["admin-port"] == 9
    assert config["timeouts"]["max-connection-duration"] == "30s"
    paths = [field for field in config["json-fields"] if field.startswith("path")]
    assert paths == ["path=%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%"]
    assert not any("%REQ(:PATH)" in field or field == "uri_path" for field in config["json-fields"])
    flags = flags_of(contour.contour(cluster).command)
    assert flags["envoy-service-https-address"] == "127.0.0.1"
    assert flags["envoy-service-https-port"] == str(cluster.instance.ports["https"])
    assert flags["envoy-service-http-address"].startswith("127.")


def test_envoys_own_listeners_redirect_people_and_let_pods_in(cluster: Cluster) -> None:
    document = envoy.bootstrap_document(cluster, {"static_resources": {"clusters": [{"name": "contour"}]}, "admin": {}})
    resources = document["static_resources"]
    assert [item["name"] for item in resources["clusters"]] == ["contour", "vivero-https"]
    redirect, pods = resources["listeners"]
    assert redirect["address"]["socket_address"] == {
        "address": "127.0.0.1",
        "port_value": cluster.instance.ports["http"],
    }
    text = json.dumps(redirect)
    assert f'"port_redirect": {cluster.instance.ports["https"]}' in text
    assert pods["address"]["socket_address"]["address"] == cluster.host_ip
    assert document["admin"] == {}


def test_contours_role_writes_status_only() -> None:
    for rule in contour.contour_role()["rules"]:
        if "update" in rule["verbs"]:
            assert all(resource.endswith("/status") for resource in rule["resources"])


def test_no_secret_stands_in_any_command_line(cluster: Cluster) -> None:
    for make in (control_plane.etcd, control_plane.apiserver, kubelet.kubelet, contour.contour):
        for word in make(cluster).command:
            assert "PRIVATE KEY" not in word


def test_containerds_socket_fits_a_socket_address(cluster: Cluster) -> None:
    assert len(str(cluster.containerd_socket)) < 100


def test_kubeconfigs_are_private_and_complete(cluster: Cluster) -> None:
    file = cluster.write_admin_config()
    assert file.stat().st_mode & 0o777 == 0o600
    config = json.loads(file.read_text())
    assert config["clusters"][0]["cluster"]["server"] == f"https://{cluster.node_ip}:6443"
    assert b"PRIVATE KEY" in base64.b64decode(config["users"][0]["user"]["client-key-data"])
