"""An account without rights and without a token: pods of a tenant have no business with the API server."""

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest, metadata, sealed


def build(instance: Instance) -> Manifest:
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(instance),
            "automountServiceAccountToken": False,
        }
    )
