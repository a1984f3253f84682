"""Tenants, Plans and signup Secrets in the cluster: what the control plane writes and how errors read.

The control plane may create, get, list, watch and patch Tenants, and create
and delete Secrets in one namespace; it can read no Secret.
"""

import base64
from collections.abc import Mapping
from typing import Any

from vivero_core.backends.kube.client import KubeClient, Object
from vivero_core.backends.kube.errors import (
    KubeAlreadyExistsError,
    KubeConflictError,
    KubeForbiddenError,
    KubeInvalidError,
    KubeNotFoundError,
)
from vivero_core.backends.kube.resources import SECRET, TENANT
from vivero_core.errors import BackendError
from vivero_core.model.constants import API_VERSION, LABEL_MANAGED_BY, LABEL_SIGNUP, PASSWORD_HASH_KEY
from vivero_core.model.tenant import Tenant, TenantSpec

from vivero_control.domain.tenants.errors import (
    ClusterUnavailableError,
    TenantChangedError,
    TenantNotFoundError,
    TenantRefusedError,
)

MANAGER = "vivero-control-plane"


def tenant_manifest(name: str, spec: TenantSpec, labels: Mapping[str, str]) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": "Tenant",
        "metadata": {"name": name, "labels": {LABEL_MANAGED_BY: MANAGER, **labels}},
        "spec": spec.dump(),
    }


def secret_manifest(name: str, namespace: str, password_hash: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {LABEL_MANAGED_BY: MANAGER}},
        "type": "Opaque",
        "immutable": True,
        "data": {PASSWORD_HASH_KEY: base64.b64encode(password_hash.encode()).decode()},
    }


class TenantRepository:
    """Reads and writes single Tenants; the mirror serves lists."""

    def __init__(self, client: KubeClient, signups_namespace: str) -> None:
        self._client = client
        self._namespace = signups_namespace

    async def find(self, name: str) -> Tenant | None:
        """As the API server has it now, not as a mirror last saw it."""
        try:
            return Tenant.parse(await self._client.get(TENANT, name))
        except KubeNotFoundError:
            return None
        except BackendError as error:
            raise ClusterUnavailableError from error

    async def all(self) -> list[Tenant]:
        """Every Tenant, for jobs; pages use the mirror."""
        try:
            return [Tenant.parse(item) for item in (await self._client.list(TENANT)).items]
        except BackendError as error:
            raise ClusterUnavailableError from error

    async def of_signup(self, digest: str) -> Tenant | None:
        """The one that a signup made or claimed, under whatever name, as the API server has it now."""
        try:
            found = await self._client.list(TENANT, label_selector=f"{LABEL_SIGNUP}={digest}")
        except BackendError as error:
            raise ClusterUnavailableError from error
        return Tenant.parse(found.items[0]) if found.items else None

    async def create(self, name: str, spec: TenantSpec, labels: Mapping[str, str]) -> Tenant:
        """Make it, or return the one of that name: the caller checks whose it is.

        Raises:
            TenantRefusedError: the API server's rules say no; its sentence is in the error.
            ClusterUnavailableError: it does not answer; try again.
        """
        try:
            return Tenant.parse(await self._client.create(tenant_manifest(name, spec, labels)))
        except KubeAlreadyExistsError:
            existing = await self.find(name)
            if existing is None:  # deleted between the two calls: the next attempt makes it
                raise ClusterUnavailableError from None
            return existing
        except (KubeInvalidError, KubeForbiddenError) as error:
            raise TenantRefusedError.saying(str(error)) from error
        except BackendError as error:
            raise ClusterUnavailableError from error

    async def leave_password_hash(self, name: str, password_hash: str) -> str | None:
        """Put the hash where only the operator finds it; the Secret's uid, or None when it was there already."""
        try:
            made = await self._client.create(secret_manifest(name, self._namespace, password_hash))
        except KubeAlreadyExistsError:
            return None
        except BackendError as error:
            raise ClusterUnavailableError from error
        return str(made["metadata"]["uid"])

    async def take_back_password_hash(self, name: str, uid: str) -> None:
        """Nobody will need that very Secret; being gone already is fine."""
        try:
            await self._client.delete(SECRET, name, self._namespace, uid=uid)
        except KubeNotFoundError:
            return
        except BackendError as error:
            raise ClusterUnavailableError from error

    async def patch(self, tenant: Tenant, spec: dict[str, Any], labels: Mapping[str, str] | None = None) -> Tenant:
        """Merge into spec and labels of that very object in that very version.

        Raises:
            TenantNotFoundError: it is gone.
            TenantChangedError: someone changed it since `tenant` was read.
            TenantRefusedError: the API server's rules say no.
        """
        metadata = {"resourceVersion": tenant.metadata.resource_version, "labels": dict(labels or {})}
        body = {"metadata": metadata, "spec": spec}
        try:
            return Tenant.parse(await self._client.patch(TENANT, tenant.name, body))
        except KubeNotFoundError as error:
            raise TenantNotFoundError(tenant.name) from error
        except KubeConflictError as error:
            raise TenantChangedError(tenant.name) from error
        except (KubeInvalidError, KubeForbiddenError) as error:
            raise TenantRefusedError.saying(str(error)) from error
        except BackendError as error:
            raise ClusterUnavailableError from error
