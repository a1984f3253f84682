"""The routes of a tenant: its Service, its own address, custom hosts, and their replacement while it is suspended.

Hosts with a certificate that a person handed in and hosts whose certificates
an issuer brings have an Ingress each: cert-manager manages every Secret that
an Ingress with its annotation names, and would replace what was handed in.
"""

from collections.abc import Callable, Iterable
from typing import Any

from vivero_operator.instance import APP, SELECTOR, Instance, Manifest, labels, metadata, sealed
from vivero_operator.manifests import copies

HOSTS, ISSUED_HOSTS = "hosts", "hosts-issued"
"""Names of the Ingresses of the customer's own hosts: each host has its own certificate, the slug's address the platform's."""


def hosts_name(*, issued: bool) -> str:
    """`issued`: for hosts whose certificates the issuer brings."""
    return ISSUED_HOSTS if issued else HOSTS


def suspended_name(ident: str, *, issued: bool = False) -> str:
    """The Ingress in the platform's namespace that serves a suspended tenant's custom hosts."""
    return f"tenant-{ident}" + ("-issued" if issued else "")


def _rule(host: str, service: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}


def build(instance: Instance) -> Manifest:
    """The slug's address."""
    return build_at(instance, instance.hosts[0], APP)


def build_at(instance: Instance, host: str, service: str) -> Manifest:
    """An address below the platform's domain, with its wildcard certificate, that leads to this Service."""
    settings = instance.settings
    annotations = settings.ingress_annotations
    tls: dict[str, Any] = {"hosts": [host]}
    if settings.wildcard_tls == "delegated":
        annotations = {**annotations, "projectcontour.io/tls-cert-namespace": settings.platform_namespace}
        tls["secretName"] = settings.wildcard_tls_secret
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {**metadata(instance), "annotations": annotations},
            "spec": {
                "ingressClassName": settings.ingress_class,
                "tls": [tls],
                "rules": [_rule(host, service)],
            },
        }
    )


def build_hosts(instance: Instance, hosts: Iterable[str], *, issued: bool = False) -> Manifest:
    """The customer's hosts that may be routed, of one kind of certificates."""
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                **metadata(instance, hosts_name(issued=issued)),
                "annotations": _own_annotations(instance, issued=issued),
            },
            "spec": _own_spec(instance, hosts, APP, copies.certificate_name),
        }
    )


def build_suspended(instance: Instance, hosts: Iterable[str], *, issued: bool = False) -> Manifest:
    """For the customer's own hosts only: the wildcard route already sends the slug's host to the control plane."""
    given = instance.certificates
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": suspended_name(instance.id, issued=issued),
                "namespace": instance.settings.platform_namespace,
                "labels": labels(instance),
                "annotations": _own_annotations(instance, issued=issued),
            },
            "spec": _own_spec(
                instance,
                hosts,
                instance.settings.control_plane_service,
                lambda host: given.get(host, copies.certificate_name(host)),
            ),
        }
    )


def _own_annotations(instance: Instance, *, issued: bool) -> dict[str, str]:
    issuer = {"cert-manager.io/cluster-issuer": instance.settings.host_issuer}
    return {**instance.settings.ingress_annotations, **(issuer if issued else {})}


def _own_spec(instance: Instance, hosts: Iterable[str], service: str, secret: Callable[[str], str]) -> dict[str, Any]:
    chosen = list(hosts)
    return {
        "ingressClassName": instance.settings.ingress_class,
        "tls": [{"hosts": [host], "secretName": secret(host)} for host in chosen],
        "rules": [_rule(host, service) for host in chosen],
    }


def service(instance: Instance) -> Manifest:
    """The Service that the ingress sends a tenant's requests to."""
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata(instance), "annotations": instance.settings.ingress_service_annotations},
            "spec": {
                "type": "ClusterIP",
                "selector": SELECTOR,
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        }
    )
