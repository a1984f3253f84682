"""The new platform as a rebuild reaches it: the API server, the backup bucket, the servers of databases and objects."""

import asyncio
from typing import Final, Protocol

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseAddress
from vivero_core.backends.mariadb.connections import Connections
from vivero_core.backends.mariadb.protocol import DatabaseAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.model.database_server import DatabaseServer

from vivero_operator.backend_clients import PlatformObjects
from vivero_operator.operations.orders import Login
from vivero_operator.operations.platform_state import States
from vivero_operator.settings import Settings

LOOK_SECONDS: Final = 2.0


class CountingAdmin(DatabaseAdmin, Protocol):
    """What MariaDB's administrator has to be able to here."""

    def log_position(self) -> tuple[int, str]: ...

    def count_on_from(self, number: int) -> None: ...


class Reach(Protocol):
    """The new platform, as a rebuild reaches it."""

    @property
    def settings(self) -> Settings: ...

    @property
    def kube(self) -> KubeClient: ...

    @property
    def store(self) -> States:
        """The backup bucket."""
        ...

    @property
    def storage(self) -> StorageAdmin: ...

    @property
    def look_seconds(self) -> float:
        """How often a Job is looked at."""
        ...

    async def admin_of(self, server: DatabaseServer) -> CountingAdmin:
        """Its administrator."""
        ...

    async def login(self, secret: str) -> Credentials:
        """Keys username and password of a Secret."""
        ...

    async def holds_tables(self, server: DatabaseServer, login: Login, schema: str) -> bool:
        """Whether a schema that is no tenant's holds anything, as this login sees it."""
        ...


class Servers:
    """Implements `Reach`."""

    look_seconds = LOOK_SECONDS

    def __init__(self, settings: Settings, kube: KubeClient, store: States, storage: StorageAdmin) -> None:
        self.settings, self.kube, self.store, self.storage = settings, kube, store, storage
        self._objects = PlatformObjects(kube, settings.platform_namespace)
        self._admins: dict[str, MariaDbAdmin] = {}

    async def admin_of(self, server: DatabaseServer) -> CountingAdmin:
        if server.name not in self._admins:
            login = await self._objects.credentials(server.spec.admin_secret, "username", "password")
            self._admins[server.name] = MariaDbAdmin(await self._address(server), login)
        return self._admins[server.name]

    async def login(self, secret: str) -> Credentials:
        return await self._objects.credentials(secret, "username", "password")

    async def holds_tables(self, server: DatabaseServer, login: Login, schema: str) -> bool:
        address, user = await self._address(server), Credentials(login.user, login.password)
        return await asyncio.to_thread(_holds_tables, Connections(address, user), user, schema)

    async def _address(self, server: DatabaseServer) -> DatabaseAddress:
        authority = await self._objects.authority(server.spec.ca_config_map)
        return DatabaseAddress(server.spec.host, server.spec.port, authority)


def _holds_tables(connections: Connections, user: Credentials, schema: str) -> bool:
    with connections.tenants(f"look for tables in {schema}", user, schema) as cursor:
        cursor.execute("SELECT 1 FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s LIMIT 1", (schema,))
        return cursor.fetchone() is not None
