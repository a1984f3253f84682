"""The routes of a tenant: its hosts to its Service, or, while suspended, its own hosts to the control plane's page."""

from typing import Any

from vivero_operator.instance import APP, Instance
from vivero_operator.manifests.common import Manifest, labels, metadata, sealed


def suspended_name(ident: str) -> str:
    """The Ingress in the platform's namespace that stands in for a suspended tenant's own hosts."""
    return f"tenant-{ident}"


def _rule(host: str, service: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}


def _annotations(instance: Instance) -> dict[str, str]:
    return {
        # The wildcard certificate stays in the platform's namespace; Contour is told where (TLSCertificateDelegation).
        "projectcontour.io/tls-cert-namespace": instance.settings.platform_namespace,
        "projectcontour.io/tls-minimum-protocol-version": "1.3",
        "projectcontour.io/response-timeout": "60s",
        "ingress.kubernetes.io/force-ssl-redirect": "true",
    }


def _spec(instance: Instance, hosts: tuple[str, ...], service: str) -> dict[str, Any]:
    return {
        "ingressClassName": instance.settings.ingress_class,
        "tls": [{"hosts": list(hosts), "secretName": instance.settings.wildcard_tls_secret}],
        "rules": [_rule(host, service) for host in hosts],
    }


def build(instance: Instance) -> Manifest:
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {**metadata(instance), "annotations": _annotations(instance)},
            "spec": _spec(instance, instance.hosts, APP),
        }
    )


def build_suspended(instance: Instance) -> Manifest:
    """For the customer's own hosts only: the wildcard route already sends the slug's host to the control plane."""
    return sealed(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": suspended_name(instance.id),
                "namespace": instance.settings.platform_namespace,
                "labels": labels(instance),
                "annotations": _annotations(instance),
            },
            "spec": _spec(instance, instance.tenant.spec.hosts, instance.settings.control_plane_service),
        }
    )
