# ruff: noqa: ARG002, ANN401  fakes take what the real ones take
"""Stand-ins for what a reconcile talks to, for tests of the decisions alone. The real things are in tests/integration."""

import asyncio
import copy
import itertools
from collections import defaultdict
from typing import Any

from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import Listing
from vivero_core.backends.kube.errors import (
    SYSTEM,
    KubeAlreadyExistsError,
    KubeConflictError,
    KubeInvalidError,
    KubeNotFoundError,
)
from vivero_core.backends.kube.resources import Resource, resource_of
from vivero_core.backends.mariadb.program import Others
from vivero_core.backends.mariadb.replacement import Announced, Replacement
from vivero_core.backends.survey import Inventory, Survey, digests, holdings, tenant_in, tenant_of
from vivero_core.backends.tally import Tally, tally
from vivero_core.errors import BackendKeyGoneError, BackendUnavailableError
from vivero_operator.backend_clients import BackendClient
from vivero_operator.data_plane import Owner, Proof, Workspace
from vivero_operator.errors import DataPlaneRefusedError, DataPlaneUnavailableError
from vivero_operator.instance import PlatformFiles
from vivero_operator.reconcile.circuit_breaker import CircuitBreaker

Object = dict[str, Any]
Key = tuple[str, str | None, str]


def merge(into: Object, patch: Object) -> Object:
    """RFC 7386."""
    result = dict(into)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            known = result.get(key)
            result[key] = merge(known if isinstance(known, dict) else {}, value)
        else:
            result[key] = value
    return result


def selected(item: Object, selector: str | None) -> bool:
    """`key` or `key=value`, one or more with commas between."""
    labels = item["metadata"].get("labels", {})
    wanted = [one.partition("=") for one in selector.split(",")] if selector else []
    return all(key in labels and value in ("", labels[key]) for key, _, value in wanted)


