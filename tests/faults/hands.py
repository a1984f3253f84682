"""What a person with kubectl or a server's administrator's login does to a tenant that is well.

Each hand is undone by the operator: within a minute the tenant is as before, its keys as well, and an event says so.
"""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from faults.rig import Rig
from faults.scenarios import certificate_of, host_of
from faults.state import Names
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.resources import (
    CONFIG_MAP,
    DEPLOYMENT,
    INGRESS,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Resource,
)
from vivero_core.backends.s3.transport import Call
from vivero_core.model import naming
from vivero_core.model.constants import PLATFORM_NAMESPACE
from vivero_operator.escrow import record
from vivero_operator.manifests import copies, ingress, namespace
from vivero_operator.manifests import secrets as keys

Act = Callable[[Rig, Names], Awaitable[None]]
ALLOWED: Final = {"metadata": {"annotations": {"vivero.dev/allow-deletion": "true"}}}


@dataclass(frozen=True)
class Hand:
    """Something done to one tenant."""

    act: Act
    told: bool = True
    """Whether it is drift, which an event says was corrected."""


def hexadecimal() -> str:
    """A key as the operator makes them."""
    return secrets.token_hex(32)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# Kubernetes.


async def delete(rig: Rig, resource: Resource, name: str, namespace: str | None) -> Object:
    """The object that was there."""
    live = await rig.kube.get(resource, name, namespace)
    await rig.kube.delete(resource, name, namespace, uid=live["metadata"]["uid"])
    return live


def removal(resource: Resource, name: str) -> Act:
    async def act(rig: Rig, names: Names) -> None:
        await delete(rig, resource, name, naming.namespace_name(names.id))

    return act


def change(resource: Resource, name: str, patch: Object) -> Act:
    async def act(rig: Rig, names: Names) -> None:
        await rig.kube.patch(resource, name, patch, naming.namespace_name(names.id))

    return act


def remake(resource: Resource, name: str, content: Object) -> Act:
    """Deleted, and made by someone else with what cannot be changed back."""

    async def act(rig: Rig, names: Names) -> None:
        namespace = naming.namespace_name(names.id)
        await delete(rig, resource, name, namespace)
        meta = {"name": name, "namespace": namespace}
        await rig.kube.create({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **content})

    return act


def another_key(secret: str, key: str) -> Act:
    async def act(rig: Rig, names: Names) -> None:
        patch = {"data": {key: encoded(hexadecimal())}}
        await rig.kube.patch(SECRET, secret, patch, naming.namespace_name(names.id))

    return act


def addition(kind: str, version: str, content: Object) -> Act:
    async def act(rig: Rig, names: Names) -> None:
        meta = {"name": "foreign", "namespace": naming.namespace_name(names.id)}
        await rig.kube.create({"apiVersion": version, "kind": kind, "metadata": meta, **content})

    return act


async def remove_certificate(rig: Rig, names: Names) -> None:
    await delete(rig, SECRET, copies.certificate_name(host_of(names.slug)), naming.namespace_name(names.id))


async def spoil_certificate(rig: Rig, names: Names) -> None:
    """The copy becomes that of another host."""
    other = await rig.kube.get(SECRET, certificate_of(names.slug, "two"), PLATFORM_NAMESPACE)
    name = copies.certificate_name(host_of(names.slug))
    await rig.kube.patch(SECRET, name, {"data": other["data"]}, naming.namespace_name(names.id))


async def remove_record(rig: Rig, names: Names) -> None:
    """The admission policy wants to hear it twice."""
    await rig.kube.patch(SECRET, record.name(names.id), ALLOWED, PLATFORM_NAMESPACE)
    await delete(rig, SECRET, record.name(names.id), PLATFORM_NAMESPACE)


async def spoil_record(rig: Rig, names: Names) -> None:
    await rig.kube.patch(SECRET, record.name(names.id), {"data": {"sealed": encoded("nothing")}}, PLATFORM_NAMESPACE)


async def remove_namespace(rig: Rig, names: Names) -> None:
    await delete(rig, NAMESPACE, naming.namespace_name(names.id), None)


async def remove_keys_and_namespace(rig: Rig, names: Names) -> None:
    await removal(SECRET, keys.APP_KEYS)(rig, names)
    await remove_namespace(rig, names)


async def remove_all_secrets(rig: Rig, names: Names) -> None:
    for name in keys.NAMES:
        await removal(SECRET, name)(rig, names)


async def remove_pods(rig: Rig, names: Names) -> None:
    namespace = naming.namespace_name(names.id)
    for pod in (await rig.kube.list(POD, namespace)).items:
        await rig.kube.delete(POD, pod["metadata"]["name"], namespace, uid=pod["metadata"]["uid"])


