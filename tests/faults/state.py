"""The end state of a tenant everywhere it lives, in a form that two runs can be compared in.

What differs from run to run by its nature (ids, versions, times, random passwords) is replaced by its name; a password
is worth what it opens, so it is used, and only the answer is kept.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from faults.servers import Servers
from faults.workspace import decoded
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
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
    TENANT_POOL,
    Resource,
)
from vivero_core.backends.mariadb import accounts, audit, rights, statements
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.transport import Call
from vivero_core.backends.valkey import acl
from vivero_core.errors import BackendError
from vivero_core.model import naming
from vivero_core.model.constants import (
    ANNOTATION_APPLIED,
    ANNOTATION_CREDENTIALS,
    ANNOTATION_LIMITS,
    ANNOTATION_REVISION,
    LABEL_TENANT,
    PLATFORM_NAMESPACE,
    SIGNUPS_NAMESPACE,
)
from vivero_dev.testing.data_plane import DataPlane
from vivero_operator.escrow import record as records
from vivero_operator.escrow import sealing
from vivero_operator.escrow.store import KEYS_SECRET
from vivero_operator.manifests import copies
from vivero_operator.manifests.secrets import HOLDS_DATA, LIMITS_FILE
from vivero_operator.policies import certificates
from vivero_operator.reconcile.steps import secrets as keys_of

State = dict[str, Any]
Object = dict[str, Any]

CHILDREN: Final = (
    SECRET,
    CONFIG_MAP,
    SERVICE,
    SERVICE_ACCOUNT,
    ROLE_BINDING,
    RESOURCE_QUOTA,
    DEPLOYMENT,
    INGRESS,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
)
CREDENTIALS: Final = ("database", "cache", "storage", "app")
"""Secrets whose content is made once and never again."""
_KUBERNETES_OWN: Final = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_RANDOM: Final = re.compile(r"[0-9a-f]{64}")
_PER_RUN: Final = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
_GIVEN_BY_SERVER: Final = ("clusterIP", "clusterIPs")
_DIGESTS: Final = (ANNOTATION_APPLIED, ANNOTATION_REVISION, ANNOTATION_CREDENTIALS, ANNOTATION_LIMITS)
"""Annotations whose value is made from what differs in each run."""
_HOST: Final = re.compile(r"[a-z0-9-]+\.example\.com")


@dataclass(frozen=True)
class Names:
    """What one run calls what another calls otherwise."""

    tenant: str
    uid: str
    slug: str
    pool: str = ""

    @property
    def id(self) -> str:
        return naming.tenant_id(self.uid)

    @property
    def words(self) -> frozenset[str]:
        """What its calls mention."""
        return frozenset({self.tenant, self.id})

    @property
    def password_secret(self) -> str:
        return f"signup-{self.slug}"

    def neutral(self, value: Any) -> Any:  # noqa: ANN401  any JSON value
        """The value with these names replaced by what they are; a spare's name holds its pool's, so that goes last."""
        text = json.dumps(value, sort_keys=True)
        for host in set(_HOST.findall(text)):
            text = text.replace(copies.certificate_name(host), f"certificate of {host}")
        own = {"uid": self.uid, "id": self.id, "name": self.tenant, "slug": self.slug, "pool": self.pool}
        for what, name in own.items():
            text = text.replace(name, f"<{what}>") if name else text
        return json.loads(text)


def _metadata(meta: Object) -> Object:
    kept = {key: value for key, value in meta.items() if key not in _PER_RUN}
    annotations = {
        key: "<digest>" if key in _DIGESTS else value
        for key, value in meta.get("annotations", {}).items()
        if not key.startswith("deployment.")
    }
    return kept | {"annotations": annotations, "finalizers": sorted(meta.get("finalizers", []))}


def _secret_data(secret: Object) -> dict[str, str]:
    data = decoded(secret)
    if secret.get("type") == "kubernetes.io/tls":
        return {"certificate": _certificate(data)}
    if LIMITS_FILE in data:
        data[LIMITS_FILE] = _limits(data[LIMITS_FILE])
    return {key: "<random>" if _RANDOM.fullmatch(value) else value for key, value in data.items()}


def _limits(text: str) -> str:
    """Without the mark that there is data now: the pass after the first proof writes it."""
    document = json.loads(text)
    document.pop(HOLDS_DATA, None)
    return json.dumps(document)


def _certificate(data: dict[str, str]) -> str:
    """For which host, and whether a client would take it with the key beside it."""
    chain, key = data["tls.crt"].encode(), data["tls.key"].encode()
    leaf = x509.load_pem_x509_certificates(chain)[0]
    host = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    problem = certificates.check_certificate(chain, key, host[0], datetime.now(UTC)).problem
    return f"for {host[0]}" + (f": {problem}" if problem else "")


def _spec(item: Object) -> Object:
    spec = {key: value for key, value in item.get("spec", {}).items() if key not in _GIVEN_BY_SERVER}
    if item["kind"] != "Deployment":
        return spec
    template = spec["template"]
    return spec | {"template": template | {"metadata": _metadata(template["metadata"])}}


def child(item: Object) -> Object:
    """A child without what a run gives it by chance; its status is Kubernetes' business."""
    kept = {key: value for key, value in item.items() if key not in ("metadata", "status", "data")}
    data = _secret_data(item) if item["kind"] == "Secret" else item.get("data", {})
    return kept | {"metadata": _metadata(item["metadata"]), "spec": _spec(item), "data": data}


