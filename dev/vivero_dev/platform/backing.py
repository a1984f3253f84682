"""The backing services in the cluster: Services without selector, with EndpointSlices of our own."""

from dataclasses import dataclass

from vivero_dev.platform.kubectl import Object
from vivero_dev.platform.names import BACKING

# Ports for pods, independent of the instance's ports on the host.
CLUSTER_PORTS = {"mariadb": 3306, "valkey": 6379, "s3": 7070, "mail": 1025, "payments": 12112}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address where pods reach a backing service."""

    address: str
    port: int


def backing_objects(endpoints: dict[str, Endpoint]) -> list[Object]:
    """Namespace, Services and EndpointSlices for the services of CLUSTER_PORTS."""
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": BACKING}}
    pairs = [(_service(name, port), _slice(name, endpoints[name])) for name, port in CLUSTER_PORTS.items()]
    return [namespace, *(item for pair in pairs for item in pair)]


def backing_host(name: str) -> str:
    return f"{name}.{BACKING}.svc.cluster.local"


def _service(name: str, port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": BACKING},
        "spec": {"ports": [{"name": "tls", "port": port, "targetPort": port, "protocol": "TCP"}]},
    }


def _slice(name: str, endpoint: Endpoint) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "namespace": BACKING,
            "labels": {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "vivero-dev"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [endpoint.address], "conditions": {"ready": True}}],
        "ports": [{"name": "tls", "port": endpoint.port, "protocol": "TCP"}],
    }
