"""What a tenant's namespace may use in all: its pods and the surge of a rollout, and nothing that costs extra."""

from decimal import Decimal

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import Manifest, metadata, sealed
from vivero_operator.policies.quantity import parse, render

_SURGE = 1  # the Deployment's maxSurge


def build(instance: Instance) -> Manifest:
    size = instance.plan.spec.workload
    pods = size.replicas + _SURGE

    def total(quantity: str) -> str:
        return render(parse(quantity) * Decimal(pods))

    hard = {
        "pods": str(pods),
        "requests.cpu": total(size.cpu_request),
        "requests.memory": total(size.memory_request),
        "limits.memory": total(size.memory_limit),
        "persistentvolumeclaims": "0",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    if size.cpu_limit:
        hard["limits.cpu"] = total(size.cpu_limit)
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": metadata(instance),
            "spec": {"hard": hard},
        }
    )
