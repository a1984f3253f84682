"""One Tenant through its life, against the real API server and the real backing services."""

import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from integration.operator.live import Live, manifest
from reconcile.certificates import secret_body
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import (
    CONFIG_MAP,
    DEPLOYMENT,
    INGRESS,
    NAMESPACE,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    TENANT,
)
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.model import naming
from vivero_core.model.conditions import find
from vivero_core.model.constants import LABEL_RETAINED, PLATFORM_NAMESPACE
from vivero_core.model.tenant import Tenant
from vivero_operator.escrow import record
from vivero_operator.manifests import copies, ingress, namespace
from vivero_operator.manifests.secrets import HOLDS_DATA, LIMITS, LIMITS_FILE

CHILDREN = (
    (SECRET, "database"),
    (SECRET, "cache"),
    (SECRET, "storage"),
    (SECRET, "app"),
    (SECRET, "limits"),
    (CONFIG_MAP, "platform"),
    (SERVICE_ACCOUNT, "app"),
    (ROLE_BINDING, namespace.RIGHTS),
    (DEPLOYMENT, "app"),
    (SERVICE, "app"),
    (INGRESS, "app"),
    (NETWORK_POLICY, "app"),
    (RESOURCE_QUOTA, "app"),
    (POD_DISRUPTION_BUDGET, "app"),
)


@pytest.fixture
async def name(live: Live) -> AsyncIterator[str]:
    name = f"life-{secrets.token_hex(4)}"
    yield name
    await live.delete(name)


@pytest.fixture
def writes() -> Iterator[list[str]]:
    """Every mutating request to the API server."""
    seen: list[str] = []
    real = KubeClient._request  # noqa: SLF001  the one place all requests pass

    async def counted(self: KubeClient, method: str, path: str, *args: object, **kwargs: object) -> object:
        if method != "GET":
            seen.append(f"{method} {path}")
        return await real(self, method, path, *args, **kwargs)  # type: ignore[arg-type]

    with mock.patch.object(KubeClient, "_request", counted):
        yield seen


async def provision(live: Live, name: str, **spec: object) -> Tenant:
    await live.kube.create(manifest(name, **spec))
    return await live.until_ready(name)


async def escrow(live: Live, ident: str) -> dict[str, Any]:
    return await live.kube.get(SECRET, record.name(ident), PLATFORM_NAMESPACE)


async def limits(live: Live, ident: str) -> dict[str, Any]:
    secret = await live.kube.get(SECRET, LIMITS, naming.namespace_name(ident))
    document: dict[str, Any] = json.loads(base64.b64decode(secret["data"][LIMITS_FILE]))
    return document


async def test_all_children_are_made_and_a_second_look_writes_nothing(live: Live, name: str, writes: list[str]) -> None:
    tenant = await provision(live, name)
    for resource, child in CHILDREN:
        await live.kube.get(resource, child, naming.namespace_name(tenant.id))
    assert LABEL_RETAINED not in (await escrow(live, tenant.id))["metadata"]["labels"]
    await live.pass_once(name)
    assert (await limits(live, tenant.id))[HOLDS_DATA]
    live.state.forget(tenant.metadata.uid)
    writes.clear()
    await live.pass_once(name)
    assert writes == []


async def test_drift_is_repaired_by_a_fresh_look(live: Live, name: str) -> None:
    tenant = await provision(live, name)
    namespace = naming.namespace_name(tenant.id)
    service = await live.kube.get(SERVICE, "app", namespace)
    await live.kube.delete(SERVICE, "app", namespace, uid=service["metadata"]["uid"])
    await live.kube.patch(DEPLOYMENT, "app", {"spec": {"replicas": 3}}, namespace)
    live.state.forget(tenant.metadata.uid)
    await live.pass_once(name)
    await live.kube.get(SERVICE, "app", namespace)
    assert (await live.kube.get(DEPLOYMENT, "app", namespace))["spec"]["replicas"] == 1


@pytest.fixture
async def certificate(live: Live, name: str) -> AsyncIterator[str]:
    """For the one host of the customer's own."""
    body = secret_body(f"cert-{name}", f"{name}.example.com", datetime.now(UTC))
    made = await live.kube.create(body)
    yield made["metadata"]["name"]
    await live.kube.delete(SECRET, made["metadata"]["name"], PLATFORM_NAMESPACE, uid=made["metadata"]["uid"])


