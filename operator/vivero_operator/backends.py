"""The backing servers as the operator reaches them: an admin client for each, behind its lane.

Made when first needed, from Secrets read then; made anew when the server's address or its Secret changes.
"""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import CONFIG_MAP, SECRET, Resource
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseAddress
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.backends.s3.transport import Endpoint
from vivero_core.backends.valkey.client import Server as CacheAddress
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.backends.valkey.protocol import CacheAdmin
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.instance import PlatformFiles
from vivero_operator.reconcile.lanes import Lane
from vivero_operator.settings import Settings


class Pingable(Protocol):
    """What every administrator can do."""

    def ping(self) -> None: ...


A_co = TypeVar("A_co", bound=Pingable, covariant=True)

FRESH_SECONDS: Final = 60.0
"""How long a Secret or ConfigMap of the platform is believed before it is read again."""
_STORAGE, _CACHE = "s3", "valkey"


@dataclass(frozen=True)
class Link(Generic[A_co]):
    """A server: the client that administers it, and the lane its calls go through."""

    admin: A_co
    lane: Lane


class PlatformObjects:
    """Secrets and ConfigMaps of the platform's namespace, each read at most once a minute."""

    def __init__(self, kube: KubeClient, namespace: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._kube = kube
        self._namespace = namespace
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}

    async def credentials(self, secret: str, name: str, password: str) -> Credentials:
        """A login from two keys of a Secret."""
        data = await self._read(SECRET, secret)
        return Credentials(data[name], data[password])

    async def text(self, config_map: str, key: str) -> str:
        return (await self._read(CONFIG_MAP, config_map))[key]

    async def _read(self, resource: Resource, name: str) -> dict[str, str]:
        known = self._known.get((resource.kind, name))
        if known is not None and self._clock() - known[0] < FRESH_SECONDS:
            return known[1]
        body = await self._kube.get(resource, name, self._namespace)
        data = _decoded(body) if resource is SECRET else body.get("data", {})
        self._known[resource.kind, name] = (self._clock(), data)
        return data


def _decoded(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}


class Backends:
    """All backing servers."""

    def __init__(self, settings: Settings, objects: PlatformObjects, guard: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._guard = guard
        self._objects = objects
        self._links: dict[str, tuple[object, Link[Any]]] = {}
        self.recovered: Callable[[], None] = lambda: None
        """Called when a server that was away has answered; to be set before the first server is asked for."""

    async def database(self, server: DatabaseServer) -> Link[DatabaseAdmin]:
        spec = server.spec
        authority = await self._objects.text(spec.ca_config_map, "ca.crt")
        admin = await self._objects.credentials(spec.admin_secret, "username", "password")
        address = DatabaseAddress(spec.host, spec.port, authority)
        return self._link(f"mariadb-{server.name}", (address, admin), lambda: MariaDbAdmin(address, admin))

    async def storage(self) -> Link[StorageAdmin]:
        authority = await self._authority()
        admin = await self._objects.credentials(self._settings.s3_admin_secret, "access_key", "secret_key")
        endpoint = Endpoint(self._settings.s3_endpoint, self._settings.s3_region, authority)
        return self._link(_STORAGE, (endpoint, admin), lambda: VersityStorageAdmin(endpoint, admin))

    async def cache(self) -> Link[CacheAdmin]:
        authority = await self._authority()
        admin = await self._objects.credentials(self._settings.valkey_admin_secret, "username", "password")
        address = CacheAddress(self._settings.valkey_host, self._settings.valkey_port, authority)
        return self._link(_CACHE, (address, admin), lambda: ValkeyAdmin(address, admin))

    async def platform_files(self) -> PlatformFiles:
        ticket_key = await self._objects.text(self._settings.ticket_key_config_map, "ticket.pub")
        return PlatformFiles(await self._authority(), ticket_key)

    def close(self) -> None:
        for _, link in self._links.values():
            _close(link)
        self._links.clear()

    async def _authority(self) -> str:
        return await self._objects.text(self._settings.ca_config_map, "ca.crt")

    def _link(self, name: str, made_from: object, make: Callable[[], A_co]) -> "Link[A_co]":
        known = self._links.get(name)
        if known is not None and known[0] == made_from:
            return known[1]
        if known is not None:
            _close(known[1])
        admin = make()
        link = Link(admin, Lane(name, admin.ping, recovered=self.recovered, guard=self._guard))
        self._links[name] = (made_from, link)
        return link


def _close(link: Link[Any]) -> None:
    link.lane.close()
    link.admin.close()
