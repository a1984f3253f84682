"""Contour: reads Ingresses from the API server and tells Envoy what to serve."""

import json
from pathlib import Path

from vivero_dev.native.envoy import CONNECTION_SECONDS, LOOPBACK, PLAIN_PORT, STATS_PORT, XDS_PORT, loopback_address
from vivero_dev.native.files import write_public
from vivero_dev.native.layout import Cluster
from vivero_dev.native.objects import user_binding
from vivero_dev.native.probes import http_answers
from vivero_dev.platform.kubectl import Object
from vivero_dev.platform.names import FIELD_MANAGER
from vivero_dev.processes import ProcessSpec

USER = "vivero:contour"
INGRESS_CLASS = "contour"
HEALTH_PORT = 8000
GROUP = "projectcontour.io"
# 550 KB of definitions on a busy machine.
APPLY_SECONDS = 120.0
# A connection keeps the routes of the name that it was opened for. While a workspace has no route of its own, that is
# the wildcard's: a visitor on the waiting page would see it for as long as the browser keeps the connection.
TIMEOUTS = {
    "max-connection-duration": f"{CONNECTION_SECONDS}s",
    # Idle time within a request; a signup's progress stream sends a heartbeat every 15 seconds.
    "stream-idle-timeout": "60s",
    # A connection beyond its maximum age closes after its response; slow readers get time to read the end.
    "delayed-close-timeout": "60s",
    # To receive a full request: the largest file at one megabit a second.
    "request-timeout": "900s",
}
# No query strings: they may carry a login ticket.
LOG_FIELDS = (
    "@timestamp",
    "method",
    "authority",
    "path=%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol",
    "response_code",
    "response_flags",
    "duration",
    "bytes_received",
    "bytes_sent",
    "request_id=%REQ(X-REQUEST-ID)%",
    "upstream_host",
)


def contour(cluster: Cluster) -> ProcessSpec:
    config = contour_configuration(cluster.instance.ports["envoy"])
    file = cluster.folder / "contour.json"
    write_public(file, config)
    pair = cluster.authority.issue("contour", ["contour"])
    return ProcessSpec(
        name="contour",
        command=[
            cluster.tool("contour"),
            "serve",
            f"--config-path={file}",
            f"--kubeconfig={cluster.client_config(USER)}",
            "--disable-leader-election",
            f"--ingress-class-name={INGRESS_CLASS}",
            f"--ingress-status-address={LOOPBACK}",
            "--kubernetes-client-qps=200",
            "--kubernetes-client-burst=400",
            f"--contour-cafile={cluster.authority.certificate}",
            f"--contour-cert-file={pair.certificate}",
            f"--contour-key-file={pair.key}",
            *_addresses(cluster),
        ],
        netns=cluster.instance.netns_path,
        revision=config,
        ready=lambda: http_answers(cluster.node_ip, HEALTH_PORT, "/healthz"),
        deadline=60,
    )


def _addresses(cluster: Cluster) -> list[str]:
    quiet = loopback_address(cluster.instance)
    return [
        f"--xds-address={cluster.node_ip}",
        f"--xds-port={XDS_PORT}",
        f"--http-address={cluster.node_ip}",
        f"--http-port={HEALTH_PORT}",
        f"--health-address={cluster.node_ip}",
        f"--health-port={HEALTH_PORT}",
        f"--envoy-service-https-address={LOOPBACK}",
        f"--envoy-service-https-port={cluster.instance.ports['https']}",
        f"--envoy-service-http-address={quiet}",
        f"--envoy-service-http-port={PLAIN_PORT}",
        f"--stats-address={quiet}",
        f"--stats-port={STATS_PORT}",
    ]


def contour_configuration(admin_port: int) -> str:
    document = {
        "disablePermitInsecure": True,
        "tls": {"minimum-protocol-version": "1.3"},
        "accesslog-format": "json",
        "json-fields": list(LOG_FIELDS),
        "timeouts": TIMEOUTS,
        # Envoy's read-only admin view on loopback; with zero all instances would share a port.
        "network": {"admin-port": admin_port},
    }
    return json.dumps(document, indent=2) + "\n"


def install_definitions(cluster: Cluster) -> None:
    """Install Contour's CRDs, RBAC rules and ingress class, once for each version."""
    definitions = cluster.tool_path("contour").parent / "manifests" / "01-crds.yaml"
    marker = cluster.folder / "contour-definitions"
    if marker.exists() and marker.read_text() == str(definitions):
        return
    _apply_file(cluster, definitions)
    cluster.kubectl.apply([ingress_class(), contour_role(), user_binding(USER, USER, USER)])
    marker.write_text(str(definitions))


def contour_role() -> Object:
    """Contour's role: reads routing objects, writes only status."""
    read, write = ["get", "list", "watch"], ["get", "create", "update"]
    custom = ("contourconfigurations", "extensionservices", "httpproxies")
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER},
        "rules": [
            {"apiGroups": [""], "resources": ["configmaps", "namespaces", "secrets", "services"], "verbs": read},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
            {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": read},
            {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": write},
            {"apiGroups": [GROUP], "resources": [*custom, "tlscertificatedelegations"], "verbs": read},
            {"apiGroups": [GROUP], "resources": [f"{kind}/status" for kind in custom], "verbs": write},
        ],
    }


def ingress_class() -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {
            "name": INGRESS_CLASS,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": f"{GROUP}/ingress-controller"},
    }


def _apply_file(cluster: Cluster, file: Path) -> None:
    options = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
    cluster.kubectl.run("apply", *options, f"--filename={file}", timeout=APPLY_SECONDS)
