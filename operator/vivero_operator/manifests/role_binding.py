"""The operator's rights in a tenant's namespace, given there and nowhere else."""

from typing import Final

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest, metadata, sealed

NAME: Final = "vivero-operator"
CLUSTER_ROLE: Final = "vivero-operator-tenant"
"""The chart's; the operator may bind it and no other."""
REGAINED: Final = "vivero-operator-regained"
"""Beside the first for a moment, when that one is another's: who gave it another role took the right to delete it."""


def build(instance: Instance, name: str = NAME) -> Manifest:
    settings = instance.settings
    return sealed(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata(instance, name),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": CLUSTER_ROLE},
            "subjects": [
                {
                    "kind": "ServiceAccount",
                    "name": settings.service_account,
                    "namespace": settings.platform_namespace,
                }
            ],
        }
    )
