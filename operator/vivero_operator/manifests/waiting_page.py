"""The second EndpointSlice of a tenant's Service: the control plane's addresses while no pod of the tenant is ready.

Every ingress merges all slices of a Service. The cluster's controller ignores those with another managed-by label.
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
"""Only ours: the cluster's slices have the labels of their Service too."""
_PORT: Final = "http"
"""Port name of the tenants' and the control plane's Services, which the ingress resolves to a number."""


@dataclass(frozen=True)
class Backing:
    """Addresses of ready pods, of one address family."""

    family: str
    """addressType: IPv4 or IPv6."""
    port: int
    addresses: tuple[str, ...]
    """Sorted, at least one."""

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Backing | None":
        """From an EndpointSlice; None if it has no ready pod."""
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