class FakeKube:
    """An API server without watches, admission, controllers or field managers."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.writes: list[str] = []
        self.gateway_says: Object | None = {"status": "True"}
        """What a Gateway's controller writes about each HTTPRoute; None: nothing."""
        self._versions = itertools.count(1)
        self._made = itertools.count(1)

    def put(self, manifest: Object) -> Object:
        """As if somebody else had written it."""
        manifest = copy.deepcopy(manifest)
        meta = manifest["metadata"]
        key = (manifest["kind"], meta.get("namespace"), meta["name"])
        meta.setdefault("uid", f"uid-{'-'.join(map(str, key))}")
        return self._store(key, manifest)

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        return copy.deepcopy(self._found(resource, name, namespace))

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str | None = None, **_: object
    ) -> Listing[Object]:
        items = [
            copy.deepcopy(item)
            for (kind, where, _name), item in self.objects.items()
            if kind == resource.kind and namespace in (None, where) and selected(item, label_selector)
        ]
        return Listing(items, "0")

    async def list_as(
        self, resource: Resource, view: Any, namespace: str | None = None, *, metadata_only: bool = False, **how: Any
    ) -> Listing[Any]:
        found = (await self.list(resource, namespace, **how)).items
        seen = [{"metadata": item["metadata"]} if metadata_only else item for item in found]
        return Listing([view(item) for item in seen], "0")

    async def create(self, manifest: Object) -> Object:
        manifest = copy.deepcopy(manifest)
        meta = manifest["metadata"]
        if "generateName" in meta:
            meta["name"] = f"{meta.pop('generateName')}{next(self._made):05}"
        if (manifest["kind"], meta.get("namespace"), meta["name"]) in self.objects:
            raise KubeAlreadyExistsError(SYSTEM, f"{meta['name']} exists")
        self._note("create", manifest["kind"], meta["name"], meta.get("namespace"))
        return self.put(manifest)

    async def apply(self, manifest: Object, **_: object) -> Object:
        resource, meta = resource_of(manifest), manifest["metadata"]
        key = (resource.kind, meta.get("namespace"), meta["name"])
        self._note("apply", *(key[0], key[2], key[1]))
        known = self.objects.get(key)
        if known and "type" in manifest and known.get("type") != manifest["type"]:
            raise KubeInvalidError(SYSTEM, f"type of {meta['name']}: field is immutable")
        meta = {**meta, "uid": known["metadata"]["uid"] if known else f"uid-{'-'.join(map(str, key))}"}
        # A status is another's, and stays.
        status = {"status": known["status"]} if known and "status" in known else {}
        if resource.kind == "HTTPRoute" and self.gateway_says is not None:
            status = {"status": {"parents": [{"conditions": [{"type": "Accepted", **self.gateway_says}]}]}}
        return self._store(key, {**status, **copy.deepcopy(manifest), "metadata": meta})

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Object,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
    ) -> Object:
        known = self._found(resource, name, namespace)
        wanted = patch.get("metadata", {})
        for field in ("uid", "resourceVersion"):
            if field in wanted and str(wanted[field]) != str(known["metadata"][field]):
                raise KubeConflictError(SYSTEM, f"{name} has another {field}")
        self._note(f"patch {subresource or 'object'} of", resource.kind, name, namespace)
        return self._store((resource.kind, namespace, name), merge(known, patch))

    async def patch_status(
        self, resource: Resource, name: str, status: Object, namespace: str | None = None, *, uid: str | None = None
    ) -> Object:
        body = {"status": status} | ({"metadata": {"uid": uid}} if uid else {})
        return await self.patch(resource, name, body, namespace, subresource="status")

    async def replace(self, manifest: Object) -> Object:
        meta = manifest["metadata"]
        known = self._found(resource_of(manifest), meta["name"], meta.get("namespace"))
        if known["metadata"]["resourceVersion"] != meta["resourceVersion"]:
            raise KubeConflictError(SYSTEM, f"{meta['name']} was written meanwhile")
        self._note("replace", manifest["kind"], meta["name"], meta.get("namespace"))
        return self._store((manifest["kind"], meta.get("namespace"), meta["name"]), copy.deepcopy(manifest))

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str,
        resource_version: str | None = None,
        **_: object,
    ) -> None:
        known = self._found(resource, name, namespace)["metadata"]
        if known["uid"] != uid or resource_version not in (None, known["resourceVersion"]):
            raise KubeConflictError(SYSTEM, f"{name} is another object, or was written meanwhile")
        self._note("delete", resource.kind, name, namespace)
        del self.objects[resource.kind, namespace, name]
        if resource.kind == "Namespace":
            self.objects = {key: item for key, item in self.objects.items() if key[1] != name}

    def _found(self, resource: Resource, name: str, namespace: str | None) -> Object:
        try:
            return self.objects[resource.kind, namespace, name]
        except KeyError:
            raise KubeNotFoundError(SYSTEM, f"{resource.kind} {name} is not there") from None

    def _store(self, key: Key, item: Object) -> Object:
        item["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[key] = item
        return copy.deepcopy(item)

    def _note(self, verb: str, kind: str, name: str, namespace: str | None) -> None:
        self.writes.append(f"{verb} {kind} {namespace}/{name}" if namespace else f"{verb} {kind} {name}")


class FakeServer:
    """All three admin protocols at once: remembers what exists, and can be down."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.down = False
        self.calls: list[str] = []
        self._numbers = itertools.count(1)
        self.databases: set[str] = set()
        self.variables: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.former: set[str] = set()
        """Cache users with the rules of an earlier release, schemas of one that made no audit log."""
        self.connections: dict[str, int] = {}
        self.buckets: dict[str, str] = {}
        self.keys: dict[str, dict[str, str]] = {}
        """As IAM has them: the access keys of an account, and their secrets."""
        self.empty: set[str] = set()
        """Schemas without a table, and buckets without an object."""
        self.viewers: dict[str, str] = {}
        """By user of a view, what it may: fills, or reads."""
        self.older: set[str] = set()
        """Live schemas that are of a newer revision than what is beside them."""
        self.irreplaceable: dict[str, str] = {}
        self.others: dict[str, Others] = {}
        """By schema, why its tables cannot be replaced."""

    def _up(self, call: str) -> None:
        if self.down:
            raise BackendUnavailableError(self.system, "no answer")
        self.calls.append(call)

    def ensure_database(self, database: str) -> list[Correction]:
        self._up("ensure_database")
        known = database in self.databases
        self.databases.add(database)
        if database in self.former:
            self.former.discard(database)
            return [Correction.FIRST_AUDIT_LOG]
        return [Correction.DATABASE_SCHEMA] * (not known)

    def ensure_user(self, user: Credentials, database: str = "", max_connections: int = 0) -> list[Correction]:
        """Of the database server and of the cache."""
        self._up("ensure_user")
        before = self.users.get(user.name), self.connections.get(user.name)
        self.users[user.name], self.connections[user.name] = user.secret, max_connections
        if user.name in self.former and before[0] == user.secret:
            self.former.discard(user.name)
            return [Correction.CACHE_RULES]
        if before == (user.secret, max_connections):
            return []
        grants = [Correction.DATABASE_GRANTS] * (before[0] is None)
        return [Correction.DATABASE_USER, *grants] if database else [Correction.CACHE_USER]

    def new_key(self, account: str) -> Credentials:
        self._up("new_key")
        made = Credentials(f"AKIA{next(self._numbers)}", f"issued-{next(self._numbers)}")
        self.keys.setdefault(account, {})[made.name] = made.secret
        return made

    def ensure_account(self, account: Credentials, access_key: str | None = None) -> list[Correction]:
        self._up("ensure_account")
        before = self.users.get(account.name)
        if access_key is not None:
            if self.keys.get(account.name, {}).get(access_key) != account.secret:
                raise BackendKeyGoneError(self.system, "no such key")
            self.keys[account.name] = {access_key: account.secret}
        self.users[account.name] = account.secret
        return [Correction.STORAGE_ACCOUNT] * (before != account.secret)

    def ensure_bucket(self, bucket: str, owner: str) -> list[Correction]:
        self._up("ensure_bucket")
        before = self.buckets.get(bucket)
        self.buckets[bucket] = owner
        return [Correction.BUCKET if before is None else Correction.BUCKET_ACCESS] * (before != owner)

    def database_exists(self, database: str) -> bool:
        self._up("database_exists")
        return database in self.databases

    def bucket_exists(self, bucket: str) -> bool:
        self._up("bucket_exists")
        return bucket in self.buckets

    def holds_data(self, name: str) -> bool:
        """A schema or bucket that is there holds something, unless a test says that it is empty."""
        self._up("holds_data")
        return name in (self.databases | self.buckets.keys()) - self.empty

    def survey(self) -> Survey:
        self._up("survey")
        return digests((tenant_in(name, "vt"), (name, secret)) for name, secret in self.users.items())

    def inventory(self) -> Inventory:
        """Of all three kinds of server at once."""
        self._up("inventory")
        cache_users = ((tenant_of(name, "vt"), "cache user") for name in self.users)
        users = ((tenant_of(name[:-1], "vt"), "database users") for name in self.users)
        accounts = ((tenant_of(name, "vivero-"), "storage account") for name in self.users)
        schemas = ((tenant_of(name, "vt"), "schema") for name in self.databases)
        buckets = ((tenant_of(name, "vivero-"), "bucket") for name in self.buckets)
        return holdings((*schemas, *users, *buckets, *accounts, *cache_users))

    def tables(self, database: str) -> Tally:
        self._up("tables")
        return tally([f"{database}.c_1"] if database in self.databases - self.empty else [])

    def contents(self, bucket: str) -> Tally:
        self._up("contents")
        return tally(["a-file"] if bucket in self.buckets.keys() - self.empty else [])

    def drop_users(self, database: str) -> bool:
        self._up("drop_users")
        found = [name for name in self.users if name.startswith(database)]
        for name in found:
            del self.users[name]
        return bool(found)

    def drop_user(self, user: str) -> bool:
        self._up("drop_user")
        return self.users.pop(user, None) is not None

    def delete_account(self, account: str) -> bool:
        return self.drop_user(account)

    def drop_database(self, database: str) -> bool:
        self._up("drop_database")
        known = database in self.databases
        self.databases.discard(database)
        return known

    def programs_of_others(self, database: str, owner: str) -> Others:
        self._up("programs_of_others")
        return self.others.get(database, Others())

    def begin_replacement(self, database: str, owner: Credentials, user: Credentials, max_connections: int) -> None:
        self._up("begin_replacement")
        assert self.users[owner.name] == owner.secret
        self.databases.add(f"{database}next")
        self.users[user.name], self.connections[user.name] = user.secret, max_connections

    def prepare_replacement(self, database: str) -> str | None:
        self._up("prepare_replacement")
        self.databases.discard(f"{database}last")
        return self.irreplaceable.get(database)

    def announce_replacement(self, database: str, told: Replacement) -> Announced:
        """Each call two seconds behind the one before."""
        self._up("announce_replacement")
        return Announced(1_795_953_600, 2 * self.calls.count("announce_replacement") - 2)

    def replace(self, database: str, owner: Credentials) -> bool:
        self._up("replace")
        assert self.users[owner.name] == owner.secret
        if f"{database}next" in self.databases:
            self.databases.add(f"{database}last")
            self._discard(database)
        return f"{database}last" in self.databases

    def discard_replacement(self, database: str, owner: Credentials) -> None:
        self._up("discard_replacement")
        self._discard(database)

    def begin_view(self, database: str, user: Credentials, max_connections: int) -> None:
        self._up("begin_view")
        assert max_connections
        self.databases |= {f"{database}asof", f"{database}asofaudit"}
        self.users[user.name] = user.secret
        self.viewers[user.name] = "fills"

    def is_view_older(self, database: str) -> bool:
        self._up("is_view_older")
        return database in self.older

    def open_view(self, database: str, user: Credentials, max_connections: int) -> str | None:
        self._up("open_view")
        assert f"{database}asof" in self.databases
        assert max_connections
        problem = self.irreplaceable.get(database)
        assert database not in self.older, "nobody could migrate it any more"
        if problem is None:
            self.viewers[user.name] = "reads"
        return problem

    def discard_view(self, database: str) -> None:
        self._up("discard_view")
        self.databases -= {f"{database}asof", f"{database}asofaudit"}
        self.users.pop(f"{database}v", None)
        self.viewers.pop(f"{database}v", None)

    def _discard(self, database: str) -> None:
        self.databases.discard(f"{database}next")
        self.users.pop(f"{database}r", None)

    def delete_bucket(self, bucket: str) -> bool:
        self._up("delete_bucket")
        return self.buckets.pop(bucket, None) is not None

    def delete_keys(self, user: str) -> int:
        self._up("delete_keys")
        return 0

    def ping(self) -> None:
        self._up("ping")

    def server_version(self) -> str:
        self._up("server_version")
        return "10.11.14-MariaDB"

    def log_settings(self) -> dict[str, str]:
        self._up("log_settings")
        return dict(self.variables)

    def close(self) -> None:
        """Nothing is open."""


class DirectBreaker(CircuitBreaker):
    """No threads."""

    def __init__(self) -> None:
        super().__init__("direct", lambda: None)

    async def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    async def long(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return await self.call(function, *args, **kwargs)


class EmptyBucket:
    """A backup bucket that holds nothing yet."""

    def list(self, prefix: str) -> dict[str, Any]:
        return {}

    def first(self, prefix: str) -> None:
        return None


class FakeBackends:
    def __init__(self) -> None:
        self.servers: dict[str, FakeServer] = defaultdict(lambda: FakeServer("mariadb"))
        self.s3, self.valkey = FakeServer("s3"), FakeServer("valkey")
        self._breaker = DirectBreaker()
        self.bucket: Any = EmptyBucket()
        """The backup bucket; a test may put another in its place."""

    async def database(self, server: Any) -> BackendClient[Any]:
        return BackendClient(self.servers[server.name], self._breaker)

    async def storage(self) -> BackendClient[Any]:
        return BackendClient(self.s3, self._breaker)

    async def cache(self) -> BackendClient[Any]:
        return BackendClient(self.valkey, self._breaker)

    async def backup_bucket(self) -> Any:
        return self.bucket

    async def login(self, secret: str) -> Credentials:
        return Credentials(secret, "password")

    async def platform_files(self) -> PlatformFiles:
        return PlatformFiles("CA", "TICKET")

    def forget_database(self, server: str) -> None:
        self.servers.pop(server, None)

    def all(self) -> dict[str, FakeServer]:
        return {**self.servers, "s3": self.s3, "valkey": self.valkey}

    def close(self) -> None:
        self._breaker.shut_down()


class FakeDns:
    """TXT records by name."""

    def __init__(self) -> None:
        self.records: dict[str, set[str]] = {}
        self.down = False

    async def texts(self, name: str) -> frozenset[str]:
        if self.down:
            raise BackendUnavailableError("dns", f"{name}: no answer (LifetimeTimeout)")
        return frozenset(self.records.get(name, ()))


class FakeDataPlane:
    """Keeps accounts as the data plane does: by address, one of them the first owner's."""

    def __init__(self) -> None:
        self.owners: list[Owner] = []
        """Every order about an owner with a password."""
        self.accounts: dict[str, str | None] = {}
        self.workspace: Workspace | None = None
        self.neighbours: list[str | None] = []
        self.failing: tuple[str, ...] = ()
        self.refusal: str | None = None
        self.down = False

    async def put_workspace(self, address: str, token: str, workspace: Workspace, owner: Owner | None) -> str | None:
        if self.down:
            raise DataPlaneUnavailableError("data plane", "no response from the pod")
        if self.refusal is not None:
            raise DataPlaneRefusedError("data plane", self.refusal)
        self.workspace = workspace
        if owner is None:
            return next(iter(self.accounts), None)
        if owner.password_hash is not None:
            self.owners.append(owner)
        if owner.email not in self.accounts and owner.replaces in self.accounts:
            self.accounts = {owner.email if one == owner.replaces else one: its for one, its in self.accounts.items()}
        if owner.password_hash is not None:
            self.accounts[owner.email] = owner.password_hash
        return owner.email if owner.email in self.accounts else next(iter(self.accounts), None)

    async def proof(self, address: str, token: str, neighbour: str | None) -> Proof:
        self.neighbours.append(neighbour)
        if self.down:
            raise DataPlaneUnavailableError("data plane", "no response from the pod")
        return Proof(not self.failing, "1.2.3", self.failing, self.workspace)
