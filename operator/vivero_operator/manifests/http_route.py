"""The route of a tenant's own address where the platform has a Gateway (Gateway API) in place of Ingresses. Pure."""

from typing import Any, Final

from vivero_operator.instance import APP, Instance, Manifest, metadata, sealed
from vivero_operator.settings import Gateway

API_VERSION: Final = "gateway.networking.k8s.io/v1"
NO_LIMIT: Final = "0s"


def build(instance: Instance, *, gateway: Gateway) -> Manifest:
    """Attached to the listener that holds the wildcard certificate.

    No `retry`: it would also repeat requests whose connection broke after they
    were sent, and so store a record twice.
    """
    # A download takes as long as its line is slow; the platform's proxy ends what is idle.
    rule: dict[str, Any] = {"backendRefs": [{"name": APP, "port": 80}], "timeouts": {"request": NO_LIMIT}}
    return sealed(
        {
            "apiVersion": API_VERSION,
            "kind": "HTTPRoute",
            "metadata": metadata(instance),
            "spec": {
                "parentRefs": [{"name": gateway.name, "namespace": gateway.namespace, "sectionName": gateway.listener}],
                "hostnames": [instance.hosts[0]],
                "rules": [rule],
            },
        }
    )


def is_accepted(live: Manifest) -> bool:
    """Whether the Gateway serves it, as its controller writes in the status, from this very spec."""
    meta = live["metadata"]
    conditions = [
        condition for parent in live.get("status", {}).get("parents", ()) for condition in parent.get("conditions", ())
    ]
    return any(
        one["type"] == "Accepted"
        and one["status"] == "True"
        and one.get("observedGeneration") == meta.get("generation")
        for one in conditions
    )
