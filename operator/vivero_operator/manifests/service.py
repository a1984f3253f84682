"""The Service that the ingress sends a tenant's requests to."""

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import SELECTOR, Manifest, metadata, sealed


def build(instance: Instance) -> Manifest:
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(instance),
            "spec": {
                "type": "ClusterIP",
                "selector": SELECTOR,
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        }
    )
