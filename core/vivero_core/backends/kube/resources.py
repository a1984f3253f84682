"""Kinds of objects and their addresses in the API."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind, as the API addresses it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, name: str | None = None, *, namespace: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection, or of one object, or of its subresource.

        Raises:
            ValueError: a namespace is given for a cluster-scoped kind, or an
                object of a namespaced kind is addressed without one.
        """
        if namespace and not self.namespaced:
            raise ValueError(f"{self.kind} is cluster-scoped, yet a namespace is given")
        if self.namespaced and name and not namespace:
            raise ValueError(f"{self.kind} {name} needs a namespace")
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/" + "/".join(quote(part, safe="") for part in parts)


NAMESPACE = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
SECRET = Resource("", "v1", "Secret", "secrets")
CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps")
SERVICE = Resource("", "v1", "Service", "services")
SERVICE_ACCOUNT = Resource("", "v1", "ServiceAccount", "serviceaccounts")
RESOURCE_QUOTA = Resource("", "v1", "ResourceQuota", "resourcequotas")
POD = Resource("", "v1", "Pod", "pods")
CORE_EVENT = Resource("", "v1", "Event", "events")
EVENT = Resource("events.k8s.io", "v1", "Event", "events")
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments")
ENDPOINT_SLICE = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
INGRESS = Resource("networking.k8s.io", "v1", "Ingress", "ingresses")
NETWORK_POLICY = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
POD_DISRUPTION_BUDGET = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
ROLE_BINDING = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
LEASE = Resource("coordination.k8s.io", "v1", "Lease", "leases")
CUSTOM_RESOURCE_DEFINITION = Resource(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
TENANT = Resource("vivero.dev", "v1alpha1", "Tenant", "tenants", namespaced=False)
PLAN = Resource("vivero.dev", "v1alpha1", "Plan", "plans", namespaced=False)
DATABASE_SERVER = Resource("vivero.dev", "v1alpha1", "DatabaseServer", "databaseservers", namespaced=False)
TENANT_POOL = Resource("vivero.dev", "v1alpha1", "TenantPool", "tenantpools", namespaced=False)
RELEASE = Resource("vivero.dev", "v1alpha1", "Release", "releases", namespaced=False)

_BY_KIND = {
    (resource.api_version, resource.kind): resource
    for resource in list(globals().values())
    if type(resource) is Resource
}


def resource_of(manifest: dict[str, Any]) -> Resource:
    """The resource of a manifest, by its apiVersion and kind.

    Raises:
        ValueError: a kind that Vivero does not make.
    """
    key = (manifest.get("apiVersion", ""), manifest.get("kind", ""))
    try:
        return _BY_KIND[key]
    except KeyError:
        raise ValueError(f"unknown resource {key[0]} {key[1]}") from None
