"""What the service accounts of the platform may do: exactly what stands here, in every kind of namespace."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from integration.operator.accounts import CONTROL_PLANE, OPERATOR, Account, log_in
from integration.operator.asking import Question, Rights, allowed, questions, served
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeForbiddenError, KubeInvalidError, KubeNotFoundError
from vivero_core.backends.kube.resources import (
    DATABASE_SERVER,
    NAMESPACE,
    PLAN,
    SECRET,
    TENANT,
    Resource,
    resource_of,
)
from vivero_core.model import naming
from vivero_core.model.constants import PLATFORM_NAMESPACE, SIGNUPS_NAMESPACE
from vivero_operator.instance import APP
from vivero_operator.kinds import KINDS
from vivero_operator.manifests import namespace

pytestmark = pytest.mark.asyncio(loop_scope="module")

RBAC: Final = "rbac.authorization.k8s.io"
SEE: Final = "list watch"
READ: Final = "get list watch"

# What Kubernetes lets every account ask about itself.
ANYBODY: Final = {
    "authentication.k8s.io/selfsubjectreviews": "create",
    "authorization.k8s.io/selfsubjectaccessreviews": "create",
    "authorization.k8s.io/selfsubjectrulesreviews": "create",
}
# In the whole cluster, and therefore in every namespace. Creating role bindings there is bounded by an admission policy.
OPERATOR_EVERYWHERE: Final = ANYBODY | {
    # What stands in the registry; tests/unit/operator/test_chart.py says it word by word.
    **{f"vivero.dev/{spec.plural}": " ".join((READ, *spec.verbs)) for spec in KINDS},
    **{f"vivero.dev/{spec.plural}/status": "get patch" for spec in KINDS},
    "/namespaces": f"{READ} create",
    "/pods": SEE,
    "/services": SEE,
    "/serviceaccounts": SEE,
    "/resourcequotas": SEE,
    "apps/deployments": SEE,
    "networking.k8s.io/ingresses": SEE,
    "networking.k8s.io/networkpolicies": SEE,
    "discovery.k8s.io/endpointslices": SEE,
    "policy/poddisruptionbudgets": SEE,
    f"{RBAC}/rolebindings": f"{READ} create",
    "coordination.k8s.io/leases": SEE,
}
OPERATOR_IN_PLATFORM: Final = {
    "/secrets": f"{READ} create patch delete",
    "/configmaps": "get create patch",
    "networking.k8s.io/ingresses": "get create patch delete",
    "apps/deployments": "get create patch delete",
    "batch/jobs": "get create delete",
    "coordination.k8s.io/leases": "get create update",
}
OPERATOR_IN_TENANT: Final = {
    "/namespaces": "get patch delete",
    "/secrets": "get list create patch delete",
    "/configmaps": "get list create patch delete",
    "/serviceaccounts": "get create patch delete",
    "/resourcequotas": "get create patch delete",
    "/services": "get create patch delete",
    "/pods": "patch",
    "apps/deployments": "get create patch delete",
    "networking.k8s.io/ingresses": "get create patch delete",
    "networking.k8s.io/networkpolicies": "get list create patch delete",
    "discovery.k8s.io/endpointslices": "create patch delete",
    "policy/poddisruptionbudgets": "get create patch delete",
    f"{RBAC}/rolebindings": "get list patch delete",
}
CONTROL_PLANE_EVERYWHERE: Final = ANYBODY | {
    "vivero.dev/tenants": f"{READ} create patch delete",
    "vivero.dev/tenantbackups": f"{READ} create",
    "vivero.dev/tenantrestores": f"{READ} create",
    "vivero.dev/tenanterasures": READ,
    "vivero.dev/tenantpools": READ,
    "vivero.dev/databaseservers": READ,
    "vivero.dev/plans": READ,
    "vivero.dev/platformbackups": "get patch",
}
FOREIGN: Final = "rights-foreign"
CLUSTER: Final = ""
A_TENANT: Final = "a tenant's"
PLACES: Final = (CLUSTER, "kube-system", "default", PLATFORM_NAMESPACE, SIGNUPS_NAMESPACE, A_TENANT, FOREIGN)
WORKSPACE: Final = Account(APP, A_TENANT)
"""Of a tenant's pods, which get no token of it."""
JOBS: Final = Account("default", PLATFORM_NAMESPACE)
"""Of operations and archivers, which get no token either."""
TABLES: Final[Mapping[Account, tuple[Rights, Mapping[str, Rights]]]] = {
    OPERATOR: (
        OPERATOR_EVERYWHERE,
        {
            PLATFORM_NAMESPACE: OPERATOR_IN_PLATFORM,
            SIGNUPS_NAMESPACE: {"/secrets": "get list delete"},
            "default": {"events.k8s.io/events": "create patch"},
            A_TENANT: OPERATOR_IN_TENANT,
        },
    ),
    CONTROL_PLANE: (CONTROL_PLANE_EVERYWHERE, {SIGNUPS_NAMESPACE: {"/secrets": "create delete"}}),
    WORKSPACE: (ANYBODY, {}),
    JOBS: (ANYBODY, {}),
}


