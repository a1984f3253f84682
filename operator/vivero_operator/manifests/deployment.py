"""The tenant's Deployment. Limits are no part of it, so a change of plan that keeps the size rolls nothing."""

from vivero_operator.instance import Instance
from vivero_operator.manifests.common import SELECTOR, Manifest, metadata, sealed
from vivero_operator.manifests.pod_template import Template


def build(instance: Instance, template: Template) -> Manifest:
    return sealed(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(instance),
            "spec": {
                "replicas": 0 if instance.suspended else instance.plan.spec.workload.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineSeconds": 300,
                "selector": {"matchLabels": SELECTOR},
                # A new pod is up before an old one goes.
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": template,
            },
        }
    )
