"""Kinds of objects and their addresses in the API."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from vivero_core.model import base
from vivero_core.model.constants import API_VERSION, GROUP, VERSION
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.plan import Plan
from vivero_core.model.release import Release
from vivero_core.model.tenant import Tenant
from vivero_core.model.tenant_pool import TenantPool


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


def of_model(model: type[base.Resource]) -> Resource:
    """The address of one of our own kinds."""
    return Resource(GROUP, VERSION, model.__name__, model.plural, namespaced=False)


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
JOB = Resource("batch", "v1", "Job", "jobs")
ENDPOINT_SLICE = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
INGRESS = Resource("networking.k8s.io", "v1", "Ingress", "ingresses")
HTTP_ROUTE = Resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
NETWORK_POLICY = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
POD_DISRUPTION_BUDGET = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
ROLE_BINDING = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
LEASE = Resource("coordination.k8s.io", "v1", "Lease", "leases")
CUSTOM_RESOURCE_DEFINITION = Resource(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
TENANT = of_model(Tenant)
PLAN = of_model(Plan)
DATABASE_SERVER = of_model(DatabaseServer)
TENANT_POOL = of_model(TenantPool)
RELEASE = of_model(Release)

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
    if key in _BY_KIND:
        return _BY_KIND[key]
    for model in base.Resource.__subclasses__():
        if key == (API_VERSION, model.__name__):
            return of_model(model)
    raise ValueError(f"unknown resource {key[0]} {key[1]}")