def tenant(item: Object) -> Object:
    """The Tenant itself, conditions without their times and proofs without their age.

    Without `recovery`: how far the log is archived is written along with whatever else is written.
    """
    status = {key: value for key, value in item.get("status", {}).items() if key != "recovery"}
    current = status.pop("observedGeneration", None) == item["metadata"]["generation"]
    conditions = {one["type"]: [one["status"], one["reason"], one["message"]] for one in status.pop("conditions", [])}
    times = {key: "<time>" for key in ("provenAt", "dataLostAt") if status.pop(key, None)}
    # Made of the signing key, which is another in each run.
    keys = {"accountKey": "<random>"} if _RANDOM.fullmatch(status.pop("accountKey", "")) else {}
    hosts = [one | ({"verifiedAt": "<time>"} if "verifiedAt" in one else {}) for one in status.pop("hosts", [])]
    spec = {key: value for key, value in item["spec"].items() if key != "claimedAt"}
    told = {"current": current, "conditions": conditions, "hosts": hosts, **times, **keys}
    return {"metadata": _metadata(item["metadata"]), "spec": spec, "status": status | told}


class Collector:
    """Looks everywhere a tenant may be, past all proxies."""

    def __init__(self, kube: KubeClient, servers: Servers, data_plane: DataPlane) -> None:
        self._kube, self._servers, self._data_plane = kube, servers, data_plane

    async def collect(self, names: Names) -> State:
        """Everything of one tenant, by what and where it is."""
        namespace = naming.namespace_name(names.id)
        objects = [one async for one in self._objects(names.id, namespace)]
        live = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Secret"}
        secrets = {name: decoded(one) for name, one in live.items()}
        children = {_key(one): child(one) for one in objects}
        backends = await asyncio.to_thread(self._backends, names.id, secrets)
        told = self._data_plane.tenants.get(names.id)
        state = {
            "Tenant": await self._tenant(names.tenant),
            **children,
            **backends,
            "data plane": vars(told) if told else None,
            "password Secret": await self._is_there(SECRET, names.password_secret, SIGNUPS_NAMESPACE),
            "pool": await self._pool(names.pool) if names.pool else None,
            "escrow": await self._escrow(names.id, live),
        }
        neutral: State = names.neutral(state)
        return neutral

    async def events(self, names: Names, reason: str) -> list[str]:
        """What was told about the tenant, for this reason."""
        listed = (await self._kube.list(EVENT, "default")).items
        return [one["note"] for one in listed if one["reason"] == reason and one["regarding"].get("uid") == names.uid]

    async def credentials(self, ident: str) -> dict[str, dict[str, str]]:
        """The Secrets that must not change as long as the tenant lives."""
        listed = (await self._kube.list(SECRET, naming.namespace_name(ident))).items
        return {one["metadata"]["name"]: decoded(one) for one in listed if one["metadata"]["name"] in CREDENTIALS}

    async def _objects(self, ident: str, namespace: str) -> Any:  # noqa: ANN401  an async generator of objects
        """What is in the namespace, whatever made it, and what carries the tenant's label anywhere else."""
        label = f"{LABEL_TENANT}={ident}"
        for item in (await self._kube.list(NAMESPACE, label_selector=label)).items:
            yield item
        for resource in CHILDREN:
            inside = (await self._kube.list(resource, namespace)).items
            outside = (await self._kube.list(resource, label_selector=label)).items
            elsewhere = (one for one in outside if one["metadata"]["namespace"] != namespace)
            for item in (*inside, *elsewhere):
                if (item["kind"], item["metadata"]["name"]) not in _KUBERNETES_OWN:
                    yield item

    async def _tenant(self, name: str) -> Object | None:
        try:
            return tenant(await self._kube.get(TENANT, name))
        except KubeNotFoundError:
            return None

    async def _pool(self, name: str) -> Object:
        spares = [one["spec"] for one in (await self._kube.list(TENANT)).items if one["spec"].get("pool") == name]
        status = (await self._kube.get(TENANT_POOL, name)).get("status", {})
        unclaimed = sum("slug" not in spec for spec in spares)
        return {"unclaimed": unclaimed, "spares": status.get("spares"), "ready": status.get("ready")}

    async def _escrow(self, ident: str, live: dict[str, Object]) -> Object | None:
        """The second copy of the tenant's keys, opened with the platform's own key."""
        try:
            secret = await self._kube.get(SECRET, records.name(ident), PLATFORM_NAMESPACE)
            platform = await self._kube.get(SECRET, KEYS_SECRET, PLATFORM_NAMESPACE)
        except KubeNotFoundError:
            return None
        known = {name: base64.b64decode(value) for name, value in platform["data"].items()}
        opened = sealing.unseal(sealing.SealingKeys("", known), *_sealed(secret, ident))
        record = records.parse(secret, opened)
        same = record.keys is not None and record.keys == keys_of.complete(live)
        return {
            "owner": [record.tenant, record.owner_uid],
            "server": record.database_server,
            "retained": record.retained,
            "opens": record.keys is not None,
            "holds the Secrets' keys": same,
        }

    async def _is_there(self, resource: Resource, name: str, namespace: str) -> bool:
        try:
            await self._kube.get(resource, name, namespace)
        except KubeNotFoundError:
            return False
        return True

    def _backends(self, ident: str, secrets: dict[str, dict[str, str]]) -> State:
        return {
            "database": self._database(ident, secrets.get("database", {})),
            "storage": self._storage(ident, secrets.get("storage", {})),
            "cache": self._cache(ident, secrets.get("cache", {})),
        }

    def _database(self, ident: str, secret: dict[str, str]) -> Object:
        admin, name = self._servers.database, naming.database_name(ident)
        login = Credentials(secret.get("username", ""), secret.get("password", ""))
        opens = bool(secret) and _works(lambda: admin.prove(login, name))
        with admin._session("look at a tenant") as cursor:  # noqa: SLF001  no one but a test asks all of this
            cursor.execute(*statements.find_database(name))
            defaults = cursor.fetchone()
            cursor.execute(*rights.accounts_of(name))
            found = {rights.Account(str(row[0]), str(row[1])): str(row[2]) for row in cursor.fetchall()}
            held = {f"{one.user}@{one.host}": _account(cursor, one, priv) for one, priv in found.items()}
            cursor.execute(*rights.rights_on(name, naming.database_users(ident)[0]))
            others = sorted(map(str, cursor.fetchall()))
            cursor.execute(*audit.find(name))
            logged = cursor.fetchone() is not None
        return {
            "schema": defaults,
            "audit log": logged,
            "holds data": admin.holds_data(name),
            "accounts": held,
            "rights of others": others,
            "Secret opens it": opens,
        }

    def _storage(self, ident: str, secret: dict[str, str]) -> Object:
        admin, bucket = self._servers.storage, naming.bucket_name(ident)
        login = Credentials(secret.get("access_key", ""), secret.get("secret_key", ""))
        opens = bool(secret) and _works(lambda: admin.prove(login, bucket))
        return {
            "bucket": repr(admin._buckets.state(bucket)),  # noqa: SLF001  no one but a test asks this
            "account": bucket in storage_accounts(admin),
            "Secret opens it": opens,
        }

    def _cache(self, ident: str, secret: dict[str, str]) -> Object:
        name = naming.cache_user(ident)
        access = self._servers.cache._present(name)  # noqa: SLF001  no one but a test asks this
        known = access is not None and access.passwords == {acl.password_hash(secret.get("password", ""))}
        opens = bool(secret) and _works(
            lambda: self._servers.cache.prove(Credentials(secret["username"], secret["password"]))
        )
        rights = (
            [sorted(access.flags), access.commands, access.keys, access.channels, access.selectors] if access else None
        )
        return {"rights": rights, "one password, the Secret's": known, "Secret opens it": opens}


