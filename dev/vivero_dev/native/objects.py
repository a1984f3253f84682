"""The objects in every native cluster before any chart: RBAC of its programs, and cluster DNS."""

from vivero_dev.native.layout import Cluster
from vivero_dev.platform.kubectl import Object
from vivero_dev.platform.names import FIELD_MANAGER

DNS_USER = "vivero:coredns"
DNS_PORT = 53


def base_objects(cluster: Cluster) -> list[Object]:
    return [
        user_binding("vivero:kubelet-api", "system:kubelet-api-admin", "kube-apiserver-kubelet-client"),
        # The Node authorizer lets a node read a pod's Secrets only once it has
        # seen the pod itself; an earlier request is denied, and the pod waits a
        # second for the retry. With a single node there is no other to protect.
        _binding("vivero:node", "system:node", {"kind": "Group", "name": "system:nodes"}),
        _dns_role(),
        user_binding(DNS_USER, DNS_USER, DNS_USER),
        dns_service(str(cluster.instance.addresses.dns)),
        dns_endpoints(cluster.node_ip),
    ]


def user_binding(name: str, role: str, user: str) -> Object:
    return _binding(name, role, {"kind": "User", "name": user})


def _binding(name: str, role: str, subject: dict[str, str]) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", **subject}],
    }


def _dns_role() -> Object:
    read = ["get", "list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": DNS_USER},
        "rules": [
            {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": read},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
        ],
    }


def dns_service(address: str) -> Object:
    """The cluster DNS Service with its fixed address."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": address, "ports": _dns_ports()},
    }


def dns_endpoints(node: str) -> Object:
    """The EndpointSlice of CoreDNS, which is a process on the node, not a pod."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns-node",
            "namespace": "kube-system",
            "labels": {
                "kubernetes.io/service-name": "kube-dns",
                "endpointslice.kubernetes.io/managed-by": FIELD_MANAGER,
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [node], "conditions": {"ready": True}}],
        "ports": _dns_ports(),
    }


def _dns_ports() -> list[Object]:
    return [{"name": f"dns-{name.lower()}", "port": DNS_PORT, "protocol": name} for name in ("UDP", "TCP")]