@asynccontextmanager
async def made(kube: KubeClient, manifest: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """There for a while."""
    body = await kube.create(manifest)
    meta, resource = body["metadata"], resource_of(body)
    try:
        yield body
    finally:
        with contextlib.suppress(KubeNotFoundError):
            await kube.delete(resource, meta["name"], meta.get("namespace"), uid=meta["uid"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kube(platform: dict[str, Any]) -> AsyncIterator[KubeClient]:
    config = kube_config.load(Path(platform["kubeconfig"]))
    async with KubeClient(config, field_manager="operator-tests") as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants_namespace(kube: KubeClient, platform: dict[str, Any]) -> str:
    body = await kube.get(TENANT, platform["demo_tenant"]["name"])
    return naming.namespace_name(body["status"]["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def foreign(kube: KubeClient) -> AsyncIterator[str]:
    """A namespace that has nothing to do with the platform."""
    async with made(kube, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": FOREIGN}}):
        yield FOREIGN


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(
    kube: KubeClient, platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[KubeClient]:
    """The operator's account itself."""
    file = await log_in(kube, OPERATOR, Path(platform["kubeconfig"]), tmp_path_factory.mktemp("operator"))
    async with KubeClient(kube_config.load(file), field_manager="operator-tests") as client:
        yield client


def there(account: Account, tenants_namespace: str) -> Account:
    """The account itself, also where a tenant's id is part of its namespace's name."""
    return replace(account, namespace=tenants_namespace) if account.namespace == A_TENANT else account


# An account that nothing is bound to could get something where it lives, or everywhere.
CASES: Final = [
    pytest.param(account, place, id=f"{account.name}-{place or 'cluster'}")
    for account, (_, inside) in TABLES.items()
    for place in (PLACES if inside else (CLUSTER, PLATFORM_NAMESPACE, A_TENANT))
]


@pytest.mark.parametrize(("account", "place"), CASES)
@pytest.mark.usefixtures("foreign")
async def test_exactly_this_is_allowed(kube: KubeClient, tenants_namespace: str, account: Account, place: str) -> None:
    """Every verb on every resource that the API server serves; `-v` of a failure names the surplus and what is missing."""
    everywhere, inside = TABLES[account]
    namespace = tenants_namespace if place == A_TENANT else place
    expected = questions(everywhere, namespace) | questions(inside.get(place, {}), namespace)
    asked = {Question(what, verb, namespace) for what, verbs in (await served(kube)).items() for verb in verbs}
    found = await allowed(kube, there(account, tenants_namespace), asked)
    assert {str(one) for one in found - expected} == set()
    assert {str(one) for one in expected - found} == set()


@pytest.mark.parametrize("account", TABLES, ids=lambda account: account.name)
async def test_the_only_role_that_may_be_bound(kube: KubeClient, tenants_namespace: str, account: Account) -> None:
    roles = f"{RBAC}/clusterroles"
    names = [namespace.CLUSTER_ROLE, "cluster-admin", "admin", "edit", "vivero-operator", "system:masters"]
    asked = [Question(roles, verb, name=name) for verb in ("bind", "escalate") for name in names]
    expected = {Question(roles, "bind", name=namespace.CLUSTER_ROLE)} if account is OPERATOR else set()
    assert await allowed(kube, there(account, tenants_namespace), asked) == expected


async def dry(kube: KubeClient, manifest: dict[str, Any]) -> None:
    path = resource_of(manifest).path(namespace=manifest["metadata"].get("namespace"))
    await kube._request("POST", path, manifest, query={"dryRun": "All"})  # noqa: SLF001  no one but a test wants a dry run


async def dry_delete(kube: KubeClient, resource: Resource, name: str, namespace: str | None = None) -> None:
    path = resource.path(name, namespace=namespace)
    await kube._request("DELETE", path, {"dryRun": ["All"]})  # noqa: SLF001  no one but a test wants a dry run


def binding(namespace: str, role: str = namespace.CLUSTER_ROLE) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"rights-{secrets.token_hex(4)}", "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": OPERATOR.name, "namespace": OPERATOR.namespace}],
    }


def namespace_called(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


REACH: Final = r"the operator works in namespaces of tenants \(tenant-<id>\) alone"


@pytest.mark.parametrize("namespace", ["kube-system", "default", PLATFORM_NAMESPACE, SIGNUPS_NAMESPACE, FOREIGN])
@pytest.mark.usefixtures("foreign")
async def test_the_operator_gives_itself_no_rights_outside_tenants(operator: KubeClient, namespace: str) -> None:
    with pytest.raises((KubeForbiddenError, KubeInvalidError), match=REACH):
        await dry(operator, binding(namespace))


async def test_in_a_tenants_namespace_it_gives_itself_that_one_role(
    operator: KubeClient, tenants_namespace: str
) -> None:
    await dry(operator, binding(tenants_namespace))
    # Not `vivero-operator`, which it has everywhere.
    for role in ("cluster-admin", "admin", "edit", "view", "system:node"):
        with pytest.raises(KubeForbiddenError):
            await dry(operator, binding(tenants_namespace, role))


@pytest.mark.parametrize(
    "name", ["kube-anything", "tenant-short", "tenant-abcdefghi1", "tenant-abcdefghijk", "xtenant-abcdefghij"]
)
async def test_it_makes_no_other_namespaces(operator: KubeClient, name: str) -> None:
    with pytest.raises((KubeForbiddenError, KubeInvalidError), match=REACH):
        await dry(operator, namespace_called(name))


async def test_it_makes_and_deletes_those_of_tenants(operator: KubeClient, tenants_namespace: str) -> None:
    await dry(operator, namespace_called("tenant-abcdefghij"))
    await dry_delete(operator, NAMESPACE, tenants_namespace)


@pytest.mark.parametrize("namespace", ["kube-system", "default", PLATFORM_NAMESPACE, SIGNUPS_NAMESPACE, FOREIGN])
@pytest.mark.usefixtures("foreign")
async def test_it_deletes_and_changes_no_other_namespace(operator: KubeClient, namespace: str) -> None:
    with pytest.raises((KubeForbiddenError, KubeInvalidError)):
        await dry_delete(operator, NAMESPACE, namespace)
    with pytest.raises((KubeForbiddenError, KubeInvalidError)):
        await operator.patch(NAMESPACE, namespace, {"metadata": {"labels": {"vivero.dev/tenant": "abcdefghij"}}})


@pytest.mark.parametrize("namespace", ["kube-system", FOREIGN])
@pytest.mark.usefixtures("foreign")
async def test_it_reads_no_secret_elsewhere(operator: KubeClient, namespace: str) -> None:
    with pytest.raises(KubeForbiddenError):
        await operator.list(SECRET, namespace)
    with pytest.raises(KubeForbiddenError):
        await operator.list(SECRET)


def record_of_keys(kind: str) -> dict[str, Any]:
    meta = {"name": f"rights-{secrets.token_hex(4)}", "namespace": PLATFORM_NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "data": {}}


@pytest.mark.parametrize("kind", ["vivero.dev/escrow", "vivero.dev/escrow-keys"])
async def test_keys_are_deleted_by_the_operator_alone(kube: KubeClient, operator: KubeClient, kind: str) -> None:
    """A person, and be it the cluster's administrator, has to say it twice."""
    body = await kube.create(record_of_keys(kind))
    name, uid = body["metadata"]["name"], body["metadata"]["uid"]
    with pytest.raises((KubeForbiddenError, KubeInvalidError), match="files cannot be read without them"):
        await kube.delete(SECRET, name, PLATFORM_NAMESPACE, uid=uid)
    await dry_delete(operator, SECRET, name, PLATFORM_NAMESPACE)
    wrong = {"metadata": {"annotations": {"vivero.dev/allow-deletion": "yes"}}}
    await kube.patch(SECRET, name, wrong, PLATFORM_NAMESPACE)
    with pytest.raises((KubeForbiddenError, KubeInvalidError)):
        await kube.delete(SECRET, name, PLATFORM_NAMESPACE, uid=uid)
    await kube.patch(
        SECRET, name, {"metadata": {"annotations": {"vivero.dev/allow-deletion": "true"}}}, PLATFORM_NAMESPACE
    )
    await kube.delete(SECRET, name, PLATFORM_NAMESPACE, uid=uid)


async def test_other_secrets_of_the_platform_are_deleted_as_ever(kube: KubeClient) -> None:
    async with made(kube, record_of_keys("Opaque")):
        pass


@pytest.mark.parametrize(("resource", "name"), [(PLAN, "trial"), (DATABASE_SERVER, "main")], ids=["plan", "server"])
async def test_what_tenants_use_is_not_deleted(kube: KubeClient, resource: Resource, name: str) -> None:
    """The demo tenant uses both; not even the cluster's administrator deletes them by mistake."""
    with pytest.raises((KubeForbiddenError, KubeInvalidError)) as refusal:
        await dry_delete(kube, resource, name)
    assert f"{resource.kind} {name} is used by" in str(refusal.value)
    assert "move or delete them first" in str(refusal.value)


async def test_what_nobody_uses_is_deleted(kube: KubeClient) -> None:
    spec = {"displayName": "None", "price": {"amountCents": 0}}
    name = f"rights-{secrets.token_hex(4)}"
    async with made(
        kube, {"apiVersion": "vivero.dev/v1alpha1", "kind": "Plan", "metadata": {"name": name}, "spec": spec}
    ):
        pass