async def test_suspend_and_resume(live: Live, name: str, certificate: str) -> None:
    host = f"{name}.example.com"
    given = [{"host": host, "secretName": certificate}]
    tenant = await provision(live, name, hosts=[host], hostCertificates=given)
    namespace, suspended_ingress = naming.namespace_name(tenant.id), f"tenant-{tenant.id}"
    assert [(one.host, one.ready) for one in tenant.status.hosts] == [(host, True)]
    tls = (await live.kube.get(INGRESS, ingress.HOSTS, namespace))["spec"]["tls"]
    assert tls == [{"hosts": [host], "secretName": copies.certificate_name(host)}]
    await live.kube.get(SECRET, copies.certificate_name(host), namespace)
    await live.kube.patch(TENANT, name, {"spec": {"suspended": {"reason": "Unpaid", "message": "Please pay."}}})
    await live.pass_once(name)
    suspended = await live.look(name)
    assert suspended is not None
    condition = find(suspended.status.conditions, "Suspended")
    assert condition is not None
    assert (condition.status, condition.reason, condition.message) == ("True", "Unpaid", "Suspended: Please pay.")
    assert find(suspended.status.conditions, "Ready") is None
    assert (await live.kube.get(DEPLOYMENT, "app", namespace))["spec"]["replicas"] == 0
    for gone in ("app", ingress.HOSTS):
        with pytest.raises(KubeNotFoundError):
            await live.kube.get(INGRESS, gone, namespace)
    page = (await live.kube.get(INGRESS, suspended_ingress, PLATFORM_NAMESPACE))["spec"]
    assert [rule["host"] for rule in page["rules"]] == [host]
    assert page["tls"] == [{"hosts": [host], "secretName": certificate}]

    await live.kube.patch(TENANT, name, {"spec": {"suspended": None}})
    await live.until_ready(name)
    assert (await live.kube.get(DEPLOYMENT, "app", namespace))["spec"]["replicas"] == 1
    with pytest.raises(KubeNotFoundError):
        await live.kube.get(INGRESS, suspended_ingress, PLATFORM_NAMESPACE)


def schemas(ident: str) -> tuple[str, str]:
    return naming.database_name(ident), naming.audit_database_name(ident)


async def test_deletion_with_data_leaves_nothing(
    live: Live, name: str, database_admin: MariaDbAdmin, storage_admin: VersityStorageAdmin
) -> None:
    tenant = await provision(live, name)
    assert all(database_admin.database_exists(schema) for schema in schemas(tenant.id))
    await live.delete(name)
    assert not any(database_admin.database_exists(schema) for schema in schemas(tenant.id))
    assert not any(database_admin.user_exists(user) for user in naming.database_users(tenant.id))
    assert not storage_admin.bucket_exists(naming.bucket_name(tenant.id))
    with pytest.raises(KubeNotFoundError):
        await live.kube.get(NAMESPACE, naming.namespace_name(tenant.id))
    with pytest.raises(KubeNotFoundError):
        await escrow(live, tenant.id)


async def test_retained_data_is_adopted_and_erased(
    live: Live, name: str, database_admin: MariaDbAdmin, storage_admin: VersityStorageAdmin
) -> None:
    tenant = await provision(live, name, deletionPolicy="Retain")
    namespace = naming.namespace_name(tenant.id)
    file_key = (await live.kube.get(SECRET, "app", namespace))["data"]["file_key"]
    await live.delete(name)
    assert all(database_admin.database_exists(schema) for schema in schemas(tenant.id))
    assert not database_admin.user_exists(naming.database_users(tenant.id)[0])
    assert (await escrow(live, tenant.id))["metadata"]["labels"][LABEL_RETAINED] == tenant.id

    heir = await provision(live, name, adopt=tenant.id)
    assert heir.status.id == tenant.id
    assert LABEL_RETAINED not in (await escrow(live, tenant.id))["metadata"]["labels"]
    assert (await live.kube.get(SECRET, "app", namespace))["data"]["file_key"] == file_key
    await live.delete(name)
    assert not any(database_admin.database_exists(schema) for schema in schemas(tenant.id))
    assert not storage_admin.bucket_exists(naming.bucket_name(tenant.id))
    with pytest.raises(KubeNotFoundError):
        assert (await escrow(live, tenant.id))["metadata"]["labels"][LABEL_RETAINED] == tenant.id