_RULE: Final = {"apiGroup": "rbac.authorization.k8s.io"}
_OTHER_PODS: Final = {"spec": {"selector": {"matchLabels": {"app": "other"}}, "minAvailable": 1}}
_OTHER_SERVICE: Final = {"spec": {"selector": {"app": "other"}, "ports": [{"port": 81, "targetPort": 9999}]}}
_OTHER_DEPLOYMENT: Final = {
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "other"}},
        "template": {
            "metadata": {"labels": {"app": "other"}},
            "spec": {
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{"name": "other", "image": "other"}],
            },
        },
    }
}

KUBERNETES: Final[Mapping[str, Hand]] = {
    **{f"Secret {name} is deleted": Hand(removal(SECRET, name)) for name in keys.NAMES},
    "all Secrets are deleted": Hand(remove_all_secrets),
    "Secret app lacks a key": Hand(change(SECRET, keys.APP_KEYS, {"data": {"file_key": None}})),
    "Secret app is empty": Hand(change(SECRET, keys.APP_KEYS, {"data": None})),
    "Secret app holds no keys": Hand(change(SECRET, keys.APP_KEYS, {"data": {"file_key": encoded("short")}})),
    "the key of the files is another": Hand(another_key(keys.APP_KEYS, "file_key")),
    "the database's password is another": Hand(another_key(keys.DATABASE, "password"), told=False),
    "the cache's password is another": Hand(another_key(keys.CACHE, "password"), told=False),
    "the bucket's secret key is another": Hand(another_key(keys.STORAGE, "secret_key"), told=False),
    "the operator's token is another": Hand(another_key(keys.APP_KEYS, "operator_token"), told=False),
    "Secret database leads elsewhere": Hand(change(SECRET, keys.DATABASE, {"data": {"host": encoded("elsewhere")}})),
    "Secret cache is of another type": Hand(remake(SECRET, keys.CACHE, {"type": "example.com/other"})),
    "Secret storage cannot be changed": Hand(
        remake(SECRET, keys.STORAGE, {"type": "Opaque", "immutable": True, "data": {"a": encoded("b")}})
    ),
    "ConfigMap platform is deleted": Hand(removal(CONFIG_MAP, copies.PLATFORM)),
    "ConfigMap platform cannot be changed": Hand(
        remake(CONFIG_MAP, copies.PLATFORM, {"immutable": True, "data": {"ca.crt": "none"}})
    ),
    "ConfigMap platform trusts another": Hand(
        change(CONFIG_MAP, copies.PLATFORM, {"data": {"ca.crt": "-----BEGIN CERTIFICATE-----"}})
    ),
    "the certificate is deleted": Hand(remove_certificate),
    "the certificate is another's": Hand(spoil_certificate),
    "the record of keys is deleted": Hand(remove_record, told=False),
    "the record of keys is spoilt": Hand(spoil_record, told=False),
    "the namespace is deleted": Hand(remove_namespace),
    "Secret app and the namespace are deleted": Hand(remove_keys_and_namespace),
    "the pods are deleted": Hand(remove_pods, told=False),
    "the Deployment is deleted": Hand(removal(DEPLOYMENT, "app")),
    "the Deployment is another": Hand(remake(DEPLOYMENT, "app", _OTHER_DEPLOYMENT)),
    "the Deployment is scaled": Hand(change(DEPLOYMENT, "app", {"spec": {"replicas": 3}})),
    "the Service is deleted": Hand(removal(SERVICE, "app")),
    "the Service is another": Hand(remake(SERVICE, "app", _OTHER_SERVICE)),
    "the account is deleted": Hand(removal(SERVICE_ACCOUNT, "app")),
    "the route is deleted": Hand(removal(INGRESS, "app")),
    "the route of the customer's hosts is deleted": Hand(removal(INGRESS, ingress.HOSTS)),
    "the quota is deleted": Hand(removal(RESOURCE_QUOTA, "app")),
    "the quota is smaller": Hand(change(RESOURCE_QUOTA, "app", {"spec": {"hard": {"pods": "0"}}})),
    "the disruption budget is another": Hand(remake(POD_DISRUPTION_BUDGET, "app", _OTHER_PODS)),
    "the network policy is deleted": Hand(removal(NETWORK_POLICY, "app")),
    "the network policy lets all in": Hand(change(NETWORK_POLICY, "app", {"spec": {"ingress": [{}]}})),
    "a network policy is added": Hand(
        addition("NetworkPolicy", NETWORK_POLICY.api_version, {"spec": {"podSelector": {}, "ingress": [{}]}})
    ),
    "the operator's rights are deleted": Hand(removal(ROLE_BINDING, namespace.RIGHTS)),
    "the operator's rights are another's": Hand(
        remake(
            ROLE_BINDING,
            namespace.RIGHTS,
            {"roleRef": {**_RULE, "kind": "ClusterRole", "name": "view"}, "subjects": []},
        )
    ),
    "rights are added": Hand(
        addition(
            "RoleBinding",
            ROLE_BINDING.api_version,
            {
                "roleRef": {**_RULE, "kind": "ClusterRole", "name": "edit"},
                "subjects": [{**_RULE, "kind": "User", "name": "eve"}],
            },
        )
    ),
    "the namespace lets any pod in": Hand(
        lambda rig, names: relabel(rig, names, {"pod-security.kubernetes.io/enforce": "privileged"})
    ),
    "the namespace has lost its labels": Hand(lambda rig, names: relabel(rig, names, {"vivero.dev/tenant": None})),
}


