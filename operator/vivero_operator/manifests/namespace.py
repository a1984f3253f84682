"""The tenant's namespace: one customer, restricted pods, and whose it is."""

from vivero_core.model import constants as c

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest, labels, sealed


def build(instance: Instance) -> Manifest:
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": instance.namespace,
                "labels": {**labels(instance), **security},
                "annotations": {
                    c.ANNOTATION_TENANT_NAME: instance.tenant.name,
                    c.ANNOTATION_TENANT_UID: instance.tenant.metadata.uid,
                },
            },
        }
    )