def _account(cursor: Any, account: rights.Account, priv: str) -> Object:  # noqa: ANN401  a cursor of any driver
    cursor.execute(f"SHOW GRANTS FOR {rights.quoted(account)}", ())
    # The first line holds the password's hash, which the login proves better.
    grants = sorted(re.sub(r"'\*[0-9A-F]{40}'", "<hash>", str(row[0])) for row in cursor.fetchall())
    stored = accounts.attributes(priv)
    return {"grants": grants, **{key: stored[key] for key in stored if key != "authentication_string"}}


def _sealed(secret: Object, ident: str) -> tuple[str, str, bytes]:
    key, sealed = records.sealed_in(secret)
    return key, ident, sealed


def _key(item: Object) -> str:
    meta = item["metadata"]
    return f"{item['kind']} {meta.get('namespace', '')}/{meta['name']}"


def _works(proof: Any) -> bool:  # noqa: ANN401  any call that raises when it fails
    try:
        proof()
    except BackendError:
        return False
    return True


def storage_accounts(admin: VersityStorageAdmin) -> set[str]:
    answer = admin._transport.signed(Call("PATCH", "/list-users"), admin._admin)  # noqa: SLF001  no one but a test asks
    answer.raise_for("list accounts")
    return set(re.findall(r"<Access>([^<]+)</Access>", answer.body.decode()))


