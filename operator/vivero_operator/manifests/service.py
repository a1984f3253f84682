"""The Service that the ingress sends a tenant's requests to."""

from typing import Final

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import SELECTOR, Manifest, metadata, sealed

_RETRIES: Final = {"projectcontour.io/max-retries": "100"}
"""So many visitors at once may wait for a pod that has just crashed; Envoy's own bound is three."""


def build(instance: Instance) -> Manifest:
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata(instance), "annotations": _RETRIES},
            "spec": {
                "type": "ClusterIP",
                "selector": SELECTOR,
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        }
    )
