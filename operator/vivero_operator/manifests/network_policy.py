"""Who may talk to a tenant's pods, and whom they may talk to: no tenant reaches another."""

from typing import Any

from vivero_operator.instance import APP_PORT, Instance
from vivero_operator.manifests.common import Manifest, metadata, sealed

_LINK_LOCAL = "169.254.0.0/16"  # cloud metadata services live here
_DNS_PORT = 53


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _outside(cidr: str) -> dict[str, Any]:
    block: dict[str, Any] = {"cidr": cidr}
    if cidr == "0.0.0.0/0":
        block["except"] = [_LINK_LOCAL]
    return {"ipBlock": block}


def build(instance: Instance) -> Manifest:
    """The other end's policy stops a connection to another tenant's pod, whatever egress allows."""
    settings = instance.settings
    dns = [{"protocol": protocol, "port": _DNS_PORT} for protocol in ("UDP", "TCP")]
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(instance),
            "spec": {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [
                    {
                        "from": [_namespace(settings.ingress_namespace), _namespace(settings.platform_namespace)],
                        "ports": [{"protocol": "TCP", "port": APP_PORT}],
                    }
                ],
                "egress": [
                    {"to": [{"namespaceSelector": {}}], "ports": dns},
                    {"to": [_outside(cidr) for cidr in settings.egress_cidrs]},
                ],
            },
        }
    )
