"""What the program in a tenant's pod does, as far as the operator can tell: it reads its Secrets once, at its start, makes
its schema, and from then on works on the real servers with the credentials that it read then.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from faults.servers import Servers
from vivero_core.backends.credentials import Credentials
from vivero_core.errors import BackendError
from vivero_dev.testing.data_plane import ASPECTS, Works

TABLE: Final = "notes"
"""A workspace's first table; it stands for all that migrations make."""
NEEDED: Final = ("database", "cache", "storage", "app", "limits")
"""Secrets without which kubelet does not start the container."""


def decoded(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}


@dataclass(frozen=True)
class Program:
    """One pod's program, with the Secrets as they were when it started."""

    servers: Servers
    secrets: dict[str, dict[str, str]] = field(repr=False)

    @property
    def token(self) -> str:
        return self.secrets["app"].get("operator_token", "")

    async def begin(self) -> bool:
        """Whether it is ready to serve: the schema is made or there, and all its credentials work."""
        try:
            made = await asyncio.to_thread(self._migrate)
        except BackendError:
            return False
        return made and all((await self.works()).values())

    async def works(self) -> Works:
        tried = (self._database, self._storage, self._cache)
        return dict(zip(ASPECTS, [await asyncio.to_thread(_holds, one) for one in tried], strict=True))

    def _migrate(self) -> bool:
        """Whether the schema has its table. One that held data is not made again when it is found empty: it was lost."""
        login, name = self._login("database", "username", "password"), self.secrets["database"]["name"]
        connections = self.servers.database._connections  # noqa: SLF001  no one but a test logs in as a tenant
        with connections.tenants("start a workspace", login, name) as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s", (name,))
            empty = cursor.fetchone() == (0,)
            if empty and not json.loads(self.secrets["limits"]["limits.json"]).get("holds_data"):
                cursor.execute(f"CREATE TABLE {TABLE} (text VARCHAR(100))")
                return True
        return not empty

    def _login(self, secret: str, name: str, password: str) -> Credentials:
        return Credentials(self.secrets[secret][name], self.secrets[secret][password])

    def _database(self) -> None:
        login, name = self._login("database", "username", "password"), self.secrets["database"]["name"]
        self.servers.database.prove(login, name)

    def _storage(self) -> None:
        login, bucket = self._login("storage", "access_key", "secret_key"), self.secrets["storage"]["bucket"]
        self.servers.storage.prove(login, bucket)

    def _cache(self) -> None:
        self.servers.cache.prove(self._login("cache", "username", "password"))


def _holds(proof: Callable[[], None]) -> bool:
    try:
        proof()
    except BackendError:
        return False
    return True
