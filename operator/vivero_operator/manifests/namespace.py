"""The tenant's namespace: one customer, restricted pods, and what bounds it.

Whose it is, the operator's rights in it, how much may be used there, who may talk to whom.
"""

from typing import Any, Final

from vivero_core.model import constants as c

from vivero_operator.instance import APP_PORT, METRICS_PORT, SELECTOR, Instance, Manifest, labels, metadata, sealed
from vivero_operator.policies.room import Room


def build(instance: Instance) -> Manifest:
    """The tenant's namespace: one customer, restricted pods, and whose it is."""
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


RIGHTS: Final = "vivero-operator"
CLUSTER_ROLE: Final = "vivero-operator-tenant"
"""The chart's; the operator may bind it and no other."""
REGAINED: Final = "vivero-operator-regained"
"""Beside the first for a moment, when that one is another's: who gave it another role took the right to delete it."""


def rights(instance: Instance, name: str = RIGHTS) -> Manifest:
    """The operator's rights in a tenant's namespace, given there and nowhere else."""
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


def quota(instance: Instance, room: Room) -> Manifest:
    """What a tenant's namespace may use in all."""
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": metadata(instance),
            "spec": {"hard": room.hard()},
        }
    )


_LINK_LOCAL = "169.254.0.0/16"  # cloud metadata services live here
_DNS_PORT = 53


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _outside(cidr: str) -> dict[str, Any]:
    block: dict[str, Any] = {"cidr": cidr}
    if cidr == "0.0.0.0/0":
        block["except"] = [_LINK_LOCAL]
    return {"ipBlock": block}


def network(instance: Instance) -> Manifest:
    """Allowed ingress and egress of the pods: no tenant reaches another.

    The other end's policy stops a connection to another tenant's pod, whatever egress allows.
    """
    settings = instance.settings
    served = {
        "from": [_namespace(settings.ingress_namespace), _namespace(settings.platform_namespace)],
        "ports": [{"protocol": "TCP", "port": APP_PORT}],
    }
    measured = {
        "from": [_namespace(settings.monitoring_namespace)],
        "ports": [{"protocol": "TCP", "port": METRICS_PORT}],
    }
    dns = [{"protocol": protocol, "port": _DNS_PORT} for protocol in ("UDP", "TCP")]
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(instance),
            "spec": {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [served, *([measured] if settings.monitoring_namespace else [])],
                "egress": [
                    {"to": [{"namespaceSelector": {}}], "ports": dns},
                    {"to": [_outside(cidr) for cidr in settings.egress_cidrs]},
                ],
            },
        }
    )


def disruptions(instance: Instance) -> Manifest:
    """How many of a tenant's pods may be away on purpose: one, so that a node can always be drained."""
    return sealed(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(instance),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": SELECTOR}},
        }
    )