def buckets(admin: VersityStorageAdmin, tries: int = 10) -> set[str]:
    """Asked again when a bucket goes at this moment, for which the server has no answer."""
    answer = admin._transport.signed(Call("PATCH", "/list-buckets"), admin._admin)  # noqa: SLF001  no one but a test asks
    if not answer.ok and tries > 1:
        time.sleep(0.2)
        return buckets(admin, tries - 1)
    answer.raise_for("list buckets")
    return set(re.findall(r"<Name>([^<]+)</Name>", answer.body.decode()))


_ID = re.compile(r"^(?:vt|vivero-|tenant-|escrow-)([a-z2-7]{10})[ab]?$")


def ids(names: Iterable[str]) -> set[str]:
    """The tenants' ids in names of their things."""
    return {found[1] for name in names if (found := _ID.match(name))}


async def inventory(kube: KubeClient, servers: Servers) -> dict[str, set[str]]:
    """Ids of all tenants that have anything anywhere, by where: whose Tenant is gone has left an orphan."""
    namespaces = {one["metadata"]["name"] for one in (await kube.list(NAMESPACE)).items}
    escrowed = {one["metadata"]["name"] for one in (await kube.list(SECRET, PLATFORM_NAMESPACE)).items}
    backends = await asyncio.to_thread(_backend_inventory, servers)
    return {"namespaces": ids(namespaces), "records of keys": ids(escrowed), **backends}


def _backend_inventory(servers: Servers) -> dict[str, set[str]]:
    with servers.database._session("list users") as cursor:  # noqa: SLF001  no one but a test asks this
        cursor.execute("SELECT User FROM mysql.global_priv WHERE User LIKE 'vt%'")
        users = {str(row[0]) for row in cursor.fetchall()}
    acl_lines: list[str] = servers.cache._client.execute_command("ACL", "LIST")  # noqa: SLF001
    return {
        "schemas": ids(servers.database.tenant_databases()),
        "database users": ids(users),
        "buckets": ids(buckets(servers.storage)),
        "storage accounts": ids(storage_accounts(servers.storage)),
        "cache users": ids(str(line).split()[1] for line in acl_lines),
    }


def orphans(now: Mapping[str, set[str]], before: Mapping[str, set[str]], live: set[str]) -> dict[str, list[str]]:
    """What appeared since and belongs to no live Tenant; empty when all is well."""
    left = {where: sorted(found - before[where] - live) for where, found in now.items()}
    return {where: found for where, found in left.items() if found}


def diff(expected: Any, found: Any, path: str = "") -> list[str]:  # noqa: ANN401  any JSON values
    """One line for each difference; empty when there is none."""
    return list(_differences(expected, found, path))


def _differences(expected: Any, found: Any, path: str) -> Iterator[str]:  # noqa: ANN401  any JSON values
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from _differences(expected.get(key), found.get(key), f"{path}.{key}" if path else key)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif expected != found:
        yield f"{path}: undisturbed {expected!r}, now {found!r}"
