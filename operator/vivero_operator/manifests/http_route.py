"""The route of a tenant's own address where the platform has a Gateway (Gateway API) in place of Ingresses. Pure."""

from typing import Any, Final

from vivero_operator.instance import APP, Instance, Manifest, metadata, sealed
from vivero_operator.settings import Gateway

API_VERSION: Final = "gateway.networking.k8s.io/v1"
NO_LIMIT: Final = "0s"


def build(instance: Instance, *, gateway: Gateway) -> Manifest:
    """The slug's address."""
    return build_at(instance, instance.hosts[0], APP, gateway=gateway)


def build_at(instance: Instance, host: str, service: str, *, gateway: Gateway) -> Manifest:
    """Attached to the listener that holds the wildcard certificate.

    No `retry`: it would also repeat requests whose connection broke after they
    were sent, and so store a record twice.
    """
    # A download takes as long as its line is slow; the platform's proxy ends what is idle.
    rule: dict[str, Any] = {"backendRefs": [{"name": service, "port": 80}], "timeouts": {"request": NO_LIMIT}}
    return sealed(
        {
            "apiVersion": API_VERSION,
            "kind": "HTTPRoute",
            "metadata": metadata(instance),
            "spec": {
                "parentRefs": [{"name": gateway.name, "namespace": gateway.namespace, "sectionName": gateway.listener}],
                "hostnames": [host],
                "rules": [rule],
            },
        }
    )


def is_accepted(live: Manifest) -> bool:
    """Whether the Gateway serves it, as its controller writes in the status, from this very spec."""
    return any(one["status"] == "True" for one in _said(live))


def refusal(live: Manifest) -> str | None:
    """Why the Gateway does not serve it, in its controller's words; None while it has not answered, and once it serves."""
    found = (f"{one.get('reason', '')}: {one.get('message', '')}" for one in _said(live) if one["status"] == "False")
    return None if is_accepted(live) else next(found, None)


def _said(live: Manifest) -> list[dict[str, Any]]:
    """The conditions `Accepted` of its parents, of this very spec."""
    generation = live["metadata"].get("generation")
    parents = live.get("status", {}).get("parents", ())
    conditions = [condition for parent in parents for condition in parent.get("conditions", ())]
    return [one for one in conditions if one["type"] == "Accepted" and one.get("observedGeneration") == generation]
