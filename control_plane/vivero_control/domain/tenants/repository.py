"""Tenants, Plans and signup Secrets in the cluster: what the control plane writes and how errors read.

The control plane may create, get, list, watch and patch Tenants, and create
and delete Secrets in one namespace; it can read no Secret.
"""

import base64
import logging
import re
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
from vivero_core.errors import BackendError, BackendRefusedError
from vivero_core.model.constants import API_VERSION, LABEL_MANAGED_BY, LABEL_SIGNUP, PASSWORD_HASH_KEY
from vivero_core.model.naming import OBJECT_NAME_PATTERN
from vivero_core.model.reading import Unreadable, read
from vivero_core.model.tenant import Tenant, TenantSpec

from vivero_control.domain.tenants.errors import (
    ClusterUnavailableError,
    TenantChangedError,
    TenantNotFoundError,
    TenantRefusedError,
)
from vivero_control.domain.tenants.policies import signup_subject, tenant_subject
from vivero_control.lib.background import skipped_items

logger = logging.getLogger(__name__)

MANAGER = "vivero-control-plane"


def tenant_manifest(
    name: str, spec: TenantSpec, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": "Tenant",
        "metadata": {
            "name": name,
            "labels": {LABEL_MANAGED_BY: MANAGER, **labels},
            "annotations": dict(annotations or {}),
        },
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
    """Reads and writes single Tenants; lists come from the informer."""

    def __init__(self, client: KubeClient, signups_namespace: str) -> None:
        self._client = client
        self._namespace = signups_namespace

    async def find(self, name: str) -> Tenant | Unreadable | None:
        """As the API server has it now, not as a informer last saw it; a name that none can have is not asked for."""
        if not re.fullmatch(OBJECT_NAME_PATTERN.strip("^$"), name):
            return None
        try:
            return read(Tenant, await self._client.get(TENANT, name))
        except KubeNotFoundError:
            return None
        except BackendError as error:
            raise unavailable(error) from error

    async def all(self) -> list[Tenant]:
        """Every Tenant that can be read, for jobs; pages use the informer. The others are logged and counted."""
        try:
            found = [read(Tenant, item) for item in (await self._client.list(TENANT)).items]
        except BackendError as error:
            raise unavailable(error) from error
        for one in found:
            if isinstance(one, Unreadable):
                skipped_items.labels("tenants").inc()
                logger.warning("object cannot be parsed: %s", one.why, extra={"kind": "Tenant", "object": one.name})
        return [one for one in found if isinstance(one, Tenant)]

    async def subjects(self) -> set[str]:
        """How the audit log names every Tenant there is, also one that cannot be read: as itself, and as its signup."""
        try:
            found = (await self._client.list(TENANT)).items
        except BackendError as error:
            raise unavailable(error) from error
        metadata = [item["metadata"] for item in found]
        signups = (one.get("labels", {}).get(LABEL_SIGNUP) for one in metadata)
        return {tenant_subject(one["name"]) for one in metadata} | {
            signup_subject(digest) for digest in signups if digest
        }

    async def of_signup(self, digest: str) -> Tenant | Unreadable | None:
        """The one that a signup made or claimed, under whatever name, as the API server has it now."""
        try:
            found = await self._client.list(TENANT, label_selector=f"{LABEL_SIGNUP}={digest}")
        except BackendError as error:
            raise unavailable(error) from error
        return read(Tenant, found.items[0]) if found.items else None

    async def create(
        self, name: str, spec: TenantSpec, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
    ) -> Tenant | Unreadable:
        """Make it, or return the one of that name: the caller checks whose it is.

        Raises:
            TenantRefusedError: the API server's rules say no; its sentences are in the error.
            ClusterUnavailableError: it does not answer; try again.
        """
        try:
            return Tenant.parse(await self._client.create(tenant_manifest(name, spec, labels, annotations)))
        except KubeAlreadyExistsError:
            existing = await self.find(name)
            if existing is None:  # deleted between the two calls: the next attempt makes it
                raise ClusterUnavailableError from None
            return existing
        except BackendError as error:
            raise refused(error) from error

    async def create_password_secret(self, name: str, password_hash: str) -> str | None:
        """Store the hash where only the operator reads it; the Secret's uid, or None when it existed already."""
        try:
            made = await self._client.create(secret_manifest(name, self._namespace, password_hash))
        except KubeAlreadyExistsError:
            return None
        except BackendError as error:
            raise unavailable(error) from error
        return str(made["metadata"]["uid"])

    async def delete_password_secret(self, name: str, uid: str) -> None:
        """Delete that very Secret; that it is gone already is fine."""
        try:
            await self._client.delete(SECRET, name, self._namespace, uid=uid)
        except KubeNotFoundError:
            return
        except BackendError as error:
            raise unavailable(error) from error

    async def patch(
        self,
        tenant: Tenant,
        spec: dict[str, Any],
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Tenant:
        """Merge into spec, labels and annotations of that very object in that very version.

        Raises:
            TenantNotFoundError: it is gone.
            TenantChangedError: someone changed it since `tenant` was read.
            TenantRefusedError: the API server's rules say no.
        """
        metadata = {
            "resourceVersion": tenant.metadata.resource_version,
            "labels": dict(labels or {}),
            "annotations": dict(annotations or {}),
        }
        body = {"metadata": metadata, "spec": spec}
        try:
            return Tenant.parse(await self._client.patch(TENANT, tenant.name, body))
        except KubeNotFoundError as error:
            raise TenantNotFoundError(tenant.name) from error
        except KubeConflictError as error:
            raise TenantChangedError(tenant.name) from error
        except BackendError as error:
            raise refused(error) from error

    async def delete(self, tenant: Tenant) -> None:
        """Delete that very Tenant; that it is gone already is fine. What becomes of its data its deletionPolicy says.

        Raises:
            TenantChangedError: the name belongs to another one by now.
            ClusterUnavailableError: try again.
        """
        try:
            await self._client.delete(TENANT, tenant.name, uid=tenant.metadata.uid)
        except KubeNotFoundError:
            return
        except KubeConflictError as error:
            raise TenantChangedError(tenant.name) from error
        except BackendError as error:
            raise refused(error) from error


def refused(error: BackendError) -> TenantRefusedError | ClusterUnavailableError:
    """What a failed write means: a rule's sentences, or that a retry may help.

    A refusal without a cause is about our rights or a quota, not about what was asked for.
    """
    if isinstance(error, KubeInvalidError) or (isinstance(error, KubeForbiddenError) and error.causes):
        return TenantRefusedError.because(error.causes)
    return unavailable(error)


def unavailable(error: BackendError) -> ClusterUnavailableError:
    """The same for callers. A refusal (RBAC, quota) does not pass by itself, so it is logged as an error."""
    if isinstance(error, BackendRefusedError):
        logger.error("Kubernetes API refused the request: %s", error)
    return ClusterUnavailableError()
