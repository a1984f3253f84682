"""The operator's admin clients of backing servers, each behind a circuit breaker.

Made when first needed, from Secrets read then, and replaced when the server's address or its Secret changes: calls
that run on the old one end there.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import CONFIG_MAP, SECRET, Resource
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseAddress
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.iam import IamStorageAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.backends.s3.transport import Endpoint, Transport
from vivero_core.backends.tls import client_context
from vivero_core.backends.valkey.client import Server as CacheAddress
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.backends.valkey.elasticache import ElastiCacheAdmin
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.errors import BackendMisconfiguredError
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.archiver.bucket import Bucket
from vivero_operator.instance import PlatformFiles
from vivero_operator.reconcile.circuit_breaker import CircuitBreaker
from vivero_operator.settings import Settings


class Pingable(Protocol):
    """What every admin client has."""

    def ping(self) -> None: ...

    def close(self) -> None: ...


A_co = TypeVar("A_co", bound=Pingable, covariant=True)

FRESH_SECONDS: Final = 60.0
"""How long a Secret or ConfigMap of the platform is believed before it is read again."""
WRONG_SECONDS: Final = 5.0
"""The same for one that cannot be used: after a correction the wait is short."""
_STORAGE, _CACHE = "s3", "valkey"
_PUBLIC_KEY: Final = re.compile(
    r"-----BEGIN PUBLIC KEY-----\s(?P<body>[A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----", re.ASCII
)


@dataclass(frozen=True)
class BackendClient(Generic[A_co]):
    """The admin client of a server, and the circuit breaker for its calls."""

    admin: A_co
    breaker: CircuitBreaker


class PlatformObjects:
    """Secrets and ConfigMaps of the platform's namespace, each read at most once a minute.

    People write them: what is missing or has another form than it must have
    is a BackendMisconfiguredError that names the object and the key.
    """

    def __init__(self, kube: KubeClient, namespace: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._kube = kube
        self._namespace = namespace
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, dict[str, bytes]]] = {}

    async def credentials(self, secret: str, name: str, password: str) -> Credentials:
        """A login from two keys of a Secret."""
        login = await self._text(SECRET, secret, name)
        if not login.isprintable():
            raise self._wrong(SECRET, secret, f"key {name} contains a line break or another control character")
        return Credentials(login, await self._text(SECRET, secret, password))

    async def text(self, secret: str, key: str) -> str:
        """One line of a Secret."""
        return (await self._text(SECRET, secret, key)).strip()

    async def authority(self, config_map: str, key: str = "ca.crt") -> str:
        """The certificates of an authority, PEM."""
        text = await self._text(CONFIG_MAP, config_map, key)
        try:
            client_context(text)
        except BackendMisconfiguredError as error:
            raise self._wrong(CONFIG_MAP, config_map, f"key {key} is not a PEM certificate") from error
        return text

    async def public_key(self, config_map: str, key: str) -> str:
        text = await self._text(CONFIG_MAP, config_map, key)
        if not _is_public_key(text):
            raise self._wrong(CONFIG_MAP, config_map, f"key {key} is not a PEM public key")
        return text

    async def _text(self, resource: Resource, name: str, key: str) -> str:
        data = await self._read(resource, name)
        try:
            text = data[key].decode()
        except KeyError:
            raise self._wrong(resource, name, f"has no key {key}") from None
        except UnicodeDecodeError:
            raise self._wrong(resource, name, f"key {key} is not UTF-8 text") from None
        if not text.strip():
            raise self._wrong(resource, name, f"key {key} is empty")
        return text

    async def _read(self, resource: Resource, name: str) -> dict[str, bytes]:
        known = self._known.get((resource.kind, name))
        if known is not None and self._clock() - known[0] < FRESH_SECONDS:
            return known[1]
        try:
            body = await self._kube.get(resource, name, self._namespace)
        except KubeNotFoundError:
            raise self._wrong(resource, name, "does not exist") from None
        data = _data(resource, body)
        self._known[resource.kind, name] = (self._clock(), data)
        return data

    def _wrong(self, resource: Resource, name: str, what: str) -> BackendMisconfiguredError:
        known = self._known.get((resource.kind, name))
        if known is not None:
            believed_since = min(known[0], self._clock() - FRESH_SECONDS + WRONG_SECONDS)
            self._known[resource.kind, name] = (believed_since, known[1])
        return BackendMisconfiguredError("configuration", f"{resource.kind} {self._namespace}/{name} {what}")


def _data(resource: Resource, body: dict[str, Any]) -> dict[str, bytes]:
    """What the object holds, text or not."""
    data, binary = body.get("data") or {}, body.get("binaryData") or {}
    if resource is SECRET:
        return _decoded(data)
    return {key: str(text).encode() for key, text in data.items()} | _decoded(binary)


def _decoded(encoded: dict[str, str]) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in encoded.items()}


def _is_public_key(text: str) -> bool:
    match = _PUBLIC_KEY.fullmatch(text.strip())
    if match is None:
        return False
    try:
        return bool(base64.b64decode("".join(match["body"].split()), validate=True))
    except binascii.Error:
        return False


class BackendClients:
    """The client of each backing server: one for each DatabaseServer, one for S3, one for Valkey."""

    def __init__(self, settings: Settings, objects: PlatformObjects, fence: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._fence = fence
        self._objects = objects
        self._clients: dict[str, tuple[object, BackendClient[Any]]] = {}
        self._bucket: tuple[object, Bucket] | None = None
        self.recovered: Callable[[], None] = lambda: None
        """Called when a circuit breaker has closed; to be set before the first client is asked for."""

    async def database(self, server: DatabaseServer) -> BackendClient[DatabaseAdmin]:
        spec = server.spec
        authority = await self._objects.authority(spec.ca_config_map)
        admin = await self._objects.credentials(spec.admin_secret, "username", "password")
        address = DatabaseAddress(spec.host, spec.port, authority)
        return self._client(_database(server.name), (address, admin), lambda: MariaDbAdmin(address, admin))

    async def storage(self) -> BackendClient[StorageAdmin]:
        authority = await self._authority()
        admin = await self._objects.credentials(self._settings.s3_admin_secret, "access_key", "secret_key")
        endpoint = Endpoint(self._settings.s3_endpoint, self._settings.s3_region, authority)
        if self._settings.s3_accounts == "iam":
            iam = self._settings.iam_endpoint
            return self._client(_STORAGE, (endpoint, admin), lambda: IamStorageAdmin(endpoint, admin, iam))
        return self._client(_STORAGE, (endpoint, admin), lambda: VersityStorageAdmin(endpoint, admin))

    async def cache(self) -> BackendClient[CacheAdmin]:
        authority = await self._authority()
        admin = await self._objects.credentials(self._settings.valkey_admin_secret, "username", "password")
        address = CacheAddress(self._settings.valkey_host, self._settings.valkey_port, authority)
        if self._settings.valkey_users == "elasticache":
            return await self._elasticache(address, admin)
        return self._client(_CACHE, (address, admin), lambda: ValkeyAdmin(address, admin))

    async def _elasticache(self, address: CacheAddress, admin: Credentials) -> BackendClient[CacheAdmin]:
        settings = self._settings
        login = await self._objects.credentials(settings.elasticache_admin_secret, "access_key", "secret_key")
        api = Endpoint(settings.elasticache_endpoint, settings.elasticache_region, address.authority)
        group = settings.elasticache_user_group
        made_from = (address, admin, api, login)
        return self._client(_CACHE, made_from, lambda: ElastiCacheAdmin(address, admin, api, login, group))

    async def backup_bucket(self) -> Bucket:
        """The backup bucket, to look at how far logs are archived; no breaker: nothing that anybody waits for uses it."""
        secret = self._settings.backup_secret
        endpoint, region, name = [await self._objects.text(secret, key) for key in ("endpoint", "region", "bucket")]
        login = await self._objects.credentials(secret, "access_key", "secret_key")
        at = Endpoint(endpoint, region, await self._authority())
        made_from = (at, name, login)
        if self._bucket is not None and self._bucket[0] == made_from:
            return self._bucket[1]
        self._close_bucket()
        bucket = Bucket(Transport(at), name, login, self._settings.lock)
        self._bucket = (made_from, bucket)
        return bucket

    async def login(self, secret: str) -> Credentials:
        """Keys username and password of a Secret."""
        return await self._objects.credentials(secret, "username", "password")

    async def platform_files(self) -> PlatformFiles:
        ticket_key = await self._objects.public_key(self._settings.ticket_key_config_map, "ticket.pub")
        return PlatformFiles(await self._authority(), ticket_key)

    def forget_database(self, server: str) -> None:
        """Drop a deleted DatabaseServer's client; threads and connections end with their running calls."""
        known = self._clients.pop(_database(server), None)
        if known is not None:
            _close(known[1])

    def close(self) -> None:
        for _, client in self._clients.values():
            _close(client)
        self._clients.clear()
        self._close_bucket()

    def _close_bucket(self) -> None:
        if self._bucket is not None:
            self._bucket[1].close()
            self._bucket = None

    async def _authority(self) -> str:
        return await self._objects.authority(self._settings.ca_config_map)

    def _client(self, name: str, made_from: object, make: Callable[[], A_co]) -> "BackendClient[A_co]":
        known = self._clients.get(name)
        if known is not None and known[0] == made_from:
            return known[1]
        admin = make()  # first: what cannot be made leaves the old one as it was
        if known is not None:
            _close(known[1])
        client = BackendClient(admin, CircuitBreaker(name, admin.ping, recovered=self.recovered, fence=self._fence))
        self._clients[name] = (made_from, client)
        return client


def _database(server: str) -> str:
    return f"mariadb-{server}"


def _close(client: BackendClient[Any]) -> None:
    """Calls that run end first: a client whose connections are closed under them would call that an outage."""
    client.breaker.shut_down(client.admin.close)
