"""The second EndpointSlice of a tenant's Service: it leads to the control plane while no pod of the tenant answers.

Every ingress adds up the slices of a Service. The cluster's own controller leaves those alone that say whose they are.
"""

from dataclasses import dataclass
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model import naming

from vivero_operator.instance import APP, Manifest, labels_of

NAME: Final = f"{APP}-stand-in"
LABEL_SERVICE: Final = "kubernetes.io/service-name"
_LABEL_MANAGER: Final = "endpointslice.kubernetes.io/managed-by"
SELECTOR: Final = f"{_LABEL_MANAGER}={c.FIELD_MANAGER}"
"""Ours alone: the cluster's own slices have the labels of their Service too."""
_PORT: Final = "http"
"""Name of the port of the tenants' Services and of the control plane's: by it the ingress finds the number."""


@dataclass(frozen=True)
class Backing:
    """Where pods answer, of one family of addresses."""

    family: str
    """addressType: IPv4 or IPv6."""
    port: int
    addresses: tuple[str, ...]
    """Sorted, at least one."""

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Backing | None":
        """What an EndpointSlice says; None when none of its pods answers."""
        port = next((one["port"] for one in body.get("ports") or () if one.get("name") == _PORT), None)
        ready = sorted(
            one["addresses"][0]
            for one in body.get("endpoints") or ()
            if one.get("conditions", {}).get("ready") is not False
        )
        return cls(body["addressType"], port, tuple(ready)) if ready and port else None


def build(tenant_id: str, backing: Backing) -> Manifest:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": NAME,
            "namespace": naming.namespace_name(tenant_id),
            "labels": {**labels_of(tenant_id), LABEL_SERVICE: APP, _LABEL_MANAGER: c.FIELD_MANAGER},
        },
        "addressType": backing.family,
        "ports": [{"name": _PORT, "port": backing.port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in backing.addresses],
    }
