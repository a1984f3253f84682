"""The backing services in the cluster: Services without selector, with EndpointSlices of our own."""

from dataclasses import dataclass

from vivero_dev.platform.kubectl import Object
from vivero_dev.platform.names import BACKING

# Ports for pods, independent of the instance's ports on the host.
CLUSTER_PORTS = {"mariadb": 3306, "valkey": 6379, "s3": 7070, "mail": 1025, "payments": 12112}
TELEMETRY_PORTS = {"otlp": 4318}
"""Of providers that can watch a platform; the others have no such service."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address where pods reach a backing service."""

    address: str
    port: int


def backing_objects(endpoints: dict[str, Endpoint]) -> list[Object]:
    """Namespace, Services and EndpointSlices for those services that the provider has."""
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": BACKING}}
    ports = CLUSTER_PORTS | TELEMETRY_PORTS
    pairs = [(_service(name, ports[name]), _slice(name, endpoint)) for name, endpoint in endpoints.items()]
    return [namespace, *(item for pair in pairs for item in pair)]


def backing_host(name: str) -> str:
    return f"{name}.{BACKING}.svc.cluster.local"


def _service(name: str, port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": BACKING},
        "spec": {"ports": [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"}]},
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
        "ports": [{"name": name, "port": endpoint.port, "protocol": "TCP"}],
    }
