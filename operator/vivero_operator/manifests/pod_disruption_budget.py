"""How many of a tenant's pods may be away on purpose: one, so that a node can always be drained."""

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import SELECTOR, Manifest, metadata, sealed


def build(instance: Instance) -> Manifest:
    return sealed(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(instance),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": SELECTOR}},
        }
    )