async def relabel(rig: Rig, names: Names, labels: Mapping[str, str | None]) -> None:
    await rig.kube.patch(NAMESPACE, naming.namespace_name(names.id), {"metadata": {"labels": dict(labels)}})


# Servers.


def sql(*statements: str) -> Act:
    """As the database's administrator; {a} and {b} are the tenant's two users, {schema} and {audit} its schemas."""

    async def act(rig: Rig, names: Names) -> None:
        a, b = naming.database_users(names.id)
        words = {
            "a": a,
            "b": b,
            "schema": naming.database_name(names.id),
            "audit": naming.audit_database_name(names.id),
        }
        await asyncio.to_thread(_execute, rig, [one.format(**words) for one in statements])

    return act


def _execute(rig: Rig, statements: list[str]) -> None:
    with rig.servers.database._session("tamper") as cursor:  # noqa: SLF001  behind the operator's back
        for statement in statements:
            cursor.execute(statement)


def acl(*words: str) -> Act:
    """As the cache's administrator."""

    async def act(rig: Rig, names: Names) -> None:
        user = naming.cache_user(names.id)
        filled = [word.format(user=user) for word in words]
        call: Any = rig.servers.cache._client.execute_command  # noqa: SLF001  behind the operator's back
        await asyncio.to_thread(call, "ACL", *filled)

    return act


def storage(method: str, path: str, body: str = "", **query: str) -> Act:
    """As the object store's administrator; {bucket} is the tenant's bucket and account."""

    async def act(rig: Rig, names: Names) -> None:
        bucket, admin = naming.bucket_name(names.id), rig.servers.storage
        filled = {key: value.replace("{bucket}", bucket) for key, value in query.items()}
        call = Call(method, path.replace("{bucket}", bucket), body.replace("{bucket}", bucket).encode(), filled)
        answer = await asyncio.to_thread(admin._transport.signed, call, admin._admin)  # noqa: SLF001  behind its back
        answer.raise_for("tamper")

    return act


_ANYBODY: Final = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*",'
    ' "Resource": ["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"]}]}'
)

SERVERS: Final[Mapping[str, Hand]] = {
    "the account is locked": Hand(sql("ALTER USER '{a}'@'%' ACCOUNT LOCK")),
    "the password has expired": Hand(sql("ALTER USER '{a}'@'%' PASSWORD EXPIRE")),
    "queries are limited": Hand(sql("ALTER USER '{a}'@'%' WITH MAX_QUERIES_PER_HOUR 1")),
    "TLS is not required": Hand(sql("ALTER USER '{a}'@'%' REQUIRE NONE")),
    "the database has another password": Hand(sql("ALTER USER '{a}'@'%' IDENTIFIED BY 'Another-1'")),
    "rights are revoked": Hand(sql("REVOKE ALL PRIVILEGES ON `{schema}`.* FROM '{a}'@'%'")),
    "the audit log may be changed": Hand(sql("GRANT UPDATE, DELETE ON `{audit}`.* TO '{a}'@'%'")),
    "the audit log is dropped": Hand(sql("DROP TABLE `{audit}`.audit_log")),
    "the user is dropped": Hand(sql("DROP USER '{a}'@'%'")),
    "a second account of the name": Hand(
        sql("CREATE USER '{a}'@'localhost' IDENTIFIED BY 'x'", "GRANT ALL ON `{schema}`.* TO '{a}'@'localhost'")
    ),
    "rights of the second user": Hand(
        sql("CREATE USER '{b}'@'%' IDENTIFIED BY 'x'", "GRANT SELECT ON `{schema}`.* TO '{b}'@'%'")
    ),
    "another character set": Hand(sql("ALTER DATABASE `{schema}` CHARACTER SET latin1 COLLATE latin1_bin")),
    "the cache's user is deleted": Hand(acl("DELUSER", "{user}")),
    "the cache has another password": Hand(acl("SETUSER", "{user}", "resetpass", ">another")),
    "the cache asks for no password": Hand(acl("SETUSER", "{user}", "nopass")),
    "the cache's user sees all keys": Hand(acl("SETUSER", "{user}", "allkeys")),
    "the cache's user may do everything": Hand(acl("SETUSER", "{user}", "+@all")),
    "the bucket's account is deleted": Hand(storage("PATCH", "/delete-user", access="{bucket}")),
    "the bucket's account has another secret": Hand(
        storage("PATCH", "/update-user", "<MutableProps><Secret>stolen</Secret></MutableProps>", access="{bucket}")
    ),
    "the bucket is everybody's": Hand(storage("PUT", "/{bucket}", _ANYBODY, policy="")),
}

HANDS: Final[Mapping[str, Hand]] = {**KUBERNETES, **SERVERS}
